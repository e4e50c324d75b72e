#include "output/backlog.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/backlog_state.h"

/* How long a moved cursor may wait for alerts to be saved with. */
#define CURSOR_TIME NS_PER_S

/* Pauses between attempts while the journal fails. */
#define PAUSE_FIRST (100 * NS_PER_MS)
#define PAUSE_MOST  (5 * NS_PER_S)

/* How long a disk may take until somebody is told. */
#define STALL_TIME (3 * NS_PER_S)

/* Another program that writes to the journal is given so long before somebody is told. */
#define BUSY_TIME NS_PER_S

/* Where an output is. Its queue is its own thread's to change: it can be looked at without lock. */
struct journal_output backlog_place_of(const struct output *output)
{
    const struct alert_queue *queue = &output->queue;
    struct journal_output place = output->saved;

    place.name = output->name;
    if (output->settings.forwards) {
        place.cursor = output->position;
        place.pending = 0;
        return place;
    }
    place.cursor = queue->count ? backlog_seq_of(alert_queue_at(queue, 0)) - 1 : output->position;
    place.pending = queue->count + output->waiting;
    return place;
}

bool backlog_has_moved(const struct journal_output *place, const struct output *output)
{
    return place->cursor != output->saved.cursor || place->pending != output->saved.pending;
}

/* Alerts that wait for an output which gets events now. */
static void forsake(struct backlog *backlog, struct output *output, uint64_t pending)
{
    output->counters.offered = output->counters.dropped = pending;
    news_add_dropped(backlog->news, output->index, pending);
}

/* Where the outputs were when the run before ended. */
static void resume(struct backlog *backlog, const struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        output->saved = places[i];
        output->position = places[i].cursor;
        if (output->settings.forwards) {
            forsake(backlog, output, places[i].pending);
            continue;
        }
        output->waiting = places[i].pending;
        output->counters.offered = places[i].pending;
        output->rested = places[i].pending == 0;
    }
}

/* Gives the outputs their bits in the journal, or has them put into a new one. */
static int enrol(struct backlog *backlog, struct journal_output places[DELIVERY_OUTPUTS_MAX])
{
    for (size_t i = 0; i < backlog->count; i++)
        places[i] = backlog_place_of(&backlog->outputs[i]);
    int r = journal_enrol(backlog->journal, places, backlog->count);

    for (size_t i = 0; r == 0 && i < backlog->count; i++)
        backlog->outputs[i].saved.bit = places[i].bit;
    return r;
}

void backlog_begin_failing(struct backlog *backlog, int failure)
{
    int64_t now = clock_monotonic();

    if (!backlog->failing) {
        backlog->failing = true;
        backlog->since = now;
        backlog->pause = PAUSE_FIRST;
        backlog->evicted = 0;
    }
    backlog->next_try = now + backlog->pause;
    backlog->pause = 2 * backlog->pause < PAUSE_MOST ? 2 * backlog->pause : PAUSE_MOST;
    if (backlog->alerted || (failure == -EBUSY && now < backlog->since + BUSY_TIME))
        return;
    backlog->alerted = true;
    log_error("the journal cannot be written to, alerts are kept in memory alone: %s",
              journal_why(backlog->journal));
    news_add(backlog->news, DELIVERY_JOURNAL_FAILED, 0, journal_why(backlog->journal));
}

static void say_loss(struct backlog *backlog)
{
    struct journal_loss loss = journal_loss(backlog->journal);

    if (!loss.exact)
        news_add(backlog->news, DELIVERY_ENDED_UNKNOWN, 0, NULL);
    else if (loss.count)
        news_add(backlog->news, DELIVERY_ENDED, loss.count, NULL);
    backlog->set_aside = journal_set_aside(backlog->journal);
    if (backlog->set_aside)
        news_add(backlog->news, DELIVERY_JOURNAL_REPLACED, 0, journal_why(backlog->journal));
}

int backlog_init(struct backlog *backlog)
{
    struct journal_output places[DELIVERY_OUTPUTS_MAX];
    int r = 0;

    if (!backlog->journal)
        return 0;
    r = alert_queue_init(&backlog->tail, BACKLOG_ALERTS_MAX, BACKLOG_BYTES_MAX);
    if (r < 0)
        return r;
    for (size_t i = 0; i < backlog->count; i++)
        backlog->outputs[i].saved = (struct journal_output){.bit = -1};
    say_loss(backlog);
    r = journal_is_open(backlog->journal) ? enrol(backlog, places) : -EIO;
    if (r == 0)
        resume(backlog, places);
    else
        backlog_begin_failing(backlog, r);
    backlog->last = backlog->offered = journal_last(backlog->journal);
    return 0;
}

void backlog_deinit(struct backlog *backlog)
{
    alert_queue_deinit(&backlog->tail);
    dead_letters_deinit(&backlog->letters);
    journal_free(backlog->journal);
    backlog->journal = NULL;
}

/* Output INDEX did not get it, and now it is gone. Under lock. */
static void count_dropped(struct backlog *backlog, struct output *output, bool is_news)
{
    output->counters.dropped++;
    if (!is_news)
        news_add_dropped(backlog->news, output->index, 1);
}

/* The oldest that is not journalled. Those that were to get it later do not. */
static void evict(struct backlog *backlog)
{
    struct queued_alert *alert = alert_queue_pop(&backlog->tail);
    const struct alert_place *place = queued_alert_place(alert);

    backlog_lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        if (!backlog_is_routed(alert, output) || output->position >= place->seq)
            continue;
        output->waiting--;
        count_dropped(backlog, output, place->is_news);
    }
    backlog->unjournalled++;
    keeping_lose(backlog->keeping, place->number);
    backlog_unlock(backlog);
    backlog->evicted++;
    backlog->told += 1 + place->accounts;
    queued_alert_drop(alert);
}

/* Under lock. */
static void offer_to(struct output *output, struct queued_alert *alert)
{
    bool routed = backlog_is_routed(alert, output);

    output->counters.offered += routed;
    if (routed)
        output->rested = false;
    if (output->waiting == 0 && (!routed || alert_queue_has_room(&output->queue, alert))) {
        output->position = backlog_seq_of(alert);
        if (routed)
            alert_queue_push(&output->queue, alert);
    } else {
        output->waiting += routed;
    }
}

/* The first COUNT of the tail, as far as they were not. */
void backlog_offer(struct backlog *backlog, size_t count)
{
    backlog_lock(backlog);
    for (size_t i = 0; i < count; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        if (backlog_seq_of(alert) <= backlog->offered)
            continue;
        for (size_t k = 0; k < backlog->count; k++)
            offer_to(&backlog->outputs[k], alert);
        backlog->offered = backlog_seq_of(alert);
    }
    backlog_unlock(backlog);
}

static void make_room(struct backlog *backlog, const struct queued_alert *alert)
{
    while (!alert_queue_has_room(&backlog->tail, alert)) {
        backlog_offer(backlog, 1);
        evict(backlog);
    }
}

void backlog_take(struct backlog *backlog, struct queued_alert *alert)
{
    make_room(backlog, alert);
    queued_alert_place(alert)->seq = ++backlog->last;
    alert_queue_push(&backlog->tail, alert);
    queued_alert_drop(alert);
    backlog->taken++;
}

static void end_failing(struct backlog *backlog)
{
    backlog->failing = false;
    if (!backlog->alerted)
        return;
    backlog->alerted = false;
    log_info("the journal works again; %llu alerts are not in it",
             (unsigned long long)backlog->evicted);
    news_add(backlog->news, DELIVERY_JOURNAL_WORKS, backlog->evicted, NULL);
}

/* How many alerts of an output are in the tail that it was offered and has no room for yet. */
uint64_t backlog_count_tail(const struct backlog *backlog, const struct output *output)
{
    uint64_t count = 0;

    for (size_t i = 0; i < backlog->tail.count; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        count += backlog_is_routed(alert, output) && backlog_seq_of(alert) > output->position &&
                 backlog_seq_of(alert) <= backlog->offered;
    }
    return count;
}

/* What was in the journal before this one is gone. */
static void forget_journalled(struct backlog *backlog)
{
    log_error("the journal was damaged and is set aside, another is begun: %s",
              journal_why(backlog->journal));
    news_add(backlog->news, DELIVERY_JOURNAL_REPLACED, 0, journal_why(backlog->journal));
    backlog_lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];
        uint64_t left = backlog_count_tail(backlog, output);

        if (output->waiting > left)
            backlog_expire(backlog, output, output->waiting - left);
    }
    backlog_unlock(backlog);
}

static int reopen(struct backlog *backlog)
{
    struct journal_output places[DELIVERY_OUTPUTS_MAX];
    int r = journal_open(backlog->journal);

    if (journal_set_aside(backlog->journal) != backlog->set_aside) {
        backlog->set_aside = journal_set_aside(backlog->journal);
        forget_journalled(backlog);
    }
    return r < 0 ? r : enrol(backlog, places);
}

static bool has_to_save(struct backlog *backlog, int64_t now)
{
    bool moved = backlog->letters.count > 0;

    for (size_t i = 0; i < backlog->count && !moved; i++) {
        struct journal_output place = backlog_place_of(&backlog->outputs[i]);

        moved = backlog_has_moved(&place, &backlog->outputs[i]);
    }
    if (!moved)
        backlog->dirty_since = 0;
    else if (!backlog->dirty_since)
        backlog->dirty_since = now;
    return backlog->dirty_since && now >= backlog->dirty_since + CURSOR_TIME;
}

static int write_all(struct backlog *backlog, int64_t now)
{
    bool due = backlog->tail.count || backlog->failing || now >= backlog->next_expiry ||
               has_to_save(backlog, now);
    int r = backlog->failing ? reopen(backlog) : 0;

    for (; r == 0 && due; due = backlog->tail.count > 0) {
        r = backlog_commit(backlog, now);
        if (r == 0 && backlog->failing)
            end_failing(backlog);
    }
    return r;
}

static void step_journal(struct backlog *backlog, int64_t now)
{
    if (backlog->failing && now < backlog->next_try) {
        backlog_offer(backlog, backlog->tail.count);
        return;
    }
    int r = write_all(backlog, now);

    if (r < 0) {
        backlog_begin_failing(backlog, r);
        backlog_offer(backlog, backlog->tail.count);
    }
}

void backlog_watch(struct backlog *backlog, int64_t now)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    int64_t since = backlog->busy_since;

    if (since == 0 || now < since + STALL_TIME || atomic_exchange(&backlog->stalls, true))
        return;
    buffer_printf(&why, "its disk has not answered for %lld s",
                  (long long)((now - since) / NS_PER_S));
    log_error("the journal: %s; nothing is delivered until it does", buffer_string(&why));
    news_add(backlog->news, DELIVERY_JOURNAL_FAILED, 0, buffer_string(&why));
}

static void end_stall(struct backlog *backlog)
{
    log_info("the journal's disk answers again");
    news_add(backlog->news, DELIVERY_JOURNAL_WORKS, 0, NULL);
}

void backlog_step(struct backlog *backlog, int64_t now)
{
    if (!backlog->journal)
        return;
    backlog->busy_since = now;
    step_journal(backlog, now);
    backlog_lock(backlog);
    backlog->shown_tail = backlog->tail.count;
    backlog->shows_failing = backlog->failing;
    backlog_unlock(backlog);
    backlog->more = false;
    for (size_t i = 0; i < backlog->count; i++)
        backlog_refill(backlog, &backlog->outputs[i]);
    backlog->busy_since = 0;
    if (atomic_exchange(&backlog->stalls, false))
        end_stall(backlog);
}

void backlog_finish(struct backlog *backlog)
{
    if (!backlog->journal || (backlog->failing && reopen(backlog) < 0))
        return;
    do
        backlog->dirty_since = 1;
    while (backlog_commit(backlog, clock_monotonic()) == 0 && backlog->tail.count);
}

int64_t backlog_due(const struct backlog *backlog)
{
    int64_t cursors = backlog->dirty_since + CURSOR_TIME;

    if (!backlog->journal)
        return INT64_MAX;
    if (backlog->more)
        return 0;
    if (backlog->failing)
        return backlog->next_try;
    return backlog->dirty_since && cursors < backlog->next_expiry ? cursors : backlog->next_expiry;
}

bool backlog_rests(const struct backlog *backlog)
{
    return backlog->tail.count == 0 || backlog->failing;
}
