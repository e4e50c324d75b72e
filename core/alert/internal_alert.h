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
    INTERNAL_ALERTS_LOST,         /* picket.alerts_lost: see output/delivery.h */
    INTERNAL_JOURNAL_FAILED,      /* picket.journal_failed: likewise, and the rest */
    INTERNAL_JOURNAL_RECOVERED,   /* picket.journal_recovered */
    INTERNAL_JOURNAL_REPLACED,    /* picket.journal_replaced */
    INTERNAL_RESPONSE,            /* picket.response: see output/response.h */
    INTERNAL_MESSAGES_REFUSED,    /* picket.messages_refused: see engine/centre.h */
};
#define INTERNAL_ALERT_KINDS 12

/* Borrows all it points to. */
struct internal_alert {
    enum internal_alert_kind kind;
    int64_t time;       /* ns since 1970 */
    uint64_t origin[3]; /* the boot, and what tells it from others of its kind and time */
    struct text message;
    struct text detail; /* a JSON object; ptr NULL: none */
    bool is_news;       /* of output/delivery.h; and how many lost alerts it accounts for */
    uint64_t accounts;
};

/* Static. */
const struct rule *internal_alert_rule(enum internal_alert_kind kind);

#endif
