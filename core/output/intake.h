/* Alerts on their way to the journal: pushed by whoever raises them, taken by the delivery thread.
 * The group's lock guards all of it but what says otherwise. */
#ifndef PICKET_OUTPUT_INTAKE_H
#define PICKET_OUTPUT_INTAKE_H

#include "output/alert_queue.h"
#include "output/keeping.h"

/* What it holds at most. */
#define INTAKE_ALERTS_MAX 32768
#define INTAKE_BYTES_MAX  ((size_t)64 << 20)

/* The most alerts that are taken at once: no more than a host takes in the meantime. */
#define INTAKE_TAKING_MAX 512

struct intake {
    struct alert_queue queue;
    struct keeping keeping;
    uint64_t overrun; /* alerts there was no room for */
    bool asleep;      /* the thread is, and is to be woken by an alert */
    bool taking;      /* what it took is not offered yet */
    int64_t next;     /* when it takes again, monotonic; the thread's own */
};

/* -ENOMEM. */
int intake_init(struct intake *intake);
void intake_deinit(struct intake *intake);

/* Holds it. 1: the thread is to be woken; -ENOBUFS, counted. */
int intake_push(struct intake *intake, struct queued_alert *alert);

/* Takes what is there, INTAKE_TAKING_MAX at most; it is the caller's, who says when it is offered.
 */
size_t intake_take(struct intake *intake, struct queued_alert **out);
void intake_end_taking(struct intake *intake);

/* Without lock: has the thread wait a little after COUNT were taken, so that in a crowd many share
 * a commit; one that comes alone does not wait. */
void intake_pause(struct intake *intake, size_t count);

/* When to take again. When that is now and nothing is there, the thread goes to sleep: INT64_MAX.
 */
int64_t intake_due(struct intake *intake, int64_t now);

/* Whether nothing is on its way. */
bool intake_rests(const struct intake *intake);

#endif
