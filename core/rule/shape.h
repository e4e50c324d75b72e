/* What a pattern looks like from afar: enough to tell how often it will be met and what it would
 * cost to compile into an automaton. Estimates, which nothing but speed depends on. */
#ifndef PICKET_RULE_SHAPE_H
#define PICKET_RULE_SHAPE_H

#include "base/text.h"

struct shape {
    uint64_t positions; /* its single-byte items when counted repeats are written out */
    size_t literal;     /* the longest run of plain bytes that each match has */
};

#define SHAPE_POSITIONS_MAX UINT32_MAX /* no more is ever told */

struct shape shape_of_regex(struct text pattern);
struct shape shape_of_glob(struct text glob);

#endif
