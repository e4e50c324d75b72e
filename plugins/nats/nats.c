/* Alerts into a stream of NATS JetStream. */
#include <stdlib.h>
#include <time.h>

#include "../nats_connection/nats_connection_options.h"
#include "nats_link.h"

#define SECOND 1000000000LL
#define MS     1000000LL

#define BATCH_MOST  512
#define BATCH_BYTES ((size_t)1 << 20) /* a slow line has to take them within the deadline */

/* What headers and the protocol add to an alert, at most. */
#define FRAME_MOST 1024

#define PAUSE_FIRST 250
#define PAUSE_MOST  5000

static const struct picket_option options[] = {
    NATS_CONNECTION_SERVERS(config, login),
    {.name = "subject",
     .type = PICKET_STRING,
     .value = "picket.alerts",
     .help = "that alerts are published to; a stream has to take it",
     .offset = offsetof(struct config, subject)},
    {.name = "stream",
     .type = PICKET_STRING,
     .help = "the stream that has to be the one to take them; else any",
     .offset = offsetof(struct config, stream)},
    {.name = "create",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "make that stream if it is not there; one that is there is never changed",
     .offset = offsetof(struct config, create)},
    {.name = "window",
     .type = PICKET_DURATION,
     .value = "10m",
     .min = SECOND,
     .max = 86400 * SECOND,
     .help = "of a stream that is made: how long it knows the ids of repeats",
     .offset = offsetof(struct config, window)},
    {.name = "age",
     .type = PICKET_DURATION,
     .value = "30d",
     .help = "likewise: how long it keeps alerts; 0: for ever",
     .offset = offsetof(struct config, age)},
    {.name = "size",
     .type = PICKET_SIZE,
     .value = "0",
     .help = "likewise: how much it keeps, the oldest go; 0: all",
     .offset = offsetof(struct config, size)},
    {.name = "replicas",
     .type = PICKET_INT,
     .value = "1",
     .min = 1,
     .max = 5,
     .help = "likewise: servers of a cluster that keep it",
     .offset = offsetof(struct config, replicas)},
    NATS_CONNECTION_LOGIN(config, login),
};

struct nats {
    struct nats_link link;
    bool steady;       /* the last alerts were all stored */
    unsigned failures; /* in a row */
    enum ack_kind acks[BATCH_MOST];
};

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / MS;
}

static void nats_close(void *instance)
{
    struct nats *nats = instance;

    nats_link_close(&nats->link);
    free(nats);
}

static int nats_open(const struct picket_host *host, const void *config, void **instance)
{
    struct nats *nats = calloc(1, sizeof *nats);

    if (!nats) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    if (nats_link_open(&nats->link, host, config) < 0) {
        nats_close(nats);
        return -1;
    }
    *instance = nats;
    return 0;
}

/* How many of them go out now. After a failure it is one, until that is stored: were the first
 * alerts of many refused by a server that only wakes up, and the others stored, those that are sent
 * again would be behind them. */
static size_t choose(struct nats *nats, const struct picket_alert *const *alerts, size_t count)
{
    size_t most = nats->steady ? BATCH_MOST : 1, taken = 0, bytes = 0;

    while (taken < count && taken < most && bytes < BATCH_BYTES &&
           alerts[taken]->text_len + FRAME_MOST <= nats_link_most(&nats->link))
        bytes += alerts[taken++]->text_len;
    return taken;
}

static int send_all(struct nats *nats, const struct picket_alert *const *alerts, size_t count,
                    int64_t until)
{
    for (size_t i = 0; i < count; i++) {
        nats->acks[i] = ACK_NONE;
        if (nats_link_publish(&nats->link, alerts[i]) < 0)
            return -1;
        if (milliseconds() >= until)
            return nats_connection_fail(&nats->link.connection, "the server reads too slowly",
                                        NULL);
    }
    int64_t left = until - milliseconds();

    return nats_link_push(&nats->link, left > 0 ? left : 1);
}

static void await_acks(struct nats *nats, uint64_t first, size_t count, int64_t until)
{
    size_t open = count;
    int64_t left;

    while (open && (left = until - milliseconds()) > 0) {
        uint64_t number;
        enum ack_kind kind = nats_link_next(&nats->link, left, &number);

        if (kind == ACK_NONE)
            return;
        if (number - first >= count || nats->acks[number - first] != ACK_NONE)
            continue;
        nats->acks[number - first] = kind;
        open--;
    }
}

static void retry(struct nats *nats, struct picket_verdict *verdict)
{
    unsigned doublings = nats->failures++;
    uint32_t pause = doublings < 5 ? (uint32_t)PAUSE_FIRST << doublings : PAUSE_MOST;

    /* Not all machines are to come back at once. */
    verdict->retry_ms = pause - pause / 4 + (uint32_t)(milliseconds() % (pause / 2));
    verdict->action = PICKET_RETRY;
    verdict->reason = nats->link.connection.reason;
    nats->steady = false;
}

static void reject(struct nats *nats, struct picket_verdict *verdict, const char *reason)
{
    verdict->action = PICKET_REJECT;
    verdict->rejected = 1;
    verdict->reason = reason;
}

static void settle(struct nats *nats, size_t count, struct picket_verdict *verdict)
{
    size_t stored = 0;

    while (stored < count && nats->acks[stored] == ACK_STORED)
        stored++;
    verdict->delivered = stored;
    if (stored)
        nats->failures = 0;
    if (stored == count) {
        nats->steady = true;
    } else if (nats->acks[stored] == ACK_TOO_LARGE) {
        reject(nats, verdict, "the stream does not take alerts that large");
    } else {
        if (nats->acks[stored] == ACK_NONE)
            nats_link_disconnect(&nats->link);
        retry(nats, verdict);
    }
}

static void nats_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct nats *nats = instance;
    int64_t until = milliseconds() + nats->link.host->deadline / MS * 7 / 10;

    if (nats_link_connect(&nats->link) < 0) {
        retry(nats, verdict);
        return;
    }
    size_t taken = choose(nats, alerts, count);
    uint64_t first = nats->link.sent;

    if (taken == 0) {
        reject(nats, verdict, "it is larger than the server takes (max_payload)");
        return;
    }
    if (send_all(nats, alerts, taken, until) == 0)
        await_acks(nats, first, taken, until);
    settle(nats, taken, verdict);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_NETWORK,
    .name = "nats",
    .version = "1.0",
    .help = "publishes alerts to a stream of NATS JetStream",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = BATCH_MOST,
    .open = nats_open,
    .deliver = nats_deliver,
    .close = nats_close,
};
