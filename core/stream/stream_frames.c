#include "stream/stream_state.h"

#include "base/clock.h"
#include "plugin/plugin_config.h"

static void send_open(struct stream *stream)
{
    struct buffer *out = &stream->host.sending;
    size_t begin = frame_begin(out, FRAME_OPEN);

    plugin_config_put(&stream->settings.options, out);
    frame_end(out, begin);
    stream_expect(stream, PHASE_OPENING, stream->settings.deadline);
    stream_transmit(stream);
}

static void fail_start(struct stream *stream)
{
    host_process_kill(&stream->host);
    stream->phase = PHASE_FAILED;
}

static void on_hello(struct stream *stream, struct text payload)
{
    if (stream->was_open) {
        if (text_equal(payload, buffer_text(&stream->hello)))
            send_open(stream);
        else
            stream_lose(stream, LOSS_GARBAGE, "its table is another than before");
        return;
    }
    size_t errors = stream->reader.diags->errors;
    int r = plugin_info_read(payload, &stream->arena, &stream->info);

    buffer_put_text(&stream->hello, payload);
    if (r == 0)
        r = stream_settings_read_options(&stream->reader, &stream->info, &stream->settings);
    if (r < 0)
        stream_diagnose(stream, "its table cannot be read: %s", strerror(-r));
    if (stream->reader.diags->errors != errors)
        fail_start(stream);
    else
        send_open(stream);
}

static void send_word(struct stream *stream, enum frame_type type)
{
    frame_end(&stream->host.sending, frame_begin(&stream->host.sending, type));
    stream_transmit(stream);
}

void stream_ask_to_end(struct stream *stream)
{
    send_word(stream, FRAME_FLUSH);
    stream_expect(stream, PHASE_ENDING, stream->settings.deadline);
}

/* What was settled while nobody was there to be told. */
void stream_send_settled(struct stream *stream)
{
    bool open = stream->phase >= PHASE_OPEN && stream->phase <= PHASE_ENDED;

    if (!open || stream->settling.len == 0 || host_process_has_to_send(&stream->host))
        return;
    buffer_put_text(&stream->host.sending, buffer_text(&stream->settling));
    buffer_clear(&stream->settling);
    stream_transmit(stream);
}

static void on_opened(struct stream *stream)
{
    stream->was_open = true;
    stream->phase = PHASE_OPEN;
    stream->heard = clock_monotonic();
    stream_watch(stream);
    if (stream->end_asked)
        stream_ask_to_end(stream);
}

static void on_log(struct stream *stream, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0)
        stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
    else if (stream->was_open || line.level > PICKET_LOG_ERROR)
        plugin_voice_say(&stream->voice, line.level, line.text);
}

static void on_failed(struct stream *stream, struct text payload)
{
    struct log_line line;

    if (log_line_read(payload, &line) < 0)
        stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
    else
        stream_lose(stream, LOSS_FAILED, "%.*s", TEXT_ARG(line.text));
}

static void on_pulse(struct stream *stream, struct text payload)
{
    if (stream_pulse_read(payload, &stream->state) < 0)
        stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
    else
        stream->failures = 0;
}

void stream_on_frame(struct stream *stream, const struct frame *frame)
{
    enum stream_phase phase = stream->phase;

    if (frame->type == FRAME_LOG)
        on_log(stream, frame->payload);
    else if (frame->type == FRAME_HELLO && phase == PHASE_LOADING)
        on_hello(stream, frame->payload);
    else if (frame->type == FRAME_OPENED && phase == PHASE_OPENING)
        on_opened(stream);
    else if (frame->type == FRAME_FAILED && (phase == PHASE_LOADING || phase == PHASE_OPENING))
        on_failed(stream, frame->payload);
    else if (frame->type == FRAME_PULSE && (phase == PHASE_OPEN || phase == PHASE_ENDING))
        on_pulse(stream, frame->payload);
    else if (frame->type == FRAME_FLUSHED && phase == PHASE_ENDING)
        stream->phase = PHASE_ENDED;
    else
        stream_lose(stream, LOSS_GARBAGE, STREAM_NONSENSE);
}
