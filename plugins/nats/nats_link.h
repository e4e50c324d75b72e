/* Publishing to a JetStream stream: messages go out one after another, their acknowledgements come
 * back on a subject of this connection's own. What is sent again after a connection broke is sent
 * on another, in order. */
#ifndef PICKET_PLUGIN_NATS_LINK_H
#define PICKET_PLUGIN_NATS_LINK_H

#include <stdbool.h>

#include "../nats_connection/nats_connection.h"
#include "picket/plugin.h"

/* The user's. */
struct config {
    struct nats_connection_options login;
    const char *subject;
    const char *stream;
    int create;
    int64_t window;
    int64_t age;
    int64_t size;
    int64_t replicas;
};

struct nats_link {
    const struct picket_host *host;
    const struct config *config;
    struct nats_connection connection; /* its .reason says why something cannot be */
    natsSubscription *acks;
    char *inbox;
    uint64_t sent; /* the number of the next message */
};

/* Zeroed before. A negative number after an error was logged; nats_link_close() even then. */
int nats_link_open(struct nats_link *link, const struct picket_host *host,
                   const struct config *config);
void nats_link_close(struct nats_link *link);

/* Connects if need be, and sees to the stream. -1: .reason says why not. */
int nats_link_connect(struct nats_link *link);
void nats_link_disconnect(struct nats_link *link);

/* The largest message, headers and all. */
size_t nats_link_most(struct nats_link *link);

/* Sends an alert, as number .sent, which grows. -1: .reason says why not. */
int nats_link_publish(struct nats_link *link, const struct picket_alert *alert);
/* Has what was sent leave, within MS. */
int nats_link_push(struct nats_link *link, int64_t ms);

enum ack_kind {
    ACK_STORED,
    ACK_TOO_LARGE, /* the stream never takes it */
    ACK_REFUSED,
    ACK_NONE /* none came in time, or the connection is gone */
};

/* The next acknowledgement, and of which message; .reason says why it is none. */
enum ack_kind nats_link_next(struct nats_link *link, int64_t ms, uint64_t *number);

#endif
