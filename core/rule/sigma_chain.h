/* Sigma correlations and the rules they refer to, when all have been read: which rules those are,
 * and chains of correlations. */
#ifndef PICKET_RULE_SIGMA_CHAIN_H
#define PICKET_RULE_SIGMA_CHAIN_H

#include "rule/compiler.h"

/* After filters and overrides: completes all correlations, or leaves them out; silences the rules
 * that they refer to. Mistakes are diagnosed. */
void sigma_chain_resolve(struct compiler *compiler);

#endif
