/* A hit as a group has it: when it was, and its share in what is kept of the event. One thread's.
 */
#ifndef PICKET_ALERT_CORRELATION_LINK_H
#define PICKET_ALERT_CORRELATION_LINK_H

#include "alert/correlation_memory.h"
#include "alert/correlation_record.h"
#include "base/sip_hash.h"

/* When, and which of all events. Two hits may be at one moment: of one event that two members see,
 * or of two matches that end with it. */
struct correlation_moment {
    int64_t time;
    uint64_t sequence;
};

static inline bool correlation_moment_before(struct correlation_moment a,
                                             struct correlation_moment b)
{
    return a.time != b.time ? a.time < b.time : a.sequence < b.sequence;
}

/* One correlation's share in a record, for all of its groups: its memory is counted once. */
struct correlation_share {
    unsigned references;
    struct correlation_record *record; /* NULL: there was no memory for it */
};

/* NULL: out of memory. */
struct correlation_share *correlation_share_new(struct correlation_memory *memory,
                                                struct correlation_record *record);
void correlation_share_release(struct correlation_memory *memory, struct correlation_share *share);

/* A hit in a group. */
struct correlation_link {
    unsigned references;
    uint32_t member;
    struct correlation_moment moment;
    struct correlation_share *share; /* NULL: let go of */
    union {
        struct { /* of temporal_ordered: of the step before; NULL: none; of the first step as well
                  */
            struct correlation_link *before;
            int64_t start; /* of the chain; INT64_MIN: it has no beginning */
        };
        struct { /* of value_count */
            struct correlation_link *collision;
            struct sip_digest value;
        };
        double number; /* of sums and the like */
    };
};

/* Takes a share of its own in SHARE. Held once. NULL: out of memory. */
struct correlation_link *correlation_link_new(struct correlation_memory *memory, uint32_t member,
                                              struct correlation_moment moment,
                                              struct correlation_share *share);
struct correlation_link *correlation_link_hold(struct correlation_link *link);
void correlation_link_release(struct correlation_memory *memory, struct correlation_link *link);

/* The same of a link that has links before it: those that nobody else holds go, too. */
void correlation_link_release_chain(struct correlation_memory *memory,
                                    struct correlation_link *link);

/* Gives its share up: of the event there is but the time. */
void correlation_link_forget(struct correlation_memory *memory, struct correlation_link *link);

#endif
