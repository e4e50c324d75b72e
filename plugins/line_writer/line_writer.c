#include "line_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* POSIX's PIPE_BUF on Linux: what a pipe that poll() calls writable takes without blocking. */
#define CHUNK 4096

/* How long to wait for a reader before the core is told, in milliseconds. Well within a deadline.
 */
#define PATIENCE 1000

#define RETRY_SOON  100
#define RETRY_LATER 1000

void line_writer_init(struct line_writer *writer)
{
    struct stat status;

    writer->may_block = fstat(writer->fd, &status) < 0 || !S_ISREG(status.st_mode);
}

static void forget_torn(struct line_writer *writer)
{
    free(writer->torn);
    free(writer->torn_id);
    writer->torn = NULL;
    writer->torn_id = NULL;
    writer->torn_len = 0;
}

void line_writer_deinit(struct line_writer *writer)
{
    forget_torn(writer);
    free(writer->data);
    writer->data = NULL;
}

void line_writer_put(struct line_writer *writer, const char *bytes, size_t len)
{
    if (writer->len + len > writer->size) {
        size_t size = (writer->len + len) * 2;
        char *data = realloc(writer->data, size);

        if (!data) {
            writer->failed = true;
            return;
        }
        writer->data = data;
        writer->size = size;
    }
    if (len)
        memcpy(writer->data + writer->len, bytes, len);
    writer->len += len;
}

void line_writer_put_string(struct line_writer *writer, const char *string)
{
    if (string)
        line_writer_put(writer, string, strlen(string));
}

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static ssize_t write_some(const struct line_writer *writer, size_t from, long long patience)
{
    struct pollfd ready = {.fd = writer->fd, .events = POLLOUT};
    size_t len = writer->len - from;

    if (writer->may_block) {
        len = len < CHUNK ? len : CHUNK;
        if (patience <= 0 || poll(&ready, 1, (int)patience) == 0) {
            errno = EAGAIN;
            return -1;
        }
    }
    return write(writer->fd, writer->data + from, len);
}

/* How much was written of all; *ERROR says why not the rest. */
static size_t write_out(const struct line_writer *writer, int *error)
{
    long long end = milliseconds() + PATIENCE;
    size_t written = 0;

    *error = 0;
    while (written < writer->len) {
        ssize_t n = write_some(writer, written, end - milliseconds());

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            *error = errno;
            break;
        }
        written += (size_t)n;
    }
    return written;
}

static void keep_torn(struct line_writer *writer, size_t from, size_t end, const char *id)
{
    char *rest = malloc(end - from);
    char *whose = strdup(id);

    forget_torn(writer);
    if (!rest || !whose) { /* the line stays cut; the alert comes again whole */
        free(rest);
        free(whose);
        return;
    }
    memcpy(rest, writer->data + from, end - from);
    writer->torn = rest;
    writer->torn_len = end - from;
    writer->torn_id = whose;
}

static void set_verdict(struct line_writer *writer, int error, struct picket_verdict *verdict)
{
    if (error == 0)
        return;
    verdict->reason = strerror(error);
    verdict->action =
        error == EPIPE || error == EBADF || error == EFBIG ? PICKET_REJECT : PICKET_RETRY;
    verdict->retry_ms = error == EAGAIN ? RETRY_SOON : RETRY_LATER;
    if (error == EAGAIN)
        verdict->reason = "the reader of its file does not read";
    if (verdict->action == PICKET_REJECT)
        forget_torn(writer);
}

/* Renders what is to be written; ENDS[i] is where alert i's lines end. */
static void render(struct line_writer *writer, const struct picket_alert *const *alerts,
                   size_t count, size_t *ends)
{
    bool begun = writer->torn_id && strcmp(writer->torn_id, alerts[0]->id) == 0;

    writer->len = 0;
    writer->failed = false;
    line_writer_put(writer, writer->torn, writer->torn_len);
    for (size_t i = 0; i < count; i++) {
        if (i || !begun)
            writer->render(writer->instance, alerts[i]);
        ends[i] = writer->len;
    }
}

void line_writer_deliver(struct line_writer *writer, const struct picket_alert *const *alerts,
                         size_t count, struct picket_verdict *verdict)
{
    size_t *ends = calloc(count, sizeof *ends);
    int error = ENOMEM;

    if (ends)
        render(writer, alerts, count, ends);
    if (ends && !writer->failed) {
        size_t written = write_out(writer, &error);
        size_t begin = writer->torn_len; /* of the first line not delivered */

        while (verdict->delivered < count && ends[verdict->delivered] <= written)
            begin = ends[verdict->delivered++];
        if (error == 0 || written >= writer->torn_len)
            forget_torn(writer);
        else
            keep_torn(writer, written, writer->torn_len, writer->torn_id);
        if (verdict->delivered < count && written > begin)
            keep_torn(writer, written, ends[verdict->delivered], alerts[verdict->delivered]->id);
    }
    free(ends);
    set_verdict(writer, error, verdict);
}
