/* Messages to a syslog server of the network: datagrams of UDP, or a stream of TCP or TLS whose
 * messages go behind their length in octets (RFC 6587, 3.4.1; RFC 5425, 4.3).
 *
 * TCP tells what the server's kernel took, not what the server read. When a stream breaks, what was
 * sent last is therefore sent again on the next one, unless it ended as one does whose every byte
 * was read (Linux resets a connection that is closed with bytes unread) some seconds before. For
 * one thread.
 *
 * A server of TLS 1.3 says only after the handshake that it does not like our certificate, or wants
 * one: one that asks for it is given a moment to say so before anything is sent. */
#ifndef PICKET_PLUGIN_SYSLOG_CONNECTION_H
#define PICKET_PLUGIN_SYSLOG_CONNECTION_H

#include <stdbool.h>

#include "../text_buffer/text_buffer.h"
#include "address.h"
#include "tls.h"

struct connection {
    struct address address;
    bool stream;
    struct tls *tls; /* NULL: none; set it, and KEEP, after connection_init() */
    size_t keep;     /* bytes to send again when a stream breaks */

    int fd;
    size_t next;   /* UDP: which of the server's addresses is the next to try */
    long long due; /* when a batch has waited enough, in ms of the monotonic clock */
    /* Of a stream: frames that were sent and are kept, those of this batch from BASE on. */
    struct text_buffer out;
    size_t base, sent;
    size_t tried; /* the end of what TLS was given last: it must be given that again */
    char reason[256];
};

/* 0, or -EINVAL: SERVER is no address. */
int connection_init(struct connection *connection, const char *server, const char *port,
                    bool stream);
void connection_deinit(struct connection *connection);

/* A batch begins: connects if need be, and sends what is left from before. All of a batch waits no
 * longer than a second. 0 or -errno, then .reason says why. */
int connection_begin(struct connection *connection);

/* UDP: one message. 0 or -errno: -EMSGSIZE when it never can be. After any other but -EAGAIN the
 * next batch goes to the next of the server's addresses, as it is then looked up. */
int connection_send(struct connection *connection, const char *bytes, size_t len);
/* UDP: 0, or -errno when the network has said by now that nobody is there; likewise. */
int connection_check(struct connection *connection);

/* TCP: one more message, for connection_write(). */
void connection_put(struct connection *connection, const char *bytes, size_t len);

/* Sends what was put since connection_begin(). *WRITTEN is how many messages the kernel has. 0: all
 * of them. Otherwise -errno; one that was cut is completed when the next batch begins (and is to be
 * put again, for all that), the others are forgotten. */
int connection_write(struct connection *connection, size_t *written);

/* Waits until the server's machine has everything, no longer than a second. 0 or -errno. */
int connection_flush(struct connection *connection);

#endif
