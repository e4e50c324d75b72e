#include "stream/stream_state.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/log.h"
#include "plugin/plugin_path.h"
#include "stream/source_host.h"

/* How much is read at once. */
#define READING ((size_t)256 << 10)

static int watch_host(struct stream *stream)
{
    int r = stream_watch_place(stream, stream->host.socket, PLACE_SOCKET);

    if (r == 0)
        r = stream_watch_place(stream, stream->host.errors, PLACE_ERRORS);
    if (r == 0)
        r = stream_watch_place(stream, stream->host.pidfd, PLACE_PIDFD);
    return r;
}

void stream_start_host(struct stream *stream)
{
    int r = host_process_start(&stream->host, &stream->launcher, 0);

    if (r == 0) {
        r = watch_host(stream);
        if (r < 0)
            host_process_deinit(&stream->host);
    }
    if (r < 0 && !stream->was_open) {
        stream_diagnose(stream, "its host cannot be started: %s", strerror(-r));
        stream->phase = PHASE_FAILED;
    } else if (r < 0) {
        stream->failures++;
        stream_expect(stream, PHASE_DOWN, stream_backoff(stream));
        log_error("sensor %s: its host cannot be started: %s", stream->settings.name, strerror(-r));
    } else {
        stream->host.decoder.limit = STREAM_FRAME_MAX;
        stream->host.decoder.room = READING;
        stream->counters.restarts += stream->was_open;
        stream_expect(stream, PHASE_LOADING, stream->settings.deadline);
    }
}

static uid_t somebody(uid_t id)
{
    return id ? id : LAUNCHER_NOBODY;
}

static int find_source(struct stream *stream)
{
    struct text name = stream->reader.config->plugin;
    int r = plugin_path_find_source(name, &stream->arena, &stream->path);

    if (r == -ENOENT) {
        diag_error(stream->reader.diags, stream->reader.config->mark, "unknown-sensor",
                   "there is no source of events '%.*s': there is nats", TEXT_ARG(name));
        return -EINVAL;
    }
    stream->module = r < 0 ? r : host_process_open_module(stream->path);
    return stream->module < 0 ? stream->module : 0;
}

static int start_launcher(struct stream *stream, const struct stream_options *options)
{
    const struct host_launch launch = {.verb = SOURCE_HOST_VERB,
                                       .name = stream->settings.name,
                                       .path = stream->path,
                                       .module = stream->module,
                                       .memory = stream->settings.memory,
                                       .deadline = stream->settings.deadline,
                                       .uid = somebody(options->uid),
                                       .gid = somebody(options->gid)};
    const struct launcher_options launcher = {.launches = &launch,
                                              .count = 1,
                                              .own = 1,
                                              .needs = PICKET_NEEDS_NETWORK,
                                              .uid = somebody(options->launcher_uid),
                                              .gid = somebody(options->launcher_gid)};
    int r = launcher_start(&stream->launcher, &launcher);

    return r < 0 ? r : stream_watch_place(stream, stream->launcher.broker.pidfd, PLACE_LAUNCHER);
}

static int prepare(struct stream *stream, const struct stream_options *options)
{
    size_t errors = stream->reader.diags->errors;

    stream->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (stream->epoll < 0)
        return -errno;
    int r = stream_settings_read(&stream->reader, &stream->settings);

    if (r == 0)
        r = find_source(stream);
    if (r == 0 && stream->reader.diags->errors != errors)
        r = -EINVAL;
    stream->voice.kind = "sensor";
    stream->voice.name = stream->settings.name;
    return r < 0 ? r : start_launcher(stream, options);
}

/* Until it is open, or is not to be. */
static void await_start(struct stream *stream)
{
    while (stream->phase != PHASE_OPEN && stream->phase != PHASE_FAILED) {
        struct pollfd ready = {.fd = stream->epoll, .events = POLLIN};
        int64_t now = clock_monotonic(), due = stream_due(stream);
        int64_t wait = due == INT64_MAX ? -1 : due > now ? (due - now) / NS_PER_MS + 1 : 0;
        struct stream_message none;

        poll(&ready, 1, (int)wait);
        /* No message comes before it is open. */
        stream_next(stream, &none);
        stream_step(stream, clock_monotonic());
    }
}

int stream_new(const struct stream_options *options, struct diag_list *diags, struct stream **out)
{
    CLEANUP(stream_freep) struct stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return -ENOMEM;
    stream->reader = (struct option_reader){options->config, &stream->arena, diags};
    stream->module = stream->epoll = -1;
    stream->launcher = LAUNCHER_NONE;
    stream->host = HOST_PROCESS_NONE;
    int r = prepare(stream, options);

    if (r < 0)
        return r;
    stream_start_host(stream);
    await_start(stream);
    if (stream->phase == PHASE_FAILED)
        return -EINVAL;
    stream->reader = (struct option_reader){0};
    *out = stream;
    stream = NULL;
    return 0;
}
