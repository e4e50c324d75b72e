#include "alert/correlation_lane.h"

#include <errno.h>
#include <string.h>

#define LEAST_SIZE 2

size_t correlation_lane_before(const struct correlation_lane *lane,
                               struct correlation_moment moment)
{
    size_t low = 0, high = lane->count;

    /* Nearly always it is the latest. */
    if (high == 0 || correlation_moment_before(correlation_lane_at(lane, high - 1)->moment, moment))
        return high;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (correlation_moment_before(correlation_lane_at(lane, middle)->moment, moment))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t correlation_lane_find(const struct correlation_lane *lane,
                             const struct correlation_link *link)
{
    size_t index = correlation_lane_before(lane, link->moment);

    while (correlation_lane_at(lane, index) != link)
        index++;
    return index;
}

/* What was taken from the front leaves room there: once it is half of it all, moving the rest costs
 * less than what went. */
static int make_room(struct correlation_lane *lane, struct correlation_memory *memory)
{
    struct correlation_link **links = lane->links;
    uint32_t size = lane->size ? lane->size * 2 : LEAST_SIZE;

    if (lane->first + lane->count < lane->size)
        return 0;
    if (lane->first > 0 && lane->first >= lane->size / 2) {
        memmove(links, links + lane->first, lane->count * sizeof(struct correlation_link *));
        lane->first = 0;
        return 0;
    }
    links =
        correlation_memory_resize(memory, (void *)links, size * sizeof(struct correlation_link *));
    if (!links)
        return -ENOMEM;
    lane->links = links;
    lane->size = size;
    return 0;
}

int correlation_lane_put(struct correlation_lane *lane, struct correlation_memory *memory,
                         struct correlation_link *link, size_t *index)
{
    if (make_room(lane, memory) < 0)
        return -ENOMEM;
    size_t before = correlation_lane_before(lane, link->moment);
    struct correlation_link **at = lane->links + lane->first + before;

    memmove(at + 1, at, (lane->count - before) * sizeof(struct correlation_link *));
    *at = link;
    lane->count++;
    *index = before;
    return 0;
}

struct correlation_link *correlation_lane_take(struct correlation_lane *lane, size_t index)
{
    struct correlation_link **at = lane->links + lane->first + index, *link = *at;

    lane->count--;
    if (index == 0)
        lane->first++;
    else
        memmove(at, at + 1, (lane->count - index) * sizeof(struct correlation_link *));
    return link;
}
