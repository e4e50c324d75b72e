/* A column: one field, of one owner, and all predicates on it that are looked for. Given an event
 * it tells which of them may hold, in time that hardly depends on how many there are: equality by
 * hashing, patterns by one automaton, comparisons in sorted tables.
 *
 * It errs to one side only: each predicate that holds is told, some that do not may be. Immutable
 * and shared; a scratch is one thread's. */
#ifndef PICKET_RULE_COLUMN_H
#define PICKET_RULE_COLUMN_H

#include "rule/pattern_set.h"

struct column;

/* Room for any number or time as text. */
#define COLUMN_TEXT_MAX 64

/* What all columns of a thread share. The hits need room for the largest column. */
struct column_scratch {
    struct pattern_scratch patterns;
    struct buffer text;
    struct pattern_hits hits;
};

/* What is told of each value: the ids of predicates, valid during the call. */
struct column_sink {
    void (*tell)(void *context, const uint32_t *ids, size_t count);
    void *context;
};

/* All ITEMS are on the field of the first. -EINVAL: as pattern_set_new(); -ENOMEM. */
int column_new(const struct pattern_item *items, size_t count, struct column **out,
               size_t *culprit);
void column_free(struct column *column);

/* Makes SCRATCH fit. -ENOMEM. */
int column_prepare(const struct column *column, struct column_scratch *scratch);
void column_scratch_deinit(struct column_scratch *scratch);

/* Whether a cache of its values is of use. */
bool column_is_cacheable(const struct column *column);

struct value_cache;

/* Tells SINK what may hold for EVENT, value by value. CACHE may be NULL. Allocates nothing. */
void column_look(const struct column *column, const struct event *event,
                 struct column_scratch *scratch, struct value_cache *cache,
                 const struct column_sink *sink);

#endif
