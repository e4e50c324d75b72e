#include "output/backlog_state.h"

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
    backlog_lock(refill->backlog);
    refill->full = !alert_queue_has_room(&output->queue, queued);
    if (!refill->full) {
        alert_queue_push(&output->queue, queued);
        output->waiting--;
    }
    backlog_unlock(refill->backlog);
    queued_alert_drop(queued);
    return !refill->full;
}

static void refill_from_tail(struct backlog *backlog, struct output *output)
{
    backlog_lock(backlog);
    for (size_t i = 0; i < backlog->tail.count && output->waiting; i++) {
        struct queued_alert *alert = alert_queue_at(&backlog->tail, i);

        if (backlog_seq_of(alert) <= output->position)
            continue;
        if (backlog_seq_of(alert) > backlog->offered)
            break;
        if (backlog_is_routed(alert, output)) {
            if (!alert_queue_has_room(&output->queue, alert))
                break;
            alert_queue_push(&output->queue, alert);
            output->waiting--;
        }
        output->position = backlog_seq_of(alert);
    }
    backlog_unlock(backlog);
}

/* The journal ends before what an output is to get does: it was lost with its disk. */
static void miss(struct backlog *backlog, struct output *output, uint64_t count)
{
    backlog_lock(backlog);
    backlog_expire(backlog, output, count);
    backlog_unlock(backlog);
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
        backlog_begin_failing(backlog, r);
    if (r > 0 && !refill.full)
        backlog->more = true;
    return r == 0 && !refill.full;
}

void backlog_refill(struct backlog *backlog, struct output *output)
{
    if (!wants_refill(output))
        return;
    if (output->position < journal_last(backlog->journal) && !refill_from_journal(backlog, output))
        return;
    refill_from_tail(backlog, output);
    uint64_t left = output->waiting ? backlog_count_tail(backlog, output) : 0;

    if (output->waiting > left)
        miss(backlog, output, output->waiting - left);
}
