/* Why a rule fires on an event, or does not: the rule as its author wrote it, each part true or
 * false, with the value it saw and where it stands. Of a correlation, what one event is to it:
 * which of its rules hold, what stops the others, and the group that the event is in. */
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
    struct json_writer *json; /* used inside, as is */
    const char *indent;       /* this */
};

/* Whether RULE, enabled, fires on EVENT; a correlation never does on one. Begins the matcher anew:
 * to be called first. */
bool explain_fires(struct explanation *explanation);

/* For people: what stopped the rule, if anything did, and the tree. */
void explain_put_text(struct explanation *explanation);

/* One JSON object and a newline. */
void explain_put_json(struct explanation *explanation);

/* Parts of these, for rule/correlation_explain.h: "rule 'x' VERDICT" with what it feeds; why it
 * is not evaluated at all; "true  x"; what stops it; and as members of an object its id and place,
 * and what stops it. */
void explain_put_head(struct explanation *explanation, const char *verdict, bool good);
void explain_put_idle(struct explanation *explanation, const char *indent); /* or nothing */
void explain_put_line(struct explanation *explanation, bool good);
void explain_put_stops(struct explanation *explanation);
void explain_put_id(struct explanation *explanation);
void explain_put_stops_json(struct explanation *explanation);

#endif
