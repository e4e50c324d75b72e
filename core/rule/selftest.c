#include "rule/selftest.h"

#include "rule/matcher.h"

static void run_rule(struct matcher *matcher, const struct rule *rule, struct diag_list *diags,
                     struct selftest_counts *counts)
{
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct rule_test *test = &rule->tests[i];
        bool holds = matcher_holds_as_written(matcher, &test->event, rule);

        counts->tests++;
        if (holds == test->alerts)
            continue;
        counts->failed++;
        diag_error(diags, test->mark, "test-failed",
                   holds ? "rule '%.*s' alerts on this event, which is to be quiet"
                         : "rule '%.*s' does not alert on this event",
                   TEXT_ARG(rule->id));
    }
}

int selftest_run(const struct ruleset *ruleset, struct diag_list *diags,
                 struct selftest_counts *out)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    struct selftest_counts counts = {0};
    int r = matcher_new(ruleset, &matcher);

    if (r < 0)
        return r;
    for (size_t i = 0; i < ruleset->count; i++)
        run_rule(matcher, ruleset->rules[i], diags, &counts);
    *out = counts;
    return 0;
}
