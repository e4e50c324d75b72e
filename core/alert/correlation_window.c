#include "alert/correlation_window.h"

#include <stdlib.h>
#include <string.h>

static const struct correlation *correlation_of(const struct correlation_group *group)
{
    return group->state->rule->correlation;
}

static void take(struct correlation_window *window, const struct correlation_lane *lane,
                 size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        window->links[i] = correlation_lane_at(lane, from + i);
    window->count = count;
}

static struct correlation_moment just_after(struct correlation_moment moment)
{
    return (struct correlation_moment){moment.time, moment.sequence + 1};
}

/* As many in a row as are needed, one of those at MOMENT among them. When that is the newest, as
 * nearly always, there is one such row. */
static bool find_count(struct correlation_window *window, const struct correlation_group *group,
                       struct correlation_moment moment)
{
    const struct correlation *correlation = correlation_of(group);
    const struct correlation_lane *lane = &group->lanes[0];
    size_t first = correlation_lane_before(lane, moment), needed = correlation->needed;
    size_t behind = correlation_lane_before(lane, just_after(moment));

    for (size_t i = first + 1 > needed ? first + 1 - needed : 0;
         i < behind && i + needed <= lane->count; i++) {
        int64_t begin = correlation_lane_at(lane, i)->moment.time;

        if (correlation_lane_at(lane, i + needed - 1)->moment.time - begin > correlation->timespan)
            continue;
        take(window, lane, i, needed);
        return true;
    }
    return false;
}

/* All that there is: the group keeps what is within the timespan of the newest. */
static bool find_number(struct correlation_window *window, const struct correlation_group *group)
{
    const struct correlation_lane *lane = &group->lanes[0];

    window->value = correlation_numbers_value(&group->numbers, correlation_of(group));
    if (!correlation_accepts(correlation_of(group), window->value))
        return false;
    take(window, lane, 0, lane->count);
    return true;
}

/* Of the last step, what ends a chain that is short enough. Were there any before the hit came, it
 * would have been found then. */
static bool find_chain(struct correlation_window *window, const struct correlation_group *group,
                       struct correlation_moment moment)
{
    const struct correlation *correlation = correlation_of(group);
    const struct correlation_lane *lane =
        correlation_group_lane(group, (uint32_t)correlation->order_count - 1);
    const struct correlation_link *link = NULL;

    for (size_t i = lane ? correlation_lane_before(lane, moment) : 0; lane && i < lane->count;
         i++) {
        const struct correlation_link *end = correlation_lane_at(lane, i);

        if (end->start == INT64_MIN || end->moment.time - end->start > correlation->timespan)
            continue;
        link = end;
        break;
    }
    if (!link)
        return false;
    window->count = correlation->order_count;
    for (size_t i = window->count; i-- > 0; link = link->before)
        window->links[i] = link;
    return true;
}

/* Which hit of LANE is in the window that ends at END and holds MOMENT: the nearest to it. */
static const struct correlation_link *nearest(const struct correlation_lane *lane,
                                              struct correlation_moment moment, int64_t end,
                                              int64_t timespan)
{
    size_t before = correlation_lane_before(lane, moment);

    if (before < lane->count && correlation_lane_at(lane, before)->moment.time <= end)
        return correlation_lane_at(lane, before);
    if (before && end - correlation_lane_at(lane, before - 1)->moment.time <= timespan)
        return correlation_lane_at(lane, before - 1);
    return NULL;
}

/* Of one moment in the order of the members. */
static int compare(const void *a, const void *b)
{
    const struct correlation_link *x = *(const struct correlation_link *const *)a;
    const struct correlation_link *y = *(const struct correlation_link *const *)b;

    if (correlation_moment_before(x->moment, y->moment))
        return -1;
    if (correlation_moment_before(y->moment, x->moment))
        return 1;
    return (x->member > y->member) - (x->member < y->member);
}

/* Whether the window that ends at END and holds MOMENT has the members that are asked for. */
static bool find_members_at(struct correlation_window *window,
                            const struct correlation_group *group, struct correlation_moment moment,
                            int64_t end)
{
    const struct correlation *correlation = correlation_of(group);
    bool seen[CORRELATION_MEMBERS_MAX];

    memset(seen, 0, correlation->member_count * sizeof *seen);
    window->count = 0;
    for (uint32_t i = 0; i < group->lane_count; i++) {
        const struct correlation_link *link =
            nearest(&group->lanes[i], moment, end, correlation->timespan);

        if (!link)
            continue;
        seen[group->lanes[i].index] = true;
        window->links[window->count++] = link;
    }
    if (!correlation_holds(correlation, seen))
        return false;
    qsort((void *)window->links, window->count, sizeof(void *), compare);
    return true;
}

/* Whether as many members have hit as are needed; what words ask for is looked into. */
static bool has_enough(const struct correlation_group *group)
{
    const struct correlation *correlation = correlation_of(group);

    return correlation->condition || group->lane_count >= correlation->needed;
}

/* A window that holds the hit ends with it, unless it came late: then also with the first hit of a
 * member behind it. */
static bool find_members(struct correlation_window *window, const struct correlation_group *group,
                         struct correlation_moment moment)
{
    if (!has_enough(group))
        return false;
    if (find_members_at(window, group, moment, moment.time))
        return true;
    for (uint32_t i = 0; i < group->lane_count; i++) {
        const struct correlation_lane *lane = &group->lanes[i];
        size_t behind = correlation_lane_before(lane, just_after(moment));

        if (behind == lane->count)
            continue;
        int64_t end = correlation_lane_at(lane, behind)->moment.time;

        if (end - moment.time <= correlation_of(group)->timespan &&
            find_members_at(window, group, moment, end))
            return true;
    }
    return false;
}

bool correlation_window_find(struct correlation_window *window,
                             const struct correlation_group *group,
                             struct correlation_moment moment)
{
    switch (correlation_of(group)->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_VALUE_COUNT:
        return find_count(window, group, moment);
    case CORRELATION_TEMPORAL:
        return find_members(window, group, moment);
    case CORRELATION_TEMPORAL_ORDERED:
        return find_chain(window, group, moment);
    default:
        return find_number(window, group);
    }
}
