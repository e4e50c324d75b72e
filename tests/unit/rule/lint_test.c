#include "rule_fixture.h"

#include "rule/lint.h"
#include "rule/predicate.h"
#include "rule/regex_cost.h"

static struct load lint_text(const char *text)
{
    struct load load = load_good(text);

    assert_int_equal(lint_run(load.ruleset, &load.diags), 0);
    return load;
}

static void assert_silent(const char *text)
{
    CLEANUP(load_deinit) struct load load = lint_text(text);

    if (load.diags.count)
        print_diags(&load);
    assert_int_equal(load.diags.count, 0);
}

static void test_shadowed(void **state)
{
    CLEANUP(load_deinit)
    struct load load = lint_text("rules:\n"
                                 "  - {id: narrow, match: {comm: sh, uid: 0}, tests: []}\n"
                                 "  - {id: wide, match: {comm: [sh, bash]}, tests: []}\n"
                                 "  - {id: other, on: exit, match: {comm: sh}, tests: []}\n"
                                 "  - {id: off, enabled: false, match: {comm: sh}, tests: []}\n");

    assert_int_equal(load.diags.count, 1);
    assert_diag(&load, "shadowed-rule", 2, 10);
    assert_string_equal(load.diags.items[0].message,
                        "all that rule 'narrow' matches is matched by rule 'wide' at rules.yaml:3 "
                        "as well");
}

/* Of two that say the same in other words, the later one. */
static void test_equivalent(void **state)
{
    CLEANUP(load_deinit)
    struct load load = lint_text("rules:\n"
                                 "  - {id: one, match: {comm: sh, uid|gt: 5}, tests: []}\n"
                                 "  - {id: two, match: {comm: sh, uid|gte: 6}, tests: []}\n");

    assert_int_equal(load.diags.count, 1);
    assert_diag(&load, "shadowed-rule", 3, 10);
}

/* What is told of more loudly, or to others, is not told twice. */
static void test_not_shadowed(void **state)
{
    assert_silent("rules:\n"
                  "  - {id: a, severity: high, match: {comm: sh, uid: 0}, tests: []}\n"
                  "  - {id: b, match: {comm: sh}, tests: []}\n");
    assert_silent("rules:\n"
                  "  - {id: a, outputs: [x], match: {comm: sh, uid: 0}, tests: []}\n"
                  "  - {id: b, outputs: [y], match: {comm: sh}, tests: []}\n");
    assert_silent("rules:\n"
                  "  - {id: a, match: {comm: sh, uid: 0}, tests: []}\n"
                  "  - {id: b, outputs: [y], match: {comm: sh}, tests: []}\n");
    assert_silent("rules:\n"
                  "  - {id: a, match: {comm: sh, uid: 0}, tests: []}\n"
                  "  - {id: b, match: {comm: sh}, unless: {gid: 1}, tests: []}\n");
}

static void test_never_matches(void **state)
{
    static const char *const selections[] = {
        "{exe: /usr/bin/curl}, unless: {exe|startswith: /usr/}",
        "{uid|lt: 10, uid|gt: 20}",
        "{comm: sh, comm|is: bash}",
        "{comm: sh, comm|contains: x}",
        "[{comm: sh, uid: 1}, {comm: bash}], unless: [{comm: bash}, {comm: sh, uid|lt: 2}]",
    };

    for (size_t i = 0; i < sizeof selections / sizeof *selections; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, "rules: [{id: a, match: %s, tests: []}]", selections[i]);
        CLEANUP(load_deinit) struct load load = lint_text(buffer_string(&text));

        if (load.diags.count != 1)
            print_diags(&load);
        assert_int_equal(load.diags.count, 1);
        assert_diag(&load, "never-matches", 1, 14);
    }
    assert_silent("rules: [{id: a, match: {argv: x, argv|contains: y}, unless: {argv: z}, "
                  "tests: []}]");
}

static void test_costly_regex(void **state)
{
    CLEANUP(load_deinit)
    struct load load = lint_text("lists:\n"
                                 "  bad: [a.c, '(x+x+)+y']\n"
                                 "rules:\n"
                                 "  - id: a\n"
                                 "    match: {cmdline: ['^(a+)+$', 'x.*y']}\n"
                                 "    tests: []\n"
                                 "  - {id: b, match: {cwd|re: $bad}, tests: []}\n"
                                 "  - {id: c, match: {cwd|re: '(x+x+)+y', uid: 1}, severity: high,"
                                 " tests: []}\n");

    assert_int_equal(load.diags.count, 2);
    assert_diag(&load, "costly-regex", 5, 23);
    assert_diag(&load, "costly-regex", 2, 14);
}

static uint32_t cost_of(const char *pattern)
{
    struct regex_failure failure;
    struct regex *regex = NULL;

    assert_int_equal(regex_new(text_from(pattern), 0, &regex, &failure), 0);
    uint64_t budget = UINT64_MAX;
    uint32_t cost = regex_cost(regex, text_from(pattern), REGEX_COST_MAX, &budget);

    regex_free(regex);
    return cost;
}

static void test_cost(void **state)
{
    static const char *const dear[] = {"^(a+)+$", "(a|aa)+$", "(\\w+\\s?)+$", "([a-z]+)*="};
    static const char *const cheap[] = {"nginx|apache2", "^/tmp/[^/]+$",
                                        "(?s)\\b(curl|wget)\\b.*\\|\\s*(ba|z)?sh\\b", ".*", ""};

    for (size_t i = 0; i < sizeof dear / sizeof *dear; i++)
        assert_int_equal(cost_of(dear[i]), REGEX_COST_MAX);
    for (size_t i = 0; i < sizeof cheap / sizeof *cheap; i++)
        assert_true(cost_of(cheap[i]) <= 4096);
}

/* No further than asked for, and not on credit. */
static void test_cost_limits(void **state)
{
    struct text pattern = TEXT("^(a+)+$");
    struct regex_failure failure;
    struct regex *regex = NULL;
    uint64_t budget = 1 << 20, none = 0;

    assert_int_equal(regex_new(pattern, 0, &regex, &failure), 0);
    assert_int_equal(regex_cost(regex, pattern, 4096, &budget), 4096);
    assert_in_range((1 << 20) - budget, 2048, 8192);
    budget = 2000;
    assert_true(regex_cost(regex, pattern, REGEX_COST_MAX, &budget) <= 4096);
    assert_int_equal(budget, 0);
    assert_true(regex_cost(regex, pattern, REGEX_COST_MAX, &none) < 4096);
    regex_free(regex);
}

/* However many are costly, the run ends; those that were not tried are told of once. */
static void test_many_costly(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    size_t warnings = 0, untried = 0;

    buffer_put_string(&text, "rules:\n");
    for (int i = 0; i < 2000; i++)
        buffer_printf(&text, "  - {id: r%d, match: {cwd|re: '(x+x+)+%d'}, tests: []}\n", i, i);
    CLEANUP(load_deinit) struct load load = lint_text(buffer_string(&text));

    for (size_t i = 0; i < load.diags.count; i++) {
        if (strcmp(load.diags.items[i].code, "costly-regex") != 0)
            continue;
        warnings++;
        untried += strstr(load.diags.items[i].message, "so many") != NULL;
    }
    assert_in_range(warnings, 100, 1999);
    assert_in_range(untried, 0, 1);
}

static void test_always_evaluated(void **state)
{
    CLEANUP(load_deinit)
    struct load load = lint_text("rules:\n"
                                 "  - {id: a, match: {comm: sh}, tests: []}\n"
                                 "  - id: b\n"
                                 "    where: {x: {comm: bash}}\n"
                                 "    condition: not x\n"
                                 "    severity: low\n"
                                 "    tests: []\n");

    assert_diag(&load, "always-evaluated", 3, 9);
    assert_null(strstr(diag_of(&load, "always-evaluated")->message, "'a'"));
    assert_int_equal(ruleset_always(load.ruleset, EVENT_EXEC), 1);
    assert_int_equal(ruleset_always(load.ruleset, EVENT_EXIT), 0);
}

/* A rule that feeds a correlation is there for that, and one without alerts stands in for none. */
static void test_members(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        lint_text("rules:\n"
                  "- {id: wide, match: {exe|startswith: /tmp/}, tests: []}\n"
                  "- {id: part, match: {exe|startswith: /tmp/, uid: 0}, tests: []}\n"
                  "- {id: part-wide, match: {comm: sh|bash}, tests: []}\n"
                  "- {id: own, match: {comm: sh|bash, uid: 0}, tests: []}\n"
                  "- {id: own-narrow, match: {comm: sh|bash, uid: 0, gid: 0}, tests: []}\n"
                  "---\n"
                  "title: both\n"
                  "correlation: {type: temporal, rules: [part, part-wide], timespan: 1m}\n"
                  "tests: []\n");

    assert_int_equal(load.diags.count, 1);
    assert_diag(&load, "shadowed-rule", 6, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shadowed),         cmocka_unit_test(test_equivalent),
        cmocka_unit_test(test_not_shadowed),     cmocka_unit_test(test_never_matches),
        cmocka_unit_test(test_costly_regex),     cmocka_unit_test(test_cost),
        cmocka_unit_test(test_always_evaluated), cmocka_unit_test(test_cost_limits),
        cmocka_unit_test(test_many_costly),      cmocka_unit_test(test_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
