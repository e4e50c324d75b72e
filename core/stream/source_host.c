#include "stream/source_host.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"
#include "host/host_arguments.h"
#include "host/host_link.h"
#include "plugin/plugin_config.h"
#include "stream/message.h"

/* How long to look for a settlement, ms: when there is no room for more messages before one comes,
 * and when the log is away, at first and from then on twice as long each time. */
#define FULL_WAIT      500
#define AWAY_WAIT      125
#define AWAY_WAIT_MOST 2000

/* What is sent to the engine at once, at least, when there is more. */
#define SENDING_LEAST ((size_t)64 << 10)

struct host;

/* What the source sees, and behind each the way back to the host. */
struct services {
    struct picket_host table;
    struct host *host;
};

struct sink {
    struct source_sink table;
    struct host *host;
};

struct host {
    struct services services;
    struct sink sink;
    struct host_link link;
    struct frame_decoder decoder;
    struct arena arena; /* as long as the source: its config and what it points to */
    const struct stream_source *source;
    struct plugin_module module;
    struct plugin_config config;
    void *instance;
    int away; /* how long it was waited since the log was there last, ms */
};

static void service_log(const struct picket_host *table, int level, const char *text)
{
    host_link_log(&((const struct services *)table)->host->link, level, text);
}

static void take(const struct source_sink *table, const struct source_message *message)
{
    struct host *host = ((const struct sink *)table)->host;
    const struct stream_message sent = {.token = text_from(message->token),
                                        .data = {message->data, message->len},
                                        .sequence = message->sequence,
                                        .stored = message->stored,
                                        .deliveries = message->deliveries,
                                        .behind = message->behind};

    pthread_mutex_lock(&host->link.lock);
    stream_message_put(&sent, &host->link.out);
    if (host->link.out.len >= SENDING_LEAST)
        host_link_send(&host->link);
    pthread_mutex_unlock(&host->link.lock);
}

/* Waits for more from the engine, so many milliseconds (-1: for ever). Without an engine this does
 * not return. */
static void receive(struct host *host, int wait)
{
    struct pollfd ready = {.fd = OUTPUT_HOST_SOCKET, .events = POLLIN};
    size_t len;

    if (poll(&ready, 1, wait) <= 0)
        return;
    char *room = frame_decoder_room(&host->decoder, &len);
    ssize_t got = room ? recv(OUTPUT_HOST_SOCKET, room, len, 0) : 0;

    if (got == 0 || (got < 0 && errno != EINTR))
        host_link_leave(&host->link, EXIT_FAILURE);
    if (got > 0)
        frame_decoder_filled(&host->decoder, (size_t)got);
}

/* Whether there was one. */
static bool next_frame(struct host *host, struct frame *out)
{
    int r = frame_decoder_next(&host->decoder, out);

    if (r < 0)
        host_link_leave(&host->link, EXIT_FAILURE);
    return r > 0;
}

static void load(struct host *host, const char *path)
{
    void *handle;
    const char *why = plugin_module_open(path, OUTPUT_HOST_MODULE, &host->arena, &handle);

    if (why)
        host_link_fail(&host->link, why);
    host->source = dlsym(handle, "stream_source");
    if (!host->source)
        host_link_fail(&host->link, "it is no source: it exports no symbol 'stream_source'");
    why = plugin_module_read(&host->source->table, &host->arena, &host->module);
    if (why)
        host_link_fail(&host->link, why);
    if (strcmp(host->source->build, PICKET_VERSION) != 0)
        host_link_fail(&host->link, "it belongs to another version of picket");
    close(OUTPUT_HOST_MODULE);
    /* Nobody's directory is kept from being unmounted. */
    if (chdir("/") < 0)
        host_link_fail(&host->link, "cannot change to the root directory");
    host_link_hello(&host->link, &host->module.info);
}

static void open_source(struct host *host)
{
    struct received_files none = {.count = 0};
    struct frame frame;

    while (!next_frame(host, &frame))
        receive(host, -1);
    if (frame.type != FRAME_OPEN ||
        plugin_config_read(frame.payload, &host->module, &none, &host->arena, &host->config) < 0)
        host_link_fail(&host->link, "the engine's options for it cannot be read");
    if (host->module.plugin.open(&host->services.table, host->config.config, &host->instance) < 0)
        host_link_fail(&host->link,
                       host->link.last_error ? host->link.last_error : OUTPUT_NO_REASON);
    host_link_say(&host->link, FRAME_OPENED, 0, TEXT(""));
}

static void settle(struct host *host, struct text payload)
{
    struct stream_settlement settlement;

    if (stream_settlement_read(payload, &settlement) < 0)
        host_link_leave(&host->link, EXIT_FAILURE);
    host->source->settle(host->instance, settlement.token.ptr, settlement.verdict);
}

_Noreturn static void end(struct host *host)
{
    host->module.plugin.close(host->instance);
    host_link_leave(&host->link, EXIT_SUCCESS);
}

/* All that has come. Whether the source is to be read from on. */
static bool obey(struct host *host, bool reads)
{
    for (struct frame frame; next_frame(host, &frame);)
        switch (frame.type) {
        case FRAME_SETTLE:
            settle(host, frame.payload);
            break;
        case FRAME_FLUSH:
            host_link_say(&host->link, FRAME_FLUSHED, PICKET_LOG_INFO, TEXT(""));
            reads = false;
            break;
        case FRAME_CLOSE:
            end(host);
        default:
            host_link_leave(&host->link, EXIT_FAILURE);
        }
    return reads;
}

/* Reads once. How long there is nothing to do then but to wait for the engine. */
static int read_source(struct host *host)
{
    enum source_state state = host->source->read(host->instance, &host->sink.table);

    pthread_mutex_lock(&host->link.lock);
    stream_pulse_put(state, &host->link.out);
    host_link_send(&host->link);
    pthread_mutex_unlock(&host->link.lock);
    if (state != SOURCE_AWAY)
        host->away = 0;
    else if (host->away < AWAY_WAIT_MOST)
        host->away = host->away ? host->away * 2 : AWAY_WAIT;
    return state == SOURCE_FULL ? FULL_WAIT : host->away;
}

_Noreturn static void serve(struct host *host)
{
    bool reads = true;
    int wait = 0;

    for (;;) {
        receive(host, reads ? wait : -1);
        reads = obey(host, reads);
        if (reads)
            wait = read_source(host);
    }
}

int source_host_main(int argc, char **argv)
{
    static struct host host = {
        .link.lock = PTHREAD_MUTEX_INITIALIZER,
        .decoder = {.limit = FRAME_ENGINE_MAX},
        .services.table = {.size = sizeof(struct picket_host),
                           .version = PICKET_VERSION,
                           .log = service_log},
        .sink.table = {.take = take},
    };
    struct host_arguments arguments;

    if (!host_arguments_read(argc, argv, &arguments))
        return 2;
    host.services.table.output = arguments.name;
    host.services.table.deadline = arguments.deadline;
    host.services.host = host.sink.host = &host;
    int r = host_arguments_obey(&arguments);

    if (r < 0)
        host_link_fail(&host.link,
                       arena_printf(&host.arena, "its host cannot be confined: %s", strerror(-r)));
    load(&host, arguments.path);
    open_source(&host);
    serve(&host);
}
