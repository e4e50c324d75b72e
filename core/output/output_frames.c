#include "output/output_frames.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/host.h"
#include "output/output_batch.h"
#include "output/output_files.h"
#include "output/output_phase.h"
#include "plugin/plugin_config.h"

#define RETRY_LEAST_MS 10U
#define RETRY_MOST_MS  3600000U

#define NONSENSE "it does not speak the protocol"

static void check_settings(struct output *output)
{
    struct diag_list *diags = output->group->diags;
    size_t errors = diags->errors;
    int r = settings_read_options(output->config, &output->info, &output->arena, diags,
                                  &output->settings);

    if (r == 0)
        r = secret_mask_init(&output->mask, &output->info, &output->settings, &output->arena);
    if (r < 0)
        output_diagnose(output, "output-failed", "%s", strerror(-r));
    if (diags->errors == errors)
        return;
    host_process_kill(&output->host);
    output_end(output);
}

static void send_open(struct output *output)
{
    struct buffer *out = &output->host.sending;
    size_t begin = frame_begin(out, FRAME_OPEN);

    plugin_config_put(&output->settings, out);
    frame_end(out, begin);
    memcpy(output->host.files, output->files, output->file_count * sizeof *output->files);
    output->host.file_count = output->file_count;
    output_expect(output, OUTPUT_OPENING, output->settings.deadline);
    output_transmit(output);
}

void output_open_plugin(struct output *output)
{
    if (!output->was_ready) {
        size_t errors = output->group->diags->errors;

        output_files_open(output);
        if (output->group->diags->errors != errors) {
            host_process_kill(&output->host);
            output_end(output);
            return;
        }
    }
    send_open(output);
}

static void on_hello(struct output *output, struct text payload)
{
    if (output->checked) {
        if (!text_equal(payload, buffer_text(&output->hello)))
            output_lose(output, LOSS_GARBAGE, "its plugin has another table than before");
        else
            output_open_plugin(output);
        return;
    }
    int r = plugin_info_read(payload, &output->arena, &output->info);

    buffer_put_text(&output->hello, payload);
    if (r < 0) {
        output_lose(output, LOSS_GARBAGE, "its table cannot be read");
        return;
    }
    output->phase = OUTPUT_CHECKED;
    output->checked = true;
    check_settings(output);
    output_come_to(output, DELIVERY_STARTING);
}

static void on_opened(struct output *output)
{
    output->was_ready = true;
    output->phase = OUTPUT_READY;
    output_come_to(output, DELIVERY_READY);
}

static void on_verdict(struct output *output, struct text payload)
{
    struct verdict verdict;

    /* About a batch that it has not got: it would have us keep all that it does not read. */
    output_transmit(output);
    if (output->phase == OUTPUT_DYING)
        return;
    if (host_process_has_to_send(&output->host) || verdict_read(payload, &verdict) < 0 ||
        output_batch_settle(output, &verdict) < 0) {
        output_lose(output, LOSS_GARBAGE, "its plugin gave an impossible verdict");
        return;
    }
    if (verdict.delivered)
        output->failures = 0;
    output->phase = OUTPUT_READY;
    if (verdict.action == PICKET_RETRY) {
        uint32_t pause = verdict.retry_ms < RETRY_LEAST_MS  ? RETRY_LEAST_MS
                         : verdict.retry_ms > RETRY_MOST_MS ? RETRY_MOST_MS
                                                            : verdict.retry_ms;

        output_expect(output, OUTPUT_RETRYING, pause * NS_PER_MS);
        output_come_to(output, DELIVERY_WAITING);
    }
}

static void on_flushed(struct output *output, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0) {
        output_lose(output, LOSS_GARBAGE, NONSENSE);
        return;
    }
    if (line.level < PICKET_LOG_INFO)
        plugin_voice_say(&output->voice, line.level, TEXT(OUTPUT_BROKEN_FLUSH));
    output->phase = OUTPUT_READY;
    output_lock(output);
    output->rested = output->queue.count == 0 && output->waiting == 0;
    output->counters.suppressed = output->voice.suppressed;
    pthread_cond_broadcast(&output->group->changed);
    output_unlock(output);
}

static void on_log(struct output *output, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0) {
        output_lose(output, LOSS_GARBAGE, NONSENSE);
        return;
    }
    plugin_voice_say(&output->voice, line.level, line.text);
}

static void on_failed(struct output *output, struct text payload)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct log_line line;

    if (log_line_read(payload, &line) < 0) {
        output_lose(output, LOSS_GARBAGE, NONSENSE);
        return;
    }
    secret_mask_put(&output->mask, line.text, &why);
    output_lose(output, LOSS_FAILED, "%s", buffer_string(&why));
}

static void on_rotate(struct output *output, struct text payload)
{
    if (output_files_rotate(output, payload) < 0)
        output_lose(output, LOSS_GARBAGE, NONSENSE);
    else
        output_transmit(output);
}

static void on_respond(struct output *output, struct text payload)
{
    if (response_answer(output, payload) < 0)
        output_lose(output, LOSS_GARBAGE, NONSENSE);
    else
        output_transmit(output);
}

static void on_frame(struct output *output, const struct frame *frame)
{
    enum output_phase phase = output->phase;

    if (frame->type == FRAME_LOG)
        on_log(output, frame->payload);
    else if (frame->type == FRAME_HELLO && phase == OUTPUT_LOADING)
        on_hello(output, frame->payload);
    else if (frame->type == FRAME_OPENED && phase == OUTPUT_OPENING)
        on_opened(output);
    else if (frame->type == FRAME_FAILED && (phase == OUTPUT_LOADING || phase == OUTPUT_OPENING))
        on_failed(output, frame->payload);
    else if (frame->type == FRAME_VERDICT && phase == OUTPUT_DELIVERING)
        on_verdict(output, frame->payload);
    else if (frame->type == FRAME_ROTATE &&
             (phase == OUTPUT_DELIVERING || phase == OUTPUT_FLUSHING))
        on_rotate(output, frame->payload);
    else if (frame->type == FRAME_RESPOND && phase == OUTPUT_DELIVERING)
        on_respond(output, frame->payload);
    else if (frame->type == FRAME_FLUSHED && phase == OUTPUT_FLUSHING)
        on_flushed(output, frame->payload);
    else
        output_lose(output, LOSS_GARBAGE, NONSENSE);
}

bool output_is_listened_to(const struct output *output)
{
    return output->phase != OUTPUT_DYING && output->phase != OUTPUT_ENDED;
}

/* Reads once, so that one that never stops talking does not keep others waiting. */
bool output_listen(struct output *output)
{
    ssize_t got = host_process_receive(&output->host);
    struct frame frame;
    int r = 0;

    if (got == -EAGAIN)
        return false;
    while (got > 0 && output_is_listened_to(output) &&
           (r = frame_decoder_next(&output->host.decoder, &frame)) > 0)
        on_frame(output, &frame);
    if (r < 0)
        output_lose(output, LOSS_GARBAGE, NONSENSE);
    if (got == -ENOMEM)
        output_lose(output, LOSS_OURS, "out of memory");
    if (got <= 0 && output->phase != OUTPUT_CLOSING)
        output_lose(output, LOSS_CRASH, "its host ended");
    if (got <= 0)
        epoll_ctl(output->group->epoll, EPOLL_CTL_DEL, output->host.socket, NULL);
    return got > 0 && output_is_listened_to(output);
}

bool output_hear(struct output *output)
{
    char bytes[4096];
    ssize_t got = read(output->host.errors, bytes, sizeof bytes);

    if (got > 0)
        plugin_voice_hear(&output->voice, (struct text){bytes, (size_t)got});
    else if (got == 0)
        epoll_ctl(output->group->epoll, EPOLL_CTL_DEL, output->host.errors, NULL);
    return got > 0;
}
