/* Asks to stop or kill the process of each alert it gets. What comes of it the engine decides, and
 * says. */
#include <stdlib.h>

#include "picket/plugin.h"

/* Each takes half a second at worst: the deadline is that of a whole batch. */
#define BATCH_MAX 8

struct config {
    int action; /* in the order of the choices */
};

struct respond {
    const struct picket_host *host;
    uint32_t measure;
};

static const struct picket_option options[] = {
    {.name = "action",
     .type = PICKET_ENUM,
     .value = "kill",
     .choices = "stop|kill",
     .help = "SIGSTOP or SIGKILL to the process of an alert",
     .offset = offsetof(struct config, action)},
};

static int respond_open(const struct picket_host *host, const void *config, void **instance)
{
    static const uint32_t measures[] = {PICKET_STOP, PICKET_KILL};
    const struct config *settings = config;
    struct respond *respond = malloc(sizeof *respond);

    if (!respond) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    *respond = (struct respond){.host = host, .measure = measures[settings->action]};
    *instance = respond;
    return 0;
}

static void respond_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    const struct respond *respond = instance;

    /* Whatever is answered is final: a moment later it would be another situation. */
    for (size_t i = 0; i < count; i++)
        respond->host->respond(respond->host, alerts[i], respond->measure);
    verdict->delivered = count;
}

static void respond_close(void *instance)
{
    free(instance);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_RESPONSE,
    .name = "respond",
    .version = "1.0",
    .help = "stops or kills the process of an alert, of rules that are named",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = BATCH_MAX,
    .open = respond_open,
    .deliver = respond_deliver,
    .close = respond_close,
};
