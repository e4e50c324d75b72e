/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "doubt.h"

#define S 1000000000LL

static void nobody_is_at_fault_when_nothing_is_taken(void **state)
{
    struct doubt doubt = {0};

    for (long long now = 1; now < 100; now++)
        assert_false(doubt_weigh(&doubt, "a", true, now * S));
    assert_true(doubt_wants_another(&doubt, true));
}

static void one_that_is_refused_while_another_is_taken_is(void **state)
{
    struct doubt doubt = {0};

    assert_false(doubt_weigh(&doubt, "a", true, S));
    doubt_prove(&doubt, "b", S);
    assert_true(doubt_weigh(&doubt, "a", true, 2 * S));
    /* So are the next, but not for long. */
    assert_true(doubt_weigh(&doubt, "c", true, 3 * S));
    assert_false(doubt_weigh(&doubt, "d", true, 30 * S));
}

static void what_comes_and_goes_is_no_proof(void **state)
{
    struct doubt doubt = {0};

    assert_false(doubt_weigh(&doubt, "a", false, S));
    assert_false(doubt_wants_another(&doubt, false));
    for (int i = 0; i < 4; i++) {
        assert_false(doubt_weigh(&doubt, "a", false, S));
        assert_true(doubt_wants_another(&doubt, false));
        doubt_prove(&doubt, "b", S);
        assert_false(doubt_weigh(&doubt, "a", false, 2 * S));
        assert_false(doubt_wants_another(&doubt, false));
        assert_int_equal(i == 3, doubt_weigh(&doubt, "a", false, 2 * S));
    }
    /* The next begins anew. */
    doubt_prove(&doubt, "c", 3 * S);
    assert_false(doubt_weigh(&doubt, "d", false, 3 * S));
}

static void those_taken_before_their_turn_are_known_once(void **state)
{
    struct doubt doubt = {0};

    doubt_prove(&doubt, "b", S);
    assert_true(doubt_has(&doubt, "b"));
    assert_false(doubt_has(&doubt, "a"));
    assert_false(doubt_has(&doubt, ""));
    assert_true(doubt_forget(&doubt, "b"));
    assert_false(doubt_forget(&doubt, "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_at_fault_when_nothing_is_taken),
        cmocka_unit_test(one_that_is_refused_while_another_is_taken_is),
        cmocka_unit_test(what_comes_and_goes_is_no_proof),
        cmocka_unit_test(those_taken_before_their_turn_are_known_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
