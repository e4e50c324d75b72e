#include "rule/selftest.h"

#include <errno.h>

#include "rule/matcher.h"

struct selftest {
    struct matcher *matcher;
    struct coverage *coverage; /* NULL: nobody asks */
    struct diag_list *diags;
    struct selftest_counts counts;
};

static void run_rule(struct selftest *selftest, const struct rule *rule)
{
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct rule_test *test = &rule->tests[i];
        bool holds = matcher_holds_as_written(selftest->matcher, &test->event, rule);

        if (selftest->coverage && test->event.type == rule->on)
            coverage_see(selftest->coverage, selftest->matcher, &test->event, rule);
        selftest->counts.tests++;
        if (holds == test->alerts)
            continue;
        selftest->counts.failed++;
        diag_error(selftest->diags, test->mark, "test-failed",
                   holds ? "rule '%.*s' alerts on this event, which is to be quiet"
                         : "rule '%.*s' does not alert on this event",
                   TEXT_ARG(rule->id));
    }
}

int selftest_cover(const struct ruleset *ruleset, struct coverage *coverage,
                   struct diag_list *diags, struct selftest_counts *out)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    int r = matcher_new(ruleset, &matcher);

    if (r < 0)
        return r;
    struct selftest selftest = {.matcher = matcher, .coverage = coverage, .diags = diags};

    for (size_t i = 0; i < ruleset->count; i++)
        run_rule(&selftest, ruleset->rules[i]);
    *out = selftest.counts;
    return diags->failed ? -ENOMEM : 0;
}

int selftest_run(const struct ruleset *ruleset, struct diag_list *diags,
                 struct selftest_counts *out)
{
    return selftest_cover(ruleset, NULL, diags, out);
}
