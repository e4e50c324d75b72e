/* Tells which rules an event hits. A matcher is one thread's; any number of them share a ruleset,
 * which must outlive them. */
#ifndef PICKET_RULE_MATCHER_H
#define PICKET_RULE_MATCHER_H

#include "base/cleanup.h"
#include "rule/ruleset.h"

struct matcher;

/* 0 or -ENOMEM. */
int matcher_new(const struct ruleset *ruleset, struct matcher **out);
void matcher_free(struct matcher *matcher);
DEFINE_FREEP(struct matcher, matcher)

/* The enabled rules that hold for EVENT, in the order they were loaded. Returns how many; *HITS
 * points to them until the next call. Allocates nothing. */
size_t matcher_match(struct matcher *matcher, const struct event *event,
                     const struct rule *const **hits);

/* Whether RULE, enabled or not and without what overrides changed, holds for EVENT. */
bool matcher_holds_as_written(struct matcher *matcher, const struct event *event,
                              const struct rule *rule);

struct matcher_counters {
    uint64_t events;
    uint64_t hits;
    /* How often a regex was given up on because a value made it too expensive (its match limit or
     * its stack was reached). Its predicate counted as false. */
    uint64_t limits;
};

struct matcher_counters matcher_counters(const struct matcher *matcher);

#endif
