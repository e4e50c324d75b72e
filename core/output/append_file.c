#include "output/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"

/* Without O_NONBLOCK a FIFO nobody reads would hold up all outputs. */
#define OPENING (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Plugins may look at what the file ends with; a FIFO must not become its own reader. */
static int make_readable(int fd)
{
    struct stat status;
    char path[32];

    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int readable = open(path, O_RDWR | O_APPEND | O_CLOEXEC);

    if (readable < 0)
        return fd;
    close(fd);
    return readable;
}

/* The mode is as promised, whatever the mask. */
static int open_or_make(const struct file_place *place)
{
    const int flags = OPENING | place->no_follow;
    int fd = openat(place->folder, place->name, flags | O_CREAT | O_EXCL, 0640);

    if (fd >= 0)
        fchmod(fd, 0640);
    else if (errno == EEXIST)
        fd = openat(place->folder, place->name, flags | O_CREAT, 0640);
    return fd < 0 ? -errno : fd;
}

/* What was opened so as not to wait is to block from now on. */
static int let_block(int fd)
{
    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_SETFL, O_APPEND) == 0)
        return fd;
    int r = -errno;

    close(fd);
    return r;
}

int append_file_open_at(const struct file_place *place)
{
    int fd = open_or_make(place);

    if (fd >= 0)
        fd = let_block(fd);
    return fd < 0 ? fd : make_readable(fd);
}

/* A terminal or pipe as a file of its own, where that can be had: who changes its flags changes
 * nobody else's. A regular file would begin at its beginning. */
static int open_output(void)
{
    struct stat status;
    bool apart =
        fstat(STDOUT_FILENO, &status) == 0 && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
    int fd = apart ? let_block(open("/proc/self/fd/1", OPENING)) : -1;

    if (fd < 0)
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

int append_file_open(const char *path)
{
    CLEANUP(file_place_deinit) struct file_place place = {.folder = -1};

    if (strcmp(path, "-") == 0)
        return open_output();
    int r = file_place_find(path, &place);

    return r < 0 ? r : append_file_open_at(&place);
}

/* A gap ends nothing. */
int append_file_shift(const struct file_place *place, uint32_t keep)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char *to = arena_printf(&arena, "%s.%u", place->name, keep);

    for (uint32_t i = keep; i > 0; i--) {
        const char *from = i > 1 ? arena_printf(&arena, "%s.%u", place->name, i - 1) : place->name;

        if (!from || !to)
            return -ENOMEM;
        if (renameat(place->folder, from, place->folder, to) < 0 && (errno != ENOENT || i == 1))
            return -errno;
        to = from;
    }
    return 0;
}
