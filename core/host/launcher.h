/* Starts output hosts for an engine without privileges, kills them and tells how they ended: a
 * broker (broker/broker.h).
 *
 * It knows what it may start since before it was forked; the engine says a number. Hosts are its
 * children, and are killed when it ends. It keeps CAP_SETUID and CAP_SETGID, which hosts need to
 * become their user, and CAP_KILL, to kill them afterwards; a filter sees to it that no other user
 * can be become. It lives in namespaces of its own (isolation.h), which hosts share with it: hosts
 * that need different things, or become different users, have different launchers
 * (launcher_set.h). */
#ifndef PICKET_HOST_LAUNCHER_H
#define PICKET_HOST_LAUNCHER_H

#include "broker/broker.h"
#include "host/host_spawn.h"
#include "host/isolation.h"

/* "nobody": whom hosts become when nobody says. */
#define LAUNCHER_NOBODY 65534

#define LAUNCHER_HOSTS_MAX 64

struct launcher {
    struct broker broker;
};

#define LAUNCHER_NONE                          \
    (struct launcher)                          \
    {                                          \
        .broker = {.pidfd = -1, .socket = -1 } \
    }

struct launcher_options {
    const struct host_launch *launches;
    size_t count;
    uint64_t own;   /* a bit for each that it may start: all of one user */
    uint32_t needs; /* of all of those, enum picket_need, or'ed. Those that need programs have a
                     * launcher each */
    uid_t uid;      /* whom the launcher itself becomes */
    gid_t gid;
};

/* For a process of one thread. What isolation could not be had is broker.told. -errno. */
int launcher_start(struct launcher *launcher, const struct launcher_options *options);
void launcher_deinit(struct launcher *launcher);

/* Host INDEX of the launches; it has one process at a time. -EBUSY: one that was not reaped.
 * -errno. One thread at a time, of this and the following. */
int launcher_start_host(struct launcher *launcher, size_t index, struct host_ends *out);
void launcher_kill_host(struct launcher *launcher, size_t index);

/* Stops a host, with what it has started, and has it go on. */
void launcher_hold_host(struct launcher *launcher, size_t index, bool hold);

/* How it ended, as waitpid() tells. -EAGAIN: it lives; -ECHILD: there is none; -errno. */
int launcher_reap_host(struct launcher *launcher, size_t index, int *status);

#endif
