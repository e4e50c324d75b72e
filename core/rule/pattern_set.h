/* Many patterns as one automaton of Hyperscan: a text is read once, however many they are.
 * Immutable and shared; a scratch is one thread's. */
#ifndef PICKET_RULE_PATTERN_SET_H
#define PICKET_RULE_PATTERN_SET_H

#include <hs.h>

#include "rule/pattern.h"

struct pattern_set;

/* A predicate, and the number it is told by. */
struct pattern_item {
    const struct predicate *predicate;
    uint32_t id;
};

/* COUNT is not 0. -EINVAL: *culprit is the index of an item that cannot be had, or COUNT when no
 * single one is to blame; -ENOMEM. */
int pattern_set_new(const struct pattern_item *items, size_t count, struct pattern_set **out,
                    size_t *culprit);
void pattern_set_free(struct pattern_set *set);

/* No longer text is looked at: whoever asks has to assume that anything may be in it. What replay
 * refuses and no kernel hands on is longer. Bytes */
#define PATTERN_TEXT_MAX (16U << 20)

/* What looking needs besides: one thread's, for any number of sets. */
struct pattern_scratch {
    hs_scratch_t *automaton;
    char *text; /* the text with its NULs; memory is used as far as texts need it */
};

/* Makes SCRATCH, zeros at first, fit for this set too. -ENOMEM. */
int pattern_set_prepare(const struct pattern_set *set, struct pattern_scratch *scratch);
void pattern_scratch_deinit(struct pattern_scratch *scratch);

/* Room for the ids of what was found, each once. */
struct pattern_hits {
    uint32_t *ids;
    size_t count, size;
};

/* Adds what may hold for TEXT. False when that could not be told. Allocates nothing. */
bool pattern_set_find(const struct pattern_set *set, struct pattern_scratch *scratch,
                      struct text text, struct pattern_hits *hits);

#endif
