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
};

/* Compiles the scalar NODE; marks the selections it uses. Every mistake is diagnosed at its place
 * and gives NULL, as does the use of a selection that has one. */
struct outline *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                  struct named_selections *names);

/* Whether that word means something in a condition and so cannot name a selection. */
bool condition_is_keyword(struct text word);

#endif
