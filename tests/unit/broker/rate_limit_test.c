/* So many within any window, not only within those that begin at its own pleasure. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "broker/rate_limit.h"

static bool pass(struct rate_limit *rate, int64_t now)
{
    bool allowed = rate_limit_allows(rate, now);

    if (allowed)
        rate_limit_count(rate, now);
    return allowed;
}

static void so_many_within_any_window(void **state)
{
    struct rate_limit rate;

    assert_int_equal(0, rate_limit_init(&rate, 3, 100));
    assert_true(pass(&rate, 1000));
    assert_true(pass(&rate, 1060));
    assert_true(pass(&rate, 1099));
    assert_false(pass(&rate, 1099));
    assert_true(pass(&rate, 1100)); /* the first is out of it, the others are not */
    assert_false(pass(&rate, 1159));
    assert_true(pass(&rate, 1160));
    assert_false(pass(&rate, 1198));
    assert_true(pass(&rate, 1300));
    rate_limit_deinit(&rate);
}

static void none_at_all(void **state)
{
    struct rate_limit rate;

    assert_int_equal(0, rate_limit_init(&rate, 0, 100));
    assert_false(rate_limit_allows(&rate, 1000));
    rate_limit_deinit(&rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_within_any_window),
        cmocka_unit_test(none_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
