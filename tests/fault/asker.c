/* A plugin that asks for responses, as its option `mode` says: as it may, and as it must not. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "picket/plugin.h"
#include "plugin/protocol.h"

/* Where the core keeps its socket to the engine: a plugin is not told, but can find out. */
#define SOCKET 3

#ifndef ASKER_NEEDS
#define ASKER_NEEDS PICKET_NEEDS_RESPONSE
#endif

enum mode {
    MODE_ASK,     /* that they be killed */
    MODE_TWICE,   /* the same */
    MODE_COPY,    /* about an alert of its own making */
    MODE_MEASURE, /* for one that there is not */
    MODE_THREAD,  /* not from the core's thread */
    MODE_FLUSH,   /* after it has delivered */
    /* Past the core, about: */
    MODE_FRAME_INDEX,   /* an alert that is not in the batch, */
    MODE_FRAME_BATCH,   /* or in another batch, */
    MODE_FRAME_MEASURE, /* something else to be done, */
    MODE_FRAME_LONG,    /* more than one says, */
    MODE_FRAME_MANY     /* or without waiting for an answer */
};

struct config {
    int mode;
    int fd;
};

static const struct picket_option options[] = {
    {.name = "mode",
     .type = PICKET_ENUM,
     .choices = "ask|twice|copy|measure|thread|flush|frame_index|frame_batch|frame_measure|"
                "frame_long|frame_many",
     .flags = PICKET_REQUIRED,
     .help = "what to ask",
     .offset = offsetof(struct config, mode)},
    {.name = "path",
     .type = PICKET_FILE,
     .value = "/dev/null",
     .help = "gets what is answered, a line each",
     .offset = offsetof(struct config, fd)},
};

struct asker {
    const struct picket_host *host;
    const struct config *config;
    const struct picket_alert *alert;
    int64_t batch;
};

static void ask(const struct asker *asker, const struct picket_alert *alert, uint32_t measure)
{
    int answer = asker->host->respond(asker->host, alert, measure);

    dprintf(asker->config->fd, "%s\n",
            answer < 0 ? "no" : (const char *[]){"done", "dry", "gone", "refused"}[answer]);
}

static void *ask_apart(void *argument)
{
    const struct asker *asker = argument;

    ask(asker, asker->alert, PICKET_KILL);
    return NULL;
}

/* With EXTRA bytes that nobody asked for. */
static void send_frame(int64_t batch, uint32_t index, uint32_t measure, uint32_t extra)
{
    struct {
        uint32_t len;
        uint16_t type, version;
        int64_t batch;
        uint32_t index, measure, extra;
    } frame = {16 + extra, FRAME_RESPOND, PROTOCOL_VERSION, batch, index, measure, 0};
    ssize_t sent = send(SOCKET, &frame, FRAME_HEADER_LEN + frame.len, MSG_NOSIGNAL);

    (void)sent;
}

static void ask_past_the_core(const struct asker *asker)
{
    switch (asker->config->mode) {
    case MODE_FRAME_INDEX:
        send_frame(asker->batch, 1, PICKET_KILL, 0);
        break;
    case MODE_FRAME_BATCH:
        send_frame(asker->batch + 1000, 0, PICKET_KILL, 0);
        break;
    case MODE_FRAME_MEASURE:
        send_frame(asker->batch, 0, 9, 0);
        break;
    case MODE_FRAME_LONG:
        send_frame(asker->batch, 0, PICKET_KILL, 4);
        break;
    default: /* MODE_FRAME_MANY: it is one alert and one process, however often */
        for (;;)
            send_frame(asker->batch, 0, PICKET_KILL, 0);
    }
    for (;;)
        pause();
}

static void ask_of_the_core(struct asker *asker, const struct picket_alert *alert)
{
    struct picket_alert copy = *alert;
    pthread_t thread;

    asker->alert = alert;
    switch (asker->config->mode) {
    case MODE_ASK:
        ask(asker, alert, PICKET_KILL);
        break;
    case MODE_TWICE:
        ask(asker, alert, PICKET_STOP);
        ask(asker, alert, PICKET_KILL);
        break;
    case MODE_COPY:
        ask(asker, &copy, PICKET_KILL);
        ask(asker, NULL, PICKET_KILL);
        break;
    case MODE_MEASURE:
        ask(asker, alert, 0);
        ask(asker, alert, 3);
        ask(asker, alert, UINT32_MAX);
        break;
    case MODE_THREAD:
        if (pthread_create(&thread, NULL, ask_apart, asker) == 0)
            pthread_join(thread, NULL);
        break;
    default: /* MODE_FLUSH */
        break;
    }
}

static void asker_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                          struct picket_verdict *verdict)
{
    struct asker *asker = instance;

    asker->batch++;
    if (asker->config->mode >= MODE_FRAME_INDEX)
        ask_past_the_core(asker);
    for (size_t i = 0; i < count; i++)
        ask_of_the_core(asker, alerts[i]);
    verdict->delivered = count;
}

static int asker_flush(void *instance)
{
    const struct asker *asker = instance;

    if (asker->config->mode == MODE_FLUSH)
        ask(asker, asker->alert, PICKET_KILL);
    return 0;
}

static int asker_open(const struct picket_host *host, const void *config, void **instance)
{
    struct asker *asker = calloc(1, sizeof *asker);

    if (!asker)
        return -1;
    asker->host = host;
    asker->config = config;
    *instance = asker;
    return 0;
}

static void asker_close(void *instance)
{
    free(instance);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = ASKER_NEEDS,
    .name = "asker",
    .version = "1.0",
    .help = "asks for responses, whether it may or not",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = asker_open,
    .deliver = asker_deliver,
    .flush = asker_flush,
    .close = asker_close,
};
