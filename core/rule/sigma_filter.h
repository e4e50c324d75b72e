/* Sigma's filters: one condition that several rules must meet besides their own
 * (specification/sigma-filters-specification.md, and pySigma where that is silent). As it is
 * written it is joined to each of them by `and`: `not selection` excludes, `selection` restricts.
 *
 * In the second life of a load, when all rules are there. */
#ifndef PICKET_RULE_SIGMA_FILTER_H
#define PICKET_RULE_SIGMA_FILTER_H

#include "rule/compiler.h"

/* Applies the filter that ROOT is to the rules that it names, of Sigma and native ones; or says why
 * not. Its logsource is a map. */
void sigma_filter_apply(struct compiler *compiler, const struct yaml_node *root);

#endif
