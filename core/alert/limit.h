/* What rules may have missed because something reached a limit, on its way to becoming alerts:
 * events that a regex was too expensive for, groups of events and hits that a correlation had no
 * room for.
 *
 * Who knows how to bring it about can do it a thousand times a second. The ledger sums by rule, and
 * lets a rule's sum out at most once in LIMIT_PAUSE, the first at once; none is forgotten. One
 * thread's. */
#ifndef PICKET_ALERT_LIMIT_H
#define PICKET_ALERT_LIMIT_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "rule/ruleset.h"

#define LIMIT_PAUSE (60 * NS_PER_S)

enum limit_kind {
    LIMIT_REGEX,       /* of a regex, for an event */
    LIMIT_CORRELATION, /* of what a correlation keeps: a group was evicted, or a hit of one */
};

struct limit_sum {
    const struct rule *rule;
    uint64_t count;      /* of events, or of groups and hits */
    int64_t from, until; /* when the first and the last of it happened, ns since 1970 */
};

struct limit_ledger;

/* For the rules of RULES, which outlive it. 0 or -ENOMEM. */
int limit_ledger_new(const struct ruleset *rules, struct limit_ledger **out);
void limit_ledger_free(struct limit_ledger *ledger);
DEFINE_FREEP(struct limit_ledger, limit_ledger)

/* Takes in what happened at TIME. Allocates nothing. */
void limit_ledger_add(struct limit_ledger *ledger, const struct rule *rule, int64_t time);

/* The next sum that is due at NOW (CLOCK_MONOTONIC; INT64_MAX: all are); false: none is. Cheap when
 * there was no limit. */
bool limit_ledger_take(struct limit_ledger *ledger, int64_t now, struct limit_sum *out);

/* A sentence for people. */
void limit_put_message(struct buffer *out, enum limit_kind kind, const struct limit_sum *sum);

/* One JSON object, as docs/events.md has it. */
void limit_put_json(struct json_writer *json, const struct limit_sum *sum);

#endif
