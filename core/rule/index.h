/* Which rules an event might hit, without asking each of them: an index of the rules' witnesses
 * (rule/witness.h), with a column (rule/column.h) for each field that one is on, and no other.
 *
 * It yields candidates; what holds is for the evaluation of their expressions to say. Each rule
 * that holds is a candidate: those that have no witness always are. Immutable and shared; a
 * scratch is one thread's. */
#ifndef PICKET_RULE_INDEX_H
#define PICKET_RULE_INDEX_H

#include "event/event.h"
#include "rule/predicate.h"
#include "rule/rule.h"

struct index;
struct index_scratch;

/* The rules of one type of event, which the index borrows, with the ruleset's predicates. */
struct index_source {
    const struct rule *const *rules;
    size_t rule_count;
    size_t predicate_count, expression_count; /* of the whole ruleset */
    bool *unusable;                           /* by index of predicate; see index_find_unusable() */
};

/* How predicates of that operator are looked for ("hash", "automaton", "sorted", "presence"), or
 * NULL: not at all. */
const char *index_lookup_name(const struct predicate *predicate);

/* Which predicates cannot be looked for: *out, to be freed, by index. -ENOMEM. */
int index_find_unusable(const struct predicate *const *predicates, size_t count, bool **out);

/* Marks what turns out to be unusable besides. -ENOMEM. */
int index_new(const struct index_source *source, struct index **out);
void index_free(struct index *index);

/* How many rules have no witness. */
size_t index_always(const struct index *index);

/* The witness of the rule at POSITION of the source: false when it has none. Lives as the index. */
bool index_witness(const struct index *index, size_t position,
                   const struct predicate *const **predicates, size_t *count);

int index_scratch_new(const struct index *index, struct index_scratch **out); /* -ENOMEM */
void index_scratch_free(struct index_scratch *scratch);

/* Looks at EVENT; its candidates are then taken with index_next(). Allocates nothing. */
void index_look(struct index_scratch *scratch, const struct event *event);

/* Takes the first candidate, a position in the source; false when there is none left. */
bool index_next(struct index_scratch *scratch, size_t *position);

#endif
