/* A producer of librdkafka as alerts want it: idempotent, acknowledged by all replicas in sync,
 * never giving up by itself. */
#ifndef PICKET_PLUGIN_KAFKA_PRODUCER_H
#define PICKET_PLUGIN_KAFKA_PRODUCER_H

#include <librdkafka/rdkafka.h>

#include "picket/plugin.h"

/* The user's. */
struct config {
    const char *const *brokers;
    const char *topic;
    const char *key;
    const char *user;
    const char *password;
    const char *ca;
    const char *cert;
    const char *cert_key;
    const char *const *properties;
    int compression;
    int mechanism;
    int tls;
};

/* Called from rd_kafka_poll() and rd_kafka_flush(), in their thread. */
struct producer_calls {
    void (*on_report)(rd_kafka_t *producer, const rd_kafka_message_t *message, void *context);
    void (*on_error)(rd_kafka_t *producer, int error, const char *reason, void *context);
};

/* NULL: the user's options cannot be, for the REASON (SIZE bytes). What the library says goes to
 * the log for those who look for mistakes. */
rd_kafka_t *producer_new(const struct picket_host *host, const struct config *config,
                         const struct producer_calls *calls, void *context, char reason[512]);

#endif
