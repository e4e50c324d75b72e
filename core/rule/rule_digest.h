/* What tells a rule from what it was in another load of the rules. */
#ifndef PICKET_RULE_RULE_DIGEST_H
#define PICKET_RULE_RULE_DIGEST_H

#include "rule/ruleset.h"

struct rule_digest {
    /* Of when it hits: whether it is enabled, what it matches; of a correlation also what it
     * counts, and when the rules hit that it refers to. The order of equals (alternatives, items of
     * a list) is no part of it. */
    uint64_t hits;
    uint64_t meaning; /* of that and of when it alerts: whether it is silent, what it folds, how */
    uint64_t whole;   /* of that, and of all that its alerts say and where they go */
};

/* OUT has room for one a rule, by its index. 0 or -ENOMEM. */
int rule_digest_all(const struct ruleset *ruleset, struct rule_digest *out);

#endif
