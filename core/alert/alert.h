/* What a rule has to say about an event, on its way to the outputs. */
#ifndef PICKET_ALERT_ALERT_H
#define PICKET_ALERT_ALERT_H

#include "alert/alert_id.h"
#include "base/json.h"
#include "event/machine.h"
#include "rule/rule.h"

/* How many alerts one stands for that were folded into it (see alert/suppression.h). */
struct alert_fold {
    uint64_t count; /* 0: this is an alert of its own */
    int64_t since;  /* when the first alert of the window was raised */
};

/* The machine an engine runs on, and what is not seen there because somebody wanted so. */
struct alert_engine {
    const struct machine *machine;
    const char *const *filters;
    size_t filter_count;
};

/* Where something happened, as an alert says it. */
struct alert_place {
    struct text name; /* of the machine */
    struct text json; /* members of the alert, by alert_place_put_json() */
};

/* Borrows all it points to. */
struct alert {
    struct alert_id id;
    int64_t time; /* of the event, ns since 1970 */
    struct alert_place place;
    const struct rule *rule;
    struct text message;
    /* Members of it that say why: by evidence_put_json(), or of a correlation by
     * correlation_match_put_json(). len 0: none */
    struct text matched;
    struct text event;  /* the event's JSON; ptr NULL: there is none */
    struct text detail; /* JSON, of an alert about picket itself; ptr NULL: none */
    struct alert_fold fold;
};

/* The members that say where it happened, on HOST, and which engine matched it, where that runs
 * elsewhere. */
void alert_place_put_json(struct json_writer *json, const struct alert_engine *engine,
                          const struct machine *host);

/* One JSON object, as docs/events.md has it. */
void alert_put_json(struct json_writer *json, const struct alert *alert);

#endif
