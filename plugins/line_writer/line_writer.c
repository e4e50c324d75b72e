#include "line_writer.h"

#include <errno.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

/* POSIX's PIPE_BUF on Linux: what a pipe that poll() calls writable takes without blocking. */
#define CHUNK 4096

/* How long to wait for a reader before the core is told, in milliseconds. Well within a deadline.
 */
#define PATIENCE 1000

#define RETRY_SOON  100
#define RETRY_LATER 1000

static bool ends_within_line(int fd, off_t size)
{
    char last;

    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static bool has_name(int pipe)
{
    struct statfs system;

    return fstatfs(pipe, &system) == 0 && system.f_type != PIPEFS_MAGIC;
}

void line_writer_init(struct line_writer *writer)
{
    struct stat status;
    bool known = fstat(writer->fd, &status) == 0;

    writer->device = known ? status.st_dev : 0;
    writer->inode = known ? status.st_ino : 0;
    writer->end = 0;
    writer->gone = 0;
    writer->may_block = !known || !S_ISREG(status.st_mode);
    writer->reader_may_return = known && S_ISFIFO(status.st_mode) && has_name(writer->fd);
    writer->cut = !writer->may_block && ends_within_line(writer->fd, status.st_size);
}

static void forget_torn(struct line_writer *writer)
{
    free(writer->torn);
    free(writer->torn_id);
    writer->torn = NULL;
    writer->torn_id = NULL;
    writer->torn_len = 0;
}

static void look_for_another_file(struct line_writer *writer)
{
    struct stat status;

    if (fstat(writer->fd, &status) < 0 ||
        (status.st_dev == writer->device && status.st_ino == writer->inode &&
         status.st_size >= writer->end))
        return;
    forget_torn(writer);
    line_writer_init(writer);
}

static void remember_end(struct line_writer *writer)
{
    struct stat status;
    bool within = writer->torn || writer->cut;

    writer->end =
        within && !writer->may_block && fstat(writer->fd, &status) == 0 ? status.st_size : 0;
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
    if (!rest || !whose) { /* the alert comes again whole */
        free(rest);
        free(whose);
        writer->cut = true;
        return;
    }
    memcpy(rest, writer->data + from, end - from);
    writer->torn = rest;
    writer->torn_len = end - from;
    writer->torn_id = whose;
}

static bool is_gone(const struct line_writer *writer, int error)
{
    return (error == EPIPE && !writer->reader_may_return) || error == EBADF;
}

/* About the alerts behind those delivered, COUNT of them. */
static void set_verdict(struct line_writer *writer, int error, size_t count,
                        struct picket_verdict *verdict)
{
    if (error == 0)
        return;
    /* A file that is too large may be cut short by whoever rotates it: that is asked each time. */
    writer->gone = is_gone(writer, error) ? error : 0;
    verdict->reason = error == EAGAIN  ? "the reader of its file does not read"
                      : error == EPIPE ? "the reader of its file is gone"
                                       : strerror(error);
    verdict->action = writer->gone || error == EFBIG ? PICKET_REJECT : PICKET_RETRY;
    verdict->rejected = verdict->action == PICKET_REJECT ? count : 0;
    verdict->retry_ms = error == EAGAIN ? RETRY_SOON : RETRY_LATER;
    if (verdict->action == PICKET_REJECT && writer->torn) {
        forget_torn(writer);
        writer->cut = true;
    }
}

/* Renders what is to be written; ENDS[i] is where alert i's lines end. Returns how much of it is to
 * end a line that was begun earlier. */
static size_t render(struct line_writer *writer, const struct picket_alert *const *alerts,
                     size_t count, size_t *ends)
{
    bool begun = writer->torn_id && strcmp(writer->torn_id, alerts[0]->id) == 0;

    writer->len = 0;
    writer->failed = false;
    line_writer_put(writer, writer->torn, writer->torn_len);
    if (writer->cut)
        line_writer_put_string(writer, "\n");
    size_t head = writer->len;

    for (size_t i = 0; i < count; i++) {
        if (i || !begun)
            writer->render(writer->instance, alerts[i]);
        ends[i] = writer->len;
    }
    return head;
}

void line_writer_deliver(struct line_writer *writer, const struct picket_alert *const *alerts,
                         size_t count, struct picket_verdict *verdict)
{
    look_for_another_file(writer);
    if (writer->gone) {
        set_verdict(writer, writer->gone, count, verdict);
        return;
    }
    size_t *ends = calloc(count, sizeof *ends);
    size_t begin = 0; /* of the first line not delivered */
    int error = ENOMEM;

    if (ends)
        begin = render(writer, alerts, count, ends);
    if (ends && !writer->failed) {
        size_t written = write_out(writer, &error);

        writer->cut = writer->cut && written == 0;
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
    set_verdict(writer, error, count - verdict->delivered, verdict);
    remember_end(writer);
}
