#include "rule_fixture.h"

#include "alert/selftest.h"

static const char rules[] = "lists: {l: [a, b]}\n"
                            "rules:\n"
                            "- id: r\n"
                            "  match:\n"
                            "  - {comm|is: $l, uid: [0, 33]}\n"
                            "  - {comm: c}\n"
                            "  unless: {cwd: /x}\n"
                            "  tests:\n"
                            "  - alerts: {comm: a, uid: 33}\n"
                            "  - quiet: {comm: c, cwd: /x}\n"
                            "- id: other\n"
                            "  on: exit\n"
                            "  match: {comm: c}\n"
                            "  tests: [{quiet: {comm: d}}]\n";

static void test_own_tests(void **state)
{
    CLEANUP(load_deinit) struct load load = load_good(rules);
    CLEANUP(coverage_freep) struct coverage *coverage = NULL;
    struct selftest_counts counts;

    assert_int_equal(coverage_new(load.ruleset, &coverage), 0);
    assert_int_equal(selftest_cover(load.ruleset, coverage, &load.diags, &counts), 0);
    assert_int_equal(counts.failed, 0);
    struct coverage_sum sum = coverage_sum(coverage);

    assert_int_equal(sum.rules, 2);
    assert_int_equal(sum.fired, 1);
    /* The first alternative, $l, 0, 33, c, /x; and the other rule's c, which the test of the first
     * does not count for. */
    assert_int_equal(sum.branches, 7);
    assert_int_equal(sum.covered, 5);
    assert_int_equal(coverage_percent(&sum), 66);
    for (size_t i = 0; i < coverage->rules[0].count; i++)
        assert_int_equal(coverage->rules[0].branches[i].covered,
                         !text_is(coverage->rules[0].branches[i].part->value, "0"));
}

/* An event counts for every rule on its type, whether they fire or not. */
static void test_events(void **state)
{
    CLEANUP(load_deinit) struct load load = load_good(rules);
    CLEANUP(coverage_freep) struct coverage *coverage = NULL;
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    struct process process = {.comm = TEXT("c"), .uid = 0};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *hits;

    HAS(&process, COMM);
    HAS(&process, UID);
    assert_int_equal(coverage_new(load.ruleset, &coverage), 0);
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    assert_int_equal(matcher_match(matcher, &event, &hits), 1);
    coverage_see_all(coverage, matcher, &event);
    assert_int_equal(coverage->rules[0].covered, 2); /* uid 0, comm c */
    assert_true(coverage->rules[0].fired);
    assert_int_equal(coverage->rules[1].covered, 0);
    event.type = EVENT_EXIT;
    assert_int_equal(matcher_match(matcher, &event, &hits), 1);
    coverage_see_all(coverage, matcher, &event);
    assert_int_equal(coverage->rules[1].covered, 1);
    assert_true(coverage->rules[1].fired);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_tests),
        cmocka_unit_test(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
