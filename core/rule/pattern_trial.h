/* Whether the library of automata can be trusted. Hyperscan 5.4.0 (Debian 12, amd64) can;
 * Vectorscan 5.4.9 (Debian 12, other machines too), which has the same interface, misses matches:
 * of `(a|sh)` in most texts of more than 64 bytes, for one. A match that is missed is an alert that
 * is missed. */
#ifndef PICKET_RULE_PATTERN_TRIAL_H
#define PICKET_RULE_PATTERN_TRIAL_H

#include <stdbool.h>

/* Whether this CPU runs it and it finds what it is known to have missed. Takes a millisecond,
 * once. */
bool pattern_trial(void);

#endif
