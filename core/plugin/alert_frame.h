/* An alert, or an event, as it travels from the engine to the hosts of its outputs. */
#ifndef PICKET_PLUGIN_ALERT_FRAME_H
#define PICKET_PLUGIN_ALERT_FRAME_H

#include "picket/plugin.h"
#include "plugin/protocol.h"

/* An alert whose texts, its JSON among them, are longer in all is rejected by every output. */
#define DELIVERY_ALERT_MAX ((size_t)4 << 20)

/* Texts are borrowed. Those besides `json` say what it says: plugins get them without parsing. */
struct delivery_alert {
    struct text id, host, rule, title, message;
    struct text json; /* one line, valid JSON */
    int64_t time;
    int severity;  /* enum picket_severity, "picket/plugin.h" */
    uint32_t kind; /* enum picket_kind */
    /* Of use to the delivery alone, and in no frame. */
    bool is_own; /* an alert of this engine about itself: also for outputs that forward events */
    /* Lost alerts that this one tells of, of a delivery_news: in the journal they are accounted for
     * with it. */
    uint64_t accounts;
    bool is_news; /* it is made of one: when an output has no room for it, that is none again */
};

/* Appends it, as a payload has it. What is not UTF-8 is U+FFFD then. The bytes of the id begin
 * ALERT_FRAME_ID behind the frame's begin. */
#define ALERT_FRAME_ID (sizeof(int64_t) + 3 * sizeof(uint32_t))
void alert_frame_put(struct buffer *out, const struct delivery_alert *alert);

/* Reads one; texts lie in the payload. -EPROTO. */
int alert_frame_read(struct payload *payload, struct delivery_alert *out);

#endif
