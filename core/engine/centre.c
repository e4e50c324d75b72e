#include "engine/centre.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/arrival.h"
#include "engine/signals.h"
#include "engine/unsettled.h"

/* How long the loop sleeps at most; and first, while it waits for the journal, from then on twice
 * as long each time up to the second. */
#define TICK        (NS_PER_S)
#define GLANCE      (2 * NS_PER_MS)
#define GLANCE_MOST (100 * NS_PER_MS)

/* Messages between two batches. */
#define BATCH_MOST 256

/* Alerts that wait to be journalled, beyond which nothing more is read. */
#define WAITING_MOST 8192

/* How long the end may take. */
#define END_TIME (5 * NS_PER_S)

/* How often refused messages are said, and alerted. */
#define TELL_PAUSE (60 * NS_PER_S)

struct centre {
    struct centre_options options;
    struct arrival arrival;
    struct unsettled *unsettled;
    int epoll;
    int64_t began;
    int64_t arrived; /* the last event, monotonic */
    int64_t glance;  /* the next sleep while the journal is waited for */
    /* Messages that are neither event nor alert: those not told of yet, and why the first is. */
    uint64_t untold;
    int64_t next_telling;
    struct event_failure refusal;
    struct buffer message, detail;
};

static int wait_for(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int prepare(struct centre *centre)
{
    const struct centre_options *options = &centre->options;
    int r = unsettled_new(&centre->unsettled);

    if (r < 0)
        return r;
    centre->epoll = epoll_create1(EPOLL_CLOEXEC);
    r = centre->epoll < 0 ? -errno : wait_for(centre->epoll, stream_fd(options->stream), EPOLLIN);
    if (r == 0)
        r = wait_for(centre->epoll, options->signals, EPOLLIN);
    return r < 0 ? r : wait_for(centre->epoll, options->bell, EPOLLIN | EPOLLET);
}

int centre_new(const struct centre_options *options, struct centre **out)
{
    CLEANUP(centre_freep) struct centre *centre = calloc(1, sizeof *centre);

    if (!centre)
        return -ENOMEM;
    centre->options = *options;
    centre->arrival = (struct arrival){
        .machine = options->machine, .detector = options->detector, .delivery = options->delivery};
    centre->epoll = -1;
    centre->began = clock_monotonic();
    int r = prepare(centre);

    if (r < 0) {
        log_error("epoll: %s", strerror(-r));
        return r;
    }
    *out = centre;
    centre = NULL;
    return 0;
}

void centre_free(struct centre *centre)
{
    if (!centre)
        return;
    arrival_deinit(&centre->arrival);
    unsettled_free(centre->unsettled);
    buffer_deinit(&centre->message);
    buffer_deinit(&centre->detail);
    closep(&centre->epoll);
    free(centre);
}

void centre_count(const struct centre *centre, struct centre_counters *out)
{
    *out = (struct centre_counters){
        .elapsed = clock_monotonic() - centre->began,
        .stream = stream_counters(centre->options.stream),
        .events = centre->arrival.events,
        .alerts = centre->arrival.alerts,
        .unsettled = unsettled_count(centre->unsettled),
    };
}

static bool obey_signals(struct centre *centre)
{
    const struct centre_options *options = &centre->options;
    struct centre_counters counters;

    for (;;) {
        switch (signals_next(options->signals)) {
        case SIGNAL_NONE:
            return true;
        case SIGNAL_STOP:
            return false;
        case SIGNAL_STATUS:
            centre_count(centre, &counters);
            options->on_status(options->context, &counters);
            break;
        case SIGNAL_REOPEN:
            options->on_reopen(options->context);
            break;
        case SIGNAL_RELOAD:
            options->on_reload(options->context);
            break;
        }
    }
}

/* What cannot be read will not be so another time. */
static void refuse(struct centre *centre, const struct stream_message *message,
                   const struct event_failure *failure)
{
    if (centre->untold++ == 0)
        centre->refusal = *failure;
    stream_settle(centre->options.stream, message->token, SOURCE_REFUSED);
}

static void put_refusals(struct centre *centre)
{
    struct json_writer json = {.buffer = &centre->detail};
    unsigned long long count = centre->untold;

    buffer_clear(&centre->message);
    buffer_clear(&centre->detail);
    buffer_printf(&centre->message, "%llu message%s of the stream %s no event: %s", count,
                  text_plural(count), count == 1 ? "was" : "were", centre->refusal.reason);
    json_begin(&json, '{');
    json_key(&json, TEXT("count"));
    json_int(&json, (int64_t)count);
    json_key(&json, TEXT("reason"));
    json_text(&json, text_from(centre->refusal.reason));
    json_end(&json, '}');
}

/* The first at once, those of the next minute together. */
static void tell_refusals(struct centre *centre, int64_t now)
{
    if (centre->untold == 0 || now < centre->next_telling)
        return;
    put_refusals(centre);
    if (buffer_failed(&centre->message) || buffer_failed(&centre->detail))
        return;
    log_warning("%s", buffer_string(&centre->message));
    detector_raise_internal(centre->options.detector,
                            &(struct internal_alert){
                                .kind = INTERNAL_MESSAGES_REFUSED,
                                .time = clock_realtime(),
                                .origin = {(uint64_t)centre->began, centre->untold},
                                .message = buffer_text(&centre->message),
                                .detail = buffer_text(&centre->detail),
                            });
    centre->untold = 0;
    centre->next_telling = now + TELL_PAUSE;
}

static void take_new(struct centre *centre, const struct stream_message *message)
{
    const struct centre_options *options = &centre->options;
    struct event_failure failure;

    options->on_event(options->context);
    int r = arrival_take(&centre->arrival, message, &failure);

    if (r == -EINVAL) {
        refuse(centre, message, &failure);
        return;
    }
    centre->arrived = clock_monotonic();
    if (r == 0)
        r = unsettled_add(centre->unsettled, message, delivery_mark(options->delivery));
    if (r < 0)
        stream_settle(options->stream, message->token, SOURCE_AGAIN);
}

/* One that comes again although it was taken: its acknowledgement was lost, or is not due. */
static void take(struct centre *centre, const struct stream_message *message)
{
    struct stream *stream = centre->options.stream;

    switch (unsettled_find(centre->unsettled, message)) {
    case UNSETTLED_NEW:
        take_new(centre, message);
        break;
    case UNSETTLED_WAITING:
        stream_settle(stream, message->token, SOURCE_AGAIN);
        break;
    case UNSETTLED_KEPT:
        stream_settle(stream, message->token, SOURCE_KEPT);
        break;
    }
}

/* Messages are as safe where they are as in a journal that cannot keep up. */
static bool has_room(const struct centre *centre)
{
    struct delivery_journal journal;

    delivery_journal(centre->options.delivery, &journal);
    return !journal.fails && journal.waiting < WAITING_MOST &&
           unsettled_count(centre->unsettled) < UNSETTLED_MAX;
}

/* Whether there may be more at once. */
static bool take_batch(struct centre *centre)
{
    struct stream *stream = centre->options.stream;
    struct stream_message message;
    size_t taken = 0;
    bool room;

    while ((room = has_room(centre)) && taken < BATCH_MOST && stream_next(stream, &message)) {
        take(centre, &message);
        taken++;
    }
    stream_hold(stream, !room);
    if (unsettled_settle(centre->unsettled, centre->options.delivery, stream) || taken)
        centre->glance = GLANCE;
    return taken == BATCH_MOST;
}

/* What the clocks of the machines show that events come from: while there is a backlog, that of its
 * time. */
static int64_t events_time(const struct centre *centre)
{
    int64_t now = clock_realtime();
    int64_t time = centre->arrival.time + clock_monotonic() - centre->arrived;

    return centre->arrival.time && time < now ? time : now;
}

static int64_t choose_sleep(struct centre *centre, int64_t now)
{
    int64_t due = stream_due(centre->options.stream);
    int64_t sleep = TICK;

    if (unsettled_count(centre->unsettled) || !has_room(centre)) {
        sleep = centre->glance;
        centre->glance = sleep < GLANCE_MOST / 2 ? sleep * 2 : GLANCE_MOST;
    }
    if (due - now < sleep)
        sleep = due > now ? due - now : 0;
    return sleep;
}

static int run_batch(struct centre *centre)
{
    struct epoll_event ready[3];

    stream_step(centre->options.stream, clock_monotonic());
    bool more = take_batch(centre);
    int64_t now = clock_monotonic();

    tell_refusals(centre, now);
    int r = centre->options.on_batch(centre->options.context, events_time(centre));

    if (r)
        return r;
    /* What was settled goes out; it is woken by what comes. */
    stream_step(centre->options.stream, now);
    int64_t sleep = more ? 0 : choose_sleep(centre, now);

    if (epoll_wait(centre->epoll, ready, 3, (int)((sleep + NS_PER_MS - 1) / NS_PER_MS)) < 0 &&
        errno != EINTR) {
        r = -errno;
        log_error("epoll: %s", strerror(-r));
    }
    return r;
}

static bool is_done(const struct centre *centre)
{
    return stream_has_ended(centre->options.stream) && unsettled_count(centre->unsettled) == 0;
}

static int finish(struct centre *centre)
{
    int64_t until = clock_monotonic() + END_TIME;
    int r = 0;

    stream_end(centre->options.stream);
    while (r == 0 && !is_done(centre) && clock_monotonic() < until)
        r = run_batch(centre);
    centre->next_telling = 0;
    tell_refusals(centre, clock_monotonic());
    size_t left = unsettled_count(centre->unsettled);

    if (left)
        log_warning("%zu messages of the stream are not acknowledged, as what came of them is not "
                    "journalled: they come again",
                    left);
    return r;
}

int centre_run(struct centre *centre)
{
    int r;

    do
        r = run_batch(centre);
    while (r == 0 && obey_signals(centre));
    signals_release();
    return r ? r : finish(centre);
}
