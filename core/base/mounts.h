/* What is mounted where, as /proc/PID/mountinfo has it (proc_pid_mountinfo(5)). */
#ifndef PICKET_BASE_MOUNTS_H
#define PICKET_BASE_MOUNTS_H

#include "base/buffer.h"

struct mount {
    int64_t id; /* as statx(2) has it; another mount may have it once this one is gone */
    uint32_t major, minor;
    struct text root;  /* which folder of the file system is mounted, as it is written there */
    struct text point; /* where, as open(2) takes it */
    struct text type;  /* e.g. "fuse.sshfs" */
};

/* Appends our own. 0, or -errno of reading. */
int mounts_read(struct buffer *out);

/* Appends those of the first process, among which is what a chroot hides: the mount it lies in. */
int mounts_read_all(struct buffer *out);

/* The next mount from *AT on, which begins as 0; lines that are none are passed over. False at the
 * end. Texts borrow MOUNTINFO, in whose bytes escapes are undone on the way: it can be gone through
 * once. */
bool mounts_next(struct buffer *mountinfo, size_t *at, struct mount *out);

/* Where the v2 hierarchy of cgroups is mounted, from its root. Goes through MOUNTINFO; OUT borrows
 * it. 0 or -ENOENT. */
int mounts_find_cgroup2(struct buffer *mountinfo, struct text *out);

#endif
