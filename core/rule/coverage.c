#include "rule/coverage.h"

#include <errno.h>

static bool is_branch(const struct outline *part, const struct outline *above)
{
    if (part->kind == OUTLINE_VALUE || part->role == OUTLINE_LIST)
        return true;
    /* What has one part, or needs one of several, is covered when that is. */
    if (part->kind != OUTLINE_ALL || part->count < 2)
        return false;
    return part->role == OUTLINE_SELECTION ||
           (above && (above->kind == OUTLINE_ANY || above->kind == OUTLINE_NOT));
}

/* Counts the branches in PART; puts them when BRANCHES is not NULL. */
static size_t find_branches(const struct outline *part, const struct outline *above,
                            struct coverage_branch *branches)
{
    size_t count = 0;

    if (is_branch(part, above)) {
        if (branches)
            branches[count].part = part;
        count++;
    }
    if (part->role == OUTLINE_LIST)
        return count;
    for (size_t i = 0; i < part->count; i++)
        count += find_branches(part->items[i], part, branches ? branches + count : NULL);
    return count;
}

static int prepare(struct coverage *coverage, const struct rule *rule)
{
    struct coverage_rule *covered = &coverage->rules[rule->index];

    if (rule->correlation)
        return 0;
    covered->count = find_branches(rule->outline, NULL, NULL);
    covered->branches = arena_array(&coverage->arena, covered->count, sizeof *covered->branches);
    if (!covered->branches)
        return -ENOMEM;
    find_branches(rule->outline, NULL, covered->branches);
    return 0;
}

int coverage_new(const struct ruleset *ruleset, struct coverage **out)
{
    CLEANUP(coverage_freep) struct coverage *coverage = calloc(1, sizeof *coverage);

    if (!coverage)
        return -ENOMEM;
    coverage->ruleset = ruleset;
    coverage->rules = arena_array(&coverage->arena, ruleset->count, sizeof *coverage->rules);
    if (!coverage->rules)
        return -ENOMEM;
    for (size_t i = 0; i < ruleset->count; i++)
        if (prepare(coverage, ruleset->rules[i]) < 0)
            return -ENOMEM;
    *out = coverage;
    coverage = NULL;
    return 0;
}

void coverage_free(struct coverage *coverage)
{
    if (!coverage)
        return;
    arena_deinit(&coverage->arena);
    free(coverage);
}

void coverage_see(struct coverage *coverage, struct matcher *matcher, const struct event *event,
                  const struct rule *rule)
{
    struct coverage_rule *seen = &coverage->rules[rule->index];

    seen->fired |= matcher_holds(matcher, event, rule->expression);
    for (size_t i = 0; seen->covered < seen->count && i < seen->count; i++) {
        struct coverage_branch *branch = &seen->branches[i];

        if (branch->covered || !matcher_holds(matcher, event, branch->part->expression))
            continue;
        branch->covered = true;
        seen->covered++;
    }
}

void coverage_see_all(struct coverage *coverage, struct matcher *matcher, const struct event *event)
{
    for (size_t i = 0; i < coverage->ruleset->count; i++)
        if (!coverage->ruleset->rules[i]->correlation &&
            coverage->ruleset->rules[i]->on == event->type)
            coverage_see(coverage, matcher, event, coverage->ruleset->rules[i]);
}

void coverage_fire(struct coverage *coverage, const struct rule *rule)
{
    coverage->rules[rule->index].fired = true;
}

struct coverage_sum coverage_sum(const struct coverage *coverage)
{
    struct coverage_sum sum = {.rules = coverage->ruleset->count};

    for (size_t i = 0; i < sum.rules; i++) {
        sum.fired += coverage->rules[i].fired;
        sum.branches += coverage->rules[i].count;
        sum.covered += coverage->rules[i].covered;
    }
    return sum;
}

unsigned coverage_percent(const struct coverage_sum *sum)
{
    size_t all = sum->rules + sum->branches;

    return all ? (unsigned)((sum->fired + sum->covered) * 100 / all) : 100;
}
