#include "rule/matcher.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/expression.h"

/* Room for any number or time as text. */
#define VALUE_TEXT_MAX 64

struct matcher {
    const struct ruleset *ruleset;
    struct predicate_scratch scratch;
    /* By index of expression, predicates included: in which generation (an event is one) it was
     * last asked, and in the lowest bit what it was. */
    uint32_t *known;
    uint32_t generation; /* even */
    const struct rule **hits;
    struct matcher_counters counters;
};

static int matcher_init(struct matcher *matcher)
{
    matcher->known = calloc(matcher->ruleset->expression_count + 1, sizeof *matcher->known);
    matcher->hits = calloc(matcher->ruleset->count + 1, sizeof(struct rule *));
    if (!matcher->known || !matcher->hits ||
        !buffer_reserve(&matcher->scratch.text, VALUE_TEXT_MAX))
        return -ENOMEM;
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
    regex_scratch_free(matcher->scratch.regex);
    buffer_deinit(&matcher->scratch.text);
    free(matcher->known);
    free(matcher->hits);
    free(matcher);
}

static bool holds(struct matcher *matcher, const struct expression *expression,
                  const struct event *event);

static bool ask(struct matcher *matcher, const struct expression *expression,
                const struct event *event)
{
    bool all = expression->kind == EXPRESSION_ALL;

    switch (expression->kind) {
    case EXPRESSION_NEVER:
    case EXPRESSION_ALWAYS:
        return expression->kind == EXPRESSION_ALWAYS;
    case EXPRESSION_PREDICATE:
        return predicate_holds(expression->predicate, event, &matcher->scratch);
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

    if ((*known & ~1U) != matcher->generation) {
        bool answer = ask(matcher, expression, event);

        *known = matcher->generation | (answer ? 1 : 0);
    }
    return *known & 1;
}

static void next_generation(struct matcher *matcher)
{
    matcher->generation += 2;
    if (matcher->generation == 0) {
        memset(matcher->known, 0, matcher->ruleset->expression_count * sizeof *matcher->known);
        matcher->generation = 2;
    }
}

size_t matcher_match(struct matcher *matcher, const struct event *event,
                     const struct rule *const **hits)
{
    const struct ruleset *ruleset = matcher->ruleset;
    size_t count = 0;

    *hits = matcher->hits;
    if (event->type >= EVENT_TYPES)
        return 0;
    next_generation(matcher);
    for (size_t i = 0; i < ruleset->by_type_count[event->type]; i++) {
        const struct rule *rule = ruleset->by_type[event->type][i];

        if (holds(matcher, rule->expression, event))
            matcher->hits[count++] = rule;
    }
    matcher->counters.events++;
    matcher->counters.hits += count;
    return count;
}

bool matcher_holds_as_written(struct matcher *matcher, const struct event *event,
                              const struct rule *rule)
{
    next_generation(matcher);
    return event->type == rule->on && holds(matcher, rule->written, event);
}

struct matcher_counters matcher_counters(const struct matcher *matcher)
{
    struct matcher_counters counters = matcher->counters;

    counters.limits = matcher->scratch.limits;
    return counters;
}
