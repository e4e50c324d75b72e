/* Modifiers, as in `cmdline|contains|all`: what the key of a selection says of how its values are
 * compared. Our own language and Sigma share most of them. */
#ifndef PICKET_RULE_MODIFIER_H
#define PICKET_RULE_MODIFIER_H

#include "rule/encoding.h"
#include "rule/predicate.h"

enum modifier_dialect { MODIFIER_NATIVE = 1 << 0, MODIFIER_SIGMA = 1 << 1 };

enum modifier_kind {
    MODIFIER_OPERATOR,
    MODIFIER_FLAG, /* behind `re` */
    MODIFIER_CASE,
    MODIFIER_ALL,
    MODIFIER_NEQ,
    MODIFIER_EXPAND,
    MODIFIER_FIELDREF,
    MODIFIER_ENCODING,
    MODIFIER_TIME,
};

struct modifier {
    const char *name;
    enum modifier_kind kind;
    unsigned value;    /* enum predicate_operator, regex_flag or encoding */
    unsigned types;    /* NATIVE: has the bit 1 << enum field_type of each that it can be used on */
    unsigned dialects; /* that have it */
};

/* What the modifiers of a key say together. */
struct comparison {
    enum predicate_operator op; /* what it is without a modifier is for the caller to set */
    const char *said;           /* the modifier that gave it; NULL: none */
    unsigned flags;             /* REGEX_NOCASE, REGEX_MULTILINE, REGEX_DOTALL */
    const char *cased;          /* "cased" or "nocase"; NULL: none */
    bool all;                   /* each of the values must hold */
    bool neq;                   /* none of them may */
    bool expand;                /* `%name%` in values stands for the values of a list */
    bool fieldref;              /* values are names of fields */
    bool timed;                 /* of the hour, the day and the like */
    enum encoding encodings[ENCODINGS_MAX]; /* of values, in this order */
    size_t encoding_count;
};

/* The modifier at INDEX of those that DIALECT has; NULL behind the last one. */
const struct modifier *modifier_at(enum modifier_dialect dialect, size_t index);

/* The one of that name, and the name nearest to NAME; NULL: none. */
const struct modifier *modifier_find(enum modifier_dialect dialect, struct text name);
const char *modifier_nearest(enum modifier_dialect dialect, struct text name);

/* Adds what MODIFIER says to what those before it say. NULL, or why it cannot stand there. */
const char *modifier_apply(const struct modifier *modifier, struct comparison *comparison);

/* What a modifier makes of the values of its key. */
enum modifier_values {
    MODIFIER_VALUES_SAME,    /* nothing else than they were */
    MODIFIER_VALUES_BOOLEAN, /* true or false */
    MODIFIER_VALUES_ORDERED, /* a number, size, time or duration */
    MODIFIER_VALUES_TEXT,    /* any text */
    MODIFIER_VALUES_FIELD,   /* the name of a field */
};
enum modifier_values modifier_values(const struct modifier *modifier);

#endif
