#include "cli/memory_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "plugin/plugin_path.h"

#define PLUGIN_MAX ((size_t)64 << 20)
#define FOUND_MAX  ((size_t)1 << 20)

/* The name of the sanitizer's library that the object at PATH is linked with, or NULL. */
static const char *find_sanitizer(const char *path, struct arena *arena)
{
    static const char *const names[] = {"libasan.so", "libclang_rt.asan"};
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(buffer_deinit) struct buffer content = {0};

    if (fd < 0 || buffer_read_fd(&content, fd, PLUGIN_MAX) < 0)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *found = memmem(content.data, content.len, names[i], strlen(names[i]));

        if (found)
            return arena_printf(arena, "%.*s",
                                (int)strnlen(found, content.len - (size_t)(found - content.data)),
                                found);
    }
    return NULL;
}

static void use_sanitizer(struct memory_check *check, const char *library)
{
    check->environment[0] = arena_printf(&check->arena, "LD_PRELOAD=%s", library);
    check->environment[1] =
        arena_printf(&check->arena, "ASAN_OPTIONS=detect_leaks=1:log_path=%s/found", check->folder);
}

static void use_valgrind(struct memory_check *check)
{
    check->arguments[0] = "valgrind";
    check->arguments[1] = "--quiet";
    check->arguments[2] = "--leak-check=full";
    check->arguments[3] = "--errors-for-leak-kinds=definite";
    check->arguments[4] = "--show-leak-kinds=definite";
    check->arguments[5] = "--vgdb=no"; /* its files go by the pid, which others have, too */
    check->arguments[6] = arena_printf(&check->arena, "--log-file=%s/found.%%p", check->folder);
}

int memory_check_init(struct memory_check *check, struct text plugin)
{
    const char *path, *nearest;
    int r = plugin_path_find(NULL, plugin, &check->arena, &path, &nearest);

    snprintf(check->folder, sizeof check->folder, "/tmp/picket-leaks-XXXXXX");
    if (r == 0 && !mkdtemp(check->folder))
        r = -errno;
    /* As root is one who tries it, its host is nobody. */
    if (r == 0 && chmod(check->folder, 01777) < 0)
        r = -errno;
    if (r < 0) {
        log_error("%.*s: %s", TEXT_ARG(plugin), strerror(-r));
        return r;
    }
    const char *sanitizer = find_sanitizer(path, &check->arena);

    if (!sanitizer)
        sanitizer = find_sanitizer("/proc/self/exe", &check->arena);
    if (sanitizer)
        use_sanitizer(check, sanitizer);
    else
        use_valgrind(check);
    check->tool = (struct host_tool){check->arguments, check->environment};
    return 0;
}

/* Whether there is anything in it. */
static bool print(int folder, const char *name)
{
    CLEANUP(closep) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    CLEANUP(buffer_deinit) struct buffer found = {0};

    if (fd >= 0)
        buffer_read_fd(&found, fd, FOUND_MAX);
    fwrite(found.data, 1, found.len, stdout);
    return found.len != 0;
}

int memory_check_report(const struct memory_check *check)
{
    CLEANUP(closedirp) DIR *folder = opendir(check->folder);
    int count = 0;

    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            count += print(dirfd(folder), entry->d_name);
    printf("%s  no memory is lost or misused\n", count ? "FAILED" : "ok    ");
    return count;
}

void memory_check_deinit(struct memory_check *check)
{
    CLEANUP(closedirp) DIR *folder = *check->folder ? opendir(check->folder) : NULL;

    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder)
        rmdir(check->folder);
    arena_deinit(&check->arena);
}
