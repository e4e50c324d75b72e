#include "process/mount_types.h"

#include <errno.h>
#include <stdlib.h>

void mount_types_deinit(struct mount_types *types)
{
    free(types->items);
    *types = (struct mount_types){0};
}

void mount_types_clear(struct mount_types *types)
{
    types->count = 0;
}

const char *mount_types_find(const struct mount_types *types, uint32_t major, uint32_t minor)
{
    for (size_t i = 0; i < types->count; i++)
        if (types->items[i].major == major && types->items[i].minor == minor)
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

/* "ID PARENT MAJOR:MINOR ROOT PLACE OPTIONS [TAG...] - TYPE SOURCE ...". Spaces in places are
 * escaped. */
static bool parse_line(struct text line, struct mount_type *out)
{
    int64_t major, minor;

    text_split(&line, ' ');
    text_split(&line, ' ');
    struct text device = text_split(&line, ' ');

    while (line.ptr && !text_is(text_split(&line, ' '), "-"))
        ;
    struct text name = text_split(&line, ' ');

    if (text_to_int(text_split(&device, ':'), &major) < 0 || text_to_int(device, &minor) < 0 ||
        name.len == 0)
        return false;
    name = text_split(&name, '.');
    if (name.len > MOUNT_TYPE_SIZE)
        name.len = MOUNT_TYPE_SIZE;
    *out = (struct mount_type){.major = (uint32_t)major, .minor = (uint32_t)minor};
    memcpy(out->name, name.ptr, name.len);
    return true;
}

int mount_types_add(struct mount_types *types, struct text mountinfo)
{
    while (mountinfo.ptr) {
        struct mount_type type;

        if (!parse_line(text_split(&mountinfo, '\n'), &type) ||
            mount_types_find(types, type.major, type.minor))
            continue;
        int r = append(types, &type);

        if (r < 0)
            return r;
    }
    return 0;
}
