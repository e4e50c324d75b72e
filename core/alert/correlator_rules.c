#include "alert/correlator_rules.h"

#include <errno.h>

static struct correlation_state *state_new(const struct rule *rule)
{
    struct correlation_state *state = calloc(1, sizeof *state);

    if (!state)
        return NULL;
    state->rule = rule;
    TAILQ_INIT(&state->groups);
    STAILQ_INIT(&state->arrivals);
    return state;
}

static int add_state(struct correlator_rules *rules, const struct rule *rule)
{
    rules->states[rule->index] = state_new(rule);
    rules->correlations++;
    return rules->states[rule->index] ? 0 : -ENOMEM;
}

static int init(struct correlator_rules *rules, const struct ruleset *ruleset)
{
    rules->ruleset = ruleset;
    rules->states = calloc(ruleset->count + 1, sizeof(struct correlation_state *));
    return rules->states ? limit_ledger_new(ruleset, &rules->evicted) : -ENOMEM;
}

/* How deep chains go is bounded by CORRELATION_DEPTH_MAX, so each state is set that often at most.
 */
static void set_depths(struct correlator_rules *rules)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (size_t i = 0; i < rules->ruleset->count; i++) {
            const struct correlation *correlation = rules->ruleset->rules[i]->correlation;
            struct correlation_state *state = rules->states[i];

            for (size_t k = 0; state && k < correlation->member_count; k++) {
                const struct correlation_state *inner =
                    rules->states[correlation->members[k].rule->index];

                if (!inner || inner->depth < state->depth)
                    continue;
                state->depth = inner->depth + 1;
                changed = true;
            }
        }
    }
}

/* Hands RULES out, or frees them when R is an error. */
static int finish(struct correlator_rules *rules, int r, struct correlator_rules **out)
{
    if (r < 0) {
        correlator_rules_free(rules);
        return r;
    }
    set_depths(rules);
    *out = rules;
    return 0;
}

int correlator_rules_new(const struct ruleset *ruleset, struct correlator_rules **out)
{
    struct correlator_rules *rules = calloc(1, sizeof *rules);
    int r = rules ? init(rules, ruleset) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < ruleset->count; i++)
        if (ruleset->rules[i]->correlation && ruleset->rules[i]->enabled)
            r = add_state(rules, ruleset->rules[i]);
    return finish(rules, r, out);
}

void correlator_rules_free(struct correlator_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; rules->states && i < rules->ruleset->count; i++)
        free(rules->states[i]);
    free((void *)rules->states);
    free(rules->feeds);
    limit_ledger_free(rules->evicted);
    free(rules);
}

/* How many feeds all correlations together can have. */
static size_t count_members(const struct ruleset *ruleset)
{
    size_t count = 0;

    for (size_t i = 0; i < ruleset->count; i++)
        if (ruleset->rules[i]->correlation)
            count += ruleset->rules[i]->correlation->member_count;
    return count;
}

/* A correlation and those among its members. */
static int add_chain(struct correlator_rules *rules, const struct rule *rule)
{
    const struct correlation *correlation = rule->correlation;
    int r = rules->states[rule->index] ? -EEXIST : add_state(rules, rule);

    for (size_t i = 0; r == 0 && i < correlation->member_count; i++) {
        rules->feeds[rules->feed_count++] = (struct rule_feed){rule, i};
        if (correlation->members[i].rule->correlation)
            r = add_chain(rules, correlation->members[i].rule);
    }
    return r == -EEXIST ? 0 : r;
}

int correlator_rules_new_for(const struct ruleset *ruleset, const struct rule *correlation,
                             struct correlator_rules **out)
{
    struct correlator_rules *rules = calloc(1, sizeof *rules);
    int r = rules ? init(rules, ruleset) : -ENOMEM;

    if (r == 0) {
        rules->feeds = calloc(count_members(ruleset) + 1, sizeof *rules->feeds);
        r = rules->feeds ? add_chain(rules, correlation) : -ENOMEM;
    }
    return finish(rules, r, out);
}
