#include "process/id_names.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buffer.h"

struct id_name {
    int64_t id;
    unsigned line; /* so that sorting keeps the first of an id first */
    struct text name;
};

struct id_names {
    char *path;
    struct buffer content;
    struct id_name *items; /* by id, then line */
    size_t count, size;
    struct stat seen;
    int64_t checked;
    bool looked; /* CHECKED and SEEN mean something */
};

int id_names_new(const char *path, struct id_names **out)
{
    struct id_names *names = calloc(1, sizeof *names);

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

void id_names_free(struct id_names *names)
{
    if (!names)
        return;
    buffer_deinit(&names->content);
    free(names->items);
    free(names->path);
    free(names);
}

static int compare_ids(const void *left, const void *right)
{
    const struct id_name *a = left, *b = right;

    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* "name:password:id:..."; lines of NIS ("+name") and broken ones name nobody. */
static bool parse_line(struct text line, struct id_name *out)
{
    struct text name = text_split(&line, ':');

    text_split(&line, ':');
    struct text id = text_split(&line, ':');

    out->name = name;
    return name.len && name.ptr[0] != '+' && name.ptr[0] != '-' && name.ptr[0] != '#' &&
           text_to_int(id, &out->id) == 0 && out->id >= 0 && out->id <= UINT32_MAX;
}

static bool add_name(struct id_names *names, struct id_name name)
{
    if (names->count == names->size) {
        size_t size = names->size ? names->size * 2 : 64;
        struct id_name *items = reallocarray(names->items, size, sizeof *items);

        if (!items)
            return false;
        names->items = items;
        names->size = size;
    }
    names->items[names->count++] = name;
    return true;
}

static void forget_names(struct id_names *names)
{
    names->count = 0;
    names->seen = (struct stat){0};
    buffer_clear(&names->content);
}

static void read_names(struct id_names *names, int fd)
{
    forget_names(names);
    int r = buffer_read_fd(&names->content, fd, ID_NAMES_BYTES_MAX);

    if (r < 0 && r != -EFBIG)
        forget_names(names);
    struct text rest = buffer_text(&names->content);

    for (unsigned line = 0; rest.ptr && line < UINT32_MAX; line++) {
        struct id_name name = {.line = line};

        if (parse_line(text_split(&rest, '\n'), &name) && !add_name(names, name))
            break;
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, compare_ids);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look_again(struct id_names *names)
{
    struct stat now;

    if (stat(names->path, &now) < 0 || !S_ISREG(now.st_mode)) {
        forget_names(names);
        return;
    }
    if (same_file(&now, &names->seen))
        return;
    /* What was put in the regular file's place meanwhile must not block. */
    CLEANUP(closep) int fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &now) < 0 || !S_ISREG(now.st_mode)) {
        forget_names(names);
        return;
    }
    read_names(names, fd);
    names->seen = now;
}

struct text id_names_get(struct id_names *names, int64_t id, int64_t now)
{
    if (!names->looked || now < names->checked || now - names->checked >= ID_NAMES_CHECK_NS) {
        look_again(names);
        names->checked = now;
        names->looked = true;
    }
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (names->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->items[low].id == id ? names->items[low].name
                                                            : (struct text){NULL, 0};
}
