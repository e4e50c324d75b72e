/* The start of an output host's process, from this program's own executable. */
#ifndef PICKET_HOST_HOST_SPAWN_H
#define PICKET_HOST_HOST_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a plugin's maker has a host run under: a memory checker. Such a host is not confined. */
struct host_tool {
    const char *const *arguments;   /* a program and its arguments, then the host's; NULL ends it,
                                     * and may be all */
    const char *const *environment; /* "NAME=VALUE", besides; NULL ends it */
};

struct host_launch {
    const char *name; /* of the output */
    const char *path; /* of its plugin */
    int module;       /* the plugin's shared object, open */
    int64_t memory;   /* bytes it may use beyond what it starts with */
    int64_t deadline; /* nanoseconds a callback of the plugin may take */
    uid_t uid;        /* whom it becomes */
    gid_t gid;
    const struct host_tool *tool; /* NULL: none */
    const char *verb;             /* of this program, that it runs; NULL: that of output hosts */
    /* Its launcher's to say. */
    uint32_t needs; /* what it gets, enum picket_need, or'ed */
    bool apart;     /* it lives in a pid namespace of its launcher's */
};

/* A host's process and the near ends of what it is talked to through. */
struct host_ends {
    pid_t pid;
    int pidfd;  /* readable once it is dead */
    int socket; /* of the protocol; this and the next do not block */
    int errors; /* its standard error */
};

/* Starts a child, which is killed when the thread that called this ends (PR_SET_PDEATHSIG). -errno:
 * there is none then. */
int host_spawn(const struct host_launch *launch, struct host_ends *out);

#endif
