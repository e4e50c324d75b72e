#include "rule/matcher.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "rule/expression.h"
#include "rule/index.h"

enum known_bit {
    KNOWN_HOLDS = 1,
    KNOWN_LIMITED = 2, /* a regex in it was given up on */
    GENERATION = 4
};

struct matcher {
    const struct ruleset *ruleset;
    struct predicate_scratch scratch;
    struct index_scratch *indexes[EVENT_TYPES];
    /* By index of expression, predicates included: in which generation (an event is one) it was
     * last asked, and in the lowest bits what it was. */
    uint32_t *known;
    uint32_t generation; /* a multiple of GENERATION */
    bool limited;        /* a regex was given up on in what is being evaluated */
    const struct rule **hits;
    const struct rule *limited_rules[MATCHER_LIMITED_MAX];
    size_t limited_count;
    struct matcher_cost *costs; /* NULL: not measured */
    struct matcher_counters counters;
};

static int matcher_init(struct matcher *matcher)
{
    matcher->known = calloc(matcher->ruleset->expression_count + 1, sizeof *matcher->known);
    matcher->hits = calloc(matcher->ruleset->count + 1, sizeof(struct rule *));
    if (!matcher->known || !matcher->hits ||
        !buffer_reserve(&matcher->scratch.text, PREDICATE_TEXT_MAX))
        return -ENOMEM;
    for (int type = 0; type < EVENT_TYPES; type++) {
        int r = index_scratch_new(matcher->ruleset->indexes[type], &matcher->indexes[type]);

        if (r < 0)
            return r;
    }
    return regex_scratch_new(&matcher->scratch.regex);
}

int matcher_new(const struct ruleset *ruleset, struct matcher **out)
{
    struct matcher *matcher = calloc(1, sizeof *matcher);

    if (!matcher)
        return -ENOMEM;
    matcher->ruleset = ruleset;
    int r = matcher_init(matcher);

    if (r < 0) {
        matcher_free(matcher);
        return r;
    }
    *out = matcher;
    return 0;
}

void matcher_free(struct matcher *matcher)
{
    if (!matcher)
        return;
    for (int type = 0; type < EVENT_TYPES; type++)
        index_scratch_free(matcher->indexes[type]);
    regex_scratch_free(matcher->scratch.regex);
    buffer_deinit(&matcher->scratch.text);
    free(matcher->known);
    free(matcher->hits);
    free(matcher->costs);
    free(matcher);
}

static bool holds(struct matcher *matcher, const struct expression *expression,
                  const struct event *event);

static bool ask_predicate(struct matcher *matcher, const struct predicate *predicate,
                          const struct event *event)
{
    uint64_t before = matcher->scratch.limits;
    bool answer = predicate_holds(predicate, event, &matcher->scratch);

    matcher->limited |= matcher->scratch.limits != before;
    return answer;
}

static bool ask(struct matcher *matcher, const struct expression *expression,
                const struct event *event)
{
    bool all = expression->kind == EXPRESSION_ALL;

    switch (expression->kind) {
    case EXPRESSION_NEVER:
    case EXPRESSION_ALWAYS:
        return expression->kind == EXPRESSION_ALWAYS;
    case EXPRESSION_PREDICATE:
        return ask_predicate(matcher, expression->predicate, event);
    case EXPRESSION_NOT:
        return !holds(matcher, expression->items[0], event);
    default:
        for (size_t i = 0; i < expression->count; i++)
            if (holds(matcher, expression->items[i], event) != all)
                return !all;
        return all;
    }
}

/* Each expression is asked once an event, however many rules share it. */
static bool holds(struct matcher *matcher, const struct expression *expression,
                  const struct event *event)
{
    uint32_t *known = &matcher->known[expression->index];

    if (*known / GENERATION != matcher->generation / GENERATION) {
        bool outside = matcher->limited;

        matcher->limited = false;
        bool answer = ask(matcher, expression, event);

        *known = matcher->generation | (answer ? KNOWN_HOLDS : 0) |
                 (matcher->limited ? KNOWN_LIMITED : 0);
        matcher->limited = outside;
    }
    matcher->limited |= *known & KNOWN_LIMITED;
    return *known & KNOWN_HOLDS;
}

static void next_generation(struct matcher *matcher)
{
    matcher->generation += GENERATION;
    if (matcher->generation == 0) {
        memset(matcher->known, 0, matcher->ruleset->expression_count * sizeof *matcher->known);
        matcher->generation = GENERATION;
    }
}

static bool measure(struct matcher *matcher, const struct rule *rule, const struct event *event)
{
    struct matcher_cost *cost = &matcher->costs[rule->index];
    int64_t begin = clock_monotonic();
    bool answer = holds(matcher, rule->expression, event);

    cost->time += (uint64_t)(clock_monotonic() - begin);
    cost->evaluated++;
    cost->hits += answer;
    return answer;
}

static bool evaluate(struct matcher *matcher, const struct rule *rule, const struct event *event)
{
    matcher->limited = false;
    bool answer =
        matcher->costs ? measure(matcher, rule, event) : holds(matcher, rule->expression, event);

    if (matcher->limited && matcher->limited_count < MATCHER_LIMITED_MAX)
        matcher->limited_rules[matcher->limited_count++] = rule;
    matcher->counters.candidates++;
    return answer;
}

/* False: no rule can be on that type of event. */
static bool begin_match(struct matcher *matcher, const struct event *event,
                        const struct rule *const **hits)
{
    *hits = matcher->hits;
    matcher->limited_count = 0;
    if (event->type >= EVENT_TYPES)
        return false;
    next_generation(matcher);
    matcher->counters.events++;
    return true;
}

size_t matcher_match(struct matcher *matcher, const struct event *event,
                     const struct rule *const **hits)
{
    size_t count = 0, position;

    if (!begin_match(matcher, event, hits))
        return 0;
    struct index_scratch *index = matcher->indexes[event->type];
    const struct rule *const *rules = matcher->ruleset->by_type[event->type];
    int64_t begin = matcher->costs ? clock_monotonic() : 0;

    index_look(index, event);
    while (index_next(index, &position))
        if (evaluate(matcher, rules[position], event))
            matcher->hits[count++] = rules[position];
    matcher->counters.hits += count;
    if (matcher->costs)
        matcher->counters.time += (uint64_t)(clock_monotonic() - begin);
    return count;
}

size_t matcher_match_plainly(struct matcher *matcher, const struct event *event,
                             const struct rule *const **hits)
{
    size_t count = 0;

    if (!begin_match(matcher, event, hits))
        return 0;
    for (size_t i = 0; i < matcher->ruleset->by_type_count[event->type]; i++) {
        const struct rule *rule = matcher->ruleset->by_type[event->type][i];

        if (evaluate(matcher, rule, event))
            matcher->hits[count++] = rule;
    }
    matcher->counters.hits += count;
    return count;
}

size_t matcher_limited(const struct matcher *matcher, const struct rule *const **rules)
{
    *rules = matcher->limited_rules;
    return matcher->limited_count;
}

bool matcher_holds_as_written(struct matcher *matcher, const struct event *event,
                              const struct rule *rule)
{
    next_generation(matcher);
    return event->type == rule->on && holds(matcher, rule->written, event);
}

void matcher_begin(struct matcher *matcher)
{
    next_generation(matcher);
}

bool matcher_holds(struct matcher *matcher, const struct event *event,
                   const struct expression *expression)
{
    return holds(matcher, expression, event);
}

bool matcher_accepts(struct matcher *matcher, const struct event *event,
                     const struct predicate *predicate, const struct value *value)
{
    return predicate_accepts(predicate, event, value, &matcher->scratch);
}

int matcher_measure(struct matcher *matcher)
{
    if (!matcher->costs)
        matcher->costs = calloc(matcher->ruleset->count + 1, sizeof *matcher->costs);
    return matcher->costs ? 0 : -ENOMEM;
}

const struct matcher_cost *matcher_costs(const struct matcher *matcher)
{
    return matcher->costs;
}

struct matcher_counters matcher_counters(const struct matcher *matcher)
{
    struct matcher_counters counters = matcher->counters;

    counters.limits = matcher->scratch.limits;
    return counters;
}
