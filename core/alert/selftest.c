#include "alert/selftest.h"

#include <errno.h>

#include "alert/correlator.h"
#include "base/clock.h"
#include "rule/matcher.h"

struct selftest {
    const struct ruleset *ruleset;
    struct matcher *matcher;
    struct coverage *coverage; /* NULL: nobody asks */
    struct diag_list *diags;
    struct selftest_counts counts;
    /* Of the correlation that is being tested: the rules about single events that feed it, through
     * others as well. */
    const struct rule **feeding; /* as many as the ruleset may have */
    size_t feeding_count;
    bool *met; /* by index of rule */
};

static void see(struct selftest *selftest, const struct event *event, const struct rule *rule)
{
    if (selftest->coverage && event->type == rule->on)
        coverage_see(selftest->coverage, selftest->matcher, event, rule);
}

static void run_rule(struct selftest *selftest, const struct rule *rule)
{
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct rule_test *test = &rule->tests[i];
        const struct event *event = test->events;
        bool holds = matcher_holds_as_written(selftest->matcher, event, rule);

        see(selftest, event, rule);
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

static void find_feeding(struct selftest *selftest, const struct rule *rule)
{
    if (selftest->met[rule->index])
        return;
    selftest->met[rule->index] = true;
    if (!rule->correlation) {
        selftest->feeding[selftest->feeding_count++] = rule;
        return;
    }
    for (size_t i = 0; i < rule->correlation->member_count; i++)
        find_feeding(selftest, rule->correlation->members[i].rule);
}

/* A test of a correlation while its events go by. */
struct sequence {
    struct selftest *selftest;
    struct correlator *correlator;
    const struct rule *rule;
    bool fired;
    size_t stray; /* the first event that hits none of the rules, from 1 on; 0: none such */
};

static void on_match(void *context, const struct correlation_match *match)
{
    struct sequence *sequence = context;
    const struct rule *rule = correlation_match_rule(match);

    sequence->fired |= rule == sequence->rule;
    if (sequence->selftest->coverage)
        coverage_fire(sequence->selftest->coverage, rule);
}

/* False when it hits none of the rules. */
static bool run_event(struct sequence *sequence, const struct event *event, int64_t time)
{
    struct selftest *selftest = sequence->selftest;
    bool hit = false;

    correlator_begin(sequence->correlator, event, time);
    for (size_t i = 0; i < selftest->feeding_count; i++) {
        const struct rule *rule = selftest->feeding[i];
        bool holds = matcher_holds_as_written(selftest->matcher, event, rule);

        see(selftest, event, rule);
        if (holds)
            correlator_feed(sequence->correlator, rule);
        hit |= holds;
    }
    correlator_judge(sequence->correlator, on_match, sequence);
    return hit;
}

static void judge(const struct sequence *sequence, const struct rule_test *test)
{
    struct selftest *selftest = sequence->selftest;

    selftest->counts.tests++;
    if (sequence->fired == test->alerts)
        return;
    selftest->counts.failed++;
    if (sequence->fired)
        diag_error(selftest->diags, test->mark, "test-failed",
                   "correlation '%.*s' alerts on these events, which are to be quiet",
                   TEXT_ARG(sequence->rule->id));
    else if (sequence->stray)
        diag_error(selftest->diags, test->mark, "test-failed",
                   "correlation '%.*s' does not alert on these events: number %zu is one that none "
                   "of its rules matches",
                   TEXT_ARG(sequence->rule->id), sequence->stray);
    else
        diag_error(selftest->diags, test->mark, "test-failed",
                   "correlation '%.*s' does not alert on these events",
                   TEXT_ARG(sequence->rule->id));
}

static void run_sequence(struct sequence *sequence, const struct rule_test *test)
{
    int64_t time = 0;

    correlator_clear(sequence->correlator);
    for (size_t i = 0; i < test->event_count; i++) {
        const struct event *event = &test->events[i];

        time = field_set_has(&event->has, FIELD_TIME) ? event->time : time + NS_PER_S;
        if (!run_event(sequence, event, time) && sequence->stray == 0)
            sequence->stray = i + 1;
    }
    judge(sequence, test);
}

static int run_correlation(struct selftest *selftest, const struct rule *rule)
{
    CLEANUP(correlator_freep) struct correlator *correlator = NULL;
    int r = rule->test_count ? correlator_new_for(selftest->ruleset, rule, &correlator) : 0;

    if (r < 0)
        return r;
    memset(selftest->met, 0, selftest->ruleset->count * sizeof *selftest->met);
    selftest->feeding_count = 0;
    find_feeding(selftest, rule);
    for (size_t i = 0; i < rule->test_count; i++) {
        struct sequence sequence = {selftest, correlator, rule, false, 0};

        run_sequence(&sequence, &rule->tests[i]);
    }
    return 0;
}

static int run_all(struct selftest *selftest)
{
    const struct ruleset *ruleset = selftest->ruleset;
    int r = 0;

    for (size_t i = 0; r == 0 && i < ruleset->count; i++) {
        if (ruleset->rules[i]->correlation)
            r = run_correlation(selftest, ruleset->rules[i]);
        else
            run_rule(selftest, ruleset->rules[i]);
    }
    return r;
}

int selftest_cover(const struct ruleset *ruleset, struct coverage *coverage,
                   struct diag_list *diags, struct selftest_counts *out)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct selftest selftest = {.ruleset = ruleset, .coverage = coverage, .diags = diags};
    int r = matcher_new(ruleset, &matcher);

    if (r < 0)
        return r;
    selftest.matcher = matcher;
    selftest.met = arena_array(&arena, ruleset->count + 1, sizeof *selftest.met);
    selftest.feeding = arena_array(&arena, ruleset->count + 1, sizeof(struct rule *));
    if (!selftest.met || !selftest.feeding)
        return -ENOMEM;
    r = run_all(&selftest);
    *out = selftest.counts;
    return diags->failed ? -ENOMEM : r;
}

int selftest_run(const struct ruleset *ruleset, struct diag_list *diags,
                 struct selftest_counts *out)
{
    return selftest_cover(ruleset, NULL, diags, out);
}
