#include "output/output_batch.h"

#include <errno.h>

#include "base/clock.h"
#include "host/host.h"
#include "output/dead_letters.h"

#define BATCH_DEFAULT 1024
#define BATCH_BYTES   ((size_t)4 << 20)

/* Hosts an alert may cost before it is taken to be at fault. */
#define DEATHS_MAX 3

/* How many alerts the next batch has, and which. */
static size_t choose_batch(struct output *output, struct queued_alert **out)
{
    size_t most = output->suspects         ? 1
                  : output->settings.batch ? (size_t)output->settings.batch
                  : output->info.batch_max ? output->info.batch_max
                                           : BATCH_DEFAULT;
    size_t bytes = 0, count = 0;

    most = most < SETTINGS_BATCH_MAX ? most : SETTINGS_BATCH_MAX;
    output_lock(output);
    while (count < most && count < output->queue.count) {
        struct queued_alert *alert = alert_queue_at(&output->queue, count);

        bytes += queued_alert_bytes(alert).len;
        if (count && bytes > BATCH_BYTES)
            break;
        out[count++] = alert;
    }
    output->idle = count == 0;
    output_unlock(output);
    return count;
}

bool output_batch_put(struct output *output, struct buffer *out)
{
    struct queued_alert *alerts[SETTINGS_BATCH_MAX];
    size_t count = choose_batch(output, alerts);

    if (count == 0)
        return false;
    size_t begin = frame_begin(out, FRAME_ALERTS);

    payload_put_i64(out, ++output->batch);
    payload_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        buffer_put_text(out, queued_alert_bytes(alerts[i]));
    frame_end(out, begin);
    response_begin(&output->response);
    output->sent = count;
    return true;
}

/* Takes COUNT alerts from the front, counted in *COUNTER. */
static void settle(struct output *output, size_t count, uint64_t *counter)
{
    output->suspects -= output->suspects < count ? output->suspects : count;
    if (count)
        output->deaths = 0;
    while (count) {
        struct queued_alert *done[64];
        size_t n = count < 64 ? count : 64;

        output_lock(output);
        for (size_t i = 0; i < n; i++)
            done[i] = alert_queue_pop(&output->queue);
        *counter += n;
        if (output->group->waiting)
            pthread_cond_broadcast(&output->group->changed);
        output_unlock(output);
        for (size_t i = 0; i < n; i++)
            queued_alert_drop(done[i]);
        count -= n;
    }
}

/* For who asks the journal later what became of them. */
static void keep_letters(struct output *output, size_t count, const char *reason)
{
    for (size_t i = 0; output->group->letters && i < count; i++) {
        struct queued_alert *alert = alert_queue_at(&output->queue, i);

        if (queued_alert_place(alert)->seq == 0)
            continue; /* the journal has no such one */
        dead_letters_add(output->group->letters, &(struct journal_dead_letter){
                                                     .output = output->name,
                                                     .seq = queued_alert_place(alert)->seq,
                                                     .id = queued_alert_id(alert),
                                                     .time = clock_realtime(),
                                                     .reason = reason,
                                                 });
    }
}

/* COUNT alerts from the front, one at least.
 * Each reason is said once until something is delivered again: a reader that is gone would
 * otherwise be told of for every batch. How many there were is in the counts. */
static void reject(struct output *output, size_t count, const char *reason)
{
    const char *first = queued_alert_id(alert_queue_at(&output->queue, 0));
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (count == 1)
        buffer_printf(&line, "alert %s is rejected: %s", first, reason);
    else
        buffer_printf(&line, "%zu alerts are rejected (first: %s): %s", count, first, reason);
    if (!text_is(buffer_text(&output->rejection), reason))
        plugin_voice_say(&output->voice, PICKET_LOG_WARNING, buffer_text(&line));
    buffer_clear(&output->rejection);
    buffer_put_string(&output->rejection, reason);
    keep_letters(output, count, reason);
    settle(output, count, &output->counters.rejected);
}

static size_t count_rejected(const struct verdict *verdict)
{
    if (verdict->action != PICKET_REJECT)
        return 0;
    return verdict->rejected ? verdict->rejected : 1;
}

static bool is_possible(const struct output *output, const struct verdict *verdict)
{
    if (verdict->batch != output->batch || verdict->delivered > output->sent ||
        count_rejected(verdict) > output->sent - verdict->delivered)
        return false;
    return verdict->action != PICKET_OK || verdict->delivered > 0;
}

/* A plugin that says no reason waits because it was told to. */
static void complain(struct output *output, struct text reason)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    if (reason.len && !output->complained) {
        buffer_printf(&line, "cannot deliver for now: %.*s", TEXT_ARG(reason));
        plugin_voice_say(&output->voice, PICKET_LOG_WARNING, buffer_text(&line));
        output->complained = true;
    }
    output_lock(output);
    output->counters.retries++;
    output_unlock(output);
}

int output_batch_settle(struct output *output, const struct verdict *verdict)
{
    CLEANUP(buffer_deinit) struct buffer reason = {0};

    if (!is_possible(output, verdict))
        return -EPROTO;
    settle(output, verdict->delivered, &output->counters.delivered);
    if (verdict->delivered) {
        if (output->complained)
            plugin_voice_say(&output->voice, PICKET_LOG_INFO, TEXT("delivers again"));
        output->complained = false;
        buffer_clear(&output->rejection);
    }
    secret_mask_put(&output->mask, verdict->reason, &reason);
    if (verdict->action == PICKET_REJECT)
        reject(output, count_rejected(verdict),
               reason.len ? buffer_string(&reason) : OUTPUT_NO_VERDICT);
    else if (verdict->action == PICKET_RETRY)
        complain(output, buffer_text(&reason));
    return 0;
}

void output_batch_fail(struct output *output)
{
    if (output->loss == LOSS_OURS)
        output->sent = 0;
    if (output->sent > 1) {
        output->suspects = output->sent;
        output->deaths = 0;
    } else if (output->sent == 1 && ++output->deaths == DEATHS_MAX) {
        reject(output, 1, "it has ended its plugin three times");
    }
    output->sent = 0;
}
