#include "plugin/protocol.h"

#include <errno.h>

#include "picket/plugin.h"

size_t frame_begin(struct buffer *out, enum frame_type type)
{
    const uint16_t kind[] = {(uint16_t)type, PROTOCOL_VERSION};
    size_t begin = out->len;

    payload_put_u32(out, 0);
    buffer_put(out, kind, sizeof kind);
    return begin;
}

void frame_end(struct buffer *out, size_t begin)
{
    if (buffer_failed(out))
        return;
    uint32_t len = (uint32_t)(out->len - begin - FRAME_HEADER_LEN);

    memcpy(out->data + begin, &len, sizeof len);
}

void payload_put_u32(struct buffer *out, uint32_t value)
{
    buffer_put(out, &value, sizeof value);
}

void payload_put_i64(struct buffer *out, int64_t value)
{
    buffer_put(out, &value, sizeof value);
}

void payload_put_text(struct buffer *out, struct text t)
{
    payload_put_u32(out, (uint32_t)t.len);
    buffer_put_text(out, t);
    buffer_put_char(out, '\0');
}

static void take(struct payload *payload, void *into, size_t len)
{
    if (payload->failed || payload->rest.len < len) {
        payload->failed = true;
        memset(into, 0, len);
        return;
    }
    memcpy(into, payload->rest.ptr, len);
    payload->rest.ptr += len;
    payload->rest.len -= len;
}

uint32_t payload_u32(struct payload *payload)
{
    uint32_t value;

    take(payload, &value, sizeof value);
    return value;
}

int64_t payload_i64(struct payload *payload)
{
    int64_t value;

    take(payload, &value, sizeof value);
    return value;
}

struct text payload_text(struct payload *payload)
{
    size_t len = payload_u32(payload);
    struct text t = {payload->rest.ptr, len};

    if (payload->failed || len >= payload->rest.len || t.ptr[len] != '\0' ||
        memchr(t.ptr, '\0', len)) {
        payload->failed = true;
        return TEXT("");
    }
    payload->rest.ptr += len + 1;
    payload->rest.len -= len + 1;
    return t;
}

bool payload_complete(const struct payload *payload)
{
    return !payload->failed && payload->rest.len == 0;
}

void frame_decoder_deinit(struct frame_decoder *decoder)
{
    buffer_deinit(&decoder->in);
    decoder->begin = 0;
}

/* Enough for a log line or a verdict; long frames ask for what they lack. */
#define ROOM_LEAST 4096

/* 0 when the header is not there yet. */
static size_t frame_len(const struct frame_decoder *decoder)
{
    uint32_t len;

    if (decoder->in.len - decoder->begin < FRAME_HEADER_LEN)
        return 0;
    memcpy(&len, decoder->in.data + decoder->begin, sizeof len);
    return FRAME_HEADER_LEN + (size_t)len;
}

char *frame_decoder_room(struct frame_decoder *decoder, size_t *len)
{
    struct buffer *in = &decoder->in;

    if (decoder->begin) {
        in->len -= decoder->begin;
        memmove(in->data, in->data + decoder->begin, in->len);
        decoder->begin = 0;
    }
    size_t whole = frame_len(decoder);
    size_t lacking =
        whole > in->len && whole <= FRAME_HEADER_LEN + decoder->limit ? whole - in->len : 0;

    *len = decoder->room ? decoder->room : ROOM_LEAST;
    if (lacking > *len)
        *len = lacking;
    return buffer_reserve(in, *len);
}

void frame_decoder_filled(struct frame_decoder *decoder, size_t len)
{
    decoder->in.len += len;
}

int frame_decoder_next(struct frame_decoder *decoder, struct frame *out)
{
    size_t len = frame_len(decoder);
    uint16_t kind[2];

    if (len == 0)
        return 0;
    const char *header = decoder->in.data + decoder->begin;

    memcpy(kind, header + sizeof(uint32_t), sizeof kind);
    if (kind[1] != PROTOCOL_VERSION || kind[0] == 0 || kind[0] >= FRAME_TYPE_END ||
        len - FRAME_HEADER_LEN > decoder->limit)
        return -EPROTO;
    if (decoder->in.len - decoder->begin < len)
        return 0;
    *out = (struct frame){.type = (enum frame_type)kind[0],
                          .payload = {header + FRAME_HEADER_LEN, len - FRAME_HEADER_LEN}};
    decoder->begin += len;
    return 1;
}

int frame_decoder_keep(struct frame_decoder *decoder, struct frame_decoder *kept)
{
    struct buffer empty = kept->in;

    buffer_clear(&empty);
    buffer_put(&empty, decoder->in.data + decoder->begin, decoder->in.len - decoder->begin);
    kept->in = decoder->in;
    decoder->in = empty;
    decoder->begin = 0;
    return buffer_failed(&decoder->in) ? -ENOMEM : 0;
}

void verdict_put(const struct verdict *verdict, struct buffer *out)
{
    size_t begin = frame_begin(out, FRAME_VERDICT);

    payload_put_i64(out, verdict->batch);
    payload_put_u32(out, verdict->delivered);
    payload_put_u32(out, verdict->rejected);
    payload_put_u32(out, verdict->action);
    payload_put_u32(out, verdict->retry_ms);
    payload_put_text(out, verdict->reason);
    frame_end(out, begin);
}

int verdict_read(struct text payload, struct verdict *out)
{
    struct payload rest = {.rest = payload};
    struct verdict verdict = {.batch = payload_i64(&rest)};

    verdict.delivered = payload_u32(&rest);
    verdict.rejected = payload_u32(&rest);
    verdict.action = payload_u32(&rest);
    verdict.retry_ms = payload_u32(&rest);
    verdict.reason = payload_text(&rest);
    if (!payload_complete(&rest) || verdict.action > PICKET_REJECT)
        return -EPROTO;
    *out = verdict;
    return 0;
}

void log_line_put(const struct log_line *line, enum frame_type type, struct buffer *out)
{
    size_t begin = frame_begin(out, type);

    payload_put_u32(out, line->level);
    payload_put_text(out, line->text);
    frame_end(out, begin);
}

int log_line_read(struct text payload, struct log_line *out)
{
    struct payload rest = {.rest = payload};
    struct log_line line = {.level = payload_u32(&rest)};

    line.text = payload_text(&rest);
    if (!payload_complete(&rest) || line.level > PICKET_LOG_DEBUG)
        return -EPROTO;
    *out = line;
    return 0;
}
