#include "engine/live.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/priority.h"
#include "engine/signals.h"
#include "sensor/canary.h"

/* How long the loop sleeps at most: what is due by the clock (summaries) is late by this. */
#define TICK_MS 1000

/* Of the namespace that the machine's own pids are in (PROC_PID_INIT_INO; linux/proc_ns.h). */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

struct live {
    struct live_options options;
    struct sensor *sensor;
    struct process_table *processes;
    struct canary *canary; /* NULL: it has told what it had to */
    uint64_t boot;         /* names this boot among others */
    uint64_t unapplied;
    uint64_t missed, told;        /* handed to on_loss; and of those, said */
    uint64_t counted[LOSS_KINDS]; /* of the kinds that are known by a count alone: handed on */
    int64_t began, looked, next_look;
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

static int wait_for(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_sensor(struct live *live)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor_options options = {
        .ring_size = (size_t)live->options.ring,
        .failures = live->options.failures,
        .environment = live->options.environment,
        .environment_count = live->options.environment_count,
        .filters = live->options.filters,
        .filter_count = live->options.filter_count,
    };
    int r = sensor_open(&options, &why, &live->sensor);

    if (r < 0)
        log_error("%s", why.len ? buffer_string(&why) : strerror(-r));
    return r;
}

/* The kernel side tells the machine's pids; to /proc in another namespace these are others'. */
static int check_pids(void)
{
    struct stat namespace;

    if (stat("/proc/self/ns/pid", &namespace) < 0 || namespace.st_ino == FIRST_PID_NAMESPACE)
        return 0;
    log_error("this is a pid namespace of its own, as in a container, where processes cannot be "
              "told by the kernel's pids: start picket in the machine's own (docker run "
              "--pid=host, hostPID of a pod)");
    return -EINVAL;
}

/* The sensor first: what happens while /proc is read waits in its rings and is applied after. */
static int start(struct live *live)
{
    const char *what = "the sensor";
    int r = check_pids();

    if (r == 0)
        r = open_sensor(live);
    if (r < 0)
        return r;
    r = read_boot_id(&live->boot);
    if (r == 0) {
        what = "/proc";
        struct process_table_options processes = {
            .environment = live->options.environment,
            .environment_count = live->options.environment_count,
        };

        r = process_table_new(&processes, &live->processes);
    }
    if (r == 0)
        r = process_table_scan(live->processes);
    if (r == 0) {
        what = "epoll";
        live->epoll = epoll_create1(EPOLL_CLOEXEC);
        r = live->epoll < 0 ? -errno : wait_for(live->epoll, sensor_fd(live->sensor), EPOLLIN);
    }
    if (r == 0)
        r = wait_for(live->epoll, live->options.signals, EPOLLIN);
    if (r == 0 && live->options.bell >= 0)
        r = wait_for(live->epoll, live->options.bell, EPOLLIN | EPOLLET);
    if (r < 0)
        log_error("%s: %s", what, strerror(-r));
    return r;
}

/* Programs that a filter leaves out fail without a word. */
static int start_canary(struct live *live)
{
    static const char *const argv[] = {"picket", "version", NULL};
    struct canary_options options = {
        .program = "/proc/self/exe",
        .argv = argv,
        .failures =
            live->options.failures != SENSOR_FAILURES_NONE && live->options.filter_count == 0,
    };

    return canary_new(live->sensor, &options, &live->canary);
}

/* All that needs root. */
static int prepare(struct live *live)
{
    int r = start(live);

    if (r == 0)
        r = start_canary(live);
    if (r < 0)
        return r;
    r = priority_raise();
    if (r < 0)
        log_debug("the usual priority stays: %s", strerror(-r));
    return 0;
}

int live_new(const struct live_options *options, struct live **out)
{
    struct live *live = calloc(1, sizeof *live);

    if (!live)
        return -ENOMEM;
    live->options = *options;
    live->epoll = -1;
    live->began = clock_monotonic();
    live->looked = clock_realtime();
    int r = prepare(live);

    if (r < 0) {
        live_free(live);
        return r;
    }
    *out = live;
    return 0;
}

void live_set_hash(struct live *live, struct exe_hash *hash)
{
    process_table_set_hash(live->processes, hash);
}

void live_free(struct live *live)
{
    if (!live)
        return;
    closep(&live->epoll);
    process_table_free(live->processes);
    canary_free(live->canary);
    sensor_close(live->sensor);
    free(live);
}

/* The way of a record: into the process table, out of it as an event, and on. */
static void on_record(void *context, const struct record *record)
{
    struct live *live = context;
    struct event event;
    bool ours = live->canary && canary_on_record(live->canary, record);
    int r = process_table_apply(live->processes, record, &event);

    if (r < 0) {
        live->unapplied += r != -EALREADY && r != -ECANCELED;
        return;
    }
    if (event.type == EVENT_FORK || ours)
        return;
    event.origin[0] = live->boot;
    event.host = live->options.machine;
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
        case SIGNAL_REOPEN:
            if (live->options.on_reopen)
                live->options.on_reopen(live->options.context);
            break;
        case SIGNAL_RELOAD:
            live->options.on_reload(live->options.context);
            break;
        }
    }
}

static void hand_loss(struct live *live, const struct loss *loss)
{
    live->missed += loss->count;
    if (live->options.on_loss)
        live->options.on_loss(live->options.context, loss, live->boot);
}

static void on_gap(void *context, const struct gap *gap)
{
    struct live *live = context;
    int64_t offset = clock_boot_offset();

    if (live->canary)
        canary_on_gap(live->canary, gap);
    hand_loss(live, &(struct loss){
                        .kind = gap->late ? LOSS_LATE_CPU : LOSS_LOST,
                        .cpu = (int)gap->cpu,
                        .from = gap->from + offset,
                        .until = gap->until + offset,
                        .count = gap->count,
                    });
}

/* What the gaps do not show. */
static void look_at_counts(struct live *live)
{
    struct sensor_counters sensor;
    int64_t now = clock_realtime();

    sensor_counters(live->sensor, &sensor);
    const uint64_t counts[LOSS_KINDS] = {
        [LOSS_FOLDED] = sensor_count(sensor.folded),
        [LOSS_UNSEEN] = sensor.unseen,
        [LOSS_RECURSION] = sensor.recursion_misses,
        [LOSS_REFUSED] = sensor.refused,
        [LOSS_STARVED] = sensor.starved,
    };

    for (size_t i = 0; i < LOSS_KINDS; i++) {
        uint64_t more = counts[i] - live->counted[i];

        if (counts[i] <= live->counted[i])
            continue;
        live->counted[i] = counts[i];
        hand_loss(live, &(struct loss){(enum loss_kind)i, LOSS_CPU_ANY, live->looked, now, more});
    }
    live->looked = now;
}

/* Looks for losses and tells of those there were since the last time, at most once a tick. */
static void tell_losses(struct live *live)
{
    if (clock_monotonic() < live->next_look)
        return;
    live->next_look = clock_monotonic() + TICK_MS * NS_PER_MS;
    look_at_counts(live);
    if (live->missed > live->told)
        log_warning("%llu events were missed, %llu in all: the counts (SIGUSR2) say how; a larger "
                    "'ring' of the sensor may help",
                    (unsigned long long)(live->missed - live->told),
                    (unsigned long long)live->missed);
    live->told = live->missed;
}

/* "exec, exit" or, for JSON, "\"exec\",\"exit\"". */
static void put_types(struct buffer *out, unsigned types, const char *quote, const char *comma)
{
    bool any = false;

    for (int type = 0; type < SENSOR_TYPES; type++) {
        if (!(types & 1U << type))
            continue;
        buffer_printf(out, "%s%s%s%s", any ? comma : "", quote,
                      event_type_name((enum event_type)type), quote);
        any = true;
    }
}

static void raise_blind(struct live *live, unsigned cpu, unsigned missing)
{
    CLEANUP(buffer_deinit) struct buffer message = {0};
    CLEANUP(buffer_deinit) struct buffer detail = {0};

    buffer_printf(&message, "on CPU %u the kernel does not report: ", cpu);
    put_types(&message, missing, "", ", ");
    buffer_put_string(&message, "; what happens there is not seen: restart picket, and if that "
                                "does not help, report this with the kernel's version");
    buffer_printf(&detail, "{\"cpu\":%u,\"hooks\":[", cpu);
    put_types(&detail, missing, "\"", ",");
    buffer_put_string(&detail, "]}");
    if (buffer_failed(&message) || buffer_failed(&detail))
        return;
    log_error("%s", buffer_string(&message));
    if (live->options.on_internal)
        live->options.on_internal(live->options.context, &(struct internal_alert){
                                                             .kind = INTERNAL_SENSOR_BLIND,
                                                             .time = clock_realtime(),
                                                             .origin = {live->boot, cpu, missing},
                                                             .message = buffer_text(&message),
                                                             .detail = buffer_text(&detail),
                                                         });
}

/* Tells, once, what became of the trial. */
static void tell_canary(struct live *live)
{
    if (!live->canary || !canary_is_over(live->canary))
        return;
    for (unsigned cpu = 0; cpu < sensor_cpu_count(live->sensor); cpu++) {
        unsigned missing;

        switch (canary_state(live->canary, cpu, &missing)) {
        case CANARY_NONE:
        case CANARY_SEEN:
            break;
        case CANARY_UNTRIED:
        case CANARY_UNKNOWN:
            log_info("whether the kernel reports what happens on CPU %u could not be tried", cpu);
            break;
        case CANARY_SILENT:
            raise_blind(live, cpu, missing);
            break;
        }
    }
    canary_free(live->canary);
    live->canary = NULL;
}

static struct sensor_reader reader_of(struct live *live)
{
    return (struct sensor_reader){on_record, on_gap, live};
}

static int run_batch(struct live *live)
{
    struct epoll_event ready[3];
    struct sensor_reader reader = reader_of(live);

    sensor_read(live->sensor, &reader);
    tell_losses(live);
    tell_canary(live);
    int r = live->options.on_batch(live->options.context);

    if (r == 0 && epoll_wait(live->epoll, ready, 3, TICK_MS) < 0 && errno != EINTR) {
        r = -errno;
        log_error("epoll: %s", strerror(-r));
    }
    return r;
}

int live_run(struct live *live)
{
    struct sensor_reader reader = reader_of(live);
    int r;

    do
        r = run_batch(live);
    while (r == 0 && obey_signals(live));
    signals_release();
    sensor_flush(live->sensor, &reader);
    live->next_look = 0;
    tell_losses(live);
    return r ? r : live->options.on_batch(live->options.context);
}
