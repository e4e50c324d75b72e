#include "rule/rule_digest.h"

#include <errno.h>

#include "base/digest.h"
#include "rule/condition.h"
#include "rule/correlation.h"
#include "rule/expression.h"

static uint64_t digest_ref(uint64_t state, const struct field_ref *ref)
{
    state = digest_number(state, (uint64_t)ref->field->id);
    state = digest_number(state, (uint64_t)ref->owner);
    state = digest_number(state, ref->generation);
    return digest_number(state, ref->item);
}

static uint64_t digest_predicate(const struct predicate *predicate)
{
    uint64_t state = digest_ref(EXPRESSION_PREDICATE, &predicate->ref);

    state = digest_number(state, (uint64_t)predicate->op);
    state = digest_number(state, predicate->flags);
    state = digest_number(state, (uint64_t)predicate->number);
    if (predicate_is_of_field(predicate->op))
        state = digest_ref(state, &predicate->other);
    return digest_text(state, predicate->text);
}

/* Items stand in the order of their indices, which are of this load alone: a sum has no order. */
static uint64_t digest_expression(const struct expression *expression, uint64_t *known)
{
    uint64_t *digest = &known[expression->index], sum = 0;

    if (*digest)
        return *digest;
    if (expression->kind == EXPRESSION_PREDICATE) {
        *digest = digest_predicate(expression->predicate);
    } else {
        for (size_t i = 0; i < expression->count; i++)
            sum += digest_number(1, digest_expression(expression->items[i], known));
        *digest = digest_number(digest_number((uint64_t)expression->kind, expression->count), sum);
    }
    return *digest;
}

/* What is known of a ruleset; 0: not yet. */
struct digesting {
    uint64_t *expressions; /* by index */
    uint64_t *hits;        /* of rules, by index: when they hit */
};

static uint64_t digest_hits(const struct rule *rule, struct digesting *known);

static uint64_t digest_double(uint64_t state, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return digest_number(state, bits);
}

static uint64_t digest_condition(uint64_t state, const struct condition *condition)
{
    state = digest_number(state, (uint64_t)condition->kind);
    state = digest_number(state, condition->name);
    for (const struct condition *part = condition->first; part; part = part->next)
        state = digest_condition(state, part);
    return digest_number(state, 0);
}

static uint64_t digest_sources(uint64_t state, const struct correlation_source *sources,
                               size_t count)
{
    state = digest_number(state, count);
    for (size_t i = 0; i < count; i++) {
        state = digest_number(state, (uint64_t)sources[i].key);
        if (sources[i].key < 0)
            state = digest_ref(state, &sources[i].ref);
    }
    return state;
}

/* How a count's bounds are put is nothing to it: it fires at what is needed. */
static uint64_t digest_bounds(uint64_t state, const struct correlation *correlation)
{
    bool numeric = correlation_is_numeric(correlation->type);

    state = digest_number(state, correlation->needed);
    state = digest_double(state, correlation->percentile);
    for (size_t i = 0; numeric && i < correlation->bound_count; i++) {
        state = digest_number(state, (uint64_t)correlation->bounds[i].op);
        state = digest_double(state, correlation->bounds[i].value);
    }
    return correlation->condition ? digest_condition(state, correlation->condition) : state;
}

/* Members count by their places, which their order makes. */
static uint64_t digest_correlation(uint64_t state, const struct correlation *correlation,
                                   struct digesting *known)
{
    state = digest_number(state, (uint64_t)correlation->type);
    state = digest_number(state, (uint64_t)correlation->timespan);
    state = digest_number(state, correlation->key_count);
    for (size_t i = 0; i < correlation->key_count; i++)
        state = digest_text(state, correlation->keys[i]);
    state = digest_number(state, correlation->member_count);
    for (size_t i = 0; i < correlation->member_count; i++) {
        const struct correlation_member *member = &correlation->members[i];

        state = digest_number(state, digest_hits(member->rule, known));
        state = digest_sources(state, member->keys, correlation->key_count);
        state = digest_sources(state, member->values, correlation->value_count);
    }
    state = digest_number(state, correlation->order_count);
    for (size_t i = 0; i < correlation->order_count; i++)
        state = digest_number(state, correlation->order[i]);
    return digest_bounds(state, correlation);
}

/* How deep chains go is bounded by CORRELATION_DEPTH_MAX. */
static uint64_t digest_hits(const struct rule *rule, struct digesting *known)
{
    uint64_t *digest = &known->hits[rule->index];

    if (*digest)
        return *digest;
    uint64_t state = digest_expression(rule->expression, known->expressions);

    state = digest_number(state, rule->enabled);
    state = digest_number(state, (uint64_t)rule->on);
    if (rule->correlation)
        state = digest_correlation(state, rule->correlation, known);
    *digest = state;
    return state;
}

static uint64_t digest_meaning(const struct rule *rule, struct digesting *known)
{
    uint64_t state = digest_hits(rule, known);

    state = digest_number(state, rule->silent);
    state = digest_number(state, (uint64_t)rule->suppress.window);
    state = digest_number(state, rule->suppress.by_count);
    for (size_t i = 0; i < rule->suppress.by_count; i++)
        state = digest_ref(state, &rule->suppress.by[i]);
    return state;
}

static uint64_t digest_whole(const struct rule *rule, uint64_t state)
{
    const struct text texts[] = {rule->id, rule->title, rule->description, rule->author};
    const struct rule_texts lists[] = {rule->tags, rule->references, rule->false_positives,
                                       rule->outputs};

    state = digest_number(state, (uint64_t)rule->severity);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        state = digest_text(state, texts[i]);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        state = digest_number(state, lists[i].count);
        for (size_t k = 0; k < lists[i].count; k++)
            state = digest_text(state, lists[i].items[k]);
    }
    return message_digest(rule->message, state);
}

int rule_digest_all(const struct ruleset *ruleset, struct rule_digest *out)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct digesting known = {.expressions =
                                  arena_array(&arena, ruleset->expression_count, sizeof(uint64_t)),
                              .hits = arena_array(&arena, ruleset->count, sizeof(uint64_t))};

    if (!known.expressions || !known.hits)
        return -ENOMEM;
    for (size_t i = 0; i < ruleset->count; i++) {
        const struct rule *rule = ruleset->rules[i];

        out[i].hits = digest_hits(rule, &known);
        out[i].meaning = digest_meaning(rule, &known);
        out[i].whole = digest_whole(rule, out[i].meaning);
    }
    return 0;
}
