/* The values by which a hit is put into a group, and what is counted of it. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_KEY_H
#define PICKET_ALERT_CORRELATION_KEY_H

#include "alert/correlation_match.h"
#include "base/sip_hash.h"

/* What the values of one event are read with: they live until the next one. Zero: nothing. */
struct correlation_reader {
    struct arena arena;
    struct buffer scratch;
};

/* For the next event. */
void correlation_reader_clear(struct correlation_reader *reader);
void correlation_reader_deinit(struct correlation_reader *reader);

/* The values of each group that a hit is in, of the nearest ancestor first: one at least. */
struct correlation_key {
    const struct correlation_value *groups[ANCESTOR_MAX];
    size_t group_count;
};

/* Where a hit comes from. */
struct correlation_origin {
    const struct event *event;
    const struct correlation_value *below; /* of a match: its group's; NULL: it is an event */
};

/* The values by which CORRELATION puts a hit of MEMBER into groups. Those of any ancestor are of
 * one ancestor in each group; who has none of them makes none, and who has what a nearer one has,
 * no other. 0 or -ENOMEM. */
int correlation_key_read(struct correlation_reader *reader, const struct correlation *correlation,
                         const struct correlation_member *member,
                         const struct correlation_origin *origin, struct correlation_key *out);

/* Adds COUNT values to HASH. A value that is missing is told from one that is empty. */
void correlation_key_hash(const struct correlation_value *values, size_t count,
                          struct sip_hash *hash);

/* Adds what is counted of a hit of MEMBER. 0; -ENODATA: the hit has none of those fields; -ENOMEM.
 */
int correlation_key_hash_counted(struct correlation_reader *reader,
                                 const struct correlation *correlation,
                                 const struct correlation_member *member,
                                 const struct correlation_origin *origin, struct sip_hash *hash);

/* The number that is summed: of a time or duration, of ns. False: a hit of MEMBER has none. */
bool correlation_key_number(const struct correlation_member *member,
                            const struct correlation_origin *origin, double *out);

#endif
