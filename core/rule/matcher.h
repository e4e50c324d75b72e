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

/* The same by evaluating every rule, without the index: what the result is defined by. */
size_t matcher_match_plainly(struct matcher *matcher, const struct event *event,
                             const struct rule *const **hits);

/* No more rules are named for one event. */
#define MATCHER_LIMITED_MAX 16

/* Rules in whose evaluation for the last event matched a regex was given up on, each once. Returns
 * how many; *RULES points to them until the next match. */
size_t matcher_limited(const struct matcher *matcher, const struct rule *const **rules);

/* Whether RULE, enabled or not and without what overrides changed, holds for EVENT. */
bool matcher_holds_as_written(struct matcher *matcher, const struct event *event,
                              const struct rule *rule);

struct expression;
struct predicate;

/* Makes a matcher ready for questions about another event than that of the last match. */
void matcher_begin(struct matcher *matcher);

/* Whether EXPRESSION holds for EVENT, that of the last match or the first one asked about since
 * matcher_begin(). What was found out then is not found out again. */
bool matcher_holds(struct matcher *matcher, const struct event *event,
                   const struct expression *expression);

/* Whether PREDICATE holds for VALUE (see predicate_accepts()). */
bool matcher_accepts(struct matcher *matcher, const struct event *event,
                     const struct predicate *predicate, const struct value *value);

/* What a rule has cost. What rules share counts for the first that asked. */
struct matcher_cost {
    uint64_t evaluated; /* times */
    uint64_t hits;
    uint64_t time; /* ns */
};

/* From now on matches are timed. 0 or -ENOMEM. */
int matcher_measure(struct matcher *matcher);

/* By index of rule, valid as long as the matcher; NULL when nothing is measured. */
const struct matcher_cost *matcher_costs(const struct matcher *matcher);

struct matcher_counters {
    uint64_t events;
    uint64_t candidates; /* rules that were evaluated */
    uint64_t time;       /* ns of all matches, when measured */
    uint64_t hits;
    /* How often a regex was given up on because a value made it too expensive (its match limit or
     * its stack was reached). Its predicate counted as false. */
    uint64_t limits;
};

struct matcher_counters matcher_counters(const struct matcher *matcher);

#endif
