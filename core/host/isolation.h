/* The namespaces that a launcher, and with it the hosts it starts, live in: what they see of the
 * machine. They are entered while the launcher still is root; nobody keeps a right to make others.
 *
 * What cannot be had, in a container that may not mount, in a chroot, or without root, is left out:
 * users, capabilities and filters (confinement.h) hold all the same. */
#ifndef PICKET_HOST_ISOLATION_H
#define PICKET_HOST_ISOLATION_H

#include "base/buffer.h"

enum isolation {
    ISOLATION_PIDS = 1,    /* no process but their own is to be signalled */
    ISOLATION_FILES = 2,   /* nothing is to be written to; not for those that need programs */
    ISOLATION_PROC = 4,    /* /proc tells of none but themselves, and nothing of the machine */
    ISOLATION_IPC = 8,     /* no shared memory or queues of System V or POSIX but their own */
    ISOLATION_NETWORK = 16 /* none, not even the loopback; not for those that need one */
};

/* Enters all but that of pids, which takes a fork (broker.h), for hosts that need NEEDS (enum
 * picket_need, or'ed). Mounts follow those of the machine. Which (or'ed) could not be had. For a
 * process of one thread. */
unsigned isolation_enter(uint32_t needs);

/* "processes, files" */
void isolation_put(unsigned set, struct buffer *out);

#endif
