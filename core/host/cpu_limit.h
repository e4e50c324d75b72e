/* How much of a CPU a host uses, and when it is to be stopped for a while because of that: over any
 * second or so it gets its share, and no more. By the process CPU clock, which any process may read
 * of any other. Programs that a host starts are not counted. */
#ifndef PICKET_HOST_CPU_LIMIT_H
#define PICKET_HOST_CPU_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cpu_limit {
    int64_t share; /* percent of one CPU; 0: no limit, but looked at all the same */
    pid_t pid;     /* 0: nobody is watched */
    int64_t since; /* when `used` was read; monotonic, as all of these */
    int64_t used;  /* ns on a CPU by then */
    int64_t due;   /* when to look again, or to let it go on; INT64_MAX: no need */
    bool held;
};

/* Watches the process PID from NOW on; 0: none any more. */
void cpu_limit_watch(struct cpu_limit *limit, pid_t pid, int64_t now);

/* Looks, when that is due; `held` then says whether the process is to be stopped or to go on.
 * Returns how long it has been held when that is over, else 0. */
int64_t cpu_limit_step(struct cpu_limit *limit, int64_t now);

#endif
