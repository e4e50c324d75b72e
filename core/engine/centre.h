/* Events of other machines: a stream, what becomes of its messages, and the loop that waits for
 * them and for signals. What engine/live.h is to this machine's. */
#ifndef PICKET_ENGINE_CENTRE_H
#define PICKET_ENGINE_CENTRE_H

#include "engine/detector.h"
#include "stream/stream.h"

struct centre_counters {
    int64_t elapsed; /* ns since centre_new() */
    struct stream_counters stream;
    uint64_t events, alerts; /* that came; each counts once */
    uint64_t unsettled;      /* messages that were taken and are not acknowledged */
};

struct centre_options {
    struct stream *stream;         /* borrowed, as are the next three */
    const struct machine *machine; /* this one */
    struct detector *detector;
    struct delivery *delivery; /* with a journal */
    int signals;               /* of signals_open(); borrowed */
    int bell;                  /* an event of it (EPOLLET) has on_batch called; borrowed */
    /* After a batch of messages, and when a while went by; TIME is what the events' clocks show, ns
     * since 1970. Other than 0 ends the run with it. */
    int (*on_batch)(void *context, int64_t time);
    void (*on_event)(void *context); /* before each message */
    void (*on_status)(void *context, const struct centre_counters *counters); /* SIGUSR2 */
    void (*on_reopen)(void *context);                                         /* SIGUSR1 */
    void (*on_reload)(void *context);                                         /* SIGHUP */
    void *context;
};

struct centre;

int centre_new(const struct centre_options *options, struct centre **out); /* -errno, said */
void centre_free(struct centre *centre);
DEFINE_FREEP(struct centre, centre)

/* Until a signal to stop; then no more is read, and what was is matched, journalled and
 * acknowledged, as far as that is to be had in a few seconds: the rest comes again. 0, what
 * on_batch returned, or -errno after saying why. */
int centre_run(struct centre *centre);

void centre_count(const struct centre *centre, struct centre_counters *out);

#endif
