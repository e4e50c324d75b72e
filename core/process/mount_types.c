#include "process/mount_types.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mounts.h"

void mount_types_deinit(struct mount_types *types)
{
    free(types->items);
    *types = (struct mount_types){0};
}

void mount_types_clear(struct mount_types *types)
{
    types->count = 0;
}

const char *mount_types_find(const struct mount_types *types, int64_t mount)
{
    for (size_t i = 0; i < types->count; i++)
        if (types->items[i].mount == mount)
            return types->items[i].name;
    return NULL;
}

static int append(struct mount_types *types, const struct mount_type *type)
{
    if (types->count == types->size) {
        size_t size = types->size ? types->size * 2 : 32;
        struct mount_type *items = reallocarray(types->items, size, sizeof *items);

        if (!items)
            return -ENOMEM;
        types->items = items;
        types->size = size;
    }
    types->items[types->count++] = *type;
    return 0;
}

int mount_types_add(struct mount_types *types, struct buffer *mountinfo)
{
    struct mount mount;

    for (size_t at = 0; mounts_next(mountinfo, &at, &mount);) {
        struct mount_type type = {.mount = mount.id};
        struct text name = text_split(&mount.type, '.');

        if (mount_types_find(types, mount.id))
            continue;
        memcpy(type.name, name.ptr, name.len < MOUNT_TYPE_SIZE ? name.len : MOUNT_TYPE_SIZE);
        int r = append(types, &type);

        if (r < 0)
            return r;
    }
    return 0;
}
