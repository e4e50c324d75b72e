#include "alert/correlation_group.h"

static const struct correlation *correlation_of(const struct correlation_group *group)
{
    return group->state->rule->correlation;
}

static struct correlation_memory *memory_of(struct correlation_group *group)
{
    return &group->state->memory;
}

struct correlation_group *correlation_group_new(struct correlation_state *state,
                                                struct sip_digest digest,
                                                const struct correlation_value *key)
{
    size_t count = state->rule->correlation->key_count;
    struct correlation_group *group = correlation_memory_take(
        &state->memory, sizeof *group + count * sizeof *key + correlation_value_room(key, count));

    if (!group)
        return NULL;
    group->state = state;
    group->digest = digest;
    group->newest.time = group->hidden = INT64_MIN / 2;
    correlation_value_copy(key, count, group->key, (char *)(group->key + count));
    return group;
}

static void release_link(struct correlation_group *group, struct correlation_link *link)
{
    if (correlation_of(group)->type == CORRELATION_TEMPORAL_ORDERED)
        correlation_link_release_chain(memory_of(group), link);
    else
        correlation_link_release(memory_of(group), link);
}

/* Takes the hit at INDEX out of LANE and forgets it. */
static void drop(struct correlation_group *group, struct correlation_lane *lane, size_t index)
{
    struct correlation_link *link = correlation_lane_take(lane, index);
    enum correlation_type type = correlation_of(group)->type;

    if (type == CORRELATION_VALUE_COUNT)
        correlation_values_remove(&group->values, link);
    if (correlation_is_numeric(type))
        correlation_numbers_remove(&group->numbers, link->number);
    release_link(group, link);
}

static void release_lane(struct correlation_group *group, struct correlation_lane *lane)
{
    for (size_t i = 0; i < lane->count; i++)
        release_link(group, correlation_lane_at(lane, i));
    correlation_memory_give(memory_of(group), (void *)lane->links);
}

void correlation_group_free(struct correlation_group *group)
{
    if (!group)
        return;
    for (uint32_t i = 0; i < group->lane_count; i++)
        release_lane(group, &group->lanes[i]);
    correlation_memory_give(memory_of(group), group->lanes);
    correlation_values_deinit(&group->values, memory_of(group));
    correlation_numbers_deinit(&group->numbers, memory_of(group));
    correlation_memory_give(memory_of(group), group);
}

size_t correlation_group_forget(struct correlation_group *group)
{
    bool chained = correlation_of(group)->type == CORRELATION_TEMPORAL_ORDERED;
    size_t count = 0;

    for (uint32_t i = 0; i < group->lane_count; i++) {
        for (size_t k = 0; k < group->lanes[i].count; k++) {
            struct correlation_link *link = correlation_lane_at(&group->lanes[i], k);

            for (; link; link = chained ? link->before : NULL) {
                count += link->share != NULL;
                correlation_link_forget(memory_of(group), link);
            }
        }
    }
    return count;
}

/* How many lanes have a smaller index. */
static uint32_t lanes_before(const struct correlation_group *group, uint32_t index)
{
    uint32_t low = 0, high = group->lane_count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (group->lanes[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct correlation_lane *find_lane(const struct correlation_group *group, uint32_t index)
{
    uint32_t at = lanes_before(group, index);

    return at < group->lane_count && group->lanes[at].index == index ? &group->lanes[at] : NULL;
}

const struct correlation_lane *correlation_group_lane(const struct correlation_group *group,
                                                      uint32_t index)
{
    return find_lane(group, index);
}

static struct correlation_lane *make_lane(struct correlation_group *group, uint32_t index)
{
    struct correlation_lane *lane = find_lane(group, index);

    if (lane)
        return lane;
    if (group->lane_count == group->lane_size) {
        uint32_t size = group->lane_size ? group->lane_size * 2 : 1;

        lane = correlation_memory_resize(memory_of(group), group->lanes, size * sizeof *lane);
        if (!lane)
            return NULL;
        group->lanes = lane;
        group->lane_size = size;
    }
    lane = group->lanes + lanes_before(group, index);
    memmove(lane + 1, lane, (size_t)(group->lanes + group->lane_count - lane) * sizeof *lane);
    *lane = (struct correlation_lane){.index = index};
    group->lane_count++;
    return lane;
}

/* No window that an event at NOW or a bit before is in reaches farther. */
static int64_t reach_of(const struct correlation_group *group)
{
    return correlation_of(group)->timespan + CORRELATION_DISORDER;
}

bool correlation_group_is_idle(const struct correlation_group *group, int64_t now)
{
    int64_t reach = reach_of(group);

    return now - group->touched > reach || group->touched - now > reach;
}

static void prune_lane(struct correlation_group *group, struct correlation_lane *lane, int64_t from,
                       int64_t until)
{
    while (lane->count && correlation_lane_at(lane, lane->count - 1)->moment.time > until)
        drop(group, lane, lane->count - 1);
    /* A sum is that of one window, which ends with the newest. */
    if (lane->count && correlation_is_numeric(correlation_of(group)->type)) {
        int64_t last = correlation_lane_at(lane, lane->count - 1)->moment.time;

        from += CORRELATION_DISORDER;
        if (last - correlation_of(group)->timespan > from)
            from = last - correlation_of(group)->timespan;
    }
    while (lane->count && correlation_lane_at(lane, 0)->moment.time < from)
        drop(group, lane, 0);
}

/* A clock may be set back: what is too far ahead is of a time that is over, too. */
static void prune(struct correlation_group *group, int64_t now)
{
    int64_t reach = reach_of(group);

    for (uint32_t i = 0; i < group->lane_count; i++)
        prune_lane(group, &group->lanes[i], now - reach, now + reach);
    if (group->newest.time > now + reach)
        group->newest = (struct correlation_moment){now, 0};
}

/* What an event that comes now cannot see for the hits behind it. One that comes late may miss what
 * goes for the bound alone. */
static void prune_hidden(struct correlation_group *group, struct correlation_lane *lane)
{
    int64_t settled = group->newest.time - CORRELATION_DISORDER;

    while (lane->count >= 2 && correlation_lane_at(lane, 1)->moment.time <= settled)
        drop(group, lane, 0);
    while (lane->count >= CORRELATION_LANE_MAX) {
        int64_t time = correlation_lane_at(lane, 1)->moment.time;

        group->hidden = time > group->hidden ? time : group->hidden;
        drop(group, lane, 0);
    }
}

static bool has_moment(const struct correlation_lane *lane, struct correlation_moment moment)
{
    size_t index = correlation_lane_before(lane, moment);

    return index < lane->count &&
           !correlation_moment_before(moment, correlation_lane_at(lane, index)->moment);
}

/* A link of the hit in LANE, at *INDEX. NULL: out of memory. */
static struct correlation_link *put_link(struct correlation_group *group,
                                         struct correlation_lane *lane,
                                         const struct correlation_hit *hit, size_t *index)
{
    struct correlation_memory *memory = memory_of(group);
    struct correlation_link *link =
        correlation_link_new(memory, hit->member, hit->moment, hit->share);

    if (!link)
        return NULL;
    if (correlation_lane_put(lane, memory, link, index) < 0) {
        correlation_link_release(memory, link);
        return NULL;
    }
    return link;
}

/* The events of the first and the last hits are kept, as an alert shows them: there may be
 * thousands. By the hit at INDEX, which is new, one of them is no longer of those. */
static void forget_event(struct correlation_group *group, struct correlation_lane *lane,
                         size_t index)
{
    if (lane->count <= CORRELATION_SHOWN_MAX)
        return;
    size_t first = CORRELATION_SHOWN_FIRST;
    size_t last = lane->count - (CORRELATION_SHOWN_MAX - CORRELATION_SHOWN_FIRST) - 1;

    if (index < first)
        index = first;
    correlation_link_forget(memory_of(group),
                            correlation_lane_at(lane, index < last ? index : last));
}

static bool put_counted(struct correlation_group *group, const struct correlation_hit *hit,
                        struct correlation_place *place)
{
    struct correlation_lane *lane = make_lane(group, 0);
    size_t index;

    if (lane && has_moment(lane, hit->moment))
        return false; /* one event, which two members saw */
    place->starved = !lane || !put_link(group, lane, hit, &index);
    if (place->starved)
        return false;
    forget_event(group, lane, index);
    return true;
}

/* Of a value there is the latest hit alone: it outlives the others. One event may bring several, by
 * what different members look at. */
static bool put_value(struct correlation_group *group, const struct correlation_hit *hit,
                      struct correlation_place *place)
{
    struct correlation_lane *lane = make_lane(group, 0);
    struct correlation_link *link = correlation_values_find(&group->values, hit->value);
    size_t index;

    place->starved = !lane;
    if (!lane || (link && !correlation_moment_before(link->moment, hit->moment)))
        return false;
    if (link)
        drop(group, lane, correlation_lane_find(lane, link));
    link = put_link(group, lane, hit, &index);
    place->starved = !link;
    if (!link)
        return false;
    link->value = hit->value;
    if (correlation_values_add(&group->values, memory_of(group), link) < 0) {
        correlation_link_release(memory_of(group), correlation_lane_take(lane, index));
        place->starved = true;
        return false;
    }
    forget_event(group, lane, index);
    return true;
}

/* Whether it is before the one window that a sum is of. */
static bool is_past(const struct correlation_group *group, const struct correlation_lane *lane,
                    const struct correlation_hit *hit)
{
    return lane->count &&
           hit->moment.time < correlation_lane_at(lane, lane->count - 1)->moment.time -
                                  correlation_of(group)->timespan;
}

static bool put_number(struct correlation_group *group, const struct correlation_hit *hit,
                       struct correlation_place *place)
{
    struct correlation_lane *lane = make_lane(group, 0);
    struct correlation_link *link = NULL;
    size_t index;

    if (lane && (is_past(group, lane, hit) || has_moment(lane, hit->moment)))
        return false;
    if (lane && lane->count == CORRELATION_COUNT_MAX) {
        drop(group, lane, 0);
        place->forgotten++;
    }
    if (lane)
        link = put_link(group, lane, hit, &index);
    place->starved = !link;
    if (!link)
        return false;
    link->number = hit->number;
    if (correlation_numbers_add(&group->numbers, memory_of(group), correlation_of(group)->type,
                                hit->number) < 0) {
        correlation_link_release(memory_of(group), correlation_lane_take(lane, index));
        place->starved = true;
        return false;
    }
    forget_event(group, lane, index);
    return true;
}

static bool put_member(struct correlation_group *group, const struct correlation_hit *hit,
                       struct correlation_place *place)
{
    struct correlation_lane *lane = make_lane(group, hit->member);
    size_t index;

    if (lane && has_moment(lane, hit->moment))
        return false;
    if (lane)
        prune_hidden(group, lane);
    place->starved = !lane || !put_link(group, lane, hit, &index);
    return !place->starved;
}

static bool is_later(const struct correlation_link *a, const struct correlation_link *b)
{
    return a && (!b || correlation_moment_before(b->moment, a->moment));
}

/* Chains the hit at INDEX of a step to the latest hit of the step before that is before it. What
 * the hit ahead of it is chained to would do as well, and may be gone from its lane. */
static void chain(struct correlation_group *group, struct correlation_lane *lane, size_t index)
{
    struct correlation_link *link = correlation_lane_at(lane, index), *best = link->before;
    const struct correlation_lane *previous = find_lane(group, lane->index - 1);
    size_t count = previous ? correlation_lane_before(previous, link->moment) : 0;

    if (count && is_later(correlation_lane_at(previous, count - 1), best))
        best = correlation_lane_at(previous, count - 1);
    if (index && is_later(correlation_lane_at(lane, index - 1)->before, best))
        best = correlation_lane_at(lane, index - 1)->before;
    if (best != link->before) {
        correlation_link_hold(best);
        correlation_link_release_chain(memory_of(group), link->before);
        link->before = best;
    }
    link->start = best ? best->start : INT64_MIN;
}

/* What came before the hit may lead to it now, step by step. */
static void chain_later(struct correlation_group *group, uint32_t step,
                        struct correlation_moment moment)
{
    for (uint32_t i = 0; i < group->lane_count; i++) {
        struct correlation_lane *lane = &group->lanes[i];

        if (lane->index <= step)
            continue;
        for (size_t k = correlation_lane_before(lane, moment); k < lane->count; k++)
            chain(group, lane, k);
    }
}

static bool put_step(struct correlation_group *group, uint32_t step,
                     const struct correlation_hit *hit, struct correlation_place *place)
{
    struct correlation_lane *lane = make_lane(group, step);
    struct correlation_link *link = NULL;
    size_t index;

    if (lane && has_moment(lane, hit->moment))
        return false;
    if (lane) {
        prune_hidden(group, lane);
        link = put_link(group, lane, hit, &index);
    }
    if (!link) {
        place->starved = true;
        return false;
    }
    if (step == 0)
        link->start = hit->moment.time;
    else
        chain(group, lane, index);
    if (correlation_moment_before(hit->moment, group->newest))
        chain_later(group, step, hit->moment);
    return true;
}

/* The last step first: an event does not follow itself. */
static bool put_steps(struct correlation_group *group, const struct correlation_hit *hit,
                      struct correlation_place *place)
{
    const struct correlation *correlation = correlation_of(group);
    bool put = false;

    for (size_t step = correlation->order_count; step-- > 0;)
        if (correlation->order[step] == hit->member)
            put |= put_step(group, (uint32_t)step, hit, place);
    return put;
}

static bool put(struct correlation_group *group, const struct correlation_hit *hit,
                struct correlation_place *place)
{
    switch (correlation_of(group)->type) {
    case CORRELATION_EVENT_COUNT:
        return put_counted(group, hit, place);
    case CORRELATION_VALUE_COUNT:
        return put_value(group, hit, place);
    case CORRELATION_TEMPORAL:
        return put_member(group, hit, place);
    case CORRELATION_TEMPORAL_ORDERED:
        return put_steps(group, hit, place);
    default:
        return put_number(group, hit, place);
    }
}

bool correlation_group_put(struct correlation_group *group, const struct correlation_hit *hit,
                           struct correlation_place *place)
{
    *place = (struct correlation_place){0};
    /* Of an event that many members see the first hit does it for all lanes. */
    if (!group->visit || group->lane_count == 1)
        prune(group, hit->moment.time);
    bool is_new = put(group, hit, place);

    place->forgotten += hit->moment.time < group->hidden;
    if (correlation_moment_before(group->newest, hit->moment))
        group->newest = hit->moment;
    return is_new;
}
