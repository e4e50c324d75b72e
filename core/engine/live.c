#include "engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/signals.h"

/* How long the loop sleeps at most: what is due by the clock (summaries) is late by this. */
#define TICK_MS 1000

struct live {
    struct live_options options;
    struct sensor *sensor;
    struct process_table *processes;
    uint64_t boot; /* names this boot among others */
    uint64_t unapplied, missed;
    int64_t began, next_look;
    int epoll;
};

/* The kernel's boot id is random: the first three of its numbers in hexadecimal will do. */
static int read_boot_id(uint64_t *out)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    char line[64] = "";
    char *at = line;

    if (!file || !fgets(line, sizeof line, file))
        return -EIO;
    *out = 0;
    for (int i = 0; i < 3; i++) {
        *out = *out << 16 | strtoull(at, &at, 16);
        at += *at == '-';
    }
    return 0;
}

static int wait_for(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_sensor(struct live *live)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor_options options = {
        .ring_size = (size_t)live->options.ring,
        .failures = live->options.failures,
    };
    int r = sensor_open(&options, &why, &live->sensor);

    if (r < 0)
        log_error("%s", why.len ? buffer_string(&why) : strerror(-r));
    return r;
}

/* The sensor first: what happens while /proc is read waits in its rings and is applied after. */
static int start(struct live *live)
{
    const char *what = "the sensor";
    int r = open_sensor(live);

    if (r < 0)
        return r;
    r = read_boot_id(&live->boot);
    if (r == 0) {
        what = "/proc";
        r = process_table_new(&(struct process_table_options){0}, &live->processes);
    }
    if (r == 0)
        r = process_table_scan(live->processes);
    if (r == 0) {
        what = "epoll";
        live->epoll = epoll_create1(EPOLL_CLOEXEC);
        r = live->epoll < 0 ? -errno : wait_for(live->epoll, sensor_fd(live->sensor));
    }
    if (r == 0)
        r = wait_for(live->epoll, live->options.signals);
    if (r < 0)
        log_error("%s: %s", what, strerror(-r));
    return r;
}

int live_new(const struct live_options *options, struct live **out)
{
    CLEANUP(live_freep) struct live *live = calloc(1, sizeof *live);

    if (!live)
        return -ENOMEM;
    live->options = *options;
    live->epoll = -1;
    live->began = clock_monotonic();
    int r = start(live);

    if (r < 0)
        return r;
    *out = live;
    live = NULL;
    return 0;
}

void live_free(struct live *live)
{
    if (!live)
        return;
    closep(&live->epoll);
    process_table_free(live->processes);
    sensor_close(live->sensor);
    free(live);
}

/* The way of a record: into the process table, out of it as an event, and on. */
static void on_record(void *context, const struct record *record)
{
    struct live *live = context;
    struct event event;
    int r = process_table_apply(live->processes, record, &event);

    if (r < 0) {
        live->unapplied += r != -EALREADY;
        return;
    }
    if (event.type == EVENT_FORK)
        return;
    event.origin[0] = live->boot;
    live->options.on_event(live->options.context, &event);
}

void live_count(struct live *live, struct live_counters *out)
{
    out->elapsed = clock_monotonic() - live->began;
    sensor_counters(live->sensor, &out->sensor);
    process_table_count(live->processes, &out->processes);
    out->unapplied = live->unapplied;
}

static bool obey_signals(struct live *live)
{
    struct live_counters counters;

    for (;;) {
        switch (signals_next(live->options.signals)) {
        case SIGNAL_NONE:
            return true;
        case SIGNAL_STOP:
            return false;
        case SIGNAL_STATUS:
            live_count(live, &counters);
            live->options.on_status(live->options.context, &counters);
            break;
        }
    }
}

/* Tells of what was missed since the last time, at most once a tick. */
static void tell_losses(struct live *live)
{
    struct sensor_counters sensor;
    uint64_t missed = 0;

    if (clock_monotonic() < live->next_look)
        return;
    live->next_look = clock_monotonic() + TICK_MS * NS_PER_MS;
    sensor_counters(live->sensor, &sensor);
    for (size_t i = 0; i < SENSOR_TYPES; i++)
        missed += sensor.lost[i];
    missed += sensor.unseen + sensor.recursion_misses + sensor.refused + sensor.discarded;
    if (missed > live->missed)
        log_warning("%llu events were missed, %llu in all: the counts (SIGUSR1) say how; a larger "
                    "'ring' of the sensor may help",
                    (unsigned long long)(missed - live->missed), (unsigned long long)missed);
    live->missed = missed;
}

static int run_batch(struct live *live)
{
    struct epoll_event ready[2];

    sensor_read(live->sensor, on_record, live);
    tell_losses(live);
    int r = live->options.on_batch(live->options.context);

    if (r == 0 && epoll_wait(live->epoll, ready, 2, TICK_MS) < 0 && errno != EINTR) {
        r = -errno;
        log_error("epoll: %s", strerror(-r));
    }
    return r;
}

int live_run(struct live *live)
{
    int r;

    do
        r = run_batch(live);
    while (r == 0 && obey_signals(live));
    signals_release();
    sensor_flush(live->sensor, on_record, live);
    return r ? r : live->options.on_batch(live->options.context);
}
