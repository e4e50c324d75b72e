#include "output/backlog_state.h"

#include "base/clock.h"

/* The most alerts of one transaction: what is lost when it fails in the middle is done again. */
#define COMMIT_MAX 2048

/* Looks for alerts to let go: after so many new ones, or so long. */
#define EXPIRY_ALERTS 256
#define EXPIRY_TIME   (60 * NS_PER_S)

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

    alert_frame_read(&payload, &read);
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
        places[i] = backlog_place_of(&backlog->outputs[i]);
    for (size_t k = 0; k < alerts; k++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, k);

        if (backlog_seq_of(alert) <= backlog->offered)
            continue;
        for (size_t i = 0; i < backlog->count; i++)
            places[i].pending += backlog_is_routed(alert, &backlog->outputs[i]);
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

/* 1: that is to be done alone. */
static int find_expiry(struct backlog *backlog, int64_t now, struct expiry *expiry)
{
    if (backlog->taken < EXPIRY_ALERTS && now < backlog->next_expiry)
        return 0;
    backlog->taken = 0;
    backlog->next_expiry = now + EXPIRY_TIME;
    int alone = journal_find_expiry(backlog->journal, clock_realtime(), &expiry->until);
    int r = alone < 0 ? alone : 0;

    for (size_t i = 0; r == 0 && i < backlog->count; i++) {
        const struct output *output = &backlog->outputs[i];

        if (output->waiting && output->position < expiry->until)
            r = journal_count(backlog->journal, output->saved.bit, output->position, expiry->until,
                              &expiry->counts[i]);
        if (expiry->counts[i] > output->waiting)
            expiry->counts[i] = output->waiting;
    }
    return r < 0 ? r : alone;
}

void backlog_expire(struct backlog *backlog, struct output *output, uint64_t count)
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
    backlog_lock(backlog);
    for (size_t i = 0; i < backlog->count; i++) {
        struct output *output = &backlog->outputs[i];

        if (output->position < expiry->until && output->waiting)
            output->position = expiry->until;
        if (expiry->counts[i])
            backlog_expire(backlog, output, expiry->counts[i]);
    }
    backlog_unlock(backlog);
    backlog->next_expiry = 0; /* there may be more */
}

static void put_outputs(struct backlog *backlog, const struct expiry *expiry,
                        struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        places[i].pending -= expiry->counts[i];
        places[i].expired += expiry->counts[i];
        if (backlog_has_moved(&places[i], &backlog->outputs[i]) || expiry->counts[i])
            journal_put_output(backlog->journal, &places[i]);
    }
}

static uint64_t last_number(const struct backlog *backlog, size_t alerts)
{
    return queued_alert_place(alert_queue_at(&backlog->tail, alerts - 1))->number;
}

static void settle(struct backlog *backlog, size_t alerts, const struct journal_output *places)
{
    for (size_t i = 0; i < backlog->count; i++) {
        backlog->outputs[i].saved.cursor = places[i].cursor;
        backlog->outputs[i].saved.pending = places[i].pending;
    }
    backlog_offer(backlog, alerts);
    backlog_lock(backlog);
    backlog->journalled += alerts;
    if (alerts)
        keeping_settle(backlog->keeping, last_number(backlog, alerts), alerts);
    backlog_unlock(backlog);
    for (size_t i = 0; i < alerts; i++)
        queued_alert_drop(alert_queue_pop(&backlog->tail));
    dead_letters_clear(&backlog->letters);
    backlog->told = 0;
    backlog->dirty_since = 0;
}

/* One transaction: the first alerts of the tail, cursors, dead letters, retention. */
int backlog_commit(struct backlog *backlog, int64_t now)
{
    size_t alerts = backlog->tail.count < COMMIT_MAX ? backlog->tail.count : COMMIT_MAX;
    struct journal_output places[DELIVERY_OUTPUTS_MAX];
    struct expiry expiry = {0};
    int r = find_expiry(backlog, now, &expiry);

    if (r < 0)
        return r;
    if (r > 0)
        alerts = 0;
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
