#include "rule_fixture.h"

#include "base/clock.h"

#define RULE(suppress)             \
    "rules:\n"                     \
    "  - id: r\n"                  \
    "    match: {comm: sh}\n"      \
    "    suppress: " suppress "\n" \
    "    tests: []\n"

static void reads_fields_and_time(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(RULE("{by: [exe, parent.exe, 'ancestor[2]'], for: 1h30m}"));
    const struct rule_suppress *suppress = &load.ruleset->rules[0]->suppress;

    assert_int_equal(suppress->window, 5400 * NS_PER_S);
    assert_int_equal(suppress->by_count, 3);
    assert_int_equal(suppress->by[1].field->id, FIELD_EXE);
    assert_int_equal(suppress->by[1].generation, 1);
    assert_int_equal(suppress->by[2].field->id, FIELD_COMM);
    assert_int_equal(suppress->by[2].generation, 2);
}

static void takes_one_field_or_none(void **state)
{
    CLEANUP(load_deinit) struct load one = load_good(RULE("{by: uid, for: 1s}"));
    CLEANUP(load_deinit) struct load none = load_good(RULE("{for: 30d}"));

    assert_int_equal(one.ruleset->rules[0]->suppress.by_count, 1);
    assert_int_equal(none.ruleset->rules[0]->suppress.by_count, 0);
    assert_int_equal(none.ruleset->rules[0]->suppress.window, 30LL * 86400 * NS_PER_S);
}

static void can_be_overridden(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good(RULE("{by: uid, for: 1s}") "overrides:\n  r: {suppress: {for: 5m}}\n");

    assert_int_equal(load.ruleset->rules[0]->suppress.by_count, 0);
    assert_int_equal(load.ruleset->rules[0]->suppress.window, 300 * NS_PER_S);
}

static void mistakes_are_told_at_their_places(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        unsigned column;
    } cases[] = {
        {RULE("10m"), "wrong-type", 15},
        {RULE("{by: exe}"), "missing-key", 15},
        {RULE("{for: soon}"), "bad-value", 21},
        {RULE("{for: 10ms}"), "bad-value", 21},
        {RULE("{for: 31d}"), "bad-value", 21},
        {RULE("{by: [exec], for: 1m}"), "unknown-field", 21},
        {RULE("{by: [{a: b}], for: 1m}"), "wrong-type", 21},
        {RULE("{by: [ancestor.exe], for: 1m}"), "bad-field", 21},
        {RULE("{by: exe, fro: 1m}"), "unknown-key", 25},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_text(cases[i].text);

        assert_diag(&load, cases[i].code, 4, cases[i].column);
        assert_int_equal(load.diags.errors, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields_and_time),
        cmocka_unit_test(takes_one_field_or_none),
        cmocka_unit_test(can_be_overridden),
        cmocka_unit_test(mistakes_are_told_at_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
