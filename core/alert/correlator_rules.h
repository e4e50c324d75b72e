/* What a correlator keeps by rule, for one load of the rules. */
#ifndef PICKET_ALERT_CORRELATOR_RULES_H
#define PICKET_ALERT_CORRELATOR_RULES_H

#include "alert/correlation_group.h"
#include "alert/limit.h"

struct correlator_rules {
    const struct ruleset *ruleset;
    struct correlation_state **states; /* by index of the rule; NULL: it is no correlation */
    struct rule_feed *feeds;           /* of all rules; in a trial alone */
    size_t feed_count;
    struct limit_ledger *evicted;
    size_t correlations;
};

/* For the correlations of RULESET that are enabled. RULESET outlives it. 0 or -ENOMEM. */
int correlator_rules_new(const struct ruleset *ruleset, struct correlator_rules **out);

/* For CORRELATION and those of its chain, enabled or not. */
int correlator_rules_new_for(const struct ruleset *ruleset, const struct rule *correlation,
                             struct correlator_rules **out);

/* They have no groups. NULL is fine. */
void correlator_rules_free(struct correlator_rules *rules);
DEFINE_FREEP(struct correlator_rules, correlator_rules)

#endif
