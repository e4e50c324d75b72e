/* Predicates: what is asked of one field. Every rule is a boolean expression over them, whatever
 * its spelling; each distinct one exists once in a ruleset, at its index. */
#ifndef PICKET_RULE_PREDICATE_H
#define PICKET_RULE_PREDICATE_H

#include "base/arena.h"
#include "base/map.h"
#include "event/event.h"
#include "rule/network.h"
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
    PREDICATE_CIDR,    /* the value is an address in a network */
    /* Against the value that another field of the event has, as text; false when it has none. */
    PREDICATE_IS_FIELD,
    PREDICATE_STARTS_FIELD,
    PREDICATE_ENDS_FIELD,
    PREDICATE_CONTAINS_FIELD,
};

/* The four that compare with a plain text. */
static inline bool predicate_is_literal(enum predicate_operator op)
{
    return op >= PREDICATE_IS && op <= PREDICATE_CONTAINS;
}

static inline bool predicate_is_ordered(enum predicate_operator op)
{
    return op >= PREDICATE_LESS && op <= PREDICATE_GREATER_EQUAL;
}

static inline bool predicate_is_of_text(enum predicate_operator op)
{
    return op >= PREDICATE_IS;
}

static inline bool predicate_is_of_field(enum predicate_operator op)
{
    return op >= PREDICATE_IS_FIELD;
}

struct predicate {
    struct field_ref ref;
    enum predicate_operator op;
    unsigned flags;   /* of text operators: REGEX_NOCASE; of FINDS also MULTILINE and DOTALL */
    struct text text; /* of CIDR the network as written, of *_FIELD the field as written */
    int64_t number;
    struct field_ref other;        /* of *_FIELD: a field of one value; else without field */
    struct regex *regex;           /* of MATCHES and FINDS */
    const struct network *network; /* of CIDR */
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

/* The one predicate that says what WANTED does (its ref, op, flags, text, number, other), added
 * when it is new. -EINVAL: the regex or the network is none (*failure); -ENOMEM. */
int predicate_table_add(struct predicate_table *table, const struct predicate *wanted,
                        const struct predicate **out, struct regex_failure *failure);

/* Room for any two numbers or times as text. */
#define PREDICATE_TEXT_MAX 128

/* What evaluation needs besides: one thread's. */
struct predicate_scratch {
    struct regex_scratch *regex;
    struct buffer text;
    uint64_t limits; /* matches given up on */
};

/* Whether it is of that field, or compares with it. */
bool predicate_asks(const struct predicate *predicate, enum field_id id);

/* Whether it holds: for a list, for one of its texts; for any ancestor, for one of the
 * ANCESTOR_MAX nearest. False for a field that the event has not. Allocates nothing once the
 * scratch's buffer holds PREDICATE_TEXT_MAX bytes. */
bool predicate_holds(const struct predicate *predicate, const struct event *event,
                     struct predicate_scratch *scratch);

/* The same for one VALUE of its field: of whichever process, and (TYPE_TEXT) one text of a list or
 * one name of a set. EVENT has the other field of *_FIELD. */
bool predicate_accepts(const struct predicate *predicate, const struct event *event,
                       const struct value *value, struct predicate_scratch *scratch);

#endif
