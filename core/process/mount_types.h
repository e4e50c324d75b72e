/* Of which type the file system of a mount is, by /proc/PID/mountinfo. */
#ifndef PICKET_PROCESS_MOUNT_TYPES_H
#define PICKET_PROCESS_MOUNT_TYPES_H

#include "base/buffer.h"

/* As the kernel's, e.g. "fuse" and not "fuse.sshfs"; longer names are cut, as in records. */
#define MOUNT_TYPE_SIZE 16

struct mount_type {
    int64_t mount; /* its id, which no other mount of the machine has */
    char name[MOUNT_TYPE_SIZE + 1];
};

struct mount_types {
    struct mount_type *items;
    size_t count, size;
};

void mount_types_deinit(struct mount_types *types);
void mount_types_clear(struct mount_types *types); /* keeps the memory */

/* Adds what MOUNTINFO, which it goes through (mounts_next()), says of mounts that are not there
 * yet. 0 or -ENOMEM. */
int mount_types_add(struct mount_types *types, struct buffer *mountinfo);

/* NULL: not known. Borrowed until the next change. */
const char *mount_types_find(const struct mount_types *types, int64_t mount);

#endif
