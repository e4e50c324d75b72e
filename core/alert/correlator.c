#include "alert/correlator.h"

#include <errno.h>

#include "alert/correlation_key.h"
#include "alert/correlation_window.h"

#define BUCKETS 65536 /* a power of two */

_Static_assert(CORRELATOR_TIME_MAX <= INT64_MAX - CORRELATION_DISORDER - CORRELATION_TIMESPAN_MAX,
               "what is as far as a timespan from any time is a time");

struct correlator {
    struct sip_key secret;
    struct correlator_rules *rules;
    uint64_t next_id; /* of states */
    struct correlation_memory memory;
    TAILQ_HEAD(, correlation_group) groups; /* of all, the least recently touched first */
    struct correlation_group *kept;         /* those before it have no events any more */
    struct correlation_group *buckets[BUCKETS];
    const struct event *event;
    int64_t time;
    uint64_t sequence;                 /* of the event */
    struct correlation_record *record; /* of the event; NULL: not made yet, or no memory for it */
    bool recorded;                     /* that was tried */
    int64_t expired;                   /* time when idle groups were last looked for */
    struct buffer scratch;
    struct correlation_reader reader; /* all that there is during an event is of its arena */
    struct correlation_key key;
    const struct correlation_arrival *key_of; /* it was read for; NULL: for none */
    STAILQ_HEAD(, correlation_state) due[CORRELATION_DEPTH_MAX];
    STAILQ_HEAD(, correlation_visit) visits; /* of the correlation that is judged */
    struct correlation_window window;
    struct correlator_counters counters;
};

/* What comes to a correlation by an event: a hit of it, or a match of a member. */
struct correlation_arrival {
    STAILQ_ENTRY(correlation_arrival) next;
    const struct correlation_member *member;
    uint32_t index; /* the member's */
    struct correlation_moment moment;
    struct correlation_match *match;       /* held; NULL: the event */
    const struct correlation_value *below; /* the values of the match's group */
};

/* A group that was put into at a moment. */
struct correlation_visit {
    STAILQ_ENTRY(correlation_visit) next;
    struct correlation_group *group;
    struct correlation_moment moment;
    size_t rank; /* of the ancestor, the nearest first */
    const struct correlation_value *values;
    bool is_complete; /* of the last one: its group is */
};

/* Makes the states of RULES the correlator's. */
static void adopt(struct correlator *correlator, struct correlator_rules *rules)
{
    for (size_t i = 0; i < rules->ruleset->count; i++) {
        struct correlation_state *state = rules->states[i];

        if (!state || state->id)
            continue;
        state->id = ++correlator->next_id;
        state->memory.whole = &correlator->memory;
    }
    correlator->rules = rules;
}

/* Takes RULES over. */
static int new_with(struct correlator_rules *rules, struct correlator **out)
{
    struct correlator *correlator = calloc(1, sizeof *correlator);
    int r = correlator ? sip_key_draw(&correlator->secret) : -ENOMEM;

    if (r < 0) {
        correlator_rules_free(rules);
        free(correlator);
        return r;
    }
    TAILQ_INIT(&correlator->groups);
    STAILQ_INIT(&correlator->visits);
    for (size_t i = 0; i < CORRELATION_DEPTH_MAX; i++)
        STAILQ_INIT(&correlator->due[i]);
    adopt(correlator, rules);
    *out = correlator;
    return 0;
}

int correlator_new(const struct ruleset *ruleset, struct correlator **out)
{
    struct correlator_rules *rules;
    int r = correlator_rules_new(ruleset, &rules);

    return r < 0 ? r : new_with(rules, out);
}

int correlator_new_for(const struct ruleset *ruleset, const struct rule *correlation,
                       struct correlator **out)
{
    struct correlator_rules *rules;
    int r = correlator_rules_new_for(ruleset, correlation, &rules);

    return r < 0 ? r : new_with(rules, out);
}

static struct correlation_group **find(struct correlator *correlator, struct sip_digest digest)
{
    struct correlation_group **at = &correlator->buckets[digest.words[0] & (BUCKETS - 1)];

    while (*at && !sip_digest_equal((*at)->digest, digest))
        at = &(*at)->collision;
    return at;
}

/* Takes GROUP out of the lists. */
static void unlink_group(struct correlator *correlator, struct correlation_group *group)
{
    struct correlation_state *state = group->state;

    if (state->kept == group)
        state->kept = TAILQ_NEXT(group, same_state);
    if (correlator->kept == group)
        correlator->kept = TAILQ_NEXT(group, all);
    TAILQ_REMOVE(&state->groups, group, same_state);
    TAILQ_REMOVE(&correlator->groups, group, all);
}

/* It was touched: it goes last. */
static void link_group(struct correlator *correlator, struct correlation_group *group)
{
    struct correlation_state *state = group->state;

    TAILQ_INSERT_TAIL(&state->groups, group, same_state);
    TAILQ_INSERT_TAIL(&correlator->groups, group, all);
    if (!state->kept)
        state->kept = group;
    if (!correlator->kept)
        correlator->kept = group;
}

static void remove_group(struct correlator *correlator, struct correlation_group *group)
{
    *find(correlator, group->digest) = group->collision;
    unlink_group(correlator, group);
    correlator->counters.groups--;
    correlation_group_free(group);
}

void correlator_clear(struct correlator *correlator)
{
    while (!TAILQ_EMPTY(&correlator->groups))
        remove_group(correlator, TAILQ_FIRST(&correlator->groups));
}

void correlator_free(struct correlator *correlator)
{
    if (!correlator)
        return;
    correlator_clear(correlator);
    correlation_record_release(correlator->record);
    correlator_rules_free(correlator->rules);
    buffer_deinit(&correlator->scratch);
    correlation_reader_deinit(&correlator->reader);
    free(correlator);
}

static int64_t clamp(int64_t time)
{
    return time > CORRELATOR_TIME_MAX    ? CORRELATOR_TIME_MAX
           : time < -CORRELATOR_TIME_MAX ? -CORRELATOR_TIME_MAX
                                         : time;
}

void correlator_begin(struct correlator *correlator, const struct event *event, int64_t time)
{
    correlation_record_release(correlator->record);
    correlation_reader_clear(&correlator->reader);
    correlator->record = NULL;
    correlator->recorded = false;
    correlator->event = event;
    correlator->time = clamp(time);
    correlator->sequence++;
}

/* How many idle groups a hit removes of its correlation's, and of all: more than it can make, yet
 * so few that nobody waits. */
#define EXPIRED_BY_HIT ((size_t)2 * ANCESTOR_MAX)

/* The same of what is done in between, and how often that is. */
#define EXPIRED_BETWEEN 16384
#define EXPIRE_PAUSE    NS_PER_S

/* Removes up to LIMIT groups of STATE that are idle at TIME; returns how many. */
static size_t expire(struct correlator *correlator, struct correlation_state *state, int64_t time,
                     size_t limit)
{
    struct correlation_group *group;
    size_t count = 0;

    while (count < limit && (group = TAILQ_FIRST(&state->groups)) &&
           correlation_group_is_idle(group, time)) {
        remove_group(correlator, group);
        count++;
    }
    return count;
}

static void expire_any(struct correlator *correlator)
{
    struct correlation_group *group;

    for (size_t i = 0; i < EXPIRED_BY_HIT && (group = TAILQ_FIRST(&correlator->groups)) &&
                       correlation_group_is_idle(group, correlator->time);
         i++)
        remove_group(correlator, group);
}

void correlator_expire(struct correlator *correlator, int64_t time)
{
    const struct correlator_rules *rules = correlator->rules;
    int64_t now = clamp(time);
    size_t count = 0;

    if (TAILQ_EMPTY(&correlator->groups) ||
        (now >= correlator->expired && now - correlator->expired < EXPIRE_PAUSE))
        return;
    correlator->expired = now;
    for (size_t i = 0; i < rules->ruleset->count; i++)
        if (rules->states[i])
            count += expire(correlator, rules->states[i], now, EXPIRED_BETWEEN - count);
}

/* Of an idle one nothing is lost. */
static void evict(struct correlator *correlator, struct correlation_group *group)
{
    if (!correlation_group_is_idle(group, correlator->time)) {
        limit_ledger_add(correlator->rules->evicted, group->state->rule, correlator->time);
        correlator->counters.evicted++;
    }
    remove_group(correlator, group);
}

/* An alert without some of its events is better than none. */
static void forget_events(struct correlator *correlator, struct correlation_state *state)
{
    for (; state->memory.records > CORRELATOR_RULE_BYTES_MAX / 2 && state->kept;
         state->kept = TAILQ_NEXT(state->kept, same_state))
        correlator->counters.forgotten += correlation_group_forget(state->kept);
    for (; correlator->memory.records > CORRELATOR_BYTES_MAX / 2 && correlator->kept;
         correlator->kept = TAILQ_NEXT(correlator->kept, all))
        correlator->counters.forgotten += correlation_group_forget(correlator->kept);
}

static void keep_caps(struct correlator *correlator, struct correlation_state *state)
{
    forget_events(correlator, state);
    while (state->memory.bytes > CORRELATOR_RULE_BYTES_MAX && !TAILQ_EMPTY(&state->groups))
        evict(correlator, TAILQ_FIRST(&state->groups));
    while (correlator->memory.bytes > CORRELATOR_BYTES_MAX && !TAILQ_EMPTY(&correlator->groups))
        evict(correlator, TAILQ_FIRST(&correlator->groups));
}

static struct sip_hash begin_hash(const struct correlator *correlator)
{
    struct sip_hash hash;

    sip_hash_begin(&hash, &correlator->secret);
    return hash;
}

/* The group that the hit is in by the key's values: made when there is none. */
static struct correlation_group *enter(struct correlator *correlator,
                                       struct correlation_state *state,
                                       const struct correlation_value *values)
{
    struct sip_hash hash = begin_hash(correlator);

    sip_hash_put_number(&hash, state->id);
    correlation_key_hash(values, state->rule->correlation->key_count, &hash);
    struct sip_digest digest = sip_hash_end(&hash);
    struct correlation_group **at = find(correlator, digest), *group = *at;

    if (group) {
        unlink_group(correlator, group);
    } else {
        group = *at = correlation_group_new(state, digest, values);
        if (!group)
            return NULL;
        correlator->counters.groups++;
    }
    link_group(correlator, group);
    group->touched = correlator->time;
    return group;
}

static struct correlation_match *make_match(struct correlator *correlator,
                                            const struct correlation_group *group)
{
    const struct correlation_window *window = &correlator->window;
    struct correlation_match *match =
        correlation_match_new(&group->state->rule, group->key, window->count);

    if (!match)
        return NULL;
    match->value = window->value;
    match->last_sequence = window->links[window->count - 1]->moment.sequence;
    for (size_t i = 0; i < window->count; i++) {
        const struct correlation_link *link = window->links[i];

        correlation_match_set(match, i,
                              &(struct correlation_part){link->share ? link->share->record : NULL,
                                                         link->member, link->moment.time});
    }
    return match;
}

/* What is kept of the event, or of the match. NULL: there is no memory for it. */
static struct correlation_record *record_of(struct correlator *correlator,
                                            const struct correlation_arrival *arrival)
{
    if (arrival->match)
        return &arrival->match->record;
    if (!correlator->recorded) {
        correlator->recorded = true;
        correlator->record = correlation_record_new(correlator->event, &correlator->scratch);
        correlator->counters.starved += !correlator->record;
    }
    return correlator->record;
}

static struct correlation_origin origin_of(const struct correlator *correlator,
                                           const struct correlation_arrival *arrival)
{
    return (struct correlation_origin){correlator->event, arrival->below};
}

/* What a hit is counted by. -ENODATA: it does not count. */
static int read_counted(struct correlator *correlator, const struct correlation *correlation,
                        const struct correlation_arrival *arrival, struct correlation_hit *hit)
{
    struct correlation_origin origin = origin_of(correlator, arrival);
    struct sip_hash hash = begin_hash(correlator);
    int r;

    switch (correlation->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_TEMPORAL:
    case CORRELATION_TEMPORAL_ORDERED:
        return 0;
    case CORRELATION_VALUE_COUNT:
        r = correlation_key_hash_counted(&correlator->reader, correlation, arrival->member, &origin,
                                         &hash);
        hit->value = sip_hash_end(&hash);
        return r;
    default:
        return correlation_key_number(arrival->member, &origin, &hit->number) ? 0 : -ENODATA;
    }
}

static bool is_same_moment(struct correlation_moment a, struct correlation_moment b)
{
    return !correlation_moment_before(a, b) && !correlation_moment_before(b, a);
}

/* The visit of GROUP at MOMENT: most come together. NULL: out of memory. */
static struct correlation_visit *visit(struct correlator *correlator,
                                       struct correlation_group *group,
                                       struct correlation_moment moment)
{
    struct correlation_visit *last = group->visit;

    if (last && is_same_moment(last->moment, moment))
        return last;
    struct correlation_visit *made = arena_alloc(&correlator->reader.arena, sizeof *made);

    if (!made)
        return NULL;
    *made = (struct correlation_visit){.group = group, .moment = moment, .rank = SIZE_MAX};
    STAILQ_INSERT_TAIL(&correlator->visits, made, next);
    group->visit = made;
    return made;
}

/* Puts the hit into one group, that of the ancestor RANK. */
static void put_into_group(struct correlator *correlator, struct correlation_state *state,
                           const struct correlation_hit *hit, size_t rank)
{
    const struct correlation_value *values = correlator->key.groups[rank];
    struct correlation_group *group = enter(correlator, state, values);
    struct correlation_place place = {.starved = !group};
    bool is_new = group && correlation_group_put(group, hit, &place);
    struct correlation_visit *made = is_new ? visit(correlator, group, hit->moment) : NULL;

    correlator->counters.starved += place.starved || (is_new && !made);
    correlator->counters.dropped += place.forgotten;
    for (unsigned i = 0; i < place.forgotten; i++)
        limit_ledger_add(correlator->rules->evicted, state->rule, correlator->time);
    if (!made || rank >= made->rank)
        return;
    made->rank = rank;
    made->values = values;
}

/* The values by which what came is put into groups: those of most members are the same. */
static int read_key(struct correlator *correlator, const struct correlation *correlation,
                    const struct correlation_arrival *arrival)
{
    const struct correlation_arrival *last = correlator->key_of;
    struct correlation_origin origin = origin_of(correlator, arrival);

    if (last && last->member->keys == arrival->member->keys && last->below == arrival->below)
        return 0;
    int r = correlation_key_read(&correlator->reader, correlation, arrival->member, &origin,
                                 &correlator->key);

    correlator->key_of = r == 0 ? arrival : NULL;
    return r;
}

/* Puts what came into its groups. */
static void put(struct correlator *correlator, struct correlation_state *state,
                const struct correlation_arrival *arrival)
{
    const struct correlation *correlation = state->rule->correlation;
    struct correlation_hit hit = {.member = arrival->index, .moment = arrival->moment};
    int r = read_key(correlator, correlation, arrival);

    if (r == 0)
        r = read_counted(correlator, correlation, arrival, &hit);
    if (r == 0)
        hit.share = correlation_share_new(&state->memory, record_of(correlator, arrival));
    correlator->counters.starved += r == -ENOMEM || (r == 0 && !hit.share);
    if (!hit.share)
        return;
    for (size_t i = 0; i < correlator->key.group_count; i++)
        put_into_group(correlator, state, &hit, i);
    correlation_share_release(&state->memory, hit.share);
}

/* The visit that completed its group, of the nearest ancestor; NULL: none did. */
static struct correlation_visit *find_complete(struct correlator *correlator)
{
    struct correlation_visit *at, *best = NULL;

    for (at = STAILQ_FIRST(&correlator->visits); at; at = STAILQ_NEXT(at, next)) {
        if (!correlation_window_find(&correlator->window, at->group, at->moment))
            continue;
        at->group->visit->is_complete = true;
        if (!best || at->rank < best->rank)
            best = at;
    }
    return best;
}

/* Those groups that the event completed are over. The last visit of each has the say. */
static void end_visits(struct correlator *correlator)
{
    struct correlation_visit *at;

    for (at = STAILQ_FIRST(&correlator->visits); at; at = STAILQ_NEXT(at, next)) {
        if (at->group->visit != at)
            continue;
        at->group->visit = NULL;
        if (at->is_complete)
            remove_group(correlator, at->group);
    }
}

/* What the groups that were visited make together, and *VALUES of its group. */
static struct correlation_match *look_at_visits(struct correlator *correlator,
                                                const struct correlation_value **values)
{
    const struct correlation_visit *best = find_complete(correlator);
    struct correlation_match *match = NULL;

    if (best && correlation_window_find(&correlator->window, best->group, best->moment)) {
        match = make_match(correlator, best->group);
        correlator->counters.starved += !match;
        *values = best->values;
    }
    end_visits(correlator);
    return match;
}

static void collect(struct correlator *correlator, const struct rule *rule,
                    const struct correlation_arrival *what);

/* All that came to STATE is in before any of it is looked at: what one event is does not depend on
 * the order in which its rules are asked. */
static void judge(struct correlator *correlator, struct correlation_state *state, correlator_fn *fn,
                  void *context)
{
    CLEANUP(correlation_match_releasep) struct correlation_match *match = NULL;
    const struct correlation_value *values = NULL;
    struct correlation_arrival *at;

    expire(correlator, state, correlator->time, EXPIRED_BY_HIT);
    expire_any(correlator);
    STAILQ_INIT(&correlator->visits);
    correlator->key_of = NULL;
    for (at = STAILQ_FIRST(&state->arrivals); at; at = STAILQ_NEXT(at, next)) {
        put(correlator, state, at);
        correlation_match_release(at->match);
    }
    STAILQ_INIT(&state->arrivals);
    match = look_at_visits(correlator, &values);
    keep_caps(correlator, state);
    if (!match)
        return;
    correlator->counters.matches++;
    fn(context, match);
    collect(correlator, state->rule,
            &(struct correlation_arrival){
                .moment = {match->last, match->last_sequence}, .match = match, .below = values});
}

static void add(struct correlator *correlator, struct correlation_state *state, size_t member,
                const struct correlation_arrival *what)
{
    struct correlation_arrival *arrival = arena_alloc(&correlator->reader.arena, sizeof *arrival);

    correlator->counters.hits++;
    if (!arrival) {
        correlator->counters.starved++;
        return;
    }
    *arrival = *what;
    arrival->member = &state->rule->correlation->members[member];
    arrival->index = (uint32_t)member;
    if (arrival->match)
        correlation_record_hold(&arrival->match->record);
    if (STAILQ_EMPTY(&state->arrivals))
        STAILQ_INSERT_TAIL(&correlator->due[state->depth], state, due);
    STAILQ_INSERT_TAIL(&state->arrivals, arrival, next);
}

/* For the correlations that look at RULE. */
static void collect(struct correlator *correlator, const struct rule *rule,
                    const struct correlation_arrival *what)
{
    const struct correlator_rules *rules = correlator->rules;
    const struct rule_feed *feeds = rules->feeds ? rules->feeds : rule->feeds;
    size_t count = rules->feeds ? rules->feed_count : rule->feed_count;

    for (size_t i = 0; i < count; i++) {
        const struct rule *looking = feeds[i].rule;
        struct correlation_state *state = rules->states[looking->index];

        if (state && looking->correlation->members[feeds[i].member].rule == rule)
            add(correlator, state, feeds[i].member, what);
    }
}

void correlator_feed(struct correlator *correlator, const struct rule *rule)
{
    collect(correlator, rule,
            &(struct correlation_arrival){.moment = {correlator->time, correlator->sequence}});
}

void correlator_judge(struct correlator *correlator, correlator_fn *fn, void *context)
{
    for (size_t i = 0; i < CORRELATION_DEPTH_MAX; i++) {
        struct correlation_state *state;

        while ((state = STAILQ_FIRST(&correlator->due[i]))) {
            STAILQ_REMOVE_HEAD(&correlator->due[i], due);
            judge(correlator, state, fn, context);
        }
    }
}

bool correlator_take_evicted(struct correlator *correlator, int64_t now, struct limit_sum *out)
{
    return limit_ledger_take(correlator->rules->evicted, now, out);
}

/* Whether what STATE counts goes on in RULES: the correlation is the same, and each of its members,
 * in its place; those that are correlations go on themselves. Decided once. */
static bool goes_on(struct correlation_state *state, const struct correlator_rules *before,
                    const struct correlator_rules *rules, const struct rule *const *became)
{
    const struct correlation *correlation = state->rule->correlation;
    const struct rule *now = became[state->rule->index];

    if (state->fate != CORRELATION_UNDECIDED)
        return state->fate == CORRELATION_GOES_ON;
    state->fate = CORRELATION_ENDS;
    if (!now || !rules->states[now->index])
        return false;
    for (size_t i = 0; i < correlation->member_count; i++) {
        const struct rule *member = correlation->members[i].rule;
        struct correlation_state *inner = before->states[member->index];

        if (became[member->index] != now->correlation->members[i].rule ||
            (inner && !goes_on(inner, before, rules, became)))
            return false;
    }
    state->fate = CORRELATION_GOES_ON;
    return true;
}

/* Forgets the groups of what does not go on, which may hold matches of each other. */
static void end(struct correlator *correlator, struct correlation_state *state)
{
    while (!TAILQ_EMPTY(&state->groups))
        remove_group(correlator, TAILQ_FIRST(&state->groups));
    state->rule = NULL;
}

struct correlator_rules *correlator_carry(struct correlator *correlator,
                                          struct correlator_rules *rules,
                                          const struct rule *const *became)
{
    struct correlator_rules *before = correlator->rules;

    for (size_t i = 0; i < before->ruleset->count; i++)
        if (before->states[i])
            goes_on(before->states[i], before, rules, became);
    for (size_t i = 0; i < before->ruleset->count; i++) {
        struct correlation_state *state = before->states[i];

        if (!state)
            continue;
        if (state->fate == CORRELATION_ENDS) {
            end(correlator, state);
            continue;
        }
        state->fate = CORRELATION_UNDECIDED;
        before->states[i] = rules->states[became[i]->index];
        rules->states[became[i]->index] = state;
    }
    for (size_t i = 0; i < rules->ruleset->count; i++)
        if (rules->states[i])
            rules->states[i]->rule = rules->ruleset->rules[i];
    adopt(correlator, rules);
    return before;
}

struct correlator_counters correlator_counters(const struct correlator *correlator)
{
    struct correlator_counters counters = correlator->counters;

    counters.correlations = correlator->rules->correlations;
    counters.bytes = correlator->memory.bytes;
    return counters;
}
