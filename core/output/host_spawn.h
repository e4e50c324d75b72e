/* The start of an output host's process, from this program's own executable. */
#ifndef PICKET_OUTPUT_HOST_SPAWN_H
#define PICKET_OUTPUT_HOST_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

struct host_launch {
    const char *name; /* of the output */
    const char *path; /* of its plugin */
    int module;       /* the plugin's shared object, open */
    int64_t memory;   /* bytes it may use beyond what it starts with */
    uid_t uid;        /* whom it becomes */
    gid_t gid;
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
