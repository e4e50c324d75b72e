/* Whether one expression holds whenever another does, as far as their form shows it. */
#ifndef PICKET_RULE_IMPLICATION_H
#define PICKET_RULE_IMPLICATION_H

#include "rule/expression.h"

/* What is kept while one asks, any number of times. */
struct implication {
    struct predicate_scratch scratch;
    size_t steps; /* left of the present question */
};

int implication_init(struct implication *implication); /* 0 or -ENOMEM */
void implication_deinit(struct implication *implication);

/* Whether every event that makes A hold makes B hold. True only when that is certain; false may
 * mean that it is not seen, or (very large expressions) not looked into any further. */
bool implication_holds(struct implication *implication, const struct expression *a,
                       const struct expression *b);

/* Whether no event makes both hold; as certain as that. */
bool implication_excludes(struct implication *implication, const struct expression *a,
                          const struct expression *b);

/* Whether a predicate holds for certain texts only, which it names: `is`, and a regex that is but
 * texts with '|' between them. */
bool implication_names_values(const struct predicate *predicate);

#endif
