/* A rule about more than one event, compiled: which rules' hits it looks at, how they are put into
 * groups, and what a group must hold within the timespan (Sigma correlation rules, version 2).
 *
 * What is kept of the events that are seen is elsewhere (alert/correlator.h): this is read-only. */
#ifndef PICKET_RULE_CORRELATION_H
#define PICKET_RULE_CORRELATION_H

#include "base/clock.h"
#include "rule/rule.h"

/* Rules one correlation may refer to, and fields it may group by. */
#define CORRELATION_MEMBERS_MAX 1024
#define CORRELATION_KEYS_MAX    16

/* The largest number of events or values that a condition may ask for. */
#define CORRELATION_COUNT_MAX 10000

/* How long a chain of correlations may be. */
#define CORRELATION_DEPTH_MAX 8

/* The longest timespan, in ns: a hundred years of pySigma's. */
#define CORRELATION_TIMESPAN_MAX (100 * INT64_C(31556952) * NS_PER_S)

enum correlation_type {
    CORRELATION_EVENT_COUNT,
    CORRELATION_VALUE_COUNT, /* distinct values of a field */
    CORRELATION_VALUE_SUM,   /* these four: of a field that is a number */
    CORRELATION_VALUE_AVG,
    CORRELATION_VALUE_PERCENTILE,
    CORRELATION_VALUE_MEDIAN,
    CORRELATION_TEMPORAL, /* different rules hit */
    CORRELATION_TEMPORAL_ORDERED,
};

#define CORRELATION_TYPES 8

const char *correlation_type_name(enum correlation_type type); /* Sigma's */

/* Whether it asks which rules hit, in order or not; and whether for sums and the like of numbers.
 * What it neither asks for is counted. */
bool correlation_is_temporal(enum correlation_type type);
bool correlation_is_numeric(enum correlation_type type);

/* Where the value of a `group-by` or of a `field` is to be had when a member hits. */
struct correlation_source {
    /* The member is itself a correlation, that groups by this name: this key of its group is the
     * value. -1: REF of the event is (of a correlation, of the event that completed it). */
    int key;
    struct field_ref ref;
};

/* Whether it has many values: that of each ancestor. */
static inline bool correlation_source_spreads(const struct correlation_source *source)
{
    return source->key < 0 && source->ref.owner == OWNER_ANY_ANCESTOR;
}

/* A rule whose hits are looked at. */
struct correlation_member {
    const struct rule *rule;
    const struct correlation_source *keys;   /* of the group: correlation.key_count of them */
    const struct correlation_source *values; /* of `field`: correlation.value_count of them */
};

enum correlation_operator {
    CORRELATION_GT,
    CORRELATION_GTE,
    CORRELATION_LT,
    CORRELATION_LTE,
    CORRELATION_EQ,
    CORRELATION_NEQ,
};
#define CORRELATION_OPERATORS 6

/* All of a condition's bounds must hold. */
struct correlation_bound {
    enum correlation_operator op;
    double value;
};

/* Sigma's: "gt". */
const char *correlation_operator_name(enum correlation_operator op);

struct condition;

struct correlation {
    enum correlation_type type;
    int64_t timespan; /* ns; events as far apart as that are within it */
    bool generate;    /* the members' own alerts are raised as well */

    /* Each distinct combination of their values is a group of its own; that an event has no such
     * field is a value like any other. No keys: all events are of one group. Those that are fields
     * of any ancestor have their values of the same one: the event is in a group for each ancestor.
     */
    const struct text *keys; /* names, as `group-by` has them */
    size_t key_count;

    const struct correlation_member *members; /* distinct rules */
    size_t member_count;

    /* The members in the order in which `rules` has them, and TEMPORAL_ORDERED wants them to hit;
     * one may stand in it more than once. */
    const size_t *order;
    size_t order_count;

    /* The least number for which the condition holds: of events, of distinct values, of different
     * members (all when there is no condition). As each event adds at most one, a count from
     * nothing meets it first. 1 at least. Not of sums and the like. */
    size_t needed;
    const struct condition *condition; /* TEMPORAL: instead, over members; NULL: none */

    /* `field`: how many there are together; and of sums and the like, what their value must be. */
    size_t value_count;
    enum field_type value_type; /* NUMBER, DURATION or TIME: of what is summed, and of bounds */
    struct correlation_bound bounds[CORRELATION_OPERATORS];
    size_t bound_count;
    double percentile; /* 0 to 100 */
};

/* Whether the condition of a TEMPORAL correlation holds when just those members hit that SEEN, of
 * MEMBER_COUNT, says. */
bool correlation_holds(const struct correlation *correlation, const bool *seen);

/* For sums and the like: whether all bounds hold for VALUE. */
bool correlation_accepts(const struct correlation *correlation, double value);

#endif
