/* A delivery as its thread has it. */
#ifndef PICKET_OUTPUT_DELIVERY_THREAD_H
#define PICKET_OUTPUT_DELIVERY_THREAD_H

#include "output/backlog.h"
#include "output/delivery_startup.h"
#include "output/intake.h"
#include "output/news.h"
#include "output/output.h"

struct delivery {
    struct output_group group;
    struct output *outputs;
    size_t count;
    uint64_t forwarding; /* outputs that get events, a bit an output */
    pthread_t thread;
    bool started; /* the thread is */
    int wake;     /* eventfd */
    struct delivery_startup startup;
    int64_t end; /* when to end at the latest, once asked to; INT64_MAX before */
    struct journal *journal;
    struct backlog backlog;
    struct news news;
    struct intake intake; /* with a journal */
    /* Under the group's lock. */
    bool drain_asked, end_asked, reopen_asked;
    bool patient, tired; /* who pushes is kept waiting; not now: it was in vain the last time */
};

/* Has the thread look at what is new. Any thread. */
void delivery_thread_wake(const struct delivery *delivery);

/* What delivery_new() does itself until all outputs are open or one cannot be: the START_RUNNING of
 * `startup` ends. */
void delivery_thread_settle(struct delivery *delivery);

/* Until its end was asked for and all outputs have come to theirs. */
void delivery_thread_run(struct delivery *delivery);

#endif
