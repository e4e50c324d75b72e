/* Alerts about picket itself. They go to every output like any other; their rules are here and
 * not in a file, so no configuration switches them off. */
#ifndef PICKET_ALERT_INTERNAL_ALERT_H
#define PICKET_ALERT_INTERNAL_ALERT_H

#include "rule/rule.h"

/* Begins the ids of their rules. */
#define INTERNAL_ALERT_PREFIX "picket."

enum internal_alert_kind {
    INTERNAL_EVENTS_LOST,         /* picket.events_lost: see alert/loss.h */
    INTERNAL_SENSOR_BLIND,        /* picket.sensor_blind: see sensor/canary.h */
    INTERNAL_REGEX_LIMITED,       /* picket.regex_limited: see alert/limit.h */
    INTERNAL_CORRELATION_EVICTED, /* picket.correlation_evicted: likewise */
    INTERNAL_RULES_CHANGED,       /* picket.rules_changed: see engine/reload.h */
    INTERNAL_RULES_REJECTED,      /* picket.rules_rejected: likewise */
};
#define INTERNAL_ALERT_KINDS 6

/* Borrows all it points to. */
struct internal_alert {
    enum internal_alert_kind kind;
    int64_t time;       /* ns since 1970 */
    uint64_t origin[3]; /* the boot, and what tells it from others of its kind and time */
    struct text message;
    struct text detail; /* a JSON object; ptr NULL: none */
};

/* Static. */
const struct rule *internal_alert_rule(enum internal_alert_kind kind);

#endif
