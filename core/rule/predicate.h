/* Predicates: what is asked of one field. Every rule is a boolean expression over them, whatever
 * its spelling; each distinct one exists once in a ruleset, at its index. */
#ifndef PICKET_RULE_PREDICATE_H
#define PICKET_RULE_PREDICATE_H

#include "base/arena.h"
#include "base/map.h"
#include "event/event.h"
#include "rule/regex.h"

enum predicate_operator {
    PREDICATE_EXISTS,
    /* Against the number: of numbers, times and durations; booleans only EQUAL, to 0 or 1. */
    PREDICATE_EQUAL,
    PREDICATE_LESS,
    PREDICATE_LESS_EQUAL,
    PREDICATE_GREATER,
    PREDICATE_GREATER_EQUAL,
    /* Against the text: of texts, and of numbers and times as value_put() writes them. */
    PREDICATE_IS,
    PREDICATE_STARTS,
    PREDICATE_ENDS,
    PREDICATE_CONTAINS,
    PREDICATE_GLOB,
    PREDICATE_MATCHES, /* a regex matches the whole value */
    PREDICATE_FINDS,   /* a regex matches somewhere in the value */
};

static inline bool predicate_is_of_text(enum predicate_operator op)
{
    return op >= PREDICATE_IS;
}

struct predicate {
    struct field_ref ref;
    enum predicate_operator op;
    unsigned flags; /* of text operators: REGEX_NOCASE; of FINDS also MULTILINE and DOTALL */
    struct text text;
    int64_t number;
    struct regex *regex; /* of MATCHES, FINDS and a CONTAINS without case */
    size_t index;
};

/* All predicates of a ruleset, while it is being made. */
struct predicate_table {
    struct arena *arena;
    struct map seen;
    struct predicate **items;
    size_t count, size;
};

/* Releases the table and the regexes of its predicates. */
void predicate_table_deinit(struct predicate_table *table);

/* The one predicate that says what WANTED does (its ref, op, flags, text, number), added when it is
 * new. -EINVAL: the regex is none (*failure); -ENOMEM. */
int predicate_table_add(struct predicate_table *table, const struct predicate *wanted,
                        const struct predicate **out, struct regex_failure *failure);

/* What evaluation needs besides: one thread's. */
struct predicate_scratch {
    struct regex_scratch *regex;
    struct buffer text;
    uint64_t limits; /* matches given up on */
};

/* Whether it holds: for a list, for one of its texts; for any ancestor, for one of the
 * ANCESTOR_MAX nearest. False for
 * a field that the event has not. Allocates nothing once the scratch's buffer holds 64 bytes. */
bool predicate_holds(const struct predicate *predicate, const struct event *event,
                     struct predicate_scratch *scratch);

#endif
