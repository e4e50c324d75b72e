/* What a host gives up before it loads its plugin; and what who starts hosts does. */
#ifndef PICKET_HOST_CONFINEMENT_H
#define PICKET_HOST_CONFINEMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct confinement {
    uid_t uid; /* to become, when the process holds CAP_SETUID */
    gid_t gid;
    int64_t memory; /* bytes of private memory beyond what it has: RLIMIT_DATA */
    uint32_t needs; /* enum picket_need, or'ed: what it gets */
    bool apart;     /* it is in a pid namespace of its own kind */
    pid_t parent;   /* dies with this process */
};

/* Becomes the user, in no group beside; gives up all capabilities, for good; no new privileges, not
 * dumpable, no core file; a session of its own; dies with its parent; the first to go when the
 * machine is out of memory; has 1024 descriptors at most and, where its user could be chosen, 4096
 * tasks of that user's; ignores the signals a terminal, a service manager or a person sends to all
 * of a group. Then filters system calls: what looks into other processes, takes memory past the
 * limit, changes the machine or undoes any of this fails with EPERM; without PICKET_NEEDS_NETWORK
 * all sockets but Unix ones, with it all but those of the internet; without PICKET_NEEDS_PROGRAMS
 * what starts programs or processes; and what signals others, but with that need, apart. Calls that
 * are newer than Linux 5.17 fail with ENOSYS. Descriptors are the caller's matter. For a process of
 * one thread. -errno; -ESRCH when the parent is gone. */
int confinement_enter(const struct confinement *confinement);

/* For the launcher, whose filter its hosts inherit: of what is refused to hosts, all but starting
 * and signalling processes and what concerns memory fails with EPERM, and so does becoming any user
 * but this one and any group but this one. -errno. */
int confinement_enter_launcher(uid_t uid, gid_t gid);

#endif
