#include "event/kernel_text.h"

#include <sys/socket.h>
#include <sys/stat.h>

#define NULL_MAJOR 1
#define NULL_MINOR 3

#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST  143
#define PTS_PER_MAJOR   256

/* From minor FIRST on; a later line has precedence. */
static const struct {
    uint32_t major, first;
    const char *name;
} drivers[] = {
    {4, 0, "tty"}, {4, 64, "ttyS"}, {166, 0, "ttyACM"}, {188, 0, "ttyUSB"}, {229, 0, "hvc"},
};

void mode_put(struct buffer *out, uint32_t mode)
{
    for (int shift = 9; shift >= 0; shift -= 3)
        buffer_put_char(out, (char)('0' + (mode >> shift & 7)));
}

void device_put(struct buffer *out, uint32_t major, uint32_t minor)
{
    buffer_put_int(out, major);
    buffer_put_char(out, ':');
    buffer_put_int(out, minor);
}

bool filesystem_is_memory(struct text type)
{
    return text_is(type, "tmpfs") || text_is(type, "ramfs");
}

/* The majors of drivers whose devices are terminals, beside those above and the pts: old BSD
 * ptys, /dev/tty with the console and ptmx, and serial lines. */
static bool is_terminal(uint32_t major)
{
    static const uint32_t others[] = {2, 3, 5, 19, 22, 172, 204, 207, 208};

    if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST)
        return true;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (drivers[i].major == major)
            return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] == major)
            return true;
    return false;
}

static const char *socket_kind(int family)
{
    switch (family) {
    case AF_INET:
    case AF_INET6:
        return "inet";
    case AF_UNIX:
        return "unix";
    case AF_NETLINK:
        return "netlink";
    default:
        return "socket";
    }
}

static const char *device_kind(uint32_t major, uint32_t minor)
{
    if (major == NULL_MAJOR && minor == NULL_MINOR)
        return "null";
    return is_terminal(major) ? "tty" : "device";
}

const char *file_kind_name(const struct file_kind *file)
{
    switch (file->mode & S_IFMT) {
    case S_IFIFO:
        return "pipe";
    case S_IFCHR:
        return device_kind(file->major, file->minor);
    case S_IFDIR:
        return "directory";
    case S_IFBLK:
        return "device";
    case S_IFSOCK:
        return socket_kind(file->family);
    case 0:
        return file->mode ? "anon" : "closed";
    default:
        return "file";
    }
}

void tty_put(struct buffer *out, uint32_t major, uint32_t minor)
{
    if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST) {
        buffer_put_string(out, "pts/");
        buffer_put_int(out, (int64_t)(major - PTS_MAJOR_FIRST) * PTS_PER_MAJOR + minor);
        return;
    }
    for (size_t i = sizeof drivers / sizeof *drivers; i > 0; i--)
        if (drivers[i - 1].major == major && minor >= drivers[i - 1].first) {
            buffer_printf(out, "%s%u", drivers[i - 1].name, minor - drivers[i - 1].first);
            return;
        }
    device_put(out, major, minor);
}
