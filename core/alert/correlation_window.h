/* The hits of a group that are within the timespan of each other and make its correlation hold. One
 * thread's. */
#ifndef PICKET_ALERT_CORRELATION_WINDOW_H
#define PICKET_ALERT_CORRELATION_WINDOW_H

#include "alert/correlation_group.h"

struct correlation_window {
    const struct correlation_link *links[CORRELATION_COUNT_MAX]; /* in the order of time */
    size_t count;
    double value; /* of sums and the like */
};

/* Whether the hits at MOMENT, which were put into GROUP last, complete one. The links are the
 * group's and live until it changes. Allocates nothing. */
bool correlation_window_find(struct correlation_window *window,
                             const struct correlation_group *group,
                             struct correlation_moment moment);

#endif
