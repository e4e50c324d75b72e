#include "unix_datagram.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 1000

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int unix_datagram_init(struct unix_datagram *datagram, const char *path)
{
    *datagram = (struct unix_datagram){.path = path, .fd = -1};
    return strlen(path) < sizeof((struct sockaddr_un *)NULL)->sun_path ? 0 : -ENAMETOOLONG;
}

void unix_datagram_deinit(struct unix_datagram *datagram)
{
    if (datagram->fd >= 0)
        close(datagram->fd);
    datagram->fd = -1;
}

void unix_datagram_begin(struct unix_datagram *datagram)
{
    datagram->due = milliseconds() + PATIENCE;
}

static int reconnect(struct unix_datagram *datagram)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    unix_datagram_deinit(datagram);
    datagram->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (datagram->fd < 0)
        return -errno;
    if (datagram->buffer)
        setsockopt(datagram->fd, SOL_SOCKET, SO_SNDBUF, &datagram->buffer, sizeof datagram->buffer);
    memcpy(address.sun_path, datagram->path, strlen(datagram->path));
    if (connect(datagram->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    int r = -errno;

    unix_datagram_deinit(datagram);
    return r;
}

static int send_once(const struct unix_datagram *datagram, const char *bytes, size_t len)
{
    struct pollfd ready = {.fd = datagram->fd, .events = POLLOUT};
    long long left = datagram->due - milliseconds();

    if (datagram->fd < 0)
        return -ENOTCONN;
    if (poll(&ready, 1, left > 0 ? (int)left : 0) == 0)
        return -EAGAIN;
    ssize_t sent = send(datagram->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    return sent < 0 ? -errno : 0;
}

int unix_datagram_send(struct unix_datagram *datagram, const char *bytes, size_t len)
{
    int r = send_once(datagram, bytes, len);

    if (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE) {
        r = reconnect(datagram);
        if (r == 0)
            r = send_once(datagram, bytes, len);
    }
    return r;
}
