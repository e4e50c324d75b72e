/* So many of something within any stretch of time, however it is cut. One thread. */
#ifndef PICKET_BROKER_RATE_LIMIT_H
#define PICKET_BROKER_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate_limit {
    int64_t *times; /* of the last so many, the oldest at `next`; 0: there were fewer yet */
    size_t limit, next;
    int64_t window; /* ns */
};

/* At most LIMIT, which may be 0, within WINDOW. -ENOMEM. */
int rate_limit_init(struct rate_limit *rate, size_t limit, int64_t window);
void rate_limit_deinit(struct rate_limit *rate);

/* Whether another is within the limit at NOW, on one monotonic clock. */
bool rate_limit_allows(const struct rate_limit *rate, int64_t now);

/* Counts one that is. */
void rate_limit_count(struct rate_limit *rate, int64_t now);

#endif
