/* The engine's end of a host's socket, and the readers of every payload: whatever bytes come, in
 * pieces of any size, nothing is read beyond them and nothing is kept beyond the limit. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "host/alert_batch.h"
#include "plugin/plugin_info.h"
#include "plugin/protocol.h"
#include "stream/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 65536

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* What a text points to is readable up to the NUL behind it. */
static void touch(struct text t)
{
    require(t.ptr == NULL || strlen(t.ptr) == t.len);
}

static void read_hello(struct text payload)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct plugin_info info;

    if (plugin_info_read(payload, &arena, &info) < 0)
        return;
    touch(info.name);
    touch(info.help);
    require(info.option_count <= PLUGIN_OPTIONS_MAX);
    for (size_t i = 0; i < info.option_count; i++)
        touch(info.options[i].choices);
    require(plugin_info_check(&info) == NULL);
}

static void read_alerts(struct text payload)
{
    CLEANUP(alert_batch_deinit) struct alert_batch batch = {0};

    if (alert_batch_read(&batch, payload) < 0)
        return;
    for (size_t i = 0; i < batch.count; i++)
        alert_batch_value(&batch, batch.alerts[i], "event.parent.comm");
}

static void read_stream(struct text payload)
{
    struct stream_message message;
    struct stream_settlement settlement;
    enum source_state state;

    if (stream_message_read(payload, &message) == 0) {
        touch(message.token);
        require(message.token.len <= STREAM_TOKEN_MAX);
        require(message.data.ptr + message.data.len == payload.ptr + payload.len);
    }
    if (stream_settlement_read(payload, &settlement) == 0)
        touch(settlement.token);
    if (stream_pulse_read(payload, &state) == 0)
        require(state <= SOURCE_AWAY);
}

static void read_payloads(const struct frame *frame)
{
    struct verdict verdict;
    struct log_line line;

    if (verdict_read(frame->payload, &verdict) == 0)
        touch(verdict.reason);
    if (log_line_read(frame->payload, &line) == 0)
        touch(line.text);
    read_hello(frame->payload);
    read_alerts(frame->payload);
    read_stream(frame->payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(frame_decoder_deinit) struct frame_decoder decoder = {.limit = LIMIT};
    size_t piece = size ? 1 + data[0] : 1;

    for (size_t at = 1; at < size;) {
        struct frame frame;
        size_t room, len = size - at < piece ? size - at : piece;
        char *to = frame_decoder_room(&decoder, &room);
        int r;

        if (!to)
            return 0;
        require(room <= LIMIT + 2 * FRAME_HEADER_LEN);
        len = len < room ? len : room;
        memcpy(to, data + at, len);
        frame_decoder_filled(&decoder, len);
        at += len;
        while ((r = frame_decoder_next(&decoder, &frame)) > 0)
            read_payloads(&frame);
        if (r < 0)
            return 0;
    }
    return 0;
}
