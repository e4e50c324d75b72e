#include "rule_fixture.h"

#include <errno.h>

#include "rule/outline.h"

/* A rule of four selections, of which a and c hold for the event below. */
static struct load load_condition(const char *condition)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text,
                  "rules:\n"
                  "  - id: r\n"
                  "    tests: []\n"
                  "    where:\n"
                  "      a: {uid: 1}\n"
                  "      b: {uid: 2}\n"
                  "      c_1: {gid: 1}\n"
                  "      c_2: {gid: 2}\n"
                  "      _d: {uid: 2}\n"
                  "    condition: %s\n",
                  condition);
    return load_text(buffer_string(&text));
}

static bool holds(const char *condition)
{
    CLEANUP(load_deinit) struct load load = load_condition(condition);
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct process process = {.uid = 1, .gid = 1};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, UID);
    HAS(&process, GID);
    if (load.result < 0)
        print_diags(&load);
    assert_int_equal(load.result, 0);
    return *hits_of(load.ruleset, &event, &hits) != '\0';
}

static void test_meaning(void **state)
{
    static const struct {
        const char *condition;
        bool expected;
    } cases[] = {
        {"a", true},
        {"b", false},
        {"not b", true},
        {"not a", false},
        {"not not a", true},
        {"a and c_1", true},
        {"a and b", false},
        {"b or a", true},
        {"b or c_2", false},
        {"a or b and c_2", true},    /* and binds tighter than or */
        {"(a or b) and c_2", false}, /* ... but for parentheses */
        {"not b and a", true},       /* not binds tightest */
        {"not (b and a)", true},
        {"not (a or b)", false},
        {"b and a or c_1", true},
        {"((a))and(c_1)", true},
        {"1 of c_*", true},
        {"any of c_*", true},
        {"all of c_*", false},
        {"not all of c_*", true},
        {"1 of ?", true},
        {"all of ?", false},
        {"1 of them", true},
        {"all of them", false},
        {"1 of b", false},
        {"a and not 1 of _*", true},
        {"1 of _*", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (holds(cases[i].condition) != cases[i].expected)
            fail_msg("'%s' should be %s", cases[i].condition, cases[i].expected ? "true" : "false");
}

/* `them`, and a pattern that does not begin so, leave out names that begin with '_', as in Sigma.
 */
static void test_them(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "  - id: r\n"
                                 "    where: {a: {uid: 1}, _b: {uid: 2}}\n"
                                 "    condition: all of them and all of *\n"
                                 "    tests: []\n");
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct process process = {.uid = 1};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, UID);
    assert_string_equal(hits_of(load.ruleset, &event, &hits), "r ");
    assert_diag(&load, "unused-selection", 3, 26);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *condition;
        const char *code;
        unsigned column; /* in the condition */
    } cases[] = {
        {"a and", "bad-condition", 6},
        {"a or or b", "bad-condition", 6},
        {"and a", "bad-condition", 1},
        {"(a", "bad-condition", 3},
        {"a)", "bad-condition", 2},
        {"()", "bad-condition", 2},
        {"a b", "bad-condition", 3},
        {"not", "bad-condition", 4},
        {"1 c_*", "bad-condition", 3},
        {"1 of", "bad-condition", 5},
        {"2 of c_*", "unknown-selection", 1},
        {"e", "unknown-selection", 1},
        {"a and A", "unknown-selection", 7},
        {"a and 1 of x_*", "unknown-selection", 12},
        {"them", "bad-condition", 1},
        {"a || b", "bad-condition", 3},
        {"a && b", "bad-condition", 3},
        {"(a || b) and c_1", "bad-condition", 4},
        {"all of them | count() > 3", "bad-condition", 13},
        {"(a|count() by uid) > 3", "bad-condition", 3},
        {"(| count() > 3", "bad-condition", 2},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_condition(cases[i].condition);

        assert_int_equal(load.result, -EINVAL);
        assert_diag(&load, cases[i].code, 10, 15 + cases[i].column);
        assert_int_equal(load.diags.count, 1);
    }
}

/* One mistake hides no other. */
static void test_many_mistakes(void **state)
{
    static const struct {
        const char *condition;
        const char *told; /* each with its column */
    } cases[] = {
        {"a and x and 1 of z*", "unknown-selection 7, unknown-selection 18, "},
        {"a and (b or x", "unknown-selection 13, bad-condition 14, "},
        {"((a or x", "unknown-selection 8, bad-condition 9, "},
        {"a and or x", "bad-condition 7, unknown-selection 10, "},
        {"(a b) and x", "bad-condition 4, unknown-selection 11, "},
        {"a) and x", "bad-condition 2, unknown-selection 8, "},
        {"a)) x and", "bad-condition 2, unknown-selection 5, bad-condition 10, "},
        {"1 x* and not and y", "bad-condition 3, unknown-selection 3, bad-condition 14, "
                               "unknown-selection 18, "},
        {"all of and them or x", "bad-condition 8, bad-condition 12, unknown-selection 20, "},
        {"2 of z* or 3 of b", "unknown-selection 1, unknown-selection 6, unknown-selection 12, "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_condition(cases[i].condition);
        CLEANUP(buffer_deinit) struct buffer told = {0};

        diag_sort(&load.diags);
        for (size_t j = 0; j < load.diags.count; j++)
            buffer_printf(&told, "%s %u, ", load.diags.items[j].code,
                          load.diags.items[j].mark.column - 15);
        assert_string_equal(buffer_string(&told), cases[i].told);
    }
}

/* What a condition leaves out is told beside mistakes in selections, not in itself. */
static void test_unused_beside_mistakes(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "  - id: r\n"
                                 "    where: {a: {nofield: 1}, b: {uid: 2}}\n"
                                 "    condition: a\n"
                                 "    tests: []\n"
                                 "  - id: s\n"
                                 "    where: {a: {uid: 1}, b: {uid: 2}}\n"
                                 "    condition: a and c\n"
                                 "    tests: []\n");

    assert_diag(&load, "unknown-field", 3, 17);
    assert_diag(&load, "unused-selection", 3, 30);
    assert_diag(&load, "unknown-selection", 8, 22);
    assert_int_equal(load.diags.count, 3);
}

static void test_them_without_any(void **state)
{
    static const char *const words[] = {"them", "*", "*b"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text,
                      "rules:\n"
                      "  - id: r\n"
                      "    where: {_b: {uid: 2}}\n"
                      "    condition: 1 of %s\n"
                      "    tests: []\n",
                      words[i]);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        assert_diag(&load, "unknown-selection", 4, 21);
        assert_non_null(strstr(diag_of(&load, "unknown-selection")->message, "begin with '_'"));
    }
}

/* A condition of 1 of x* and again, each time of all COUNT selections. */
static struct load load_repeated(unsigned count, unsigned times)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_put_string(&text, "rules:\n  - id: r\n    tests: []\n    where: {");
    for (unsigned i = 0; i < count; i++)
        buffer_printf(&text, "x%u: {uid: %u},", i, i);
    buffer_put_string(&text, "}\n    condition: x0");
    for (unsigned i = 0; i < times; i++)
        buffer_put_string(&text, " or (1 of x* and x1)");
    return load_text(buffer_string(&text));
}

/* What a condition unfolds to is bounded where it grows too big, with nothing made of the rest. */
static void test_values_are_bounded(void **state)
{
    CLEANUP(load_deinit) struct load most = load_repeated(999, 199);
    CLEANUP(load_deinit) struct load more = load_repeated(999, 200);
    CLEANUP(load_deinit) struct load bomb = load_repeated(2000, 20000);

    assert_int_equal(most.result, 0);
    assert_int_equal(rule_of(&most, "r")->outline->values, 1 + 199 * 1000);
    assert_diag(&more, "too-many-values", 5, 18 + 199 * 20 + 17);
    assert_int_equal(more.diags.count, 1);
    assert_diag(&bomb, "too-many-values", 5, 18 + 99 * 20 + 10);
    assert_int_equal(bomb.diags.count, 1);
}

static void test_depth(void **state)
{
    CLEANUP(buffer_deinit) struct buffer deep = {0};

    for (int i = 0; i < 100000; i++)
        buffer_put_string(&deep, i % 2 ? "not " : "(");
    buffer_put_string(&deep, "a");
    CLEANUP(load_deinit) struct load load = load_condition(buffer_string(&deep));

    assert_int_equal(load.result, -EINVAL);
    assert_non_null(find_diag(&load, "bad-condition"));
    assert_int_equal(load.diags.count, 1);
}

static void test_names(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "  - id: r\n"
                                 "    where: {not: {uid: 1}, a: {uid: 2}, b: {uid: 3}}\n"
                                 "    condition: a\n"
                                 "    tests: []\n");

    assert_diag(&load, "bad-name", 3, 13);
    assert_diag(&load, "unused-selection", 3, 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_them),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_them_without_any),
        cmocka_unit_test(test_values_are_bounded),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_unused_beside_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
