#include "alert/correlator.h"

#include <errno.h>

#include "alert/correlation_key.h"
#include "alert/correlation_window.h"

#define BUCKETS 65536 /* a power of two */

/* A hit is of the event, or of a match of the level below. */
#define LEVELS (CORRELATION_DEPTH_MAX + 1)

struct correlator {
    struct sip_key key;
    struct correlator_rules *rules;
    uint64_t next_id; /* of states */
    struct correlation_memory memory;
    TAILQ_HEAD(, correlation_group) groups; /* of all, the least recently touched first */
    struct correlation_group *kept;         /* those before it have no events any more */
    struct correlation_group *buckets[BUCKETS];
    const struct event *event;
    int64_t time;
    uint64_t sequence;                 /* of the event */
    struct correlation_record *record; /* of the event; NULL: not made yet */
    struct buffer scratch;
    struct correlation_key keys[LEVELS]; /* by level */
    struct correlation_window window;
    struct correlator_counters counters;
};

/* What comes to a correlation: the event itself, or a match of a member. */
struct arrival {
    struct correlation_state *state;
    const struct correlation_member *member;
    uint32_t index; /* the member's */
    unsigned level; /* of its values */
    struct correlation_moment moment;
    struct correlation_match *match; /* NULL: the event */
    correlator_fn *fn;
    void *context;
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
    int r = correlator ? sip_key_draw(&correlator->key) : -ENOMEM;

    if (r < 0) {
        correlator_rules_free(rules);
        free(correlator);
        return r;
    }
    TAILQ_INIT(&correlator->groups);
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
    for (size_t i = 0; i < correlator->rules->ruleset->count; i++)
        if (correlator->rules->states[i])
            correlator->rules->states[i]->fired = 0;
}

void correlator_free(struct correlator *correlator)
{
    if (!correlator)
        return;
    correlator_clear(correlator);
    correlation_record_release(correlator->record);
    correlator_rules_free(correlator->rules);
    buffer_deinit(&correlator->scratch);
    for (size_t i = 0; i < LEVELS; i++)
        correlation_key_deinit(&correlator->keys[i]);
    free(correlator);
}

void correlator_begin(struct correlator *correlator, const struct event *event, int64_t time)
{
    correlation_record_release(correlator->record);
    correlator->record = NULL;
    correlator->event = event;
    correlator->time = time;
    correlator->sequence++;
}

/* How many groups at most a hit looks at that may have become idle: more than it can make, yet so
 * few that nobody waits. */
#define IDLE_LOOKS 4

static void expire(struct correlator *correlator, struct correlation_state *state)
{
    for (int i = 0; i < IDLE_LOOKS; i++) {
        struct correlation_group *group =
            i % 2 ? TAILQ_FIRST(&correlator->groups) : TAILQ_FIRST(&state->groups);

        if (group && correlation_group_is_idle(group, correlator->time))
            remove_group(correlator, group);
    }
}

static void evict(struct correlator *correlator, struct correlation_group *group)
{
    limit_ledger_add(correlator->rules->evicted, group->state->rule, correlator->time);
    correlator->counters.evicted++;
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

    sip_hash_begin(&hash, &correlator->key);
    return hash;
}

/* The group that the hit is in by the key's values: made when there is none. */
static struct correlation_group *enter(struct correlator *correlator,
                                       struct correlation_state *state,
                                       const struct correlation_key *key)
{
    struct sip_hash hash = begin_hash(correlator);

    sip_hash_put_number(&hash, state->id);
    correlation_key_hash(key, state->rule->correlation->key_count, &hash);
    struct sip_digest digest = sip_hash_end(&hash);
    struct correlation_group **at = find(correlator, digest), *group = *at;

    if (group) {
        unlink_group(correlator, group);
    } else {
        group = *at = correlation_group_new(state, digest, key->values);
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
                                            const struct arrival *arrival)
{
    if (arrival->match)
        return &arrival->match->record;
    if (!correlator->record) {
        correlator->record = correlation_record_new(correlator->event, &correlator->scratch);
        correlator->counters.starved += !correlator->record;
    }
    return correlator->record;
}

static struct correlation_origin origin_of(const struct correlator *correlator,
                                           const struct arrival *arrival)
{
    return (struct correlation_origin){
        correlator->event, arrival->level ? &correlator->keys[arrival->level - 1] : NULL};
}

/* What a hit is counted by. -ENODATA: it does not count. */
static int read_counted(struct correlator *correlator, const struct arrival *arrival,
                        struct correlation_hit *hit)
{
    const struct correlation *correlation = arrival->state->rule->correlation;
    struct correlation_key *key = &correlator->keys[arrival->level];
    struct correlation_origin origin = origin_of(correlator, arrival);
    struct sip_hash hash = begin_hash(correlator);
    int r;

    switch (correlation->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_TEMPORAL:
    case CORRELATION_TEMPORAL_ORDERED:
        return 0;
    case CORRELATION_VALUE_COUNT:
        r = correlation_key_hash_counted(key, correlation, arrival->member, &origin, &hash);
        hit->value = sip_hash_end(&hash);
        return r;
    default:
        return correlation_key_number(key, arrival->member, &origin, &hit->number);
    }
}

/* Puts the hit into one group. Whether that completed it: then it is over, and *MATCH, unless there
 * is one, what it was. */
static bool put_into_group(struct correlator *correlator, struct correlation_state *state,
                           const struct correlation_key *key, const struct correlation_hit *hit,
                           struct correlation_match **match)
{
    struct correlation_group *group = enter(correlator, state, key);
    bool starved = !group;
    bool complete = group && correlation_group_put(group, hit, &starved) &&
                    correlation_window_find(&correlator->window, group, hit->moment);

    correlator->counters.starved += starved;
    if (!complete)
        return false;
    if (!*match) {
        *match = make_match(correlator, group);
        correlator->counters.starved += !*match;
    }
    remove_group(correlator, group);
    return true;
}

/* Puts the hit into its groups, the nearest ancestor's first. The match is that of the first which
 * it completed: the key is then of that one. */
static struct correlation_match *put_into_groups(struct correlator *correlator,
                                                 const struct arrival *arrival,
                                                 const struct correlation_hit *hit)
{
    const struct correlation *correlation = arrival->state->rule->correlation;
    struct correlation_key *key = &correlator->keys[arrival->level];
    struct correlation_match *match = NULL;
    size_t matched = 0;

    for (size_t i = 0; i < key->spread_count; i++) {
        bool first = !match;

        correlation_key_spread(key, correlation, i);
        if (put_into_group(correlator, arrival->state, key, hit, &match) && first)
            matched = i;
    }
    correlation_key_spread(key, correlation, matched);
    return match;
}

static struct correlation_match *count(struct correlator *correlator, const struct arrival *arrival)
{
    struct correlation_key *key = &correlator->keys[arrival->level];
    struct correlation_state *state = arrival->state;
    struct correlation_origin origin = origin_of(correlator, arrival);
    struct correlation_hit hit = {.member = arrival->index, .moment = arrival->moment};
    struct correlation_match *match;
    int r = correlation_key_read(key, state->rule->correlation, arrival->member, &origin);

    if (r == 0)
        r = read_counted(correlator, arrival, &hit);
    if (r == 0)
        hit.share = correlation_share_new(&state->memory, record_of(correlator, arrival));
    correlator->counters.starved += r == -ENOMEM || (r == 0 && !hit.share);
    if (!hit.share)
        return NULL;
    match = put_into_groups(correlator, arrival, &hit);
    correlation_share_release(&state->memory, hit.share);
    return match;
}

static void feed(struct correlator *correlator, const struct rule *rule,
                 const struct arrival *arrival);

static void arrive(struct correlator *correlator, const struct arrival *arrival)
{
    CLEANUP(correlation_match_releasep) struct correlation_match *match = NULL;
    struct correlation_state *state = arrival->state;

    if (state->fired == correlator->sequence)
        return;
    correlator->counters.hits++;
    expire(correlator, state);
    match = count(correlator, arrival);
    keep_caps(correlator, state);
    if (!match)
        return;
    correlator->counters.matches++;
    state->fired = correlator->sequence;
    arrival->fn(arrival->context, match);
    feed(correlator, state->rule,
         &(struct arrival){
             .level = arrival->level + 1,
             .moment = {match->last, match->last_sequence},
             .match = match,
             .fn = arrival->fn,
             .context = arrival->context,
         });
}

/* To the correlations that look at RULE. No group is in anybody's hands meanwhile: any may go. */
static void feed(struct correlator *correlator, const struct rule *rule,
                 const struct arrival *arrival)
{
    const struct correlator_rules *rules = correlator->rules;
    const struct rule_feed *feeds = rules->feeds ? rules->feeds : rule->feeds;
    size_t count = rules->feeds ? rules->feed_count : rule->feed_count;

    for (size_t i = 0; i < count; i++) {
        struct correlation_state *state = rules->states[feeds[i].rule->index];
        const struct correlation_member *member =
            &feeds[i].rule->correlation->members[feeds[i].member];
        struct arrival next = *arrival;

        if (member->rule != rule || !state || arrival->level >= LEVELS)
            continue;
        next.state = state;
        next.member = member;
        next.index = (uint32_t)feeds[i].member;
        arrive(correlator, &next);
    }
}

void correlator_feed(struct correlator *correlator, const struct rule *rule, correlator_fn *fn,
                     void *context)
{
    feed(correlator, rule,
         &(struct arrival){
             .moment = {correlator->time, correlator->sequence},
             .fn = fn,
             .context = context,
         });
}

bool correlator_take_evicted(struct correlator *correlator, int64_t now, struct limit_sum *out)
{
    return limit_ledger_take(correlator->rules->evicted, now, out);
}

/* Whether hits mean the same after the change: each member is what it was, in its place. */
static bool goes_on(const struct rule *rule, const struct rule *const *became)
{
    const struct rule *now = became[rule->index];
    const struct correlation *a = rule->correlation, *b = now ? now->correlation : NULL;

    if (!b || a->type != b->type || a->key_count != b->key_count ||
        a->member_count != b->member_count || a->order_count != b->order_count)
        return false;
    for (size_t i = 0; i < a->member_count; i++) {
        const struct rule *member = a->members[i].rule;

        if (became[member->index] != b->members[i].rule ||
            (member->correlation && !goes_on(member, became)))
            return false;
    }
    for (size_t i = 0; i < a->order_count; i++)
        if (a->order[i] != b->order[i])
            return false;
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

    for (size_t i = 0; i < before->ruleset->count; i++) {
        struct correlation_state *state = before->states[i];
        const struct rule *now = state ? became[state->rule->index] : NULL;

        if (!state)
            continue;
        if (!now || !rules->states[now->index] || !goes_on(state->rule, became)) {
            end(correlator, state);
            continue;
        }
        before->states[i] = rules->states[now->index];
        rules->states[now->index] = state;
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
