#include "output/backlog.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "output/news.h"

/* The most alerts of one transaction: what is lost when it fails in the middle is done again. */
#define COMMIT_MAX 2048

/* How long a moved cursor may wait for alerts to be saved with. */
#define CURSOR_TIME NS_PER_S

/* Looks for alerts to let go: after so many new ones, or so long. */
#define EXPIRY_ALERTS 256
#define EXPIRY_TIME   (60 * NS_PER_S)

/* Pauses between attempts while the journal fails. */
#define PAUSE_FIRST (100 * NS_PER_MS)
#define PAUSE_MOST  (5 * NS_PER_S)

/* Another program that writes to the journal is given so long before somebody is told. */
#define BUSY_TIME NS_PER_S

static bool is_routed(const struct queued_alert *alert, const struct output *output)
{
    return queued_alert_place((struct queued_alert *)alert)->route >> output->index & 1;
}

static int64_t seq_of(struct queued_alert *alert)
{
    return queued_alert_place(alert)->seq;
}

static void lock(struct backlog *backlog)
{
    pthread_mutex_lock(&backlog->group->lock);
}

static void unlock(struct backlog *backlog)
{
    pthread_mutex_unlock(&backlog->group->lock);
}

/* Where an output is. Its queue is its own thread's to change: it can be looked at without lock. */
static struct journal_output place_of(const struct output *output)
{
    const struct alert_queue *queue = &output->queue;
    struct journal_output place = output->saved;

    place.name = output->name;
    place.cursor = queue->count ? seq_of(alert_queue_at(queue, 0)) - 1 : output->position;
    place.pending = queue->count + output->waiting;
    return place;
}

static bool has_moved(const struct journal_output *place, const struct output *output)
{
    return place->cursor != output->saved.cursor || place->pending != output->saved.pending;
}

/* Where the outputs were when the run before ended. */
static void resume(struct backlog *backlog, const struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        output->saved = places[i];
        output->position = places[i].cursor;
        output->waiting = places[i].pending;
        output->counters.offered = places[i].pending;
        output->rested = places[i].pending == 0;
    }
}

/* Gives the outputs their bits in the journal, or has them put into a new one. */
static int enrol(struct backlog *backlog, struct journal_output places[DELIVERY_OUTPUTS_MAX])
{
    for (size_t i = 0; i < backlog->count; i++)
        places[i] = place_of(&backlog->outputs[i]);
    int r = journal_enrol(backlog->journal, places, backlog->count);

    for (size_t i = 0; r == 0 && i < backlog->count; i++)
        backlog->outputs[i].saved.bit = places[i].bit;
    return r;
}

static void begin_failing(struct backlog *backlog, int failure);

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
        begin_failing(backlog, r);
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

    lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        if (!is_routed(alert, output) || output->position >= place->seq)
            continue;
        output->waiting--;
        count_dropped(backlog, output, place->is_news);
    }
    backlog->unjournalled++;
    unlock(backlog);
    backlog->evicted++;
    backlog->told += 1 + place->accounts;
    queued_alert_drop(alert);
}

/* Under lock. */
static void offer_to(struct output *output, struct queued_alert *alert)
{
    bool routed = is_routed(alert, output);

    output->counters.offered += routed;
    if (routed)
        output->rested = false;
    if (output->waiting == 0 && (!routed || alert_queue_has_room(&output->queue, alert))) {
        output->position = seq_of(alert);
        if (routed)
            alert_queue_push(&output->queue, alert);
    } else {
        output->waiting += routed;
    }
}

/* The first COUNT of the tail, as far as they were not. */
static void offer(struct backlog *backlog, size_t count)
{
    lock(backlog);
    for (size_t i = 0; i < count; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        if (seq_of(alert) <= backlog->offered)
            continue;
        for (size_t k = 0; k < backlog->count; k++)
            offer_to(&backlog->outputs[k], alert);
        backlog->offered = seq_of(alert);
    }
    unlock(backlog);
}

static void make_room(struct backlog *backlog, const struct queued_alert *alert)
{
    while (!alert_queue_has_room(&backlog->tail, alert)) {
        offer(backlog, 1);
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

static uint64_t route_bits(const struct backlog *backlog, uint64_t route)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < backlog->count; i++)
        if (route >> i & 1)
            bits |= UINT64_C(1) << backlog->outputs[i].saved.bit;
    return bits;
}

static void put_alert(struct backlog *backlog, struct queued_alert *alert)
{
    const struct alert_place *place = queued_alert_place(alert);
    struct payload payload = {.rest = queued_alert_bytes(alert)};
    struct delivery_alert read = {0};

    queued_alert_read(&payload, &read);
    journal_put_alert(backlog->journal, &(struct journal_alert){
                                            .seq = place->seq,
                                            .time = read.time,
                                            .route = route_bits(backlog, place->route),
                                            .id = read.id,
                                            .host = read.host,
                                            .rule = read.rule,
                                            .title = read.title,
                                            .message = read.message,
                                            .json = read.json,
                                            .severity = read.severity,
                                        });
}

/* What is to be true of the outputs once this transaction is, before its alerts are offered. */
static void find_places(const struct backlog *backlog, size_t alerts, struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++)
        places[i] = place_of(&backlog->outputs[i]);
    for (size_t k = 0; k < alerts; k++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, k);

        if (seq_of(alert) <= backlog->offered)
            continue;
        for (size_t i = 0; i < backlog->count; i++)
            places[i].pending += is_routed(alert, &backlog->outputs[i]);
    }
}

static uint64_t accounted(const struct backlog *backlog, size_t alerts)
{
    uint64_t sum = backlog->told + alerts;

    for (size_t i = 0; i < alerts; i++)
        sum += queued_alert_place(alert_queue_at(&backlog->tail, i))->accounts;
    return sum;
}

/* What retention takes with this transaction, and from whom. */
struct expiry {
    int64_t until; /* 0: nothing */
    uint64_t counts[DELIVERY_OUTPUTS_MAX];
};

static int find_expiry(struct backlog *backlog, int64_t now, struct expiry *expiry)
{
    if (backlog->taken < EXPIRY_ALERTS && now < backlog->next_expiry)
        return 0;
    backlog->taken = 0;
    backlog->next_expiry = now + EXPIRY_TIME;
    int r = journal_find_expiry(backlog->journal, clock_realtime(), &expiry->until);

    for (size_t i = 0; r == 0 && i < backlog->count; i++) {
        const struct output *output = &backlog->outputs[i];

        if (output->waiting && output->position < expiry->until)
            r = journal_count(backlog->journal, output->saved.bit, output->position, expiry->until,
                              &expiry->counts[i]);
        if (expiry->counts[i] > output->waiting)
            expiry->counts[i] = output->waiting;
    }
    return r;
}

static void expire(struct backlog *backlog, struct output *output, uint64_t count)
{
    output->waiting -= count;
    output->counters.expired += count;
    output->saved.expired += count;
    news_add_expired(backlog->news, output->index, count);
}

static void apply_expiry(struct backlog *backlog, const struct expiry *expiry)
{
    if (!expiry->until)
        return;
    lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        if (output->position < expiry->until && output->waiting)
            output->position = expiry->until;
        if (expiry->counts[i])
            expire(backlog, output, expiry->counts[i]);
    }
    unlock(backlog);
    backlog->next_expiry = 0; /* there may be more */
}

static void put_outputs(struct backlog *backlog, const struct expiry *expiry,
                        struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        places[i].pending -= expiry->counts[i];
        places[i].expired += expiry->counts[i];
        if (has_moved(&places[i], &backlog->outputs[i]) || expiry->counts[i])
            journal_put_output(backlog->journal, &places[i]);
    }
}

static void settle(struct backlog *backlog, size_t alerts, const struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        backlog->outputs[i].saved.cursor = places[i].cursor;
        backlog->outputs[i].saved.pending = places[i].pending;
    }
    offer(backlog, alerts);
    lock(backlog);
    backlog->journalled += alerts;
    unlock(backlog);
    for (size_t i = 0; i < alerts; i++)
        queued_alert_drop(alert_queue_pop(&backlog->tail));
    dead_letters_clear(&backlog->letters);
    backlog->told = 0;
    backlog->dirty_since = 0;
}

/* One transaction: the first alerts of the tail, cursors, dead letters, retention. */
static int commit(struct backlog *backlog, int64_t now)
{
    size_t alerts = backlog->tail.count < COMMIT_MAX ? backlog->tail.count : COMMIT_MAX;
    struct journal_output places[DELIVERY_OUTPUTS_MAX];
    struct expiry expiry = {0};
    int r = find_expiry(backlog, now, &expiry);

    if (r < 0)
        return r;
    find_places(backlog, alerts, places);
    journal_begin(backlog->journal);
    for (size_t i = 0; i < alerts; i++)
        put_alert(backlog, alert_queue_at(&backlog->tail, i));
    put_outputs(backlog, &expiry, places);
    for (size_t i = 0; i < backlog->letters.count; i++)
        journal_put_dead_letter(backlog->journal, &backlog->letters.items[i]);
    if (alerts || backlog->told)
        journal_put_accounted(backlog->journal, accounted(backlog, alerts));
    if (expiry.until)
        journal_put_expiry(backlog->journal, expiry.until);
    r = journal_commit(backlog->journal);
    if (r < 0)
        return r;
    settle(backlog, alerts, places);
    apply_expiry(backlog, &expiry);
    return 0;
}

static void begin_failing(struct backlog *backlog, int failure)
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
static uint64_t count_tail(const struct backlog *backlog, const struct output *output)
{
    uint64_t count = 0;

    for (size_t i = 0; i < backlog->tail.count; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        count += is_routed(alert, output) && seq_of(alert) > output->position &&
                 seq_of(alert) <= backlog->offered;
    }
    return count;
}

/* What was in the journal before this one is gone. */
static void forget_journalled(struct backlog *backlog)
{
    log_error("the journal was damaged and is set aside, another is begun: %s",
              journal_why(backlog->journal));
    news_add(backlog->news, DELIVERY_JOURNAL_REPLACED, 0, journal_why(backlog->journal));
    lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];
        uint64_t left = count_tail(backlog, output);

        if (output->waiting > left)
            expire(backlog, output, output->waiting - left);
    }
    unlock(backlog);
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
        struct journal_output place = place_of(&backlog->outputs[i]);

        moved = has_moved(&place, &backlog->outputs[i]);
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
        r = commit(backlog, now);
        if (r == 0 && backlog->failing)
            end_failing(backlog);
    }
    return r;
}

static void step_journal(struct backlog *backlog, int64_t now)
{
    if (backlog->failing && now < backlog->next_try) {
        offer(backlog, backlog->tail.count);
        return;
    }
    int r = write_all(backlog, now);

    if (r < 0) {
        begin_failing(backlog, r);
        offer(backlog, backlog->tail.count);
    }
}

/* For journal_read(). */
struct refill {
    struct backlog *backlog;
    struct output *output;
    bool full; /* no room, or no memory */
};

static bool take_back(void *context, const struct journal_alert *alert)
{
    struct refill *refill = context;
    struct output *output = refill->output;
    const struct delivery_alert offered = {
        .id = alert->id,
        .host = alert->host,
        .rule = alert->rule,
        .title = alert->title,
        .message = alert->message,
        .json = alert->json,
        .time = alert->time,
        .severity = alert->severity,
    };
    struct queued_alert *queued = NULL;

    refill->full = output->waiting == 0 || queued_alert_new(&offered, &queued) < 0;
    if (refill->full)
        return false;
    *queued_alert_place(queued) =
        (struct alert_place){.seq = alert->seq, .route = UINT64_C(1) << output->index};
    lock(refill->backlog);
    refill->full = !alert_queue_has_room(&output->queue, queued);
    if (!refill->full) {
        alert_queue_push(&output->queue, queued);
        output->waiting--;
    }
    unlock(refill->backlog);
    queued_alert_drop(queued);
    return !refill->full;
}

static void refill_from_tail(struct backlog *backlog, struct output *output)
{
    lock(backlog);
    for (size_t i = 0; i < backlog->tail.count && output->waiting; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        if (seq_of(alert) <= output->position)
            continue;
        if (seq_of(alert) > backlog->offered)
            break;
        if (is_routed(alert, output)) {
            if (!alert_queue_has_room(&output->queue, alert))
                break;
            alert_queue_push(&output->queue, alert);
            output->waiting--;
        }
        output->position = seq_of(alert);
    }
    unlock(backlog);
}

/* The journal ends before what an output is to get does: it was lost with its disk. */
static void miss(struct backlog *backlog, struct output *output, uint64_t count)
{
    lock(backlog);
    expire(backlog, output, count);
    unlock(backlog);
}

static bool wants_refill(const struct output *output)
{
    return output->waiting && output->phase != OUTPUT_ENDED &&
           2 * output->queue.count <= output->queue.slot_count &&
           2 * output->queue.bytes <= output->queue.bytes_max;
}

/* Whether everything in the journal was looked at. */
static bool refill_from_journal(struct backlog *backlog, struct output *output)
{
    struct refill refill = {backlog, output, false};
    int r =
        journal_read(backlog->journal, output->saved.bit, &output->position, take_back, &refill);

    if (r < 0 && !backlog->failing)
        begin_failing(backlog, r);
    if (r > 0 && !refill.full)
        backlog->more = true;
    return r == 0 && !refill.full;
}

static void refill(struct backlog *backlog, struct output *output)
{
    if (!wants_refill(output))
        return;
    if (output->position < journal_last(backlog->journal) && !refill_from_journal(backlog, output))
        return;
    refill_from_tail(backlog, output);
    uint64_t left = output->waiting ? count_tail(backlog, output) : 0;

    if (output->waiting > left)
        miss(backlog, output, output->waiting - left);
}

void backlog_step(struct backlog *backlog, int64_t now)
{
    if (!backlog->journal)
        return;
    step_journal(backlog, now);
    lock(backlog);
    backlog->shown_tail = backlog->tail.count;
    backlog->shows_failing = backlog->failing;
    unlock(backlog);
    backlog->more = false;
    for (size_t i = 0; i < backlog->count; i++)
        refill(backlog, &backlog->outputs[i]);
}

void backlog_finish(struct backlog *backlog)
{
    if (!backlog->journal || (backlog->failing && reopen(backlog) < 0))
        return;
    do
        backlog->dirty_since = 1;
    while (commit(backlog, clock_monotonic()) == 0 && backlog->tail.count);
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
