/* Hits in the order of their moments: those of a group, or of one member or step of it. What comes
 * late is put where it belongs; at equal times it is the event that came first that is before. Of
 * one moment the hit that was put last stands first. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_LANE_H
#define PICKET_ALERT_CORRELATION_LANE_H

#include "alert/correlation_link.h"

struct correlation_lane {
    uint32_t index; /* of the member or step */
    uint32_t first, count, size;
    struct correlation_link **links;
};

static inline struct correlation_link *correlation_lane_at(const struct correlation_lane *lane,
                                                           size_t index)
{
    return lane->links[lane->first + index];
}

/* How many are before MOMENT. */
size_t correlation_lane_before(const struct correlation_lane *lane,
                               struct correlation_moment moment);

/* Where LINK stands, which is one of them. */
size_t correlation_lane_find(const struct correlation_lane *lane,
                             const struct correlation_link *link);

/* Takes LINK over; *INDEX is where it stands then. 0 or -ENOMEM. */
int correlation_lane_put(struct correlation_lane *lane, struct correlation_memory *memory,
                         struct correlation_link *link, size_t *index);

/* Takes the link out, which is the caller's. */
struct correlation_link *correlation_lane_take(struct correlation_lane *lane, size_t index);

#endif
