/* The compiled form of one rule, for people: what it is found by and how that is looked up, and
 * what is then evaluated, in which order. */
#ifndef PICKET_RULE_PLAN_H
#define PICKET_RULE_PLAN_H

#include "rule/ruleset.h"

/* Puts the plan of RULE, which is one of RULESET's, as lines. */
void plan_put(struct buffer *out, const struct ruleset *ruleset, const struct rule *rule);

#endif
