#include "rule/sigma_words.h"

#include "rule/condition.h"
#include "rule/sigma_threshold.h"

/* A node for a word of NODE. */
static struct yaml_node *node_of(struct compiler *compiler, const struct yaml_node *node,
                                 struct text word)
{
    struct yaml_node *made = arena_alloc(&compiler->arena, sizeof *made);

    if (!made)
        return NULL;
    made->text = arena_text(&compiler->arena, word);
    made->mark = yaml_mark_inside(node, (size_t)(word.ptr - node->text.ptr), word.len);
    return made->text.ptr ? made : NULL;
}

void sigma_words_read_references(struct sigma_correlation *correlation)
{
    CLEANUP(map_deinit) struct map seen = {0};
    struct compiler *compiler = correlation->compiler;
    const struct yaml_node *condition = correlation->condition;
    struct text word;
    size_t at = 0, most = condition->text.len / 2 + 1;

    if (most > CORRELATION_MEMBERS_MAX + 1)
        most = CORRELATION_MEMBERS_MAX + 1;
    correlation->references = arena_array(&compiler->arena, most, sizeof *correlation->references);
    if (!correlation->references) {
        compiler->failed = true;
        return;
    }
    while (correlation->reference_count < most && condition_next_name(condition, &at, &word)) {
        struct yaml_node *node = map_get(&seen, word) ? NULL : node_of(compiler, condition, word);

        if (map_get(&seen, word))
            continue;
        if (!node || map_add(&seen, node->text, node) < 0) {
            compiler->failed = true;
            return;
        }
        correlation->references[correlation->reference_count++].node = node;
    }
}

/* Whether it asks for each of the members, and nothing else. */
static bool is_all(const struct condition *condition)
{
    if (condition->kind == CONDITION_NAME)
        return true;
    for (const struct condition *part = condition->first; part; part = part->next)
        if (!is_all(part))
            return false;
    return condition->kind == CONDITION_ALL;
}

static void diagnose_unused(struct sigma_correlation *correlation,
                            const struct named_selections *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (!names->items[i].used)
            diag_error(correlation->compiler->diags, names->items[i].key->mark, "unused-selection",
                       "the condition of %s does not use '%.*s'", correlation->draft->scope,
                       TEXT_ARG(names->items[i].key->text));
}

/* Members by the names under which they were met first, then what is not known. */
static struct named_selections name_members(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    struct named_selections names = {
        .count = correlation->made->member_count, .cased = true, .rules = true};

    names.items = arena_array(&compiler->arena, correlation->reference_count, sizeof *names.items);
    if (!names.items) {
        compiler->failed = true;
        return (struct named_selections){.rules = true};
    }
    for (size_t i = 0; i < correlation->reference_count; i++) {
        const struct sigma_reference *reference = &correlation->references[i];

        if (!reference->draft)
            names.items[names.count++].key = reference->node;
        else if (!names.items[reference->draft->member].key)
            names.items[reference->draft->member].key = reference->node;
    }
    return names;
}

/* Whether a hit of some member is enough, whatever else has hit: not so of `a and not b`. */
static bool needs_one(const struct correlation *made, const struct condition *condition)
{
    bool alone[CORRELATION_MEMBERS_MAX] = {0}, all[CORRELATION_MEMBERS_MAX];

    memset(all, true, sizeof all);
    if (!condition_holds(condition, all))
        return false;
    for (size_t i = 0; i < made->member_count; i++) {
        alone[i] = true;
        if (condition_holds(condition, alone))
            return true;
        alone[i] = false;
    }
    return false;
}

const char *sigma_words_resolve(struct sigma_correlation *correlation)
{
    struct compiler *compiler = correlation->compiler;
    struct correlation *made = correlation->made;
    struct named_selections names = name_members(correlation);
    const struct condition *condition =
        condition_parse(compiler, &compiler->ruleset->arena, correlation->condition, &names);

    made->needed = made->member_count;
    if (!condition)
        return NULL;
    diagnose_unused(correlation, &names);
    if (made->type == CORRELATION_TEMPORAL_ORDERED && !is_all(condition))
        return "an order is known only of rules that must all hit: its condition says otherwise";
    if (needs_one(made, condition))
        sigma_threshold_warn_lone(correlation, correlation->condition->mark);
    if (made->type == CORRELATION_TEMPORAL)
        made->condition = condition;
    return NULL;
}
