#include "host/plugin_probe.h"

#include <errno.h>
#include <poll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/host_process.h"
#include "plugin/protocol.h"

#define PROBE_TIME   (10 * NS_PER_S)
#define PROBE_MEMORY ((int64_t)512 << 20)

/* The first frame that is no log; -ETIMEDOUT, -EPROTO, -ECONNRESET when the host just ends. */
static int await_frame(struct host_process *host, struct frame *out)
{
    int64_t deadline = clock_monotonic() + PROBE_TIME;
    int r;

    for (;;) {
        while ((r = frame_decoder_next(&host->decoder, out)) > 0)
            if (out->type != FRAME_LOG)
                return 0;
        int64_t left = deadline - clock_monotonic();
        struct pollfd ready = {.fd = host->socket, .events = POLLIN};

        if (r < 0)
            return r;
        if (left <= 0 || poll(&ready, 1, (int)(left / NS_PER_MS) + 1) == 0)
            return -ETIMEDOUT;
        ssize_t got = host_process_receive(host);

        if (got == 0)
            return -ECONNRESET;
        if (got < 0 && got != -EAGAIN)
            return (int)got;
    }
}

static int ask(struct host_process *host, struct arena *arena, struct plugin_info *out,
               const char **reason)
{
    struct log_line line;
    struct frame frame;
    int r = await_frame(host, &frame);

    if (r == 0 && frame.type == FRAME_FAILED && log_line_read(frame.payload, &line) == 0) {
        *reason = arena_text(arena, line.text).ptr;
        return *reason ? -ENOEXEC : -ENOMEM;
    }
    if (r == 0)
        r = frame.type == FRAME_HELLO ? plugin_info_read(frame.payload, arena, out) : -EPROTO;
    if (r < 0)
        *reason = r == -ETIMEDOUT    ? "it does not answer"
                  : r == -ECONNRESET ? "its host ended"
                  : r == -EPROTO     ? "its table cannot be read"
                                     : arena_string(arena, strerror(-r));
    return r;
}

int plugin_probe(const char *path, struct arena *arena, struct plugin_info *out,
                 const char **reason)
{
    CLEANUP(closep) int module = host_process_open_module(path);
    CLEANUP(launcher_deinit) struct launcher launcher = LAUNCHER_NONE;
    CLEANUP(host_process_deinit) struct host_process host = HOST_PROCESS_NONE;
    const struct host_launch launch = {.name = "plugins",
                                       .path = path,
                                       .module = module,
                                       .uid = LAUNCHER_NOBODY,
                                       .gid = LAUNCHER_NOBODY,
                                       .memory = PROBE_MEMORY,
                                       .deadline = PROBE_TIME};
    const struct launcher_options options = {
        .launches = &launch, .count = 1, .own = 1, .uid = LAUNCHER_NOBODY, .gid = LAUNCHER_NOBODY};
    int r = module < 0 ? module : launcher_start(&launcher, &options);

    if (r == 0)
        r = host_process_start(&host, &launcher, 0);
    if (r < 0) {
        *reason = arena_string(arena, strerror(-r));
        return r;
    }
    return ask(&host, arena, out, reason);
}
