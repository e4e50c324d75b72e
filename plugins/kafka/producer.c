#include "producer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define REASON_SIZE 512

struct making {
    rd_kafka_conf_t *conf;
    char *reason;
    bool failed;
};

static void set(struct making *making, const char *name, const char *value)
{
    char why[256] = "";

    if (making->failed || !value ||
        rd_kafka_conf_set(making->conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return;
    making->failed = true;
    snprintf(making->reason, REASON_SIZE, "%.100s: %s", name, why);
}

static void refuse(struct making *making, const char *what, const char *why)
{
    if (!making->failed)
        snprintf(making->reason, REASON_SIZE, "%s%.100s", why, what);
    making->failed = true;
}

static void set_brokers(struct making *making, const char *const *brokers)
{
    char list[4096];
    size_t len = 0;

    if (!brokers[0])
        refuse(making, "", "its 'brokers' names none");
    for (; *brokers && len < sizeof list; brokers++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? "," : "", *brokers);
    if (len >= sizeof list)
        refuse(making, "", "its 'brokers' are too many");
    set(making, "bootstrap.servers", list);
}

static void set_security(struct making *making, const struct config *config)
{
    static const char *const mechanisms[] = {"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"};
    static const char *const protocols[] = {"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"};
    bool tls = config->tls || config->ca || config->cert;

    if (!config->user != !config->password)
        refuse(making, "", "'user' and 'password' go together");
    if (!config->cert != !config->cert_key)
        refuse(making, "", "'cert' and 'cert_key' go together");
    if (config->user && !tls && config->mechanism == 2)
        refuse(making, "", "the mechanism 'plain' tells the password: it needs 'tls'");
    set(making, "security.protocol", protocols[(config->user ? 2 : 0) + (tls ? 1 : 0)]);
    if (config->user)
        set(making, "sasl.mechanism", mechanisms[config->mechanism]);
    set(making, "sasl.username", config->user);
    set(making, "sasl.password", config->password);
    if (tls)
        set(making, "ssl.ca.location", config->ca);
    set(making, "ssl.certificate.location", config->cert);
    set(making, "ssl.key.pem", config->cert_key);
}

/* What stands at the beginning of a property that cannot be given, up to a '.' or its end. */
static const char *const own[] = {"bootstrap.servers",
                                  "metadata.broker.list",
                                  "security.protocol",
                                  "sasl.username",
                                  "sasl.mechanism",
                                  "sasl.mechanisms",
                                  "ssl.ca",
                                  "ssl.certificate",
                                  "compression"};

static const char *const secret[] = {"sasl.password", "ssl.key", "ssl.keystore",
                                     "sasl.oauthbearer"};

static const char *const dangerous[] = {
    /* loses or doubles alerts */
    "enable.idempotence", "acks", "request.required.acks", "message.timeout.ms",
    "delivery.timeout.ms", "retries", "message.send.max.retries", "transactional.id",
    "delivery.report.only.error", "enable.gapless.guarantee", "test",
    /* loads or runs programs */
    "plugin", "sasl.kerberos.kinit.cmd", "ssl.engine", "ssl.providers",
    /* talks to anybody */
    "enable.ssl.certificate.verification", "ssl.endpoint.identification.algorithm"};

static bool is_among(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(list[i]);

        if (strncmp(name, list[i], len) == 0 && (name[len] == '\0' || name[len] == '.'))
            return true;
    }
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void set_property(struct making *making, const char *property)
{
    const char *equals = strchr(property, '=');
    char name[128];

    if (!equals || (size_t)(equals - property) >= sizeof name) {
        refuse(making, property, "a property is written NAME=VALUE, not ");
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - property), property);
    if (is_among(name, own, COUNT(own)))
        refuse(making, name, "there is an option of this output for the property ");
    if (is_among(name, secret, COUNT(secret)))
        refuse(making, name, "a secret does not belong among properties: ");
    if (is_among(name, dangerous, COUNT(dangerous)))
        refuse(making, name, "with this property alerts would not be safe: ");
    set(making, name, equals + 1);
}

static void on_log(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
    const struct picket_host *const *context = rd_kafka_opaque(producer);

    /* Threads of the library that begin before it has its context. */
    if (context && *context)
        (*context)->log(*context, PICKET_LOG_DEBUG, text);
}

static void set_all(struct making *making, const struct config *config)
{
    static const char *const compressions[] = {"none", "gzip", "snappy", "lz4", "zstd"};

    set_brokers(making, config->brokers);
    set_security(making, config);
    set(making, "client.id", "picket");
    set(making, "compression.codec", compressions[config->compression]);
    set(making, "enable.idempotence", "true");
    set(making, "acks", "all");
    set(making, "reconnect.backoff.max.ms", "3000"); /* 10 s: late, when brokers are back */
    /* Far less than a host's memory; what finds no room waits where it is. */
    set(making, "queue.buffering.max.kbytes", "65536");
    /* For ever: an alert that waits is still known by the window of kafka.c. */
    set(making, "message.timeout.ms", "0");
    for (size_t i = 0; config->properties[i]; i++)
        set_property(making, config->properties[i]);
}

rd_kafka_t *producer_new(const struct picket_host *host, const struct config *config,
                         const struct producer_calls *calls, void *context, char reason[512])
{
    struct making making = {rd_kafka_conf_new(), reason, false};
    char why[400] = "";

    set_all(&making, config);
    rd_kafka_conf_set_opaque(making.conf, context);
    rd_kafka_conf_set_dr_msg_cb(making.conf, calls->on_report);
    rd_kafka_conf_set_error_cb(making.conf, calls->on_error);
    rd_kafka_conf_set_log_cb(making.conf, on_log);
    rd_kafka_t *producer =
        making.failed ? NULL : rd_kafka_new(RD_KAFKA_PRODUCER, making.conf, why, sizeof why);

    if (producer)
        return producer;
    rd_kafka_conf_destroy(making.conf);
    if (!making.failed)
        snprintf(reason, REASON_SIZE, "librdkafka: %s", why);
    return NULL;
}
