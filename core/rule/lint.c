#include "rule/lint.h"

#include <errno.h>

#include "rule/footprint.h"
#include "rule/implication.h"
#include "rule/regex_cost.h"

/* What most regexes stay a hundred times below, and repetitions within repetitions are far above.
 */
#define REGEX_COST_DEAR (1U << 16)

/* Steps that are spent on all regexes of a run: a second or two. Each of the dear takes some
 * hundred thousand, most others none. */
#define REGEX_BUDGET (UINT64_C(1) << 26)

struct trait {
    const struct rule *rule;
    struct footprint named, needed;
};

struct lint {
    const struct ruleset *ruleset;
    struct diag_list *diags;
    struct implication implication;
    struct arena arena;
    struct trait *traits; /* of the enabled rules on one type of event */
    size_t count;
    bool *seen;      /* by index: predicates whose regex was looked at */
    uint64_t budget; /* of steps */
};

static int lint_init(struct lint *lint)
{
    const struct ruleset *ruleset = lint->ruleset;

    lint->traits = arena_array(&lint->arena, ruleset->count + 1, sizeof *lint->traits);
    lint->seen = arena_array(&lint->arena, ruleset->predicate_count + 1, sizeof *lint->seen);
    return lint->traits && lint->seen ? implication_init(&lint->implication) : -ENOMEM;
}

static void lint_deinit(struct lint *lint)
{
    implication_deinit(&lint->implication);
    arena_deinit(&lint->arena);
}

static bool has_output(const struct rule *rule, struct text name)
{
    for (size_t i = 0; i < rule->outputs.count; i++)
        if (text_equal(rule->outputs.items[i], name))
            return true;
    return rule->outputs.count == 0;
}

/* Whether an alert of B tells whoever is told by A, and nothing less. */
static bool tells_as_much(const struct rule *a, const struct rule *b)
{
    if (b->severity < a->severity || (a->outputs.count == 0 && b->outputs.count))
        return false;
    for (size_t i = 0; i < a->outputs.count; i++)
        if (!has_output(b, a->outputs.items[i]))
            return false;
    return true;
}

/* Equal expressions are told of as duplicates. What feeds a correlation is needed for that, and
 * what raises no alert stands in for nothing. */
static bool is_shadow(struct lint *lint, const struct trait *a, const struct trait *b)
{
    return !a->rule->feed_count && !b->rule->silent && a->rule->expression != b->rule->expression &&
           footprint_covers(&a->named, &b->needed) && tells_as_much(a->rule, b->rule) &&
           implication_holds(&lint->implication, a->rule->expression, b->rule->expression);
}

static void warn_shadow(struct lint *lint, const struct rule *a, const struct rule *b)
{
    diag_warning(lint->diags, a->mark, "shadowed-rule",
                 "all that rule '%.*s' matches is matched by rule '%.*s' at %s:%u as well",
                 TEXT_ARG(a->id), TEXT_ARG(b->id), b->mark.file, b->mark.line);
}

/* Of two that imply each other the later one is told of. */
static void check_shadows(struct lint *lint, const struct trait *a)
{
    for (size_t i = 0; i < lint->count; i++) {
        const struct trait *b = &lint->traits[i];

        if (b == a || !is_shadow(lint, a, b))
            continue;
        if (b > a && is_shadow(lint, b, a))
            continue;
        warn_shadow(lint, a->rule, b->rule);
        return;
    }
}

static bool is_contradiction(struct lint *lint, const struct expression *whole)
{
    for (size_t i = 0; whole->kind == EXPRESSION_ALL && i < whole->count; i++)
        if (implication_excludes(&lint->implication, whole, whole->items[i]))
            return true;
    return false;
}

/* False when the rule never matches. */
static bool check_contradiction(struct lint *lint, const struct rule *rule)
{
    if (expression_is_impossible(rule->expression, rule->on))
        return false; /* which the load has told */
    if (!is_contradiction(lint, rule->expression))
        return true;
    diag_warning(lint->diags, rule->mark, "never-matches",
                 "rule '%.*s' can never match: it contradicts itself, or its exceptions cover it",
                 TEXT_ARG(rule->id));
    return false;
}

/* What has no witness is asked of every event. */
static void check_witness(struct lint *lint, const struct rule *rule)
{
    const struct predicate *const *predicates;
    size_t count;

    if (!ruleset_witness(lint->ruleset, rule, &predicates, &count))
        diag_warning(lint->diags, rule->mark, "always-evaluated",
                     "rule '%.*s' is evaluated for every %s event: nothing that must hold for it "
                     "can be looked up",
                     TEXT_ARG(rule->id), event_type_name(rule->on));
}

static void check_type(struct lint *lint, enum event_type type)
{
    lint->count = 0;
    for (size_t i = 0; i < lint->ruleset->by_type_count[type]; i++) {
        const struct rule *rule = lint->ruleset->by_type[type][i];

        check_witness(lint, rule);
        if (check_contradiction(lint, rule))
            lint->traits[lint->count++] = (struct trait){
                .rule = rule,
                .named = footprint_named(rule->expression),
                .needed = footprint_needed(rule->expression),
            };
    }
    for (size_t i = 0; i < lint->count; i++)
        check_shadows(lint, &lint->traits[i]);
}

static void check_regex(struct lint *lint, const struct rule *rule,
                        const struct rule_origin *origin)
{
    const struct predicate *predicate = origin->predicate;

    if (!predicate->regex || lint->seen[predicate->index] || lint->budget == 0)
        return;
    lint->seen[predicate->index] = true;
    uint32_t cost = regex_cost(predicate->regex, predicate->text, REGEX_COST_DEAR, &lint->budget);

    if (cost >= REGEX_COST_DEAR)
        diag_warning(
            lint->diags, origin->mark, "costly-regex",
            "a regex of rule '%.*s' takes more than %u steps on %d bytes that are hard for "
            "it: is there a repetition within another?",
            TEXT_ARG(rule->id), cost / 2, REGEX_PROBE_LENGTH);
    else if (lint->budget == 0)
        diag_warning(lint->diags, origin->mark, "costly-regex",
                     "so many regexes are costly that neither this one of rule '%.*s' nor those "
                     "after it were tried to the end",
                     TEXT_ARG(rule->id));
}

int lint_run(const struct ruleset *ruleset, struct diag_list *diags)
{
    CLEANUP(lint_deinit)
    struct lint lint = {.ruleset = ruleset, .diags = diags, .budget = REGEX_BUDGET};
    int r = lint_init(&lint);

    if (r < 0)
        return r;
    for (int type = 0; type < EVENT_TYPES; type++)
        check_type(&lint, (enum event_type)type);
    for (size_t i = 0; i < ruleset->count; i++)
        for (size_t j = 0; j < ruleset->rules[i]->origin_count; j++)
            check_regex(&lint, ruleset->rules[i], &ruleset->rules[i]->origins[j]);
    return diags->failed ? -ENOMEM : 0;
}
