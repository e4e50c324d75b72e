/* What a regex can cost, found out by trying: how many steps it takes on texts made to be hard for
 * it. Nothing is timed, so that the same regex has the same cost everywhere. */
#ifndef PICKET_RULE_REGEX_COST_H
#define PICKET_RULE_REGEX_COST_H

#include "rule/regex.h"

/* The length of each text tried. Bytes */
#define REGEX_PROBE_LENGTH 256

/* No more than CEILING is asked for. */
#define REGEX_COST_MAX (1U << 20)

/* The steps that REGEX, made of PATTERN, takes on the hardest of the texts, rounded up to a power
 * of two: at most CEILING, which also stands for more and at which no more texts are tried. What
 * was tried is taken off *BUDGET, in steps; when none is left the cost is what is known by then. */
uint32_t regex_cost(const struct regex *regex, struct text pattern, uint32_t ceiling,
                    uint64_t *budget);

#endif
