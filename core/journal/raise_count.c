#include "journal/raise_count.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Everybody may make files there, under any name: it is ours only if nobody else has it. */
static int check_page(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || status.st_nlink != 1 ||
        status.st_mode & 077)
        return -EPERM;
    return -posix_fallocate(fd, 0, sizeof(struct raise_page));
}

static int open_page(const char *path)
{
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    int r = fd < 0 ? -errno : check_page(fd);

    if (fd >= 0 && r < 0)
        close(fd);
    /* One of somebody else's, or of a journal that had the number of this one's lock: root's alone
     * to remove. */
    if ((r == -EPERM || r == -ELOOP) && unlink(path) == 0)
        r = -ENOENT;
    if (r != -ENOENT)
        return r < 0 ? r : fd;
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    r = fd < 0 ? -errno : check_page(fd);
    if (fd >= 0 && r < 0)
        close(fd);
    return r < 0 ? r : fd;
}

int raise_count_init(struct raise_count *count, int lock)
{
    struct stat status;
    char path[64];

    if (fstat(lock, &status) < 0)
        return -errno;
    snprintf(path, sizeof path, "/dev/shm/picket-%llx-%llx", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    CLEANUP(closep) int fd = open_page(path);

    if (fd < 0)
        log_warning("alerts that a kill of picket keeps from the journal will not be counted: "
                    "%s: %s",
                    path, strerror(-fd));
    void *page = mmap(NULL, sizeof(struct raise_page), PROT_READ | PROT_WRITE,
                      fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    if (page == MAP_FAILED)
        return -errno;
    count->page = page;
    return 0;
}

void raise_count_deinit(struct raise_count *count)
{
    if (count->page)
        munmap(count->page, sizeof *count->page);
    count->page = NULL;
}
