/* The values by which a hit is put into a group, and what is counted of it. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_KEY_H
#define PICKET_ALERT_CORRELATION_KEY_H

#include "alert/correlation_match.h"
#include "base/sip_hash.h"

/* Zero: nothing. The texts are the event's, those of the key below, or in ARENA. */
struct correlation_key {
    struct arena arena;
    struct buffer scratch;
    struct correlation_value values[CORRELATION_KEYS_MAX];
    /* Of the key that is of any ancestor, what the hit has for it, nearest first; one that may be
     * missing when there is no such key. */
    struct correlation_value spread[ANCESTOR_MAX];
    size_t spread_count;
};

void correlation_key_deinit(struct correlation_key *key);

/* Where a hit comes from. */
struct correlation_origin {
    const struct event *event;
    const struct correlation_key *below; /* of a match: its group's; NULL: it is an event */
};

/* The values by which CORRELATION puts a hit of MEMBER into groups. -ENOMEM. */
int correlation_key_read(struct correlation_key *key, const struct correlation *correlation,
                         const struct correlation_member *member,
                         const struct correlation_origin *origin);

/* Goes over to the group of the INDEX-th value of the ancestors, of spread_count. */
void correlation_key_spread(struct correlation_key *key, const struct correlation *correlation,
                            size_t index);

/* Adds them to HASH. A value that is missing is told from one that is empty. */
void correlation_key_hash(const struct correlation_key *key, size_t count, struct sip_hash *hash);

/* Adds what is counted of a hit of MEMBER. 0; -ENODATA: the hit has none of those fields; -ENOMEM.
 */
int correlation_key_hash_counted(struct correlation_key *key, const struct correlation *correlation,
                                 const struct correlation_member *member,
                                 const struct correlation_origin *origin, struct sip_hash *hash);

/* The number that is summed. 0; -ENODATA: the hit has none; -ENOMEM. */
int correlation_key_number(struct correlation_key *key, const struct correlation_member *member,
                           const struct correlation_origin *origin, double *out);

#endif
