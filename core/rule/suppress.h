/* Reads `suppress: {by: [exe, user], for: 1m}` of a rule. */
#ifndef PICKET_RULE_SUPPRESS_H
#define PICKET_RULE_SUPPRESS_H

#include "base/clock.h"
#include "rule/compiler.h"

/* The least and the most a window may last. ns */
#define SUPPRESS_FOR_MIN NS_PER_S
#define SUPPRESS_FOR_MAX (30LL * 86400 * NS_PER_S)

/* Mistakes are diagnosed and leave *OUT without a window. SCOPE says whose it is: "rule 'x'". */
void suppress_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                   struct rule_suppress *out);

#endif
