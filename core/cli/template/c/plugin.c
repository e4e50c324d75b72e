/* An output plugin of picket: alerts as lines in a file. See picket-plugin(3). */
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

struct output {
    const struct picket_host *host;
    const struct config *config;
    unsigned long written;
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

/* 0 or an errno. */
static int write_line(const struct output *output, const struct picket_alert *alert)
{
    const struct picket_host *host = output->host;
    const char *comm = host->printable(host, host->value(host, alert, "event.parent.comm"));
    const char *message = host->printable(host, alert->message);
    int written = dprintf(output->config->fd, "%s%s: %s (started by %s)\n", output->config->prefix,
                          alert->rule, message ? message : "", comm ? comm : "?");

    return written < 0 ? errno : 0;
}

static int open_output(const struct picket_host *host, const void *config, void **instance)
{
    struct output *output = calloc(1, sizeof *output);

    if (!output) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    output->host = host;
    output->config = config;
    *instance = output;
    return 0;
}

static void deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                    struct picket_verdict *verdict)
{
    struct output *output = instance;

    for (; verdict->delivered < count; verdict->delivered++) {
        const struct picket_alert *alert = alerts[verdict->delivered];
        int error = alert->severity < output->config->least ? 0 : write_line(output, alert);

        if (error) { /* a full disk may have room again in a while */
            verdict->action = PICKET_RETRY;
            verdict->retry_ms = 1000;
            verdict->reason = strerror(error);
            return;
        }
        output->written++;
    }
}

static void close_output(void *instance)
{
    struct output *output = instance;
    char text[64];

    snprintf(text, sizeof text, "%lu alerts", output->written);
    output->host->log(output->host, PICKET_LOG_DEBUG, text);
    free(output);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof(struct picket_plugin),
    .abi = PICKET_ABI,
    .name = "@NAME@",
    .version = PLUGIN_VERSION,
    .help = "writes alerts as lines to a file",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = open_output,
    .deliver = deliver,
    .close = close_output,
};
