#include "host/host_usage.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"

/* What a library brings along, and what a checker of memory takes for itself. */
#define SLACK(most) (((int64_t)64 << 20) + (most) / 4)

#define THREADS_MAX 1024

struct taken {
    int64_t memory; /* without what is mapped of files; -1: the process is gone, or hidden */
    int64_t threads;
};

static struct taken look_at(pid_t pid)
{
    struct taken taken = {.memory = -1};
    char line[256];

    snprintf(line, sizeof line, "/proc/%d/status", (int)pid);
    CLEANUP(fclosep) FILE *status = fopen(line, "re");
    int64_t number;

    while (status && fgets(line, sizeof line, status)) {
        struct text value = text_from(line);
        struct text name = text_split(&value, ':');

        value = text_trim(value);
        if (text_to_int(text_split(&value, ' '), &number) < 0)
            continue;
        if (text_is(name, "RssAnon") || text_is(name, "RssShmem"))
            taken.memory = (taken.memory < 0 ? 0 : taken.memory) + number * 1024;
        else if (text_is(name, "Threads"))
            taken.threads = number;
    }
    return taken;
}

void host_usage_watch(struct host_usage *usage, pid_t pid)
{
    usage->memory = look_at(pid).memory;
}

const char *host_usage_excess(const struct host_usage *usage, pid_t pid)
{
    struct taken taken = look_at(pid);

    if (usage->memory >= 0 &&
        taken.memory - usage->memory > usage->memory_most + SLACK(usage->memory_most))
        return "memory past its limit";
    return taken.threads > THREADS_MAX ? "more than 1024 threads" : NULL;
}
