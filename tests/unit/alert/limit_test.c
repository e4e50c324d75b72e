/* What regexes were given up on becomes alerts: summed by rule, not too many, none forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/alert.h"
#include "alert/limit.h"

#define RULES 4

struct fixture {
    struct rule rules[RULES];
    const struct rule *pointers[RULES];
    struct ruleset ruleset;
    struct limit_ledger *ledger;
    struct limit_sum sum;
};

static int set_up(void **state)
{
    static const char *const ids[RULES] = {"a", "b", "c", "d"};
    struct fixture *f = calloc(1, sizeof *f);

    for (size_t i = 0; i < RULES; i++) {
        f->rules[i] = (struct rule){.id = text_from(ids[i]), .index = i};
        f->pointers[i] = &f->rules[i];
    }
    f->ruleset = (struct ruleset){.rules = f->pointers, .count = RULES};
    *state = f;
    return limit_ledger_new(&f->ruleset, &f->ledger);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    limit_ledger_free(f->ledger);
    free(f);
    return 0;
}

static void add(struct fixture *f, size_t rule, int64_t time)
{
    limit_ledger_add(f->ledger, &f->rules[rule], time);
}

static void expect(struct fixture *f, int64_t now, size_t rule, uint64_t count)
{
    assert_true(limit_ledger_take(f->ledger, now, &f->sum));
    assert_ptr_equal(f->sum.rule, &f->rules[rule]);
    assert_int_equal(f->sum.count, count);
}

static void expect_none(struct fixture *f, int64_t now)
{
    assert_false(limit_ledger_take(f->ledger, now, &f->sum));
}

static void without_a_limit_nothing_is_due(void **state)
{
    expect_none(*state, 1);
    expect_none(*state, INT64_MAX);
}

static void the_first_is_told_at_once_and_the_next_a_minute_later(void **state)
{
    struct fixture *f = *state;

    add(f, 1, 10);
    expect(f, NS_PER_S, 1, 1);
    expect_none(f, NS_PER_S);
    add(f, 1, 30);
    add(f, 1, 20);
    expect_none(f, NS_PER_S + LIMIT_PAUSE - 1);
    expect(f, NS_PER_S + LIMIT_PAUSE, 1, 2);
    assert_int_equal(f->sum.from, 20);
    assert_int_equal(f->sum.until, 30);
    expect_none(f, INT64_MAX);
}

static void rules_do_not_wait_for_each_other(void **state)
{
    struct fixture *f = *state;

    add(f, 2, 1);
    expect(f, NS_PER_S, 2, 1);
    add(f, 2, 2);
    expect_none(f, 2 * NS_PER_S);
    add(f, 0, 3);
    add(f, 3, 3);
    expect(f, 3 * NS_PER_S, 0, 1);
    expect(f, 3 * NS_PER_S, 3, 1);
    expect_none(f, 3 * NS_PER_S);
    expect(f, NS_PER_S + LIMIT_PAUSE, 2, 1);
}

static void at_the_end_all_come(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < RULES; i++)
        add(f, i, 1);
    for (size_t i = 0; i < RULES; i++)
        expect(f, NS_PER_S, i, 1);
    expect_none(f, NS_PER_S);
    for (size_t i = 0; i < RULES; i++)
        add(f, i, 2);
    expect_none(f, 2 * NS_PER_S);
    for (size_t i = 0; i < RULES; i++)
        expect(f, INT64_MAX, i, 1);
    expect_none(f, INT64_MAX);
}

static void what_comes_while_one_looks_is_not_forgotten(void **state)
{
    struct fixture *f = *state;

    add(f, 0, 1);
    add(f, 2, 1);
    expect(f, NS_PER_S, 0, 1);
    add(f, 0, 2);
    expect(f, NS_PER_S, 2, 1);
    expect_none(f, NS_PER_S);
    expect(f, NS_PER_S + LIMIT_PAUSE, 0, 1);
}

static void says_which_rule(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    add(f, 1, 0);
    expect(f, NS_PER_S, 1, 1);
    limit_put_message(&out, LIMIT_REGEX, &f->sum);
    assert_non_null(
        strstr(buffer_string(&out), "a regex of rule 'b' was given up on for 1 event,"));
    buffer_clear(&out);
    limit_put_json(&json, &f->sum);
    assert_string_equal(buffer_string(&out), "{\"rule\":\"b\",\"count\":1,"
                                             "\"from\":\"1970-01-01T00:00:00.000000000Z\","
                                             "\"until\":\"1970-01-01T00:00:00.000000000Z\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_limit_nothing_is_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_is_told_at_once_and_the_next_a_minute_later,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_do_not_wait_for_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(at_the_end_all_come, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_while_one_looks_is_not_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_which_rule, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
