#include "base/mounts.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"

#define MOUNTS_BYTES_MAX (64UL << 20)

static int read_list(struct buffer *out, const char *path)
{
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -errno : buffer_read_fd(out, fd, MOUNTS_BYTES_MAX);
}

int mounts_read(struct buffer *out)
{
    return read_list(out, "/proc/self/mountinfo");
}

int mounts_read_all(struct buffer *out)
{
    return read_list(out, "/proc/1/mountinfo");
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* Spaces and the like are written as "\040"; returns how long it is then. */
static size_t unescape(char *bytes, size_t len)
{
    size_t put = 0;

    for (size_t i = 0; i < len; i++) {
        const char *c = &bytes[i];

        if (len - i > 3 && c[0] == '\\' && is_octal(c[1]) && is_octal(c[2]) && is_octal(c[3])) {
            bytes[put++] = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0'));
            i += 3;
        } else {
            bytes[put++] = *c;
        }
    }
    return put;
}

static bool parse_part(struct text part, uint32_t *out)
{
    int64_t number;

    if (text_to_int(part, &number) < 0 || number < 0 || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    return true;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS" */
static bool parse_line(struct text line, struct mount *out)
{
    struct text id = text_split(&line, ' ');

    text_split(&line, ' ');
    struct text minor = text_split(&line, ' '), major = text_split(&minor, ':');

    out->root = text_split(&line, ' ');
    out->point = text_split(&line, ' ');
    text_split(&line, ' ');
    while (line.ptr && !text_is(text_split(&line, ' '), "-"))
        ;
    out->type = text_split(&line, ' ');
    return text_to_int(id, &out->id) == 0 && parse_part(major, &out->major) &&
           parse_part(minor, &out->minor) && out->type.len > 0;
}

bool mounts_next(struct buffer *mountinfo, size_t *at, struct mount *out)
{
    while (*at < mountinfo->len) {
        struct text rest = {mountinfo->data + *at, mountinfo->len - *at};
        struct text line = text_split(&rest, '\n');
        struct mount mount;

        *at += line.len + 1;
        if (!parse_line(line, &mount))
            continue;
        mount.point.len =
            unescape(mountinfo->data + (mount.point.ptr - mountinfo->data), mount.point.len);
        *out = mount;
        return true;
    }
    return false;
}

int mounts_find_cgroup2(struct buffer *mountinfo, struct text *out)
{
    struct mount mount;

    for (size_t at = 0; mounts_next(mountinfo, &at, &mount);) {
        if (text_is(mount.type, "cgroup2") && text_is(mount.root, "/")) {
            *out = mount.point;
            return 0;
        }
    }
    return -ENOENT;
}
