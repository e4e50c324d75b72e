#include "output/file_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINKS_MAX 40

/* A way that is being gone. */
struct walk {
    int folder;          /* where it has come to */
    char rest[PATH_MAX]; /* of the path, from there */
    unsigned links;
};

/* Cuts the next name off; false when it is the last. */
static bool next_name(struct walk *walk, char *name)
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(from, "/");

    memcpy(name, from, len);
    name[len] = '\0';
    from += len;
    from += strspn(from, "/");
    bool more = *from != '\0';

    memmove(walk->rest, from, strlen(from) + 1);
    return more;
}

static void enter(struct walk *walk, int folder)
{
    closep(&walk->folder);
    walk->folder = folder;
}

static bool is_of_proc(int fd)
{
    struct statfs where;

    return fstatfs(fd, &where) == 0 && where.f_type == PROC_SUPER_MAGIC;
}

static int go_to_root(struct walk *walk)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return -errno;
    enter(walk, root);
    return 0;
}

/* Puts what LINK says before the rest. */
static int follow(struct walk *walk, int link, uid_t owner)
{
    char target[PATH_MAX], rest[PATH_MAX];

    if ((owner != 0 && owner != geteuid()) || ++walk->links > LINKS_MAX)
        return -ELOOP;
    ssize_t len = readlinkat(link, "", target, sizeof target - 1);

    if (len < 0)
        return -errno;
    target[len] = '\0';
    int wanted = snprintf(rest, sizeof rest, "%s%s%s", target, *walk->rest ? "/" : "", walk->rest);

    if (wanted >= (int)sizeof rest)
        return -ENAMETOOLONG;
    memcpy(walk->rest, rest, (size_t)wanted + 1);
    return *target == '/' ? go_to_root(walk) : 0;
}

/* One name further. 1: it is the last, and no link to be followed. */
static int step(struct walk *walk, struct file_place *place)
{
    struct stat status;

    if (strcspn(walk->rest + strspn(walk->rest, "/"), "/") > NAME_MAX)
        return -ENAMETOOLONG;
    bool last = !next_name(walk, place->name);
    CLEANUP(closep)
    int fd =
        openat(walk->folder, *place->name ? place->name : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT && last ? 1 : -errno;
    if (fstat(fd, &status) < 0)
        return -errno;
    bool is_link = S_ISLNK(status.st_mode), is_magic = is_link && is_of_proc(fd);

    place->no_follow = is_magic ? 0 : O_NOFOLLOW;
    if (is_link && !is_magic)
        return follow(walk, fd, status.st_uid);
    if (last)
        return 1;
    int folder =
        openat(walk->folder, place->name, O_PATH | O_DIRECTORY | O_CLOEXEC | place->no_follow);

    if (folder < 0)
        return -errno;
    enter(walk, folder);
    return 0;
}

int file_place_find(const char *path, struct file_place *out)
{
    struct walk walk = {.folder = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct file_place place = {.no_follow = O_NOFOLLOW};
    int r = walk.folder < 0 ? -errno : *path == '\0' ? -ENOENT : 0;

    if (strlen(path) >= sizeof walk.rest)
        r = -ENAMETOOLONG;
    else
        memcpy(walk.rest, path, strlen(path) + 1);
    while (r == 0)
        r = step(&walk, &place);
    if (r < 0) {
        closep(&walk.folder);
        return r;
    }
    if (*place.name == '\0')
        memcpy(place.name, ".", 2);
    place.folder = walk.folder;
    *out = place;
    return 0;
}

void file_place_deinit(const struct file_place *place)
{
    closep(&place->folder);
}

const char *file_place_error(int error)
{
    return error == -ELOOP ? "a symbolic link on its way belongs to somebody else"
                           : strerror(-error);
}
