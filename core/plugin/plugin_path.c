#include "plugin/plugin_path.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

/* plugins/ beside the executable, in ARENA, or NULL. */
static const char *beside(struct arena *arena)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    if (len <= 0)
        return NULL;
    path[len] = '\0';
    char *slash = strrchr(path, '/');

    if (!slash)
        return NULL;
    *slash = '\0';
    return arena_printf(arena, "%s/plugins", path);
}

struct directories {
    const char *paths[2];
    size_t count;
};

static struct directories directories(const char *dir, struct arena *arena)
{
    const char *near = dir ? dir : beside(arena);

    if (dir || !near)
        return (struct directories){{dir ? dir : PICKET_PLUGIN_DIR}, 1};
    return (struct directories){{near, PICKET_PLUGIN_DIR}, 2};
}

struct path_list {
    const char **paths;
    size_t count, size;
};

static int add_path(struct path_list *list, struct arena *arena, const char *dir, const char *name)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : 16;
        const char **paths = arena_array(arena, size, sizeof *paths);

        if (!paths)
            return -ENOMEM;
        if (list->count)
            memcpy(paths, list->paths, list->count * sizeof *paths);
        list->paths = paths;
        list->size = size;
    }
    list->paths[list->count] = arena_printf(arena, "%s/%s", dir, name);
    return list->paths[list->count++] ? 0 : -ENOMEM;
}

static int add_directory(struct path_list *list, struct arena *arena, const char *path)
{
    CLEANUP(closedirp) DIR *dir = opendir(path);
    const struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !text_ends(text_from(entry->d_name), TEXT(".so")))
            continue;
        int r = add_path(list, arena, path, entry->d_name);

        if (r < 0)
            return r;
    }
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    int order = strcmp(strrchr(left, '/'), strrchr(right, '/'));

    return order ? order : strcmp(left, right);
}

int plugin_path_list(const char *dir, struct arena *arena, const char ***out, size_t *count)
{
    struct directories from = directories(dir, arena);
    struct path_list list = {0};

    for (size_t i = 0; i < from.count; i++) {
        int r = add_directory(&list, arena, from.paths[i]);

        if (r < 0)
            return r;
    }
    if (list.count)
        qsort(list.paths, list.count, sizeof *list.paths, compare_paths);
    *out = list.paths;
    *count = list.count;
    return 0;
}

/* The plugin's name that is nearest to PLUGIN, or NULL. */
static const char *nearest_name(const char *dir, struct text plugin, struct arena *arena)
{
    const char **paths;
    size_t count;

    if (plugin_path_list(dir, arena, &paths, &count) < 0 || count == 0)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct text name = text_from(strrchr(paths[i], '/') + 1);

        name.len -= strlen(".so");
        paths[i] = arena_text(arena, name).ptr;
        if (!paths[i])
            return NULL;
    }
    return text_nearest(plugin, paths, count);
}

int plugin_path_find_source(struct text source, struct arena *arena, const char **out)
{
    struct directories from = directories(NULL, arena);

    for (size_t i = 0; i < from.count; i++) {
        const char *path =
            arena_printf(arena, "%s/sources/%.*s.so", from.paths[i], TEXT_ARG(source));

        if (!path)
            return -ENOMEM;
        if (access(path, F_OK) == 0) {
            *out = path;
            return 0;
        }
    }
    return -ENOENT;
}

int plugin_path_find(const char *dir, struct text plugin, struct arena *arena, const char **out,
                     const char **nearest)
{
    struct directories from = directories(dir, arena);

    if (memchr(plugin.ptr, '/', plugin.len)) {
        *out = arena_text(arena, plugin).ptr;
        *nearest = NULL;
        return !*out ? -ENOMEM : access(*out, F_OK) < 0 ? -errno : 0;
    }
    for (size_t i = 0; i < from.count; i++) {
        const char *path = arena_printf(arena, "%s/%.*s.so", from.paths[i], TEXT_ARG(plugin));

        if (!path)
            return -ENOMEM;
        if (access(path, F_OK) == 0) {
            *out = path;
            return 0;
        }
    }
    *nearest = nearest_name(dir, plugin, arena);
    return -ENOENT;
}
