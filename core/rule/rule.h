/* One rule, compiled. Made by the loader (rule/ruleset.h), read-only from then on; everything it
 * points to lives as long as its ruleset. Every text has a NUL behind it. */
#ifndef PICKET_RULE_RULE_H
#define PICKET_RULE_RULE_H

#include "base/diag.h"
#include "event/event.h"
#include "rule/message.h"

/* Sigma's levels, the least first. */
enum severity {
    SEVERITY_INFORMATIONAL,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL
};
#define SEVERITIES 5

const char *severity_name(enum severity severity);
int severity_parse(struct text name, enum severity *out); /* -EINVAL */

struct rule_texts {
    const struct text *items;
    size_t count;
};

/* What a rule's own `tests` say: whether it is to hold for this event, or (a correlation) for these
 * events, in this order. */
struct rule_test {
    struct mark mark;
    bool alerts;
    const struct event *events;
    size_t event_count; /* 1 but for a correlation */
};

/* `suppress: {by: [exe, user], for: 1m}`: after an alert, no further one with the same values of
 * these fields for that long (see alert/suppression.h). */
struct rule_suppress {
    const struct field_ref *by; /* none: every alert of the rule is the same */
    size_t by_count;
    int64_t window; /* ns; 0: the rule has no `suppress` */
};

struct correlation;
struct expression;
struct outline;
struct predicate;

/* A predicate of a rule and where the rule says it: each one as it is written, lists, macros and
 * overrides included. */
struct rule_origin {
    const struct predicate *predicate;
    struct mark mark;
};

struct rule;

/* A correlation that a rule's hits are counted by, and as which of its members. */
struct rule_feed {
    const struct rule *rule;
    size_t member;
};

struct rule {
    struct text id;
    struct text name;        /* by which correlations refer to it as well; ptr NULL: none */
    struct text title;       /* the id when the file gives none */
    struct text description; /* ptr NULL: none */
    struct text author;      /* ptr NULL: none */
    enum severity severity;
    struct rule_texts tags, references, false_positives;
    struct rule_texts outputs; /* none: every output */
    struct rule_suppress suppress;
    bool enabled; /* a rule that is not never hits, but its tests are run. One that is silent and
                     feeds nothing is not, whatever its file says. */
    bool silent;  /* its hits feed correlations and raise no alert of their own */
    enum event_type on;
    const struct message *message; /* never NULL */
    struct mark mark;              /* of its id */
    size_t index;                  /* in its ruleset */

    const struct correlation *correlation; /* NULL: a rule about single events */
    const struct rule_feed *feeds;         /* correlations that are enabled, by index */
    size_t feed_count;
    const struct rule *silencer; /* one that is not, for which this one is silent, and idle */

    /* Of a correlation: an expression and an outline that never hold. */
    const struct expression *expression; /* what must hold, overrides included */
    const struct expression *written;    /* without overrides: what the tests are of */
    const struct outline *outline;       /* of `expression`: the rule as its author sees it */
    const struct rule_origin *origins;
    size_t origin_count;
    const struct rule_test *tests;
    size_t test_count;
};

#endif
