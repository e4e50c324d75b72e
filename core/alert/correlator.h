/* Counts what single rules hit, and says which correlations hold (rule/correlation.h): rules about
 * more than one event.
 *
 * Time is event time, so that a replay gives what the live engine gave. A window slides: each hit
 * is looked at with all that are within the timespan of it. What comes late is put where it
 * belongs. After a group has matched it begins anew: no event is part of two matches of one group.
 *
 * An event is judged when all that it hits is known. One that is in several groups, by the values
 * of its ancestors, makes one match at most: that of its nearest ancestor's; the others of those
 * groups that it completed begin anew, too. Process 1 is everybody's ancestor and makes no group;
 * who has no other is in that of its own values.
 *
 * Memory is bounded: over a cap, the groups that were least recently touched go, and are counted.
 * One thread's. */
#ifndef PICKET_ALERT_CORRELATOR_H
#define PICKET_ALERT_CORRELATOR_H

#include "alert/correlation_match.h"
#include "alert/correlator_rules.h"

/* Memory for the groups of one correlation, and of all, in bytes; at most half of it for what they
 * keep of events to be shown: that goes first, beginning with the groups that were least recently
 * touched. */
#define CORRELATOR_RULE_BYTES_MAX ((size_t)16 << 20)
#define CORRELATOR_BYTES_MAX      ((size_t)64 << 20)

/* Event times are in ns since 1970; what is farther from then (146 years) counts as being there. */
#define CORRELATOR_TIME_MAX (INT64_MAX / 2)

struct correlator;

/* For the correlations of RULES that are enabled. RULES outlive it. 0, -ENOMEM or -errno. */
int correlator_new(const struct ruleset *rules, struct correlator **out);

/* For CORRELATION alone, and those of its chain, enabled or not: for a trial of it. */
int correlator_new_for(const struct ruleset *rules, const struct rule *correlation,
                       struct correlator **out);
void correlator_free(struct correlator *correlator);
DEFINE_FREEP(struct correlator, correlator)

/* Forgets all groups. */
void correlator_clear(struct correlator *correlator);

/* EVENT is the next one, of TIME: its hits follow. EVENT is borrowed until then. */
void correlator_begin(struct correlator *correlator, const struct event *event, int64_t time);

/* A correlation holds. Borrowed for the call. */
typedef void correlator_fn(void *context, const struct correlation_match *match);

/* RULE, which is about single events, hits the event. Cheap for a rule that no correlation looks
 * at. Out of memory costs the hit, or the events that the alert would have shown: both are counted.
 */
void correlator_feed(struct correlator *correlator, const struct rule *rule);

/* The event has hit what it hits. FN is called for each correlation that it completes, and then for
 * those that these complete; an alert is due where their rule is not silent. Before the next event
 * begins. Cheap when no correlation looks at any of it. */
void correlator_judge(struct correlator *correlator, correlator_fn *fn, void *context);

/* Lets go of groups that no event of TIME or later has to do with, when it is a while since that
 * was last done: memory goes back though there are no more hits. TIME is that of an event: those
 * that wait behind it are later. Cheap otherwise. */
void correlator_expire(struct correlator *correlator, int64_t time);

/* The next sum of groups that were evicted, by rule, when one is due (alert/limit.h). */
bool correlator_take_evicted(struct correlator *correlator, int64_t now, struct limit_sum *out);

/* Goes over to another load of the rules, that of RULES, which becomes the correlator's; the caller
 * gets the one before, without groups. BECAME says, by the index of each rule of that, which new
 * rule hits when it did (rule_digest.hits). Groups go on where the correlation and all its members
 * do, each in its place; the others are forgotten. What was evicted is to be taken before.
 * Allocates nothing. */
struct correlator_rules *correlator_carry(struct correlator *correlator,
                                          struct correlator_rules *rules,
                                          const struct rule *const *became);

struct correlator_counters {
    uint64_t correlations; /* that are looked after */
    uint64_t hits;         /* of members */
    uint64_t matches;
    uint64_t groups;    /* now */
    uint64_t bytes;     /* they take, and what they keep */
    uint64_t forgotten; /* events, of which there is but the time */
    uint64_t evicted;   /* groups */
    uint64_t dropped;   /* hits that may have been needed */
    uint64_t starved;   /* hits or events not kept for lack of memory */
};

struct correlator_counters correlator_counters(const struct correlator *correlator);

#endif
