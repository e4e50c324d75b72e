/* An attempt to connect to NATS that can be left alone. libnats waits for the resolver, and for a
 * server that begins TLS and goes on with nothing, as long as those please: so each attempt has a
 * thread. */
#ifndef PICKET_PLUGIN_CONNECT_ATTEMPT_H
#define PICKET_PLUGIN_CONNECT_ATTEMPT_H

#include <nats/nats.h>
#include <stdint.h>

struct connect_attempt;

/* NATS_OK, or it cannot begin. OPTIONS are borrowed until it is over. */
natsStatus connect_attempt_new(natsOptions *options, struct connect_attempt **attempt);

struct connect_outcome {
    natsStatus status;
    natsConnection *connection; /* the caller's */
    char said[256];             /* by the library, of a failure; empty: nothing */
};

/* Waits for it, MS at most. 0: it was over, is freed, and *OUTCOME says what came of it. -EAGAIN:
 * it goes on, and was told to give up what it waits for. */
int connect_attempt_await(struct connect_attempt *attempt, int64_t ms,
                          struct connect_outcome *outcome);

/* Leaves it to itself, with what it uses: the process is to end. */
void connect_attempt_leave(struct connect_attempt *attempt);

#endif
