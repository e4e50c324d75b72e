#include "stream/message.h"

#include <errno.h>

void stream_message_put(const struct stream_message *message, struct buffer *out)
{
    size_t len = message->data.len;
    size_t begin = frame_begin(out, FRAME_MESSAGE);

    payload_put_i64(out, (int64_t)message->sequence);
    payload_put_i64(out, message->stored);
    payload_put_i64(out, (int64_t)message->deliveries);
    payload_put_i64(out, (int64_t)message->behind);
    payload_put_text(out, message->token);
    buffer_put(out, message->data.ptr, len > STREAM_MESSAGE_MAX ? STREAM_MESSAGE_MAX + 1 : len);
    frame_end(out, begin);
}

int stream_message_read(struct text payload, struct stream_message *out)
{
    struct payload rest = {.rest = payload};
    struct stream_message message = {.sequence = (uint64_t)payload_i64(&rest)};

    message.stored = payload_i64(&rest);
    message.deliveries = (uint64_t)payload_i64(&rest);
    message.behind = (uint64_t)payload_i64(&rest);
    message.token = payload_text(&rest);
    message.data = rest.rest;
    if (rest.failed || message.token.len == 0 || message.token.len > STREAM_TOKEN_MAX ||
        message.stored < -STREAM_STORED_MAX || message.stored > STREAM_STORED_MAX)
        return -EPROTO;
    *out = message;
    return 0;
}

void stream_settlement_put(const struct stream_settlement *settlement, struct buffer *out)
{
    size_t begin = frame_begin(out, FRAME_SETTLE);

    payload_put_u32(out, settlement->verdict);
    payload_put_text(out, settlement->token);
    frame_end(out, begin);
}

int stream_settlement_read(struct text payload, struct stream_settlement *out)
{
    struct payload rest = {.rest = payload};
    uint32_t verdict = payload_u32(&rest);
    struct text token = payload_text(&rest);

    if (!payload_complete(&rest) || verdict > SOURCE_AGAIN)
        return -EPROTO;
    *out = (struct stream_settlement){(enum source_verdict)verdict, token};
    return 0;
}

void stream_pulse_put(enum source_state state, struct buffer *out)
{
    size_t begin = frame_begin(out, FRAME_PULSE);

    payload_put_u32(out, state);
    frame_end(out, begin);
}

int stream_pulse_read(struct text payload, enum source_state *out)
{
    struct payload rest = {.rest = payload};
    uint32_t state = payload_u32(&rest);

    if (!payload_complete(&rest) || state > SOURCE_AWAY)
        return -EPROTO;
    *out = (enum source_state)state;
    return 0;
}
