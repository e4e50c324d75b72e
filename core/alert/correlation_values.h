/* The different values that a group of a value_count has, each with the latest hit that had it.
 * Values are told apart by digests under a secret key. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_VALUES_H
#define PICKET_ALERT_CORRELATION_VALUES_H

#include "alert/correlation_link.h"

/* Zero: none. */
struct correlation_values {
    struct correlation_link **buckets;
    size_t count, size; /* of values; of buckets, a power of two */
};

void correlation_values_deinit(struct correlation_values *values,
                               struct correlation_memory *memory);

/* NULL: none. */
struct correlation_link *correlation_values_find(const struct correlation_values *values,
                                                 struct sip_digest value);

/* The link is borrowed. 0; -EEXIST: its value is among them; -ENOMEM. */
int correlation_values_add(struct correlation_values *values, struct correlation_memory *memory,
                           struct correlation_link *link);

/* LINK itself is among them. */
void correlation_values_remove(struct correlation_values *values,
                               const struct correlation_link *link);

#endif
