#include "rule/rule_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "rule/document.h"

/* Far more than a person writes; a log file named by mistake is larger. */
#define FILE_MAX (32U << 20)

/* Of folders in folders; beyond it a link leads in a circle. */
#define FOLDER_DEPTH_MAX 16

struct paths {
    struct compiler *compiler;
    const char **items;
    size_t count, size;
};

static void paths_deinit(struct paths *paths)
{
    free(paths->items);
}

static void diagnose_path(struct compiler *compiler, const char *path, int error)
{
    const char *kept = arena_string(&compiler->diags->arena, path);

    if (kept)
        diag_error(compiler->diags, (struct mark){.file = kept}, "unreadable-file",
                   "cannot be read: %s", strerror(-error));
    else
        compiler->failed = true;
}

static void read_file(struct compiler *compiler, const char *path)
{
    CLEANUP(buffer_deinit) struct buffer content = {0};
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int r = fd < 0 ? -errno : buffer_read_fd(&content, fd, FILE_MAX);

    if (r < 0)
        diagnose_path(compiler, path, r);
    else
        document_read_all(compiler, path, buffer_text(&content));
}

static void add_path(struct paths *paths, const char *path)
{
    if (paths->count == paths->size) {
        size_t size = paths->size ? paths->size * 2 : 64;
        void *items = reallocarray(paths->items, size, sizeof *paths->items);

        if (!items) {
            paths->compiler->failed = true;
            return;
        }
        paths->items = items;
        paths->size = size;
    }
    paths->items[paths->count++] = path;
}

static bool is_rule_file(struct text name)
{
    return text_ends(name, TEXT(".yaml")) || text_ends(name, TEXT(".yml"));
}

static void add_folder(struct paths *paths, const char *path, unsigned depth);

static void add_entry(struct paths *paths, const char *folder, const char *name, unsigned depth)
{
    bool slash = text_ends(text_from(folder), TEXT("/"));
    const char *path =
        arena_printf(&paths->compiler->arena, "%s%s%s", folder, slash ? "" : "/", name);
    struct stat status;

    if (!path) {
        paths->compiler->failed = true;
        return;
    }
    if (stat(path, &status) < 0) {
        if (is_rule_file(text_from(name)))
            diagnose_path(paths->compiler, path, -errno);
    } else if (S_ISDIR(status.st_mode)) {
        add_folder(paths, path, depth + 1);
    } else if (S_ISREG(status.st_mode) && is_rule_file(text_from(name))) {
        add_path(paths, path);
    }
}

static void add_folder(struct paths *paths, const char *path, unsigned depth)
{
    CLEANUP(closedirp) DIR *folder = depth > FOLDER_DEPTH_MAX ? NULL : opendir(path);

    if (!folder) {
        diagnose_path(paths->compiler, path, depth > FOLDER_DEPTH_MAX ? -ELOOP : -errno);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            add_entry(paths, path, entry->d_name, depth);
}

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

void rule_files_read(struct compiler *compiler, const char *path)
{
    CLEANUP(paths_deinit) struct paths paths = {.compiler = compiler};
    struct stat status;

    if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) {
        read_file(compiler, path);
        return;
    }
    size_t errors = compiler->diags->errors;

    add_folder(&paths, path, 0);
    if (paths.count == 0 && compiler->diags->errors == errors) {
        const char *kept = arena_string(&compiler->diags->arena, path);

        diag_warning(compiler->diags, (struct mark){.file = kept}, "no-rules",
                     "the folder holds no *.yaml or *.yml");
        return;
    }
    if (paths.count)
        qsort(paths.items, paths.count, sizeof *paths.items, compare);
    for (size_t i = 0; i < paths.count; i++)
        read_file(compiler, paths.items[i]);
}
