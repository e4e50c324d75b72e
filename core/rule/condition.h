/* Conditions over named selections: not, and, or, parentheses, `1 of x*`, `all of x*`, `them`.
 * `not` binds tightest, then `and`, then `or`. */
#ifndef PICKET_RULE_CONDITION_H
#define PICKET_RULE_CONDITION_H

#include "rule/compiler.h"

struct named_selection {
    const struct yaml_node *key;
    struct outline *outline; /* NULL: it has a mistake */
    bool used;
};

struct named_selections {
    struct named_selection *items;
    size_t count;
    bool mistaken; /* the condition has a mistake: what it seems to leave out may be meant */
};

/* Compiles the scalar NODE; marks the selections it uses. Every mistake is diagnosed at its place
 * and gives NULL, as does the use of a selection that has one. */
struct outline *condition_compile(struct compiler *compiler, const struct yaml_node *node,
                                  struct named_selections *names);

/* Whether that word means something in a condition and so cannot name a selection. */
bool condition_is_keyword(struct text word);

#endif
