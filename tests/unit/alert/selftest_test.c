#include "../rule/rule_fixture.h"

#include "alert/selftest.h"

static struct selftest_counts run(struct load *load)
{
    struct selftest_counts counts = {0};

    assert_int_equal(selftest_run(load->ruleset, &load->diags, &counts), 0);
    return counts;
}

/* Every way of giving a value, each with the opposite of what a wrong reading would give. */
static void test_values(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        "rules:\n"
        "- id: r\n"
        "  on: exit\n"
        "  match:\n"
        "    comm: sh\n"
        "    uid: 33\n"
        "    argv|all: [sh, -c]\n"
        "    cmdline: sh -c x\n"
        "    argc: 3\n"
        "    cmdline.length: 7\n"
        "    exe.setuid: false\n"
        "    exe.mode: '4755'\n"
        "    duration|gt: 1m\n"
        "    time|lt: 2026-02-01T00:00:00Z\n"
        "    exit.code: 1\n"
        "    is_exit: true\n"
        "    type: exit\n"
        "    tty|exists: false\n"
        "    parent: nginx\n"
        "    parent.exe: /usr/sbin/nginx\n"
        "    ancestor[2].comm: systemd\n"
        "    ancestor[4].pid: 1\n"
        "  tests:\n"
        "  - alerts: {comm: sh, uid: 33, argv: [sh, -c, x], exe.setuid: false, exe.mode: 4755,\n"
        "             duration: 90s, time: 2026-01-31T00:00:00Z, exit.code: 1, tty: null,\n"
        "             'ancestor[4].pid': 1,\n"
        "             parent: {comm: nginx, exe: /usr/sbin/nginx, parent: {comm: systemd}}}\n"
        "  - alerts: {comm: sh, uid: 33, argv: [sh, -c, x], exe.setuid: no, exe.mode: '4755',\n"
        "             duration: 60000000001, time: 2026-01-31T00:00:00Z, exit.code: 1,\n"
        "             parent: nginx, parent.exe: /usr/sbin/nginx,\n"
        "             'ancestor[2].comm': systemd, 'ancestor[4].pid': 1}\n"
        "  - quiet: {comm: sh}\n");
    struct selftest_counts counts = run(&load);

    if (counts.failed)
        print_diags(&load);
    assert_int_equal(counts.tests, 3);
    assert_int_equal(counts.failed, 0);
}

static void test_nested_parents(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "- id: r\n"
                  "  match: {parent: a, 'ancestor[2].comm': b, 'ancestor[3].comm': c}\n"
                  "  tests:\n"
                  "  - alerts: {parent: {comm: a, parent: {comm: b, parent: c}}}\n"
                  "  - alerts: {parent: {comm: a, 'ancestor[2].comm': c, parent: b}}\n"
                  "  - quiet: {parent: {comm: a, parent: {comm: b}}}\n"
                  "  - quiet: {parent: {comm: a, parent: {parent: c}}}\n");
    struct selftest_counts counts = run(&load);

    assert_int_equal(counts.tests, 4);
    assert_int_equal(counts.failed, 0);
}

static void test_failures(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- id: r\n"
                                 "  enabled: false\n"
                                 "  match: {uid: 0}\n"
                                 "  tests:\n"
                                 "  - alerts: {uid: 1}\n"
                                 "  - quiet: {uid: 0}\n"
                                 "  - alerts: {uid: 0}\n"
                                 "  - quiet: {uid: 0, type: exit}\n"
                                 "overrides:\n"
                                 "  r: {unless: {uid: 0}}\n");
    struct selftest_counts counts = run(&load);

    assert_int_equal(counts.tests, 4);
    assert_int_equal(counts.failed, 2);
    assert_int_equal(load.diags.errors, 2);
    assert_diag(&load, "test-failed", 6, 5);
    assert_diag(&load, "test-failed", 7, 5);
    assert_string_equal(load.diags.items[0].mark.file, "rules.yaml");
}

static void test_mistakes(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "- id: r\n"
                                 "  match: {uid: 0}\n"
                                 "  tests:\n"
                                 "  - alerts: {uid: x, comm: [a], argv: b, exe.setuid: 1,\n"
                                 "             time: noon, duration: soon, nofield: 1}\n"
                                 "  - quiet: {ancestor.comm: x, type: fork-bomb,\n"
                                 "            'ancestor[65].comm': x}\n"
                                 "  - quiet: {parent: {retval: 0, 'ancestor[64].comm': x}}\n");

    assert_diag(&load, "bad-value", 5, 19);
    assert_diag(&load, "bad-value", 5, 28);
    assert_diag(&load, "bad-value", 5, 39);
    assert_diag(&load, "bad-value", 5, 54);
    assert_diag(&load, "bad-value", 6, 20);
    assert_diag(&load, "bad-value", 6, 36);
    assert_diag(&load, "unknown-field", 6, 42);
    assert_diag(&load, "bad-field", 7, 13);
    assert_diag(&load, "bad-value", 7, 37);
    assert_diag(&load, "bad-field", 8, 14);
    assert_diag(&load, "bad-field", 9, 22);
    assert_diag(&load, "bad-field", 9, 33);
    assert_int_equal(load.diags.count, 12);
}

static void test_sets(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_text("rules:\n"
                  "- id: r\n"
                  "  match: {cap.effective|all: [cap_kill, cap_bpf], securebits: noroot}\n"
                  "  tests:\n"
                  "  - alerts: {cap.effective: [cap_bpf, cap_kill], securebits: [noroot]}\n"
                  "  - alerts: {cap.effective: [all], securebits: [keep_caps, noroot]}\n"
                  "  - quiet: {cap.effective: [cap_bpf], securebits: [noroot]}\n"
                  "  - quiet: {cap.effective: [], securebits: []}\n");
    CLEANUP(load_deinit)
    struct load wrong = load_text("rules:\n"
                                  "- id: r\n"
                                  "  match: {uid: 0}\n"
                                  "  tests:\n"
                                  "  - quiet: {cap.effective: [kill]}\n"
                                  "  - quiet: {cap.effective: cap_kill}\n"
                                  "  - quiet: {cap.effective: [[cap_kill]]}\n");

    assert_int_equal(load.result, 0);
    assert_int_equal(run(&load).failed, 0);
    assert_diag(&wrong, "bad-value", 5, 28);
    assert_diag(&wrong, "bad-value", 6, 28);
    assert_diag(&wrong, "bad-value", 7, 28);
}

/* Sequences of events: a second apart unless they say otherwise, judged as the rules are written.
 */
static const char correlations[] =
    "rules:\n"
    "- {id: a, match: {comm: a}, tests: []}\n"
    "- {id: b, on: exit, match: {comm: b}, enabled: false, tests: []}\n"
    "---\n"
    "title: pair\n"
    "id: pair\n"
    "enabled: false\n"
    "correlation: {type: temporal_ordered, rules: [a, b], group-by: uid, timespan: 1s}\n"
    "tests:\n"
    "- alerts: [{comm: a}, {type: exit, comm: b}]\n"
    "- quiet: [{comm: a}, {comm: x}, {type: exit, comm: b}]\n"
    "- quiet: [{comm: a, uid: 1}, {type: exit, comm: b, uid: 2}]\n"
    "- quiet: [{comm: a}, {comm: b}]\n"
    "- alerts: [{comm: a, time: 2026-01-01T00:00:00Z}, {type: exit, comm: b}]\n"
    "- quiet: [{comm: a, time: 2026-01-01T00:00:05Z},\n"
    "          {type: exit, comm: b, time: 2026-01-01T00:00:04Z}]\n"
    "---\n"
    "title: pairs\n"
    "id: pairs\n"
    "correlation: {type: event_count, rules: pair, timespan: 1m, condition: {gte: 2}}\n"
    "tests:\n"
    "- alerts: [{comm: a}, {type: exit, comm: b}, {comm: a}, {type: exit, comm: b}]\n"
    "- quiet: [{comm: a}, {type: exit, comm: b}]\n"
    "---\n"
    "overrides:\n"
    "  a: {unless: {comm: a}}\n";

static void test_sequences(void **state)
{
    CLEANUP(load_deinit) struct load load = load_good(correlations);
    CLEANUP(coverage_freep) struct coverage *coverage = NULL;
    struct selftest_counts counts;

    assert_int_equal(coverage_new(load.ruleset, &coverage), 0);
    assert_int_equal(selftest_cover(load.ruleset, coverage, &load.diags, &counts), 0);
    if (counts.failed)
        print_diags(&load);
    assert_int_equal(counts.tests, 8);
    assert_int_equal(counts.failed, 0);
    /* What the events of a correlation's tests show of its rules counts for these: all but a, which
     * with its exception never fires. */
    struct coverage_sum sum = coverage_sum(coverage);

    assert_int_equal(sum.rules, 4);
    assert_int_equal(sum.fired, 3);
    assert_int_equal(sum.branches, 3);
    assert_int_equal(sum.covered, 3);
}

static void test_failing_sequences(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- {id: a, match: {comm: a}, tests: []}\n"
                                 "---\n"
                                 "title: twice\n"
                                 "id: twice\n"
                                 "correlation: {type: event_count, rules: a, timespan: 1m,\n"
                                 "              condition: {gte: 2}}\n"
                                 "tests:\n"
                                 "- quiet: [{comm: a}, {comm: a}]\n"
                                 "- alerts: [{comm: a}, {comm: b}]\n"
                                 "- alerts: {comm: a}\n"
                                 "- alerts: []\n");
    struct selftest_counts counts = run(&load);

    assert_int_equal(counts.tests, 4);
    assert_int_equal(counts.failed, 4);
    assert_diag(&load, "test-failed", 9, 3);
    assert_diag(&load, "test-failed", 10, 3);
    assert_diag(&load, "test-failed", 11, 3);
    assert_diag(&load, "test-failed", 12, 3);
    assert_non_null(strstr(load.diags.items[1].message, "number 2 is one that none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_nested_parents),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_failing_sequences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
