/* What a subscription brings, in the order it comes. The library's own way to wait for a message
 * takes one without data for the server's word that nobody answers if a header of it says so, and
 * drops it: whoever may publish could make messages that are never settled. */
#ifndef PICKET_INFLOW_H
#define PICKET_INFLOW_H

#include <nats/nats.h>
#include <stdint.h>

struct inflow;

natsStatus inflow_open(natsConnection *connection, const char *subject, struct inflow **out);
void inflow_close(struct inflow *inflow); /* what nobody took is gone; NULL is fine */

/* The next message, which becomes the caller's. NATS_TIMEOUT: none came within WAIT ms. One
 * thread's. */
natsStatus inflow_next(struct inflow *inflow, int64_t wait, natsMsg **out);

#endif
