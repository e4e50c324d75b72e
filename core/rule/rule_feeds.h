/* What becomes of a rule that correlations refer to: whether it alerts by itself, whether it is
 * evaluated at all, and which correlations count its hits. */
#ifndef PICKET_RULE_RULE_FEEDS_H
#define PICKET_RULE_RULE_FEEDS_H

#include "rule/compiler.h"

/* Before the rules are handed over: which are enabled and which are silent. */
void rule_feeds_settle(struct compiler *compiler);

/* When they have been: sets what each feeds. */
void rule_feeds_connect(struct compiler *compiler);

#endif
