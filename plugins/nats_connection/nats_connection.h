/* One connection at a time to a NATS system: who logs in there, its TLS, and why it cannot be had.
 * A connection that breaks is not mended under way: another begins with nats_connection_connect().
 * For one thread. */
#ifndef PICKET_PLUGIN_NATS_CONNECTION_H
#define PICKET_PLUGIN_NATS_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "connect_attempt.h"
#include "credentials.h"

/* The user's; NULL is unset. The rows of an option table: nats_connection_options.h. */
struct nats_connection_options {
    const char *const *servers; /* NULL behind the last */
    const char *user;
    const char *password;
    const char *token;
    const char *nkey;
    const char *seed;
    const char *creds;
    int tls;
    const char *ca;
    const char *cert;
    const char *cert_key;
};

struct nats_connection {
    const struct nats_connection_options *wanted;
    struct credentials credentials;
    int64_t patience;                /* ns */
    natsOptions *options;            /* more may be set before the first connect */
    natsConnection *handle;          /* NULL: there is none */
    struct connect_attempt *attempt; /* one that goes on */
    bool started;                    /* the library */
    char reason[512];
};

/* WANTED is borrowed. Whatever waits for a server waits no longer than about half of PATIENCE (ns).
 * Zeroed before. A negative number: .reason says what is wrong with WANTED; _close() even then. */
int nats_connection_open(struct nats_connection *connection,
                         const struct nats_connection_options *wanted, int64_t patience);
/* An attempt that still goes on is left behind, with what it uses: the process is to end. */
void nats_connection_close(struct nats_connection *connection);

/* Whether a password or a token would go over a network that is not encrypted. */
bool nats_connection_is_exposed(const struct nats_connection *connection);

/* Connects if need be. -1: .reason says why not. */
int nats_connection_connect(struct nats_connection *connection);
void nats_connection_disconnect(struct nats_connection *connection);

/* Set .reason to WHAT and, unless it is NULL, WHY; or what the library said last of STATUS. -1. */
int nats_connection_fail(struct nats_connection *connection, const char *what, const char *why);
int nats_connection_fail_status(struct nats_connection *connection, const char *what,
                                natsStatus status);

#endif
