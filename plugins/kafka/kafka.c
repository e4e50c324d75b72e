/* Alerts into a topic of Kafka. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "producer.h"
#include "window.h"

#define MS 1000000LL

#define PAUSE_SHORT 50 /* for an acknowledgement that is on its way, perhaps */
#define PAUSE_FIRST 250
#define PAUSE_MOST  5000

static const struct picket_option options[] = {
    {.name = "brokers",
     .type = PICKET_STRINGS,
     .flags = PICKET_REQUIRED,
     .help = "some of one cluster: HOST[:PORT]",
     .offset = offsetof(struct config, brokers)},
    {.name = "topic",
     .type = PICKET_STRING,
     .value = "picket-alerts",
     .help = "that alerts are produced to",
     .offset = offsetof(struct config, topic)},
    {.name = "key",
     .type = PICKET_STRING,
     .value = "host.name",
     .help = "path in the alert: those with the same there keep their order; empty: none",
     .offset = offsetof(struct config, key)},
    {.name = "compression",
     .type = PICKET_ENUM,
     .choices = "none|gzip|snappy|lz4|zstd",
     .value = "lz4",
     .help = "of what is sent and kept",
     .offset = offsetof(struct config, compression)},
    {.name = "user",
     .type = PICKET_STRING,
     .help = "name to log in with",
     .offset = offsetof(struct config, user)},
    {.name = "password",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "for it",
     .offset = offsetof(struct config, password)},
    {.name = "mechanism",
     .type = PICKET_ENUM,
     .choices = "scram-sha-512|scram-sha-256|plain",
     .value = "scram-sha-512",
     .help = "of logging in; plain needs 'tls'",
     .offset = offsetof(struct config, mechanism)},
    {.name = "tls",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "with TLS; so it is with 'ca' or 'cert'",
     .offset = offsetof(struct config, tls)},
    {.name = "ca",
     .type = PICKET_STRING,
     .help = "file of the certificates to trust, in PEM; else the system's",
     .offset = offsetof(struct config, ca)},
    {.name = "cert",
     .type = PICKET_STRING,
     .help = "file of the certificate to show, in PEM",
     .offset = offsetof(struct config, cert)},
    {.name = "cert_key",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "its key, in PEM",
     .offset = offsetof(struct config, cert_key)},
    {.name = "properties",
     .type = PICKET_STRINGS,
     .help = "further ones of librdkafka: NAME=VALUE",
     .offset = offsetof(struct config, properties)},
};

struct kafka {
    const struct picket_host *host; /* first: on_log() of producer.c */
    const struct config *config;
    rd_kafka_t *producer;
    struct window window;
    unsigned failures; /* in a row */
    char reason[512];
};

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / MS;
}

static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context)
{
    entry_report(message->_private, message->err);
}

static void on_error(rd_kafka_t *producer, int error, const char *reason, void *context)
{
    struct kafka *kafka = context;

    snprintf(kafka->reason, sizeof kafka->reason, "%.500s", reason);
}

/* What is on its way then may arrive, and come again. */
static void end_producer(struct kafka *kafka)
{
    if (kafka->producer) {
        rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                            RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(kafka->producer);
    }
    kafka->producer = NULL;
    window_advance(&kafka->window, kafka->window.count);
}

static int begin_producer(struct kafka *kafka)
{
    static const struct producer_calls calls = {on_report, on_error};

    if (!kafka->producer)
        kafka->producer = producer_new(kafka->host, kafka->config, &calls, kafka, kafka->reason);
    return kafka->producer ? 0 : -1;
}

static void kafka_close(void *instance)
{
    struct kafka *kafka = instance;

    end_producer(kafka);
    free(kafka);
}

static int kafka_open(const struct picket_host *host, const void *config, void **instance)
{
    struct kafka *kafka = calloc(1, sizeof *kafka);

    if (!kafka) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    kafka->host = host;
    kafka->config = config;
    if (begin_producer(kafka) < 0) {
        host->log(host, PICKET_LOG_ERROR, kafka->reason);
        free(kafka);
        return -1;
    }
    *instance = kafka;
    return 0;
}

static rd_kafka_resp_err_t produce(struct kafka *kafka, const struct picket_alert *alert,
                                   struct entry *entry)
{
    static const char *const severities[] = {"informational", "low", "medium", "high", "critical"};
    const char *path = kafka->config->key;
    const char *key = path && *path ? kafka->host->value(kafka->host, alert, path) : NULL;
    bool known = alert->severity >= 0 && alert->severity <= PICKET_CRITICAL;
    const char *severity = known ? severities[alert->severity] : "";

    return rd_kafka_producev(kafka->producer, RD_KAFKA_V_TOPIC(kafka->config->topic),
                             RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
                             RD_KAFKA_V_VALUE((void *)alert->text, alert->text_len),
                             RD_KAFKA_V_HEADER("id", alert->id, strlen(alert->id)),
                             RD_KAFKA_V_HEADER("severity", severity, strlen(severity)),
                             RD_KAFKA_V_TIMESTAMP(entry->undated ? 0 : alert->time / MS),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(entry),
                             RD_KAFKA_V_END);
}

/* Hands over what is outside, in order, as far as it is taken, and what has to go alone when
 * nothing else is on its way; how many of them the window has. */
static size_t hand_over(struct kafka *kafka, const struct picket_alert *const *alerts, size_t count)
{
    bool full = false;

    for (size_t i = 0; i < count && i < WINDOW && !full; i++) {
        struct entry *entry = window_find(&kafka->window, i, alerts[i]->id);

        if (!entry)
            break;
        if (entry->state != ENTRY_OUTSIDE)
            continue;
        if (entry->alone && i > 0)
            break;
        rd_kafka_resp_err_t error = produce(kafka, alerts[i], entry);

        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            entry->state = ENTRY_WAITING;
        else
            entry_judge(entry, error);
        full = entry->state == ENTRY_OUTSIDE || entry->alone;
    }
    return count < kafka->window.count ? count : kafka->window.count;
}

static void retry(struct kafka *kafka, bool waits, struct picket_verdict *verdict)
{
    unsigned doublings = kafka->failures++;
    uint32_t pause = doublings < 5 ? (uint32_t)PAUSE_FIRST << doublings : PAUSE_MOST;

    verdict->action = PICKET_RETRY;
    verdict->retry_ms = waits ? PAUSE_SHORT : pause - pause / 4 + (uint32_t)(milliseconds() % 100);
    verdict->reason = *kafka->reason ? kafka->reason : "no broker has acknowledged them yet";
}

static void settle(struct kafka *kafka, size_t count, struct picket_verdict *verdict)
{
    size_t stored = 0;

    while (stored < count && kafka->window.entries[stored]->state == ENTRY_STORED)
        stored++;
    verdict->delivered = stored;
    if (stored)
        kafka->failures = 0;
    if (stored < count) {
        const struct entry *entry = kafka->window.entries[stored];

        if (entry->state == ENTRY_REFUSED) {
            verdict->action = PICKET_REJECT;
            verdict->rejected = 1;
            verdict->reason = rd_kafka_err2str(entry->error);
        } else {
            if (entry->state == ENTRY_OUTSIDE)
                snprintf(kafka->reason, sizeof kafka->reason, "%s", rd_kafka_err2str(entry->error));
            retry(kafka, entry->state == ENTRY_WAITING, verdict);
        }
    }
    window_advance(&kafka->window, stored + verdict->rejected);
}

static void kafka_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                          struct picket_verdict *verdict)
{
    struct kafka *kafka = instance;

    if (!window_fits(&kafka->window, alerts, count) ||
        (kafka->producer && rd_kafka_fatal_error(kafka->producer, NULL, 0)))
        end_producer(kafka);
    if (begin_producer(kafka) < 0) {
        retry(kafka, false, verdict);
        return;
    }
    *kafka->reason = '\0';
    size_t taken = hand_over(kafka, alerts, count);

    if (taken == 0) {
        snprintf(kafka->reason, sizeof kafka->reason, "out of memory");
        retry(kafka, false, verdict);
        return;
    }
    rd_kafka_flush(kafka->producer, (int)(kafka->host->deadline / MS / 2));
    settle(kafka, taken, verdict);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_NETWORK,
    .name = "kafka",
    .version = "1.0",
    .help = "produces alerts to a topic of Kafka",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = WINDOW,
    .open = kafka_open,
    .deliver = kafka_deliver,
    .close = kafka_close,
};
