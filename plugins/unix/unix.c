/* Alerts to whoever is connected to a socket: a line each, from the next alert on.
 *
 * What is delivered is in the kernel's hands for every subscriber: those who connected read it even
 * if this process dies. One that has not taken a batch within the output's patience is cut off, so
 * the others, and the engine, wait for nobody longer than that. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../text_buffer/text_buffer.h"
#include "picket/plugin.h"

#define SUBSCRIBERS_MAX 256

struct config {
    int socket;
    int wait;
    int64_t patience;
    int64_t subscribers;
};

static const struct picket_option options[] = {
    {.name = "path",
     .type = PICKET_SOCKET,
     .flags = PICKET_REQUIRED,
     .help = "stream socket that subscribers connect to",
     .offset = offsetof(struct config, socket)},
    {.name = "patience",
     .type = PICKET_DURATION,
     .value = "100ms",
     .min = 0,
     .max = 1000000000,
     .help = "a subscriber that takes longer over a batch is cut off",
     .offset = offsetof(struct config, patience)},
    {.name = "subscribers",
     .type = PICKET_INT,
     .value = "64",
     .min = 1,
     .max = SUBSCRIBERS_MAX,
     .help = "how many may be connected at a time; more are turned away",
     .offset = offsetof(struct config, subscribers)},
    {.name = "wait",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "keep alerts while nobody is connected; else they are let go",
     .offset = offsetof(struct config, wait)},
};

/* Those who read 640 alerts a second are not cut off at the default patience. */
#define BATCH_MAX 64

/* How soon it is looked again whether somebody has come, in milliseconds. */
#define WAIT_RETRY 200

struct unix_output {
    const struct picket_host *host;
    const struct config *config;
    struct pollfd subscribers[SUBSCRIBERS_MAX];
    size_t sent[SUBSCRIBERS_MAX]; /* of the batch, by each */
    size_t count;
    struct text_buffer batch;
    unsigned long long slow, turned_away;
};

static long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void say(const struct unix_output *output, const char *what, unsigned long long count)
{
    char text[128];

    snprintf(text, sizeof text, "%s; so far %llu", what, count);
    output->host->log(output->host, PICKET_LOG_WARNING, text);
}

static void drop(struct unix_output *output, size_t index)
{
    close(output->subscribers[index].fd);
    output->count--;
    output->subscribers[index] = output->subscribers[output->count];
    output->sent[index] = output->sent[output->count];
}

static void take_subscribers(struct unix_output *output)
{
    int fd;

    while ((fd = accept4(output->config->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (output->count == (size_t)output->config->subscribers) {
            close(fd);
            say(output, "a subscriber was turned away: there are as many as there may be",
                ++output->turned_away);
            continue;
        }
        shutdown(fd, SHUT_RD); /* what they might say would wait here unread */
        output->subscribers[output->count] = (struct pollfd){.fd = fd};
        output->sent[output->count++] = 0;
    }
}

static void drop_those_gone(struct unix_output *output)
{
    for (size_t i = 0; i < output->count; i++)
        output->subscribers[i].events = 0;
    if (poll(output->subscribers, output->count, 0) <= 0)
        return;
    for (size_t i = output->count; i-- > 0;)
        if (output->subscribers[i].revents & (POLLERR | POLLHUP))
            drop(output, i);
}

/* Sends what the socket takes. 0, or -errno: the subscriber is gone. */
static int send_some(struct unix_output *output, size_t index)
{
    size_t *sent = &output->sent[index];

    while (*sent < output->batch.len) {
        ssize_t r = send(output->subscribers[index].fd, output->batch.data + *sent,
                         output->batch.len - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (r < 0)
            return errno == EAGAIN ? 0 : -errno;
        *sent += (size_t)r;
    }
    return 0;
}

/* How many have not got all of the batch yet. */
static size_t send_round(struct unix_output *output)
{
    size_t behind = 0;

    for (size_t i = output->count; i-- > 0;) {
        if (send_some(output, i) < 0) {
            drop(output, i);
            continue;
        }
        bool done = output->sent[i] == output->batch.len;

        output->subscribers[i].events = done ? 0 : POLLOUT;
        behind += !done;
    }
    return behind;
}

static void cut_off_slow_ones(struct unix_output *output)
{
    for (size_t i = output->count; i-- > 0;) {
        if (output->sent[i] == output->batch.len)
            continue;
        drop(output, i);
        say(output, "a subscriber was too slow, and was cut off", ++output->slow);
    }
}

static void send_batch(struct unix_output *output)
{
    long long due = now_ns() + output->config->patience;
    long long left;

    for (size_t i = 0; i < output->count; i++)
        output->sent[i] = 0;
    while (send_round(output) && (left = due - now_ns()) > 0) {
        const struct timespec most = {left / 1000000000, left % 1000000000};

        ppoll(output->subscribers, output->count, &most, NULL);
    }
    cut_off_slow_ones(output);
}

static void wait_for_somebody(struct picket_verdict *verdict)
{
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = WAIT_RETRY;
    verdict->reason = "nobody is connected";
}

static void unix_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct unix_output *output = instance;

    take_subscribers(output);
    drop_those_gone(output);
    text_buffer_clear(&output->batch);
    if (output->count == 0 && output->config->wait) {
        wait_for_somebody(verdict);
        return;
    }
    for (size_t i = 0; output->count && i < count; i++) {
        text_buffer_put(&output->batch, alerts[i]->text, alerts[i]->text_len);
        text_buffer_put_char(&output->batch, '\n');
    }
    if (output->batch.failed) {
        verdict->action = PICKET_RETRY;
        verdict->retry_ms = 1000;
        verdict->reason = "out of memory";
        return;
    }
    send_batch(output);
    if (output->count == 0 && output->config->wait)
        wait_for_somebody(verdict);
    else
        verdict->delivered = count;
}

static int unix_open(const struct picket_host *host, const void *config, void **instance)
{
    struct unix_output *output = calloc(1, sizeof *output);

    if (!output) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    output->host = host;
    output->config = config;
    *instance = output;
    return 0;
}

static void unix_close(void *instance)
{
    struct unix_output *output = instance;

    while (output->count)
        drop(output, output->count - 1);
    text_buffer_deinit(&output->batch);
    free(output);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "unix",
    .version = "1.0",
    .help = "sends alerts to whoever is connected to a Unix socket",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = BATCH_MAX,
    .open = unix_open,
    .deliver = unix_deliver,
    .close = unix_close,
};
