/* The tutorial's reader: TIME PID PPID UID COMM for each event. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <time.h>

#include "seed.h"
#include "seed.skel.h"

static void event_print(void *context, int cpu, void *data, __u32 size)
{
    const struct seed_event *event = data;
    time_t now = time(NULL);
    char text[16];

    strftime(text, sizeof text, "%H:%M:%S", localtime(&now));
    printf("%-8s %-7d %-7d %-6d %s\n", text, event->pid, event->ppid, event->uid, event->comm);
}

int main(void)
{
    struct seed_bpf *skeleton = seed_bpf__open_and_load();

    if (!skeleton || seed_bpf__attach(skeleton) < 0)
        return 1;
    struct perf_buffer *events =
        perf_buffer__new(bpf_map__fd(skeleton->maps.events), 64, event_print, NULL, NULL, NULL);

    if (!events)
        return 1;
    while (perf_buffer__poll(events, 100) >= 0)
        continue;
    return 0;
}
