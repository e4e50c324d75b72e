#include "stream/stream_state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* What a source gets to close itself. */
#define CLOSE_TIME (2 * NS_PER_S)

/* What may wait to be told to the host: more than it can have out. One that takes none of it is no
 * source of ours. */
#define SETTLING_MOST ((size_t)64 << 20)

/* Reads of one call: one that never stops talking is not to keep others waiting. */
#define READS_MOST 64

static bool is_listened_to(const struct stream *stream)
{
    return stream_has_host(stream) && stream->phase != PHASE_DYING && stream->phase != PHASE_FAILED;
}

/* Reads once. Whether there may be more. */
static bool receive(struct stream *stream)
{
    ssize_t got = host_process_receive(&stream->host);

    if (got > 0)
        stream->heard = clock_monotonic();
    if (got == -ENOMEM)
        stream_lose(stream, LOSS_FAILED, "out of memory");
    else if (got == 0 || (got < 0 && got != -EAGAIN))
        stream_lose(stream, LOSS_CRASH, "its host ended");
    return got > 0;
}

static bool take_message(struct stream *stream, const struct frame *frame,
                         struct stream_message *out)
{
    bool reads = stream->phase == PHASE_OPEN || stream->phase == PHASE_ENDING;

    if (!reads || stream_message_read(frame->payload, out) < 0) {
        stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
        return false;
    }
    stream->counters.received++;
    stream->counters.repeated += out->deliveries > 1;
    stream->counters.behind = out->behind;
    return true;
}

bool stream_next(struct stream *stream, struct stream_message *out)
{
    bool was_open = stream->was_open; /* at the start nobody wants messages yet */
    unsigned reads = 0;
    struct frame frame;

    while (is_listened_to(stream) && !stream_is_held(stream) && stream->was_open == was_open) {
        int r = frame_decoder_next(&stream->host.decoder, &frame);

        if (r < 0)
            stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
        else if (r > 0 && frame.type == FRAME_MESSAGE)
            return take_message(stream, &frame, out);
        else if (r > 0)
            stream_on_frame(stream, &frame);
        else if (reads++ == READS_MOST || !receive(stream))
            break;
    }
    stream_send_settled(stream);
    return false;
}

static bool hear(struct stream *stream)
{
    char bytes[4096];
    ssize_t got = read(stream->host.errors, bytes, sizeof bytes);

    if (got > 0)
        plugin_voice_hear(&stream->voice, (struct text){bytes, (size_t)got});
    else if (got == 0)
        epoll_ctl(stream->epoll, EPOLL_CTL_DEL, stream->host.errors, NULL);
    return got > 0;
}

static void count_loss(struct stream *stream)
{
    stream->counters.crashes += stream->loss == LOSS_CRASH || stream->loss == LOSS_FAILED;
    stream->counters.hangs += stream->loss == LOSS_HANG;
    stream->counters.garbage += stream->loss == LOSS_GARBAGE;
}

static void bury(struct stream *stream, int status)
{
    CLEANUP(buffer_deinit) struct buffer how = {0};
    const char *reason = buffer_string(&stream->loss_reason);

    if (stream->loss == LOSS_CRASH) {
        buffer_put_string(&how, ": ");
        host_process_put_end(&how, status);
    }
    host_process_deinit(&stream->host);
    if (!stream->was_open) {
        stream_diagnose(stream, "%s%s", reason, how.len ? buffer_string(&how) : "");
        stream->phase = PHASE_FAILED;
        return;
    }
    count_loss(stream);
    stream->failures++;
    stream->state = SOURCE_READING;
    int64_t pause = stream_backoff(stream);

    stream_expect(stream, PHASE_DOWN, pause);
    log_warning("sensor %s: %s%s; restart in %lld ms, what is not acknowledged comes again",
                stream->settings.name, reason, how.len ? buffer_string(&how) : "",
                (long long)(pause / NS_PER_MS));
}

/* One that dies of itself has said nothing since that would be worth more than saying it again. */
static void on_death(struct stream *stream)
{
    int status;

    if (is_listened_to(stream) && !stream->was_open) {
        struct stream_message none;

        stream_next(stream, &none); /* what it failed for */
    }
    hear(stream);
    plugin_voice_end(&stream->voice);
    if (!host_process_reap(&stream->host, &status))
        return;
    if (stream->phase == PHASE_FAILED) {
        host_process_deinit(&stream->host);
        return;
    }
    stream_lose(stream, LOSS_CRASH, "its host ended");
    bury(stream, status);
}

static void on_launcher_death(struct stream *stream)
{
    log_error("sensor %s: the process that starts its host is gone", stream->settings.name);
    stream->broken = true;
    epoll_ctl(stream->epoll, EPOLL_CTL_DEL, stream->launcher.broker.pidfd, NULL);
}

static void on_place(struct stream *stream, enum stream_place place, uint32_t events)
{
    if (place == PLACE_LAUNCHER)
        on_launcher_death(stream);
    else if (!stream_has_host(stream))
        return; /* an event of a host that has been buried in this very round */
    else if (place == PLACE_ERRORS)
        hear(stream);
    else if (place == PLACE_PIDFD)
        on_death(stream);
    else if (events & EPOLLOUT)
        stream_transmit(stream);
}

static void step_overdue(struct stream *stream)
{
    if (stream->phase == PHASE_DOWN)
        stream_start_host(stream);
    else if (stream->phase != PHASE_FAILED && stream->phase != PHASE_DYING)
        stream_lose(stream, LOSS_HANG, "nothing was heard of it for %lld s",
                    (long long)(stream->settings.deadline / NS_PER_S));
}

/* One that is not listened to cannot be heard. */
int64_t stream_due(const struct stream *stream)
{
    switch (stream->phase) {
    case PHASE_OPEN:
        return stream_is_held(stream) ? INT64_MAX : stream->heard + stream->settings.deadline;
    case PHASE_ENDING:
        return stream_is_held(stream) ? INT64_MAX : stream->due;
    case PHASE_ENDED:
    case PHASE_DYING:
    case PHASE_FAILED:
        return INT64_MAX;
    default:
        return stream->due;
    }
}

void stream_step(struct stream *stream, int64_t now)
{
    struct epoll_event events[PLACE_COUNT];
    int count = epoll_wait(stream->epoll, events, PLACE_COUNT, 0);

    for (int i = 0; i < count; i++)
        on_place(stream, (enum stream_place)events[i].data.u32, events[i].events);
    if (!stream->broken && now >= stream_due(stream))
        step_overdue(stream);
    stream_send_settled(stream);
}

int stream_fd(const struct stream *stream)
{
    return stream->epoll;
}

void stream_settle(struct stream *stream, struct text token, enum source_verdict verdict)
{
    stream->counters.kept += verdict == SOURCE_KEPT;
    stream->counters.refused += verdict == SOURCE_REFUSED;
    stream->counters.again += verdict == SOURCE_AGAIN;
    stream_settlement_put(&(struct stream_settlement){verdict, token}, &stream->settling);
    if (stream->settling.len <= SETTLING_MOST)
        return;
    buffer_deinit(&stream->settling);
    if (is_listened_to(stream))
        stream_lose(stream, LOSS_GARBAGE, "it does not take what became of its messages");
}

void stream_hold(struct stream *stream, bool hold)
{
    if (stream->held == hold)
        return;
    stream->held = hold;
    stream->heard = clock_monotonic();
    stream_watch(stream);
}

void stream_end(struct stream *stream)
{
    stream->end_asked = true;
    if (stream->phase == PHASE_OPEN)
        stream_ask_to_end(stream);
}

bool stream_has_ended(const struct stream *stream)
{
    return stream->phase == PHASE_ENDED || stream->phase == PHASE_DOWN || stream->broken;
}

bool stream_is_broken(const struct stream *stream)
{
    return stream->broken;
}

struct stream_counters stream_counters(const struct stream *stream)
{
    static const char *const states[] = {
        [SOURCE_READING] = "reading", [SOURCE_FULL] = "full", [SOURCE_AWAY] = "away"};
    struct stream_counters counters = stream->counters;
    bool open = stream->phase >= PHASE_OPEN && stream->phase <= PHASE_ENDED;

    counters.name = stream->settings.name;
    counters.state = !open ? "down" : stream->held ? "held" : states[stream->state];
    return counters;
}

/* What was settled last goes out before it ends. */
static void close_source(struct stream *stream)
{
    struct pollfd dead = {.fd = stream->host.pidfd, .events = POLLIN};
    int64_t until = clock_monotonic() + CLOSE_TIME;

    stream_send_settled(stream);
    frame_end(&stream->host.sending, frame_begin(&stream->host.sending, FRAME_CLOSE));
    while (host_process_send(&stream->host) == 0 && clock_monotonic() < until) {
        bool sending = host_process_has_to_send(&stream->host);

        if (poll(&dead, 1, sending ? 10 : CLOSE_TIME / NS_PER_MS) != 0)
            break;
    }
}

void stream_free(struct stream *stream)
{
    if (!stream)
        return;
    if (stream->phase == PHASE_ENDED)
        close_source(stream);
    host_process_deinit(&stream->host);
    launcher_deinit(&stream->launcher);
    plugin_voice_deinit(&stream->voice);
    closep(&stream->module);
    closep(&stream->epoll);
    buffer_deinit(&stream->hello);
    buffer_deinit(&stream->settling);
    buffer_deinit(&stream->loss_reason);
    arena_deinit(&stream->arena);
    free(stream);
}
