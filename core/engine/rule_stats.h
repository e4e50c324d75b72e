/* What each rule cost and how often it hit, of a replay that was measured. To standard error. */
#ifndef PICKET_ENGINE_RULE_STATS_H
#define PICKET_ENGINE_RULE_STATS_H

#include "rule/matcher.h"

/* The TOP dearest of RULES, correlations left out, which are not matched against events; and what
 * the search for the rules to be evaluated cost. MATCHER has measured (matcher_measure()); one that
 * ran out of memory prints nothing but that. */
void rule_stats_print(const struct ruleset *rules, const struct matcher *matcher, size_t top);

#endif
