/* What a host has taken of the machine, by the kernel's own account, where its limits do not hold
 * it: there are ways past RLIMIT_DATA (memory made read-only is not counted by it any more, nor is
 * what is mapped of /dev/zero), and the limit of threads is all hosts' together. Who goes too far
 * is found out, a little later. Programs that a host starts are not counted. */
#ifndef PICKET_HOST_HOST_USAGE_H
#define PICKET_HOST_HOST_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct host_usage {
    int64_t memory_most; /* bytes, beyond what it began with */
    int64_t memory;      /* at its beginning; -1: it cannot be seen */
};

/* The process PID has just been started. */
void host_usage_watch(struct host_usage *usage, pid_t pid);

/* What it has clearly too much of now, or NULL. Static. */
const char *host_usage_excess(const struct host_usage *usage, pid_t pid);

#endif
