/* Opens the executables of other processes for an engine that may not: for their hashes.
 *
 * The file behind /proc/PID/exe is the one that the process runs, whatever has become of its name
 * since: deleted, replaced, of another mount namespace, never named. Opening it takes
 * CAP_SYS_PTRACE (to follow the link) and CAP_DAC_READ_SEARCH (to read the file); the opener is a
 * broker (broker.h) that holds these two and can do nothing but this. */
#ifndef PICKET_BROKER_EXE_OPENER_H
#define PICKET_BROKER_EXE_OPENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* The file as the kernel's record of the exec names it. A pid alone may be another process by now,
 * and a process may have executed something else. */
struct exe_wanted {
    int64_t pid;
    uint64_t device; /* of its superblock, s_dev: major << 20 | minor */
    uint64_t inode;
    int64_t ctime; /* ns; only asked where stat(2) shows another device than the superblock's */
};

struct exe_opener;

/* Forks the opener, which runs as UID and GID when the caller may choose (it is root): call it
 * before giving up privileges and before starting threads. Without privileges it opens what the
 * caller's user may. 0 or -errno. */
int exe_opener_new(uid_t uid, gid_t gid, struct exe_opener **out);
void exe_opener_free(struct exe_opener *opener); /* NULL is fine */
DEFINE_FREEP(struct exe_opener, exe_opener)

/* The file, open for reading, O_NONBLOCK and close-on-exec, in *OUT; the caller's. One thread at a
 * time. Waits EXE_OPENER_TIME at most: the file system may be one that does not answer (so reading
 * the file may wait, too, and for ever: do it in a thread that has nothing else to do).
 *
 * -ESRCH: the process is gone, or has no executable; -ESTALE: it runs another file by now;
 * -ETIMEDOUT; -EBUSY: the opener still waits for an earlier file; -EPIPE: the opener is gone;
 * -EACCES, -EPERM, -EWOULDBLOCK (somebody holds a lease on the file) and what open(2) says. */
int exe_opener_open(struct exe_opener *opener, const struct exe_wanted *wanted, int *out);

/* Whether the opener has ended, so that there will be no file any more. Any thread. */
bool exe_opener_is_gone(const struct exe_opener *opener);

#define EXE_OPENER_TIME 1000 /* ms */

#endif
