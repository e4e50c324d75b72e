/* What the backlog's own sources share: backlog.c takes and offers, backlog_commit.c journals,
 * backlog_refill.c gives outputs what they have missed. */
#ifndef PICKET_OUTPUT_BACKLOG_STATE_H
#define PICKET_OUTPUT_BACKLOG_STATE_H

#include "output/backlog.h"
#include "output/news.h"

static inline bool backlog_is_routed(const struct queued_alert *alert, const struct output *output)
{
    return queued_alert_place((struct queued_alert *)alert)->route >> output->index & 1;
}

static inline int64_t backlog_seq_of(struct queued_alert *alert)
{
    return queued_alert_place(alert)->seq;
}

static inline void backlog_lock(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->group->lock);
}

static inline void backlog_unlock(struct backlog *backlog)
{
    pthread_mutex_unlock(&backlog->group->lock);
}

/* Where an output is. Its queue is its own thread's to change: it can be looked at without lock. */
struct journal_output backlog_place_of(const struct output *output);

/* Whether that is not what the journal has. */
bool backlog_has_moved(const struct journal_output *place, const struct output *output);

/* COUNT alerts that waited for the output are no more. Under lock. */
void backlog_expire(struct backlog *backlog, struct output *output, uint64_t count);

/* How many alerts of an output are in the tail that it was offered and has no room for yet. */
uint64_t backlog_count_tail(const struct backlog *backlog, const struct output *output);

/* Offers the first COUNT of the tail, as far as they were not. */
void backlog_offer(struct backlog *backlog, size_t count);

/* One transaction: the first alerts of the tail, cursors, dead letters, retention; then what was
 * journalled is offered. -errno. */
int backlog_commit(struct backlog *backlog, int64_t now);

/* The journal failed, and is tried again after a pause. */
void backlog_begin_failing(struct backlog *backlog, int failure);

/* Gives an output that is behind what it missed, when its queue is half empty. */
void backlog_refill(struct backlog *backlog, struct output *output);

#endif
