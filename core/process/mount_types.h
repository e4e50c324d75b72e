/* Which type of file system is on a device, by the mounts of a process's namespace
 * (/proc/PID/mountinfo, proc_pid_mountinfo(5)). */
#ifndef PICKET_PROCESS_MOUNT_TYPES_H
#define PICKET_PROCESS_MOUNT_TYPES_H

#include "base/text.h"

/* As the kernel's, e.g. "fuse" and not "fuse.sshfs"; longer names are cut, as in records. */
#define MOUNT_TYPE_SIZE 16

struct mount_type {
    uint32_t major, minor;
    char name[MOUNT_TYPE_SIZE + 1];
};

struct mount_types {
    struct mount_type *items;
    size_t count, size;
};

void mount_types_deinit(struct mount_types *types);
void mount_types_clear(struct mount_types *types); /* keeps the memory */

/* Adds what mountinfo says of devices that are not there yet. 0 or -ENOMEM. */
int mount_types_add(struct mount_types *types, struct text mountinfo);

/* NULL: not known. Borrowed until the next change. */
const char *mount_types_find(const struct mount_types *types, uint32_t major, uint32_t minor);

#endif
