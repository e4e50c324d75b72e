/* Why a rule fires on an event, or does not: the rule as its author wrote it, each part true or
 * false, with the value it saw and where it stands. */
#ifndef PICKET_RULE_EXPLAIN_H
#define PICKET_RULE_EXPLAIN_H

#include "rule/evidence.h"

struct explanation {
    struct matcher *matcher;
    const struct event *event;
    const struct rule *rule;
    bool colour;
    struct buffer *out;
    struct buffer scratch;    /* zeroed at first, the caller's to release */
    struct json_writer *json; /* used inside */
};

/* Whether RULE, enabled, fires on EVENT. Begins the matcher anew: to be called first. */
bool explain_fires(struct explanation *explanation);

/* For people: what stopped the rule, if anything did, and the tree. */
void explain_put_text(struct explanation *explanation);

/* One JSON object and a newline. */
void explain_put_json(struct explanation *explanation);

#endif
