#include "rule/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/compiler.h"
#include "rule/correlation.h"
#include "rule/document.h"
#include "rule/index.h"
#include "rule/predicate.h"
#include "rule/rule_files.h"

/* What is said of all sources together is said of the only one. */
static void mark_source(struct compiler *compiler, const struct rule_source *sources, size_t count)
{
    if (count != 1)
        return;
    compiler->mark.file = arena_string(&compiler->diags->arena, sources[0].path);
    compiler->failed |= !compiler->mark.file;
}

static int make_indexes(struct ruleset *ruleset)
{
    CLEANUP(freep) bool *unusable = NULL;
    struct index_source source = {.predicate_count = ruleset->predicate_count,
                                  .expression_count = ruleset->expression_count};
    int r = index_find_unusable(ruleset->predicates, ruleset->predicate_count, &unusable);

    for (int type = 0; r == 0 && type < EVENT_TYPES; type++) {
        source.rules = ruleset->by_type[type];
        source.rule_count = ruleset->by_type_count[type];
        source.unusable = unusable;
        r = index_new(&source, &ruleset->indexes[type]);
    }
    return r;
}

int ruleset_load_with(const struct rule_source *sources, size_t count,
                      const struct ruleset_options *options, struct diag_list *diags,
                      struct ruleset **out)
{
    CLEANUP(compiler_deinit) struct compiler compiler = {0};
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    int r = compiler_init(&compiler, diags);

    if (r < 0)
        return r;
    compiler.options = *options;
    mark_source(&compiler, sources, count);
    for (size_t i = 0; i < count; i++) {
        if (sources[i].content.ptr)
            document_read_all(&compiler, sources[i].path, sources[i].content);
        else
            rule_files_read(&compiler, sources[i].path);
    }
    r = compiler_finish(&compiler, &ruleset);
    if (r == 0)
        r = make_indexes(ruleset);
    if (r < 0)
        return r;
    *out = ruleset;
    ruleset = NULL;
    return 0;
}

int ruleset_load(const struct rule_source *sources, size_t count, struct diag_list *diags,
                 struct ruleset **out)
{
    return ruleset_load_with(sources, count, &(struct ruleset_options){0}, diags, out);
}

size_t ruleset_always(const struct ruleset *ruleset, enum event_type type)
{
    return index_always(ruleset->indexes[type]);
}

bool ruleset_witness(const struct ruleset *ruleset, const struct rule *rule,
                     const struct predicate *const **predicates, size_t *count)
{
    const struct rule *const *rules = ruleset->by_type[rule->on];
    size_t low = 0, high = ruleset->by_type_count[rule->on];

    if (rule->correlation)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (rules[middle]->index < rule->index)
            low = middle + 1;
        else
            high = middle;
    }
    return index_witness(ruleset->indexes[rule->on], low, predicates, count);
}

static bool sources_ask(const struct correlation_source *sources, size_t count, enum field_id id)
{
    for (size_t i = 0; i < count; i++)
        if (sources[i].key < 0 && sources[i].ref.field->id == id)
            return true;
    return false;
}

static bool correlation_asks(const struct correlation *correlation, enum field_id id)
{
    for (size_t i = 0; i < correlation->member_count; i++)
        if (sources_ask(correlation->members[i].keys, correlation->key_count, id) ||
            sources_ask(correlation->members[i].values, correlation->value_count, id))
            return true;
    return false;
}

static bool rule_asks(const struct rule *rule, enum field_id id)
{
    if (rule->correlation && correlation_asks(rule->correlation, id))
        return true;
    if (message_asks(rule->message, id))
        return true;
    for (size_t i = 0; i < rule->suppress.by_count; i++)
        if (rule->suppress.by[i].field->id == id)
            return true;
    return false;
}

bool ruleset_asks(const struct ruleset *ruleset, enum field_id id)
{
    for (size_t i = 0; i < ruleset->predicate_count; i++)
        if (predicate_asks(ruleset->predicates[i], id))
            return true;
    for (size_t i = 0; i < ruleset->count; i++)
        if (rule_asks(ruleset->rules[i], id))
            return true;
    return false;
}

void ruleset_free(struct ruleset *ruleset)
{
    if (!ruleset)
        return;
    for (size_t i = 0; i < ruleset->predicate_count; i++)
        regex_free(ruleset->predicates[i]->regex);
    for (int type = 0; type < EVENT_TYPES; type++)
        index_free(ruleset->indexes[type]);
    arena_deinit(&ruleset->arena);
    free(ruleset);
}
