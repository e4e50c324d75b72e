/* How numbers of the kernel are written in fields: the same for what the sensor sees and for what
 * /proc says. */
#ifndef PICKET_EVENT_KERNEL_TEXT_H
#define PICKET_EVENT_KERNEL_TEXT_H

#include "base/buffer.h"

/* The permissions of a st_mode, as in "0755" or "4755". */
void mode_put(struct buffer *out, uint32_t mode);

/* "254:3" */
void device_put(struct buffer *out, uint32_t major, uint32_t minor);

/* A terminal's name in /dev, "pts/0", by its number; from the kernel's
 * Documentation/admin-guide/devices.txt. As device_put() when its driver has no fixed number. */
void tty_put(struct buffer *out, uint32_t major, uint32_t minor);

/* Whether files of a file system of that type are kept in memory alone. */
bool filesystem_is_memory(struct text type);

/* What a file is that a standard descriptor may lead to. */
struct file_kind {
    uint32_t mode;         /* as st_mode; without a type (S_IFMT) for the kernel's anonymous files,
                            * 0 when the descriptor is closed */
    uint32_t major, minor; /* of a device file */
    int family;            /* of a socket; -1: unknown */
};

/* "tty", "pipe", "file", "directory", "null" (/dev/null), "device", "inet" (of either version),
 * "unix", "netlink", "socket" (another or an unknown family), "anon", "closed". */
const char *file_kind_name(const struct file_kind *file);

#endif
