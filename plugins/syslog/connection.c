#include "connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1000

/* What a stream has under way is no more than this and what the server's kernel holds. */
#define SEND_BUFFER (64 << 10)

/* A server that does not acknowledge for so long, in ms, is gone. */
#define SILENCE 30000

/* Of a server that ends a stream, in ms: what it was sent before that is with whoever is to have
 * it, what came later may have been read and not looked at. TLS servers have a record in hand. */
#define SETTLED 5000

/* TLS makes records of so much: what it was given once it must be given again. */
#define RECORD_MAX 16384

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static long long time_left(const struct connection *connection)
{
    long long left = connection->due - milliseconds();

    return left > 0 ? left : 0;
}

static int explain(struct connection *connection, int r, const char *why)
{
    if (r == -EPROTO && connection->tls)
        why = tls_reason(connection->tls);
    snprintf(connection->reason, sizeof connection->reason, "%.150s:%s: %s",
             connection->address.host, connection->address.port, why ? why : strerror(-r));
    return r;
}

int connection_init(struct connection *connection, const char *server, const char *port,
                    bool stream)
{
    *connection = (struct connection){.fd = -1, .stream = stream};
    return address_init(&connection->address, server, port, stream ? SOCK_STREAM : SOCK_DGRAM);
}

static void hang_up(struct connection *connection)
{
    if (connection->tls)
        tls_end(connection->tls);
    if (connection->fd >= 0)
        close(connection->fd);
    connection->fd = -1;
}

void connection_deinit(struct connection *connection)
{
    hang_up(connection);
    address_deinit(&connection->address);
    text_buffer_deinit(&connection->out);
    tls_free(connection->tls);
    connection->tls = NULL;
}

/* The end of the frame that begins at AT. */
static size_t frame_end(const struct connection *connection, size_t at)
{
    char *text;
    size_t len = strtoul(connection->out.data + at, &text, 10);

    return (size_t)(text + 1 - connection->out.data) + len;
}

/* The end of the last frame that is whole before LIMIT, and how many there are from FROM on. */
static size_t whole_frames(const struct connection *connection, size_t from, size_t limit,
                           size_t *count)
{
    *count = 0;
    while (from < limit) {
        size_t end = frame_end(connection, from);

        if (end > limit)
            break;
        from = end;
        ++*count;
    }
    return from;
}

static void forget_front(struct connection *connection, size_t len)
{
    struct text_buffer *out = &connection->out;

    if (len == 0)
        return;
    memmove(out->data, out->data + len, out->len - len);
    out->len -= len;
    connection->sent -= len;
    connection->tried = connection->tried > len ? connection->tried - len : 0;
}

static void forget_old(struct connection *connection)
{
    size_t from = 0;

    while (connection->sent - from > connection->keep) {
        size_t end = frame_end(connection, from);

        if (end > connection->sent)
            break;
        from = end;
    }
    forget_front(connection, from);
}

/* What was not sent whole is not counted as delivered: it comes again by itself. */
static void lose(struct connection *connection, bool resend)
{
    size_t count;

    hang_up(connection);
    connection->out.len =
        resend && connection->keep ? whole_frames(connection, 0, connection->sent, &count) : 0;
    connection->sent = connection->out.len;
    forget_old(connection);
    connection->sent = connection->tried = 0;
}

static bool has_unacknowledged(const struct connection *connection)
{
    int waiting = 0;

    return ioctl(connection->fd, SIOCOUTQ, &waiting) < 0 || waiting > 0;
}

/* Of a stream that the server has ended; the last thing that came from it was that. */
static bool may_be_unread(const struct connection *connection)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    return has_unacknowledged(connection) ||
           getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
           (int64_t)info.tcpi_last_data_sent - info.tcpi_last_ack_recv < SETTLED;
}

/* Servers of syslog say nothing, but for TLS: when there is something to read, it is the end.
 * -EPROTO: and the server has said why. */
static int look_whether_it_ended(struct connection *connection)
{
    char bytes[256];
    ssize_t got;
    int r = connection->tls ? tls_drain(connection->tls) : 0;

    if (r < 0) {
        explain(connection, r, NULL);
        lose(connection, true);
        return r;
    }
    do
        got = recv(connection->fd, bytes, sizeof bytes,
                   MSG_DONTWAIT | (connection->tls ? MSG_PEEK : 0));
    while (got > 0 && !connection->tls);
    if (got == 0)
        lose(connection, may_be_unread(connection));
    else if (got < 0 && errno != EAGAIN)
        lose(connection, true);
    return 0;
}

static int wait_for(const struct connection *connection, short events, long long most)
{
    struct pollfd ready = {.fd = connection->fd, .events = events};
    int r = poll(&ready, 1, (int)most);

    return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

static void set_options(const struct connection *connection)
{
    const int yes = 1, buffer = SEND_BUFFER;
    const unsigned silence = SILENCE;

    if (!connection->stream)
        return;
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    setsockopt(connection->fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(connection->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence, sizeof silence);
}

static int connect_to(struct connection *connection, const struct addrinfo *info, long long most)
{
    int error = 0;
    socklen_t size = sizeof error;

    connection->fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection->fd < 0)
        return -errno;
    set_options(connection);
    if (connect(connection->fd, info->ai_addr, info->ai_addrlen) == 0)
        return 0;
    int r = errno == EINPROGRESS ? wait_for(connection, POLLOUT, most) : -errno;

    if (r == 0 && getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0)
        r = -error;
    if (r < 0)
        hang_up(connection);
    return r;
}

/* A datagram tells nobody whether anyone is there: each address has its turn, when the one before
 * failed. */
static int connect_to_next(struct connection *connection, const struct addrinfo *list)
{
    const struct addrinfo *info = list;

    for (size_t skip = connection->next; info && skip; skip--)
        info = info->ai_next;
    if (!info) {
        connection->next = 0;
        info = list;
    }
    int r = connect_to(connection, info, 0);

    connection->next += r < 0;
    return r;
}

/* Each of a server's addresses has its share of the time. */
static int connect_to_any(struct connection *connection, const struct addrinfo *list)
{
    int r = -EADDRNOTAVAIL;
    int rest = 0;

    if (!connection->stream)
        return connect_to_next(connection, list);
    for (const struct addrinfo *info = list; info; info = info->ai_next)
        rest++;
    for (const struct addrinfo *info = list; info && r < 0; info = info->ai_next)
        r = connect_to(connection, info, time_left(connection) / rest--);
    return r;
}

/* Whoever says nothing in half of the time is content. */
static int await_acceptance(struct connection *connection)
{
    if (!tls_is_doubtful(connection->tls) ||
        wait_for(connection, POLLIN, time_left(connection) / 2) < 0)
        return 0;
    return tls_drain(connection->tls);
}

static int shake_hands(struct connection *connection)
{
    short events = 0;
    int r = tls_begin(connection->tls, connection->fd);

    if (r < 0)
        return r;
    while ((r = tls_shake_hands(connection->tls, &events)) == -EAGAIN) {
        r = wait_for(connection, events, time_left(connection));
        if (r < 0)
            break;
    }
    return r < 0 ? r : await_acceptance(connection);
}

static int dial(struct connection *connection)
{
    struct addrinfo *list = NULL;
    const char *why = NULL;
    int r = address_look_up(&connection->address, time_left(connection), &list, &why);

    if (r < 0)
        return explain(connection, r, r == -EAGAIN ? "its name is still being looked up" : why);
    r = connect_to_any(connection, list);
    freeaddrinfo(list);
    if (r == 0 && connection->tls)
        r = shake_hands(connection);
    if (r < 0) {
        explain(connection, r, NULL);
        hang_up(connection);
    }
    return r;
}

static ssize_t write_some(struct connection *connection, short *events)
{
    const char *bytes = connection->out.data + connection->sent;
    size_t len = connection->out.len - connection->sent;
    ssize_t r;

    *events = POLLOUT;
    if (connection->tls) {
        len = len < RECORD_MAX ? len : RECORD_MAX;
        connection->tried = connection->sent + len;
        return tls_write(connection->tls, bytes, len, events);
    }
    r = send(connection->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return r < 0 ? -errno : r;
}

/* -EAGAIN: there was no time for all of it. Any other -errno: the stream broke. */
static int pump(struct connection *connection)
{
    while (connection->sent < connection->out.len) {
        short events;
        ssize_t r = write_some(connection, &events);

        if (r > 0)
            connection->sent += (size_t)r;
        else if (r == -EAGAIN && time_left(connection) > 0)
            wait_for(connection, events, time_left(connection));
        else
            return r == -EAGAIN ? explain(connection, -EAGAIN, "it is slow to read")
                                : explain(connection, r < 0 ? (int)r : -EPIPE, NULL);
    }
    return 0;
}

int connection_begin(struct connection *connection)
{
    bool was_there = connection->fd >= 0 && connection->stream;
    int r;

    connection->due = milliseconds() + PATIENCE;
    r = was_there ? look_whether_it_ended(connection) : 0;
    if (connection->fd >= 0)
        forget_old(connection);
    if (r == 0 && connection->fd < 0)
        r = dial(connection);
    if (r == 0)
        r = pump(connection);
    if (r < 0 && r != -EAGAIN && connection->fd >= 0)
        lose(connection, true);
    connection->base = connection->out.len;
    return r;
}

/* UDP: whoever is there may be found elsewhere by now. */
static int give_up_address(struct connection *connection, int r)
{
    if (r != -EAGAIN && r != -EMSGSIZE) {
        hang_up(connection);
        connection->next++;
    }
    return explain(connection, r, NULL);
}

int connection_send(struct connection *connection, const char *bytes, size_t len)
{
    while (send(connection->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        int r = -errno;

        if (r != -EAGAIN || time_left(connection) == 0)
            return give_up_address(connection, r);
        wait_for(connection, POLLOUT, time_left(connection));
    }
    return 0;
}

int connection_check(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;

    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error ? give_up_address(connection, -error) : 0;
}

void connection_put(struct connection *connection, const char *bytes, size_t len)
{
    text_buffer_printf(&connection->out, "%zu ", len);
    text_buffer_put(&connection->out, bytes, len);
}

/* Nothing stays to be sent but what was begun. */
static void forget_unsent(struct connection *connection)
{
    size_t begun = connection->tried > connection->sent ? connection->tried : connection->sent;
    size_t count;
    size_t end = whole_frames(connection, connection->base, begun, &count);

    connection->out.len = end < begun ? frame_end(connection, end) : end;
}

int connection_write(struct connection *connection, size_t *written)
{
    int r = connection->out.failed ? -ENOMEM : pump(connection);

    if (connection->out.failed) {
        connection->out.len = connection->base;
        connection->out.failed = false;
        *written = 0;
        return explain(connection, r, NULL);
    }
    whole_frames(connection, connection->base, connection->sent, written);
    if (r == -EAGAIN)
        forget_unsent(connection);
    else if (r < 0)
        lose(connection, true);
    return r;
}

int connection_flush(struct connection *connection)
{
    connection->due = milliseconds() + PATIENCE;
    if (!connection->stream)
        return 0;
    if (connection->fd >= 0)
        look_whether_it_ended(connection);
    /* What was sent on a stream that broke is to be sent again. */
    int r = connection->fd < 0 && connection->out.len ? connection_begin(connection) : 0;

    if (r == 0 && connection->fd >= 0)
        r = pump(connection);
    while (r == 0 && connection->fd >= 0 && has_unacknowledged(connection)) {
        if (time_left(connection) == 0)
            return explain(connection, -ETIMEDOUT, NULL);
        poll(NULL, 0, 10);
    }
    return r;
}
