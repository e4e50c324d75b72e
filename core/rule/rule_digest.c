#include "rule/rule_digest.h"

#include <errno.h>

#include "base/digest.h"
#include "rule/expression.h"

static uint64_t digest_ref(uint64_t state, const struct field_ref *ref)
{
    state = digest_number(state, (uint64_t)ref->field->id);
    state = digest_number(state, (uint64_t)ref->owner);
    return digest_number(state, ref->generation);
}

static uint64_t digest_predicate(const struct predicate *predicate)
{
    uint64_t state = digest_ref(EXPRESSION_PREDICATE, &predicate->ref);

    state = digest_number(state, (uint64_t)predicate->op);
    state = digest_number(state, predicate->flags);
    state = digest_number(state, (uint64_t)predicate->number);
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

static uint64_t digest_meaning(const struct rule *rule, uint64_t *known)
{
    uint64_t state = digest_expression(rule->expression, known);

    state = digest_number(state, rule->enabled);
    state = digest_number(state, (uint64_t)rule->on);
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
    uint64_t *known = arena_array(&arena, ruleset->expression_count, sizeof *known);

    if (!known)
        return -ENOMEM;
    for (size_t i = 0; i < ruleset->count; i++) {
        const struct rule *rule = ruleset->rules[i];

        out[i].meaning = digest_meaning(rule, known);
        out[i].whole = digest_whole(rule, out[i].meaning);
    }
    return 0;
}
