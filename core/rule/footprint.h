/* What an expression names, and what an expression that implies it must name: fields, parts of
 * texts, patterns. Compared in a moment, it spares most of the questions of rule/implication.h. */
#ifndef PICKET_RULE_FOOTPRINT_H
#define PICKET_RULE_FOOTPRINT_H

#include "rule/expression.h"

#define FOOTPRINT_WORDS 12

struct footprint {
    uint64_t words[FOOTPRINT_WORDS];
};

struct footprint footprint_named(const struct expression *expression);
struct footprint footprint_needed(const struct expression *expression);

/* Whether an expression that names NAMED may imply one that needs NEEDED: if not, it does not (or
 * only because it never holds). */
static inline bool footprint_covers(const struct footprint *named, const struct footprint *needed)
{
    for (size_t i = 0; i < FOOTPRINT_WORDS; i++)
        if (needed->words[i] & ~named->words[i])
            return false;
    return true;
}

#endif
