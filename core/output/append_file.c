#include "output/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"

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
static int open_or_make(const char *name)
{
    /* Without O_NONBLOCK a FIFO nobody reads would hold up all outputs. */
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(name, flags | O_CREAT | O_EXCL, 0640);

    if (fd >= 0)
        fchmod(fd, 0640);
    else if (errno == EEXIST)
        fd = open(name, flags | O_CREAT, 0640);
    return fd < 0 ? -errno : fd;
}

int append_file_open(const char *path)
{
    if (strcmp(path, "-") == 0) {
        int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);

        return fd < 0 ? -errno : fd;
    }
    int fd = open_or_make(path);

    if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND) < 0) {
        int r = -errno;

        close(fd);
        return r;
    }
    return fd < 0 ? fd : make_readable(fd);
}

/* A gap ends nothing. */
int append_file_shift(const char *path, uint32_t keep)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char *to = arena_printf(&arena, "%s.%u", path, keep);

    for (uint32_t i = keep; i > 0; i--) {
        const char *from =
            i > 1 ? arena_printf(&arena, "%s.%u", path, i - 1) : arena_string(&arena, path);

        if (!from || !to)
            return -ENOMEM;
        if (rename(from, to) < 0 && (errno != ENOENT || i == 1))
            return -errno;
        to = from;
    }
    return 0;
}
