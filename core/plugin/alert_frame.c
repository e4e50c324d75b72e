#include "plugin/alert_frame.h"

#include <errno.h>

/* What plugins are promised: UTF-8 without a NUL. */
static void put_clean(struct buffer *out, struct text t)
{
    size_t begin = out->len;

    if (text_plain(t) == t.len) {
        payload_put_text(out, t);
        return;
    }
    payload_put_u32(out, 0);
    while (t.len) {
        uint32_t code;
        size_t len = text_utf8(t, &code);

        if (len && code)
            buffer_put(out, t.ptr, len);
        else
            buffer_put_string(out, "\xef\xbf\xbd");
        len = len ? len : 1;
        t.ptr += len;
        t.len -= len;
    }
    if (!buffer_failed(out)) {
        uint32_t len = (uint32_t)(out->len - begin - sizeof(uint32_t));

        memcpy(out->data + begin, &len, sizeof len);
    }
    buffer_put_char(out, '\0');
}

void alert_frame_put(struct buffer *out, const struct delivery_alert *alert)
{
    payload_put_i64(out, alert->time);
    payload_put_u32(out, (uint32_t)alert->severity);
    payload_put_u32(out, alert->kind);
    put_clean(out, alert->id);
    put_clean(out, alert->host);
    put_clean(out, alert->rule);
    put_clean(out, alert->title);
    put_clean(out, alert->message);
    payload_put_text(out, alert->json); /* valid UTF-8 by contract */
}

int alert_frame_read(struct payload *payload, struct delivery_alert *out)
{
    struct delivery_alert alert = {.time = payload_i64(payload)};

    alert.severity = (int)payload_u32(payload);
    alert.kind = payload_u32(payload);
    alert.id = payload_text(payload);
    alert.host = payload_text(payload);
    alert.rule = payload_text(payload);
    alert.title = payload_text(payload);
    alert.message = payload_text(payload);
    alert.json = payload_text(payload);
    if (payload->failed)
        return -EPROTO;
    *out = alert;
    return 0;
}
