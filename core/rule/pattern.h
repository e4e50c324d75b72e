/* Predicates on texts as patterns of Hyperscan, which looks for all of them in one pass; or of
 * Vectorscan, which has the same interface, where that is to be trusted (rule/pattern_trial.h).
 *
 * Texts are given to it with NULs behind them, and a pattern that has to match to the end asks for
 * one: with an anchor there, a set takes ten times as long to compile. What else a regex says of
 * the end is left out: `a$` is looked for as `a`. */
#ifndef PICKET_RULE_PATTERN_H
#define PICKET_RULE_PATTERN_H

#include "base/buffer.h"
#include "rule/predicate.h"

/* An automaton grows with what counted repeats are when written out, and the time to make it
 * faster. A larger regex is left to PCRE2. */
#define PATTERN_POSITIONS_MAX 1000

struct pattern {
    unsigned flags;     /* of hs_compile_multi() */
    size_t literal;     /* length of the longest text that all it matches has in it */
    uint64_t positions; /* of a regex; of other texts 0 */
};

/* Whether the predicate's operator is one that is looked for in this way. */
bool pattern_is_for(const struct predicate *predicate);

/* Puts the expression, with a NUL, that finds all that the predicate holds for; more unless
 * ANCHORED at its beginning, or of a regex that PCRE2 alone understands whole. False: it cannot be
 * said, or memory is out. */
bool pattern_put(const struct predicate *predicate, bool anchored, struct buffer *expression,
                 struct pattern *out);

/* Whether it can be looked for. */
bool pattern_check(const struct predicate *predicate, struct pattern *out);

#endif
