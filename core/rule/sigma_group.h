/* What Sigma correlations look at in the events of each rule: `group-by`, the `field` of a
 * condition, and the `aliases` that either may name. */
#ifndef PICKET_RULE_SIGMA_GROUP_H
#define PICKET_RULE_SIGMA_GROUP_H

#include "rule/sigma_correlation.h"

/* Keeps the names of CORRELATION's keys, which those that refer to it ask for. */
void sigma_group_read(struct sigma_correlation *correlation);

/* Finds where each member has them: MEMBERS are the made ones, and those of them that are
 * correlations have been through this. Mistakes are diagnosed. Returns why it is for other events
 * than ours, or NULL. */
const char *sigma_group_resolve(struct sigma_correlation *correlation,
                                struct correlation_member *members);

#endif
