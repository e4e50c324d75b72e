/* The alerts behind the outputs' queues: in the journal or, while that fails, in memory; all in one
 * order, by `seq`. The delivery thread's.
 *
 *     intake ─ backlog_take() ─▶ tail ─ one commit ─▶ journal
 *                                  └─ then offered ─▶ queues ◀─ refilled ─ tail, journal
 *
 * An alert is journalled before it is offered. An output whose queue has no room is behind: it gets
 * what it missed, in order, once its queue is half empty, and nothing else before. While the
 * journal fails, alerts are offered without it and stay in the tail, the oldest only as long as
 * there is room; the journal gets those that are there when it works again. */
#ifndef PICKET_OUTPUT_BACKLOG_H
#define PICKET_OUTPUT_BACKLOG_H

#include <stdatomic.h>

#include "journal/journal.h"
#include "output/dead_letters.h"
#include "output/keeping.h"
#include "output/output.h"

/* What the tail holds at most. */
#define BACKLOG_ALERTS_MAX 32768
#define BACKLOG_BYTES_MAX  ((size_t)64 << 20)

struct backlog {
    struct journal *journal; /* NULL: there is no backlog, and only the queues hold alerts */
    struct output *outputs;
    size_t count;
    struct output_group *group;
    struct news *news;
    struct keeping *keeping; /* under the group's lock */
    struct alert_queue tail; /* not journalled yet */
    struct dead_letters letters;
    int64_t last;        /* seq given last */
    int64_t offered;     /* up to which alerts were offered */
    uint64_t told;       /* evicted from the tail, and not accounted for in the journal */
    uint64_t taken;      /* since the last look for what is to expire */
    uint64_t set_aside;  /* of the journal, as of the last look */
    int64_t dirty_since; /* monotonic; when a cursor moved that is not saved; 0: none */
    int64_t next_expiry; /* monotonic */
    bool more;           /* an output could be refilled further at once */
    /* While the journal fails. */
    bool failing, alerted;
    int64_t since, next_try, pause; /* monotonic; ns */
    uint64_t evicted;               /* unjournalled, since then */
    /* For backlog_watch(). */
    _Atomic int64_t busy_since; /* monotonic; when it began what it has not ended; 0: nothing */
    atomic_bool stalls;         /* that was said to take long */
    /* Under the group's lock: for delivery_journal(). */
    uint64_t journalled, unjournalled, shown_tail;
    bool shows_failing;
};

/* Takes the outputs' places from the journal; both outlive the backlog. Without an open journal the
 * outputs begin at the end. -ENOMEM. */
int backlog_init(struct backlog *backlog);
void backlog_deinit(struct backlog *backlog);

/* Gives an alert its number and keeps it; consumes the caller's hold. */
void backlog_take(struct backlog *backlog, struct queued_alert *alert);

/* Journals and offers what was taken, saves cursors, refills queues, lets go what is too old. */
void backlog_step(struct backlog *backlog, int64_t now);

/* Any thread: tells when the journal's disk keeps the delivery thread for long, which nothing else
 * can tell of then. */
void backlog_watch(struct backlog *backlog, int64_t now);

/* Once all outputs have ended: everything that can still be kept. */
void backlog_finish(struct backlog *backlog);

/* When to step at the latest, monotonic; INT64_MAX: no need. */
int64_t backlog_due(const struct backlog *backlog);

/* Whether all that was taken is journalled, or cannot be now. */
bool backlog_rests(const struct backlog *backlog);

#endif
