/* Witnesses: for a rule's expression, predicates of which at least one holds whenever the
 * expression does. An index that looks for these alone passes over no rule that could hold.
 *
 * Derived by weakening only: a conjunction is witnessed by any one of its parts (the rarest is
 * taken), an alternative by the witnesses of all its parts together, a predicate by itself. That
 * something does not hold is witnessed by nothing, and such a rule has to be asked every time. */
#ifndef PICKET_RULE_WITNESS_H
#define PICKET_RULE_WITNESS_H

#include "rule/expression.h"

struct witness {
    bool exists; /* false: there is none */
    const struct predicate *const *predicates;
    size_t count; /* 0: the expression never holds */
};

struct witness_maker {
    const bool *unusable; /* by index: predicates that nobody can look for; borrowed */
    uint32_t *weights;    /* by index of expression, as it is and then negated */
    const struct predicate **found;
    size_t found_count, found_size;
    bool failed; /* out of memory */
};

/* For expressions with indexes below COUNT. -ENOMEM. */
int witness_maker_init(struct witness_maker *maker, size_t count, const bool *unusable);
void witness_maker_deinit(struct witness_maker *maker);

/* The witness of EXPRESSION, valid until the next one is derived. A predicate may be in it twice.
 * -ENOMEM. */
int witness_derive(struct witness_maker *maker, const struct expression *expression,
                   struct witness *out);

#endif
