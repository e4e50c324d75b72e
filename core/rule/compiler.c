#include "rule/compiler.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/draft.h"
#include "rule/rule_feeds.h"
#include "rule/selection.h"
#include "rule/sigma_chain.h"
#include "rule/sigma_correlation.h"
#include "rule/sigma_filter.h"
#include "rule/sigma_rule.h"

int compiler_init(struct compiler *compiler, struct diag_list *diags)
{
    *compiler = (struct compiler){.diags = diags, .errors_before = diags->errors};
    compiler->rules.last = &compiler->rules.first;
    compiler->filters.last = &compiler->filters.first;
    compiler->overrides.last = &compiler->overrides.first;
    compiler->correlations.last = &compiler->correlations.first;
    compiler->ruleset = calloc(1, sizeof *compiler->ruleset);
    if (!compiler->ruleset)
        return -ENOMEM;
    compiler->omitted_last = &compiler->ruleset->omissions;
    compiler->predicates.arena = &compiler->ruleset->arena;
    compiler->expressions.arena = &compiler->ruleset->arena;
    return 0;
}

void compiler_deinit(struct compiler *compiler)
{
    predicate_table_deinit(&compiler->predicates);
    expression_table_deinit(&compiler->expressions);
    map_deinit(&compiler->lists);
    map_deinit(&compiler->macros);
    map_deinit(&compiler->drafts);
    map_deinit(&compiler->rule_names);
    map_deinit(&compiler->omissions[0]);
    map_deinit(&compiler->omissions[1]);
    map_deinit(&compiler->files);
    map_deinit(&compiler->names);
    free(compiler->stack);
    free(compiler->parts);
    arena_deinit(&compiler->arena);
    ruleset_free(compiler->ruleset);
}

void compiler_file(struct compiler *compiler, struct piece_list *list, struct piece piece)
{
    struct piece *filed = arena_alloc(&compiler->arena, sizeof *filed);

    if (!filed) {
        compiler->failed = true;
        return;
    }
    *filed = piece;
    *list->last = filed;
    list->last = &filed->next;
}

struct mark compiler_keep_mark(struct compiler *compiler, struct mark mark)
{
    char *file = map_get(&compiler->files, text_from(mark.file));

    if (!file) {
        file = arena_string(&compiler->ruleset->arena, mark.file);
        if (!file || map_add(&compiler->files, text_from(file), file) < 0)
            compiler->failed = true;
    }
    mark.file = file;
    return mark;
}

struct text compiler_keep_name(struct compiler *compiler, struct text name)
{
    const char *known = map_get(&compiler->names, name);

    if (known)
        return (struct text){known, name.len};
    struct text kept = arena_text(&compiler->ruleset->arena, name);

    if (!kept.ptr || map_add(&compiler->names, kept, (char *)kept.ptr) < 0)
        compiler->failed = true;
    return kept;
}

bool compiler_has_told(const struct compiler *compiler, struct mark mark, const char *code)
{
    const struct diag_list *diags = compiler->diags;

    for (size_t i = 0; i < diags->count; i++) {
        struct mark told = diags->items[i].mark;

        if (told.line == mark.line && told.column == mark.column && told.file && mark.file &&
            strcmp(told.file, mark.file) == 0 && strcmp(diags->items[i].code, code) == 0)
            return true;
    }
    return false;
}

static bool grow_stack(struct compiler *compiler)
{
    size_t size = compiler->stack_size ? compiler->stack_size * 2 : 64;
    void *stack = reallocarray(compiler->stack, size, sizeof(struct expression *));

    if (stack)
        compiler->stack = stack;
    void *parts = reallocarray(compiler->parts, size, sizeof(struct outline *));

    if (parts)
        compiler->parts = parts;
    if (stack && parts)
        compiler->stack_size = size;
    return stack && parts;
}

static void push(struct compiler *compiler, const struct expression *expression,
                 struct outline *part)
{
    if (compiler->stack_count == compiler->stack_size && !grow_stack(compiler)) {
        compiler->failed = true;
        return;
    }
    compiler->parts[compiler->stack_count] = part;
    compiler->stack[compiler->stack_count++] = expression;
}

void compiler_push(struct compiler *compiler, const struct expression *expression)
{
    push(compiler, expression, NULL);
}

void compiler_push_part(struct compiler *compiler, struct outline *part)
{
    push(compiler, part ? part->expression : NULL, part);
}

const struct expression *compiler_join(struct compiler *compiler, size_t base, bool all)
{
    const struct expression *const *items = compiler->stack ? compiler->stack + base : NULL;
    size_t count = compiler->stack_count - base;

    compiler->stack_count = base;
    return all ? expression_all(&compiler->expressions, items, count)
               : expression_any(&compiler->expressions, items, count);
}

struct outline *compiler_join_parts(struct compiler *compiler, size_t base, bool all)
{
    size_t count = compiler->stack_count - base;
    const struct expression *expression = compiler_join(compiler, base, all);

    return outline_join(compiler, expression, compiler->parts ? compiler->parts + base : NULL,
                        count, all);
}

/* How many names a load looks through for hints: a file of nothing but unknown names is told of all
 * the same, only with fewer of them. */
#define CANDIDATES_MAX 1000000

const char *compiler_nearest(struct compiler *compiler, const struct map *map, struct text word)
{
    if (map->count > CANDIDATES_MAX - compiler->candidates)
        return NULL;
    compiler->candidates += map->count;
    const char **names = arena_array(&compiler->arena, map->count, sizeof *names);

    if (!names) {
        compiler->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++)
        names[i] = map->entries[i].key.ptr;
    return text_nearest(word, names, map->count);
}

/* The predicates, and the regexes in them, become the ruleset's. */
static void hand_over_predicates(struct compiler *compiler)
{
    struct ruleset *ruleset = compiler->ruleset;
    size_t count = compiler->predicates.count;

    ruleset->predicates =
        arena_array(&ruleset->arena, count ? count : 1, sizeof(struct predicate *));
    if (!ruleset->predicates) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        ruleset->predicates[i] = compiler->predicates.items[i];
    ruleset->predicate_count = count;
    ruleset->expression_count = compiler->expressions.count;
    compiler->predicates.count = 0;
}

static void hand_over_rules(struct compiler *compiler)
{
    struct ruleset *ruleset = compiler->ruleset;
    size_t count = compiler->drafts.count;
    bool failed = false;

    ruleset->rules = arena_array(&ruleset->arena, count, sizeof(struct rule *));
    for (int type = 0; type < EVENT_TYPES; type++) {
        ruleset->by_type[type] = arena_array(&ruleset->arena, count, sizeof(struct rule *));
        failed |= !ruleset->by_type[type];
    }
    if (!ruleset->rules || failed) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct draft *draft = compiler->drafts.entries[i].value;
        struct rule *rule = draft->made;

        if (draft->omitted)
            continue;
        *rule = draft->rule;
        rule->index = ruleset->count;
        outline_set_origins(compiler, rule);
        ruleset->rules[ruleset->count++] = rule;
        if (rule->enabled && !rule->correlation)
            ruleset->by_type[rule->on][ruleset->by_type_count[rule->on]++] = rule;
    }
}

static void warn_never(struct compiler *compiler, const struct draft *draft)
{
    const struct rule *rule = &draft->rule;

    if (!draft->correlation && rule->expression &&
        expression_is_impossible(rule->expression, rule->on))
        diag_warning(compiler->diags, draft->id->mark, "never-matches",
                     "%s can never match: it contradicts itself, or asks for what %s events "
                     "never have",
                     draft->scope, event_type_name(rule->on));
}

/* Rules of one meaning have one expression. */
static void warn_duplicate(struct compiler *compiler, struct map *seen, struct draft *draft)
{
    const struct rule *rule = &draft->rule;

    if (!rule->expression || rule->expression->kind == EXPRESSION_NEVER || !rule->enabled ||
        rule->silent)
        return;
    const char *key =
        arena_printf(&compiler->arena, "%d %zu", (int)rule->on, rule->expression->index);
    int r = key ? map_add(seen, text_from(key), draft) : -ENOMEM;

    if (r == -EEXIST) {
        const struct draft *first = map_get(seen, text_from(key));

        diag_warning(compiler->diags, draft->id->mark, "duplicate-rule",
                     "%s matches exactly what %s at %s:%u does", draft->scope, first->scope,
                     first->rule.mark.file, first->rule.mark.line);
    } else if (r < 0) {
        compiler->failed = true;
    }
}

static void warn_about_rules(struct compiler *compiler)
{
    CLEANUP(map_deinit) struct map seen = {0};

    for (size_t i = 0; i < compiler->drafts.count; i++) {
        struct draft *draft = compiler->drafts.entries[i].value;

        warn_never(compiler, draft);
        warn_duplicate(compiler, &seen, draft);
    }
}

/* Only when nothing else is wrong: what cannot be read may hold some. */
static void check_rules(struct compiler *compiler)
{
    size_t count = 0;

    for (size_t i = 0; i < compiler->drafts.count; i++)
        count += !((struct draft *)compiler->drafts.entries[i].value)->omitted;

    struct diag_list *diags = compiler->diags;
    size_t omitted = compiler->ruleset->skipped + compiler->ruleset->unsupported;

    if (count || diags->errors > compiler->errors_before)
        return;
    if (omitted)
        diag_error(diags, compiler->mark, "no-rules",
                   "there are no rules at all but %zu that are passed over", omitted);
    else
        diag_error(diags, compiler->mark, "no-rules", "there are no rules at all");
}

int compiler_finish(struct compiler *compiler, struct ruleset **out)
{
    selection_check_definitions(compiler);
    for (const struct piece *piece = compiler->rules.first; piece; piece = piece->next) {
        if (piece->sigma && yaml_get(piece->value, "correlation"))
            sigma_correlation_read(compiler, piece->value);
        else if (piece->sigma)
            sigma_rule_read(compiler, piece->value);
        else
            draft_read(compiler, piece->value);
    }
    for (const struct piece *piece = compiler->filters.first; piece; piece = piece->next)
        sigma_filter_apply(compiler, piece->value);
    for (const struct piece *piece = compiler->overrides.first; piece; piece = piece->next)
        draft_override(compiler, piece->key, piece->value);
    sigma_chain_resolve(compiler);
    selection_warn_unused(compiler);
    warn_about_rules(compiler);
    check_rules(compiler);
    bool mistaken = compiler->diags->errors > compiler->errors_before;

    if (!compiler->failed && !mistaken) {
        rule_feeds_settle(compiler);
        hand_over_predicates(compiler);
        hand_over_rules(compiler);
        rule_feeds_connect(compiler);
    }
    if (compiler->failed || compiler->expressions.failed || compiler->diags->failed)
        return -ENOMEM;
    if (mistaken)
        return -EINVAL;
    *out = compiler->ruleset;
    compiler->ruleset = NULL;
    return 0;
}
