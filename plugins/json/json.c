/* Alerts as JSON, one object a line, to a file or standard output. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../line_writer/line_writer.h"

struct config {
    int fd;
    int sync;
    int64_t rotate;
    int64_t keep;
};

struct json {
    struct line_writer writer;
    const struct picket_host *host;
    const struct config *config;
    int64_t rotate_at; /* bytes */
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_ROTATES,
     .value = "-",
     .help = "file to append to; '-' is standard output",
     .offset = offsetof(struct config, fd)},
    {.name = "sync",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "wait until each batch is on the disk (fsync)",
     .offset = offsetof(struct config, sync)},
    {.name = "rotate",
     .type = PICKET_SIZE,
     .value = "0",
     .min = 0,
     .max = INT64_C(1) << 40,
     .help = "begin a new file once it has so many bytes; 0: never",
     .offset = offsetof(struct config, rotate)},
    {.name = "keep",
     .type = PICKET_INT,
     .value = "10",
     .min = 1,
     .max = 1000,
     .help = "rotate: how many files of before are kept",
     .offset = offsetof(struct config, keep)},
};

static void render(void *instance, const struct picket_alert *alert)
{
    struct json *json = instance;

    line_writer_put(&json->writer, alert->text, alert->text_len);
    line_writer_put(&json->writer, "\n", 1);
}

static int json_open(const struct picket_host *host, const void *config, void **instance)
{
    struct json *json = calloc(1, sizeof *json);

    if (!json) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    json->host = host;
    json->config = config;
    json->rotate_at = json->config->rotate;
    json->writer.fd = json->config->fd;
    json->writer.render = render;
    json->writer.instance = json;
    line_writer_init(&json->writer);
    *instance = json;
    return 0;
}

static int synchronize(const struct json *json)
{
    /* Pipes and terminals have nothing to wait for. */
    if (fsync(json->writer.fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP)
        return 0;
    return -errno;
}

/* Where that cannot be, the log says why; it is tried again when as much has come once more. */
static void rotate(struct json *json)
{
    const struct picket_host *host = json->host;
    struct stat status;

    if (json->rotate_at == 0 || json->writer.torn || fstat(json->writer.fd, &status) < 0 ||
        status.st_size < json->rotate_at)
        return;
    json->rotate_at = json->config->rotate;
    if (host->rotate(host, "path", (uint32_t)json->config->keep) < 0)
        json->rotate_at += status.st_size;
}

static void json_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct json *json = instance;

    rotate(json);
    line_writer_deliver(&json->writer, alerts, count, verdict);
    int r = json->config->sync && verdict->delivered ? synchronize(json) : 0;

    if (r < 0) {
        verdict->delivered = 0;
        verdict->action = PICKET_RETRY;
        verdict->retry_ms = 1000;
        verdict->reason = strerror(-r);
    }
}

static int json_flush(void *instance)
{
    struct json *json = instance;
    int r = synchronize(json);

    if (r < 0)
        json->host->log(json->host, PICKET_LOG_WARNING, strerror(-r));
    return r;
}

static void json_close(void *instance)
{
    struct json *json = instance;

    line_writer_deinit(&json->writer);
    free(json);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "json",
    .version = "1.0",
    .help = "writes alerts as JSON, one object a line, to a file or standard output",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = json_open,
    .deliver = json_deliver,
    .flush = json_flush,
    .close = json_close,
};
