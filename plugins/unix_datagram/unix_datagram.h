/* Datagrams to the Unix socket of a daemon, as those of syslog and of journald have. It may be
 * away, come again with another socket behind the same path, or be busy. For one thread. */
#ifndef PICKET_PLUGIN_UNIX_DATAGRAM_H
#define PICKET_PLUGIN_UNIX_DATAGRAM_H

#include <stddef.h>

struct unix_datagram {
    const char *path; /* borrowed */
    int buffer;       /* how much the socket should hold; 0: what sockets do */
    int fd;           /* -1: not connected */
    long long due;    /* when a batch has waited enough, in ms of the monotonic clock */
};

/* 0, or -ENAMETOOLONG. */
int unix_datagram_init(struct unix_datagram *datagram, const char *path);
void unix_datagram_deinit(struct unix_datagram *datagram);

/* A batch begins: all its datagrams together wait for a busy daemon no longer than a second, which
 * is well within a deadline. */
void unix_datagram_begin(struct unix_datagram *datagram);

/* 0, or -errno: -EAGAIN when it is busy, -EMSGSIZE when it can never be sent. */
int unix_datagram_send(struct unix_datagram *datagram, const char *bytes, size_t len);

#endif
