/* A plugin that uses what the core opens for it: files that rotate, folders, sockets. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "picket/plugin.h"

struct config {
    int fd;
    int folder;
    int socket;
    int64_t rotate;
    const char *const *words;
    const char *token;
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_FILE,
     .flags = PICKET_ROTATES,
     .help = "gets ids",
     .offset = offsetof(struct config, fd)},
    {.name = "folder",
     .type = PICKET_FOLDER,
     .help = "gets a file an alert",
     .offset = offsetof(struct config, folder)},
    {.name = "socket",
     .type = PICKET_SOCKET,
     .help = "whoever connects gets the id of the next alert",
     .offset = offsetof(struct config, socket)},
    {.name = "rotate",
     .type = PICKET_INT,
     .value = "0",
     .help = "keep so many files, a new one an alert",
     .offset = offsetof(struct config, rotate)},
    {.name = "words",
     .type = PICKET_STRINGS,
     .value = "usual",
     .help = "go before each id",
     .offset = offsetof(struct config, words)},
    {.name = "token",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "goes behind each id",
     .offset = offsetof(struct config, token)},
};

static const struct picket_host *services;
static const struct config *settings;

static int filer_open(const struct picket_host *host, const void *config, void **instance)
{
    (void)instance;
    services = host;
    settings = config;
    return 0;
}

static void write_line(const struct picket_alert *alert)
{
    for (const char *const *word = settings->words; *word; word++)
        dprintf(settings->fd, "%s ", *word);
    dprintf(settings->fd, "%s%s\n", alert->id, settings->token ? settings->token : "");
}

/* A file in the folder; and one above it, as far as there is anything above it. */
static void write_file(const struct picket_alert *alert)
{
    int above = openat(settings->folder, "../above", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int fd = openat(settings->folder, alert->id, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        dprintf(fd, "%s\n", alert->rule);
    else
        services->log(services, PICKET_LOG_ERROR, strerror(errno));
    close(fd);
    close(above);
}

static void greet(const struct picket_alert *alert)
{
    int fd = accept(settings->socket, NULL, NULL);

    if (fd < 0)
        return;
    dprintf(fd, "%s\n", alert->id);
    close(fd);
}

/* As a careless library would. */
static void blab(const char *token)
{
    char line[128];

    snprintf(line, sizeof line, "logging in as x:%s", token);
    services->log(services, PICKET_LOG_INFO, line);
    fprintf(stderr, "%s has not worked\n", token);
}

static void filer_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                          struct picket_verdict *verdict)
{
    (void)instance;
    if (settings->token)
        blab(settings->token);
    for (size_t i = 0; i < count; i++) {
        if (settings->rotate)
            services->rotate(services, "path", (uint32_t)settings->rotate);
        if (settings->fd >= 0)
            write_line(alerts[i]);
        if (settings->folder >= 0)
            write_file(alerts[i]);
        if (settings->socket >= 0)
            greet(alerts[i]);
    }
    verdict->delivered = count;
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "filer",
    .version = "1.0",
    .help = "uses what the core opens for it",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = filer_open,
    .deliver = filer_deliver,
};
