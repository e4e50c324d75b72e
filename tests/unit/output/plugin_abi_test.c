/* Version 1 of the plugin ABI, as it will always be on 64-bit machines: plugins compiled against it
 * must run in every later picket. A failure here is a broken promise, not a number to correct. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "picket/plugin.h"

static void structures_stay_as_they_are(void **state)
{
    assert_int_equal(104, sizeof(struct picket_plugin));
    assert_int_equal(8, offsetof(struct picket_plugin, abi));
    assert_int_equal(16, offsetof(struct picket_plugin, name));
    assert_int_equal(40, offsetof(struct picket_plugin, options));
    assert_int_equal(64, offsetof(struct picket_plugin, config_size));
    assert_int_equal(72, offsetof(struct picket_plugin, open));
    assert_int_equal(96, offsetof(struct picket_plugin, close));
    assert_int_equal(64, sizeof(struct picket_option));
    assert_int_equal(48, offsetof(struct picket_option, offset));
    assert_int_equal(56, offsetof(struct picket_option, type));
    assert_int_equal(80, sizeof(struct picket_alert));
    assert_int_equal(72, offsetof(struct picket_alert, severity));
    assert_int_equal(48, sizeof(struct picket_host));
    assert_int_equal(24, offsetof(struct picket_host, log));
    assert_int_equal(40, sizeof(struct picket_verdict));
    assert_int_equal(24, offsetof(struct picket_verdict, reason));
    assert_int_equal(32, offsetof(struct picket_verdict, rejected));
}

static void members_are_asked_for_by_size(void **state)
{
    struct picket_verdict verdict = {.size = offsetof(struct picket_verdict, rejected)};
    struct picket_verdict *shorter = &verdict;

    assert_true(PICKET_HAS(shorter, reason));
    assert_false(PICKET_HAS(shorter, rejected));
    shorter->size = sizeof verdict;
    assert_true(PICKET_HAS(shorter, rejected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structures_stay_as_they_are),
        cmocka_unit_test(members_are_asked_for_by_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
