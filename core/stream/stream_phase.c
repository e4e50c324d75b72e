#include "stream/stream_state.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>

#include "base/clock.h"

#define BACKOFF_FIRST (100 * NS_PER_MS)
#define BACKOFF_MOST  (30 * NS_PER_S)

void stream_diagnose(struct stream *stream, const char *format, ...)
{
    const struct output_config *config = stream->reader.config;
    CLEANUP(buffer_deinit) struct buffer said = {0};
    va_list args;

    va_start(args, format);
    buffer_vprintf(&said, format, args);
    va_end(args);
    diag_error(stream->reader.diags, config->mark, "sensor-failed", "sensor '%.*s': %s",
               TEXT_ARG(output_config_name(config)), buffer_string(&said));
}

void stream_expect(struct stream *stream, enum stream_phase phase, int64_t within)
{
    stream->phase = phase;
    stream->due = clock_monotonic() + within;
}

bool stream_has_host(const struct stream *stream)
{
    return stream->host.pid != 0;
}

void stream_lose(struct stream *stream, enum stream_loss loss, const char *format, ...)
{
    va_list args;

    if (stream->phase == PHASE_DYING || stream->phase == PHASE_FAILED)
        return;
    buffer_clear(&stream->loss_reason);
    va_start(args, format);
    buffer_vprintf(&stream->loss_reason, format, args);
    va_end(args);
    stream->loss = loss;
    stream_expect(stream, PHASE_DYING, INT64_MAX / 2);
    host_process_kill(&stream->host);
}

bool stream_is_held(const struct stream *stream)
{
    return stream->held && (stream->phase == PHASE_OPEN || stream->phase == PHASE_ENDING);
}

void stream_watch(struct stream *stream)
{
    uint32_t writing = host_process_has_to_send(&stream->host) ? EPOLLOUT : 0;
    struct epoll_event event = {.events =
                                    (stream_is_held(stream) ? 0U : (uint32_t)EPOLLIN) | writing,
                                .data.u32 = PLACE_SOCKET};

    if (stream_has_host(stream))
        epoll_ctl(stream->epoll, EPOLL_CTL_MOD, stream->host.socket, &event);
}

void stream_transmit(struct stream *stream)
{
    bool had_to = host_process_has_to_send(&stream->host);
    int r = host_process_send(&stream->host);

    /* A peer that is gone shows as the end of its stream. */
    if (r == -ENOMEM)
        stream_lose(stream, LOSS_FAILED, "out of memory");
    if (had_to || host_process_has_to_send(&stream->host))
        stream_watch(stream);
}

int stream_watch_place(const struct stream *stream, int fd, enum stream_place place)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = place};

    return epoll_ctl(stream->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int64_t stream_backoff(const struct stream *stream)
{
    unsigned doublings = stream->failures < 16 ? stream->failures : 16;
    int64_t delay = BACKOFF_FIRST << (doublings ? doublings - 1 : 0);
    uint32_t dice = 0;

    if (getrandom(&dice, sizeof dice, GRND_NONBLOCK) < 0)
        dice = 0;
    delay = delay < BACKOFF_MOST ? delay : BACKOFF_MOST;
    return delay * 3 / 4 + delay / 2 * (dice % 1024) / 1024;
}
