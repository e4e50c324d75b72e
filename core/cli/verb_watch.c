#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "engine/privileges.h"
#include "engine/signals.h"
#include "engine/status.h"

static void put_clock(struct buffer *line, int64_t time)
{
    time_t seconds = (time_t)(time / NS_PER_S);
    struct tm local;

    localtime_r(&seconds, &local);
    buffer_printf(line, "%02d:%02d:%02d", local.tm_hour, local.tm_min, local.tm_sec);
}

/* TIME PID PPID UID RET COMM CMDLINE. A failed exec's command line is what it would have been. */
static void put_line(struct buffer *line, const struct event *event)
{
    const struct process *process = event->process;

    put_clock(line, event->time);
    buffer_printf(line, " %-7lld %-7lld %-6lld %3lld ", (long long)process->pid,
                  (long long)process->ppid, (long long)process->uid, (long long)event->retval);
    size_t at = line->len;

    buffer_put_printable(line, process->comm);
    while (!buffer_failed(line) && line->len < at + 16)
        buffer_put_char(line, ' ');
    buffer_put_char(line, ' ');
    buffer_put_printable(line, process->cmdline.len ? process->cmdline : process->filename);
    if (process->cmdline_truncated)
        buffer_put_string(line, "...");
    buffer_put_char(line, '\n');
}

static void on_event(void *context, const struct event *event)
{
    struct buffer *line = context;

    if (event->type == EVENT_EXIT)
        return;
    buffer_clear(line);
    put_line(line, event);
    fputs(buffer_string(line), stdout);
}

static int on_batch(void *context)
{
    return fflush(stdout) == 0 ? 0 : -errno;
}

static void on_status(void *context, const struct live_counters *counters)
{
    status_print(&(struct status){.live = counters});
}

static int watch(struct buffer *line, int signals)
{
    CLEANUP(live_freep) struct live *live = NULL;
    struct live_options options = {
        .failures = SENSOR_FAILURES_NATIVE,
        .signals = signals,
        .bell = -1,
        .on_event = on_event,
        .on_batch = on_batch,
        .on_status = on_status,
        .context = line,
    };
    struct live_counters counters;
    struct privileges privileges = privileges_default();
    int r = live_new(&options, &live);

    if (r == 0)
        r = privileges_drop(&privileges);
    if (r < 0)
        return r;
    printf("%-8s %-7s %-7s %-6s %3s %-16s %s\n", "TIME", "PID", "PPID", "UID", "RET", "COMM",
           "CMDLINE");
    fflush(stdout);
    r = live_run(live);
    live_count(live, &counters);
    on_status(NULL, &counters);
    return r;
}

int verb_watch(int argc, char **argv)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (argc > 1) {
        return misused("watch: takes no argument");
    }
    CLEANUP(closep) int signals = signals_open(false);

    if (signals < 0) {
        log_error("signals: %s", strerror(-signals));
        return EXIT_FAILED;
    }
    int r = watch(&line, signals);

    return r < 0 && r != -EPIPE ? EXIT_FAILED : EXIT_FINE; /* who stops reading has seen enough */
}
