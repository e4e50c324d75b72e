#include "host/cpu_limit.h"

#include <time.h>

#include "base/clock.h"

/* Often while it is busy; else all outputs at the same moment, so that an idle engine sleeps. */
#define LOOK_BUSY (200 * NS_PER_MS)
#define LOOK_IDLE (2 * NS_PER_S)

#define HOLD_MOST (2 * NS_PER_S)

static int64_t time_used(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return -1;
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

void cpu_limit_watch(struct cpu_limit *limit, pid_t pid, int64_t now)
{
    limit->pid = pid;
    limit->held = false;
    limit->since = now;
    limit->used = limit->pid ? time_used(pid) : -1;
    limit->due = limit->used < 0 ? INT64_MAX : now + LOOK_BUSY;
}

static int64_t release(struct cpu_limit *limit, int64_t now)
{
    int64_t held = now - limit->since;

    limit->held = false;
    limit->since = now;
    limit->due = now + LOOK_BUSY;
    return held;
}

int64_t cpu_limit_step(struct cpu_limit *limit, int64_t now)
{
    if (limit->pid == 0 || now < limit->due)
        return 0;
    if (limit->held)
        return release(limit, now);
    int64_t used = time_used(limit->pid), more = used - limit->used;
    /* What it would have had to take for that. */
    int64_t fair = more * 100 / (limit->share ? limit->share : 100), elapsed = now - limit->since;

    if (used < 0) {
        limit->due = INT64_MAX;
        return 0;
    }
    limit->used = used;
    limit->since = now;
    limit->held = limit->share && fair > elapsed + LOOK_BUSY / 20;
    if (limit->held)
        limit->due = now + (fair - elapsed < HOLD_MOST ? fair - elapsed : HOLD_MOST);
    else
        limit->due = fair > elapsed / 4 ? now + LOOK_BUSY : (now / LOOK_IDLE + 1) * LOOK_IDLE;
    return 0;
}
