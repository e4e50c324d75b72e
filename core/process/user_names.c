#include "process/user_names.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buffer.h"

struct user {
    int64_t uid;
    unsigned line; /* so that sorting keeps the first of a uid first */
    struct text name;
};

struct user_names {
    char *path;
    struct buffer content;
    struct user *users; /* by uid, then line */
    size_t count, size;
    struct stat seen;
    int64_t checked;
    bool looked; /* CHECKED and SEEN mean something */
};

int user_names_new(const char *path, struct user_names **out)
{
    struct user_names *names = calloc(1, sizeof *names);

    if (!names)
        return -ENOMEM;
    names->path = strdup(path);
    if (!names->path) {
        free(names);
        return -ENOMEM;
    }
    *out = names;
    return 0;
}

void user_names_free(struct user_names *names)
{
    if (!names)
        return;
    buffer_deinit(&names->content);
    free(names->users);
    free(names->path);
    free(names);
}

static int compare_users(const void *left, const void *right)
{
    const struct user *a = left, *b = right;

    if (a->uid != b->uid)
        return a->uid < b->uid ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* "name:password:uid:..."; lines of NIS ("+name") and broken ones name nobody. */
static bool parse_line(struct text line, struct user *out)
{
    struct text name = text_split(&line, ':');

    text_split(&line, ':');
    struct text uid = text_split(&line, ':');

    out->name = name;
    return name.len && name.ptr[0] != '+' && name.ptr[0] != '-' && name.ptr[0] != '#' &&
           text_to_int(uid, &out->uid) == 0 && out->uid >= 0 && out->uid <= UINT32_MAX;
}

static bool add_user(struct user_names *names, struct user user)
{
    if (names->count == names->size) {
        size_t size = names->size ? names->size * 2 : 64;
        struct user *users = reallocarray(names->users, size, sizeof *users);

        if (!users)
            return false;
        names->users = users;
        names->size = size;
    }
    names->users[names->count++] = user;
    return true;
}

static void forget_users(struct user_names *names)
{
    names->count = 0;
    names->seen = (struct stat){0};
    buffer_clear(&names->content);
}

static void read_users(struct user_names *names, int fd)
{
    forget_users(names);
    int r = buffer_read_fd(&names->content, fd, USER_NAMES_BYTES_MAX);

    if (r < 0 && r != -EFBIG)
        forget_users(names);
    struct text rest = buffer_text(&names->content);

    for (unsigned line = 0; rest.ptr && line < UINT32_MAX; line++) {
        struct user user = {.line = line};

        if (parse_line(text_split(&rest, '\n'), &user) && !add_user(names, user))
            break;
    }
    if (names->count)
        qsort(names->users, names->count, sizeof *names->users, compare_users);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look_again(struct user_names *names)
{
    struct stat now;

    if (stat(names->path, &now) < 0 || !S_ISREG(now.st_mode)) {
        forget_users(names);
        return;
    }
    if (same_file(&now, &names->seen))
        return;
    /* What was put in the regular file's place meanwhile must not block. */
    CLEANUP(closep) int fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode)) {
        forget_users(names);
        return;
    }
    read_users(names, fd);
    names->seen = now;
}

struct text user_names_get(struct user_names *names, int64_t uid, int64_t now)
{
    if (!names->looked || now < names->checked || now - names->checked >= USER_NAMES_CHECK_NS) {
        look_again(names);
        names->checked = now;
        names->looked = true;
    }
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (names->users[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->users[low].uid == uid ? names->users[low].name
                                                              : (struct text){NULL, 0};
}
