/* The hits of one correlation that have the same values of its `group-by` fields, and what of them
 * can still matter. One thread's.
 *
 * Kept are: of event_count, all within the timespan (fewer than its condition needs, or it would
 * have fired); of value_count, the latest with each value; of sums and the like, the latest
 * CORRELATION_COUNT_MAX; of temporal and temporal_ordered the latest hit of each member or step,
 * and those of the last CORRELATION_DISORDER, at most CORRELATION_LANE_MAX. A hit of
 * temporal_ordered knows the best chain that leads to it: a flood of one step cannot push out what
 * another one is waiting for. */
#ifndef PICKET_ALERT_CORRELATION_GROUP_H
#define PICKET_ALERT_CORRELATION_GROUP_H

#include <sys/queue.h>

#include "alert/correlation_lane.h"
#include "alert/correlation_match.h"
#include "alert/correlation_numbers.h"
#include "alert/correlation_values.h"
#include "base/clock.h"

/* How late an event may come and still be counted exactly as if it had come in time (ns). Beyond
 * it, too, it is put where it belongs, but among what is still there. Of value_count, whose values
 * have their latest hits alone, that is so of every late event: what it would have completed with
 * an earlier one is not found. */
#define CORRELATION_DISORDER NS_PER_S

/* Hits of one member or step that are kept. Of counts and sums, which may have thousands, so many
 * of the first and of the last hits keep their events as an alert shows. */
#define CORRELATION_LANE_MAX 64

/* Whether it goes on over a reload. */
enum correlation_fate { CORRELATION_UNDECIDED, CORRELATION_GOES_ON, CORRELATION_ENDS };

struct correlation_arrival;
struct correlation_visit;

/* What is kept for one correlation. */
struct correlation_state {
    const struct rule *rule; /* the correlation's; after a reload another one */
    uint64_t id;             /* no other has had it */
    struct correlation_memory memory;
    TAILQ_HEAD(, correlation_group) groups; /* the least recently touched first */
    struct correlation_group *kept;         /* those before it have no events any more */
    enum correlation_fate fate;             /* during a reload alone */
    /* During an event alone: what came to it, in the order of coming, and who is judged next. */
    STAILQ_HEAD(, correlation_arrival) arrivals;
    STAILQ_ENTRY(correlation_state) due;
    unsigned depth; /* 0: its members are about single events; else one more than theirs */
};

struct correlation_group {
    struct correlation_group *collision; /* in its bucket */
    struct sip_digest digest;            /* of the correlation and the group's values */
    struct correlation_state *state;
    TAILQ_ENTRY(correlation_group) same_state, all;
    int64_t touched;                  /* time of the hit that came last */
    struct correlation_moment newest; /* of all hits */
    int64_t hidden;                   /* what came before may have been let go of for a bound */
    struct correlation_visit *visit;  /* the last one, while its correlation is judged */
    struct correlation_lane *lanes;   /* by index; of counts and sums a single one */
    uint32_t lane_count, lane_size;
    struct correlation_values values;
    struct correlation_numbers numbers;
    struct correlation_value key[]; /* as shown: cut */
};

/* A hit on its way into a group. */
struct correlation_hit {
    uint32_t member;
    struct correlation_moment moment;
    struct correlation_share *share;
    struct sip_digest value; /* of value_count */
    double number;           /* of sums and the like */
};

/* What became of it. */
struct correlation_place {
    bool starved;       /* there was no memory for it */
    unsigned forgotten; /* hits that it may have needed, which went for a bound */
};

/* A group of STATE without a hit. KEY is as many values as the correlation has keys: copied. It is
 * in no list. NULL: out of memory. */
struct correlation_group *correlation_group_new(struct correlation_state *state,
                                                struct sip_digest digest,
                                                const struct correlation_value *key);
void correlation_group_free(struct correlation_group *group);

/* Lets go of what is too far from the hit to matter, and puts it where it belongs. True: it may
 * complete a window. */
bool correlation_group_put(struct correlation_group *group, const struct correlation_hit *hit,
                           struct correlation_place *place);

/* Lets go of what is kept of its events: that they were stays. Returns how many. */
size_t correlation_group_forget(struct correlation_group *group);

/* The lane of that index, or NULL. */
const struct correlation_lane *correlation_group_lane(const struct correlation_group *group,
                                                      uint32_t index);

/* Whether nothing in it is within the timespan of NOW, nor can an event that comes late be. */
bool correlation_group_is_idle(const struct correlation_group *group, int64_t now);

#endif
