/* Conditions over named selections: not, and, or, parentheses, `1 of x*`, `all of x*`, `them`.
 * `not` binds tightest, then `and`, then `or`. Selections whose names begin with `_` are in no
 * `them`, and in a pattern only when that begins with `_` too. */
#ifndef PICKET_RULE_CONDITION_H
#define PICKET_RULE_CONDITION_H

#include "rule/compiler.h"

struct named_selection {
    const struct yaml_node *key;
    struct outline *outline; /* NULL: it has a mistake */
    struct outline *negated; /* what stands under an odd number of `not`; NULL: the same */
    bool used;
};

struct named_selections {
    struct named_selection *items;
    size_t count;
    size_t values; /* of the selections in all conditions so far, each use counted */
    bool mistaken; /* the condition has a mistake: what it seems to leave out may be meant */
    bool cased;    /* words of conditions are in lower case, as Sigma has it */
    bool rules;    /* what is named are the rules of a correlation; they have no outlines */
};

enum condition_kind { CONDITION_NAME, CONDITION_NOT, CONDITION_ALL, CONDITION_ANY };

/* A condition as it was read, patterns opened. */
struct condition {
    enum condition_kind kind;
    bool negated;                  /* a NAME under an odd number of `not` */
    size_t name;                   /* of a NAME: which of the selections */
    const struct condition *first; /* of those in it: NOT has one, ALL and ANY have two at least */
    const struct condition *next;  /* beside it in what it is in */
};

/* Reads the scalar NODE; what it becomes lives in ARENA, and names no more selections than
 * OUTLINE_VALUES_MAX, each use counted. Marks the selections it uses. Every mistake is diagnosed at
 * its place and gives NULL. */
const struct condition *condition_parse(struct compiler *compiler, struct arena *arena,
                                        const struct yaml_node *node,
                                        struct named_selections *names);

/* Reads and compiles it. NULL also when it uses a selection that has a mistake. */
struct outline *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                  struct named_selections *names);

/* The next word of NODE, from *AT on, that names a selection or could; false at the end. What
 * stands behind `of` does not. */
bool condition_next_name(const struct yaml_node *node, size_t *at, struct text *out);

/* Whether it holds when just those selections do that HOLDS says. */
bool condition_holds(const struct condition *condition, const bool *holds);

/* Whether that word means something in a condition and so cannot name a selection. */
bool condition_is_keyword(struct text word);

#endif
