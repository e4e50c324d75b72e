/* An example of a picket plugin: alerts as plain lines in a file,
 *
 *     high tmp-binary [bash -> x] /tmp/x was run from a folder anyone may write to
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <picket/plugin.h>

/* What the options below set. */
struct config {
    int fd;
    int least; /* enum picket_severity: the choices are in its order */
    const char *prefix;
};

struct plain {
    const struct picket_host *host;
    const struct config *config;
    unsigned long seen;
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_REQUIRED,
     .help = "file to append to",
     .offset = offsetof(struct config, fd)},
    {.name = "least",
     .type = PICKET_ENUM,
     .choices = "informational|low|medium|high|critical",
     .value = "low",
     .help = "less severe alerts are passed over",
     .offset = offsetof(struct config, least)},
    {.name = "prefix",
     .type = PICKET_STRING,
     .value = "",
     .help = "text at the beginning of each line",
     .offset = offsetof(struct config, prefix)},
};

static const char *or_unknown(const char *text)
{
    return text ? text : "?";
}

/* 0 or an errno. */
static int write_line(const struct plain *plain, const struct picket_alert *alert)
{
    static const char *const severities[] = {"informational", "low", "medium", "high", "critical"};
    const struct picket_host *host = plain->host;
    const char *parent = host->printable(host, host->value(host, alert, "event.parent.comm"));
    const char *comm = host->printable(host, host->value(host, alert, "event.comm"));
    int written = dprintf(plain->config->fd, "%s%s %s [%s -> %s] %s\n", plain->config->prefix,
                          severities[alert->severity], alert->rule, or_unknown(parent),
                          or_unknown(comm), or_unknown(host->printable(host, alert->message)));

    return written < 0 ? errno : 0;
}

static int plain_open(const struct picket_host *host, const void *config, void **instance)
{
    struct plain *plain = calloc(1, sizeof *plain);

    if (!plain) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    plain->host = host;
    plain->config = config;
    *instance = plain;
    return 0;
}

static void plain_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                          struct picket_verdict *verdict)
{
    struct plain *plain = instance;

    for (; verdict->delivered < count; verdict->delivered++) {
        const struct picket_alert *alert = alerts[verdict->delivered];
        int error = alert->severity < plain->config->least ? 0 : write_line(plain, alert);

        if (error) { /* a full disk may have room again in a while */
            verdict->action = PICKET_RETRY;
            verdict->retry_ms = 1000;
            verdict->reason = strerror(error);
            return;
        }
        plain->seen++;
    }
}

static void plain_close(void *instance)
{
    struct plain *plain = instance;
    char text[64];

    snprintf(text, sizeof text, "%lu alerts seen", plain->seen);
    plain->host->log(plain->host, PICKET_LOG_INFO, text);
    free(plain);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof(struct picket_plugin),
    .abi = PICKET_ABI,
    .name = "plain",
    .version = "1.0",
    .help = "writes alerts as plain lines to a file",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = plain_open,
    .deliver = plain_deliver,
    .close = plain_close,
};
