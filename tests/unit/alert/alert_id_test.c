#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/alert_id.h"

static const uint64_t origin[3] = {1, 2, 3};

static void is_a_ulid_of_its_time(void **state)
{
    /* The specification's own example of a time: 1469918176385 ms is 01ARYZ6S41. */
    struct alert_id id = alert_id_make(1469918176385000000, origin, TEXT("rule"));

    assert_int_equal(strlen(id.text), ALERT_ID_LEN);
    assert_memory_equal(id.text, "01ARYZ6S41", 10);
    assert_int_equal(strspn(id.text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ALERT_ID_LEN);
}

static void is_the_same_for_the_same(void **state)
{
    assert_string_equal(alert_id_make(5, origin, TEXT("rule")).text,
                        alert_id_make(5, origin, TEXT("rule")).text);
}

static void differs_with_everything_it_is_made_of(void **state)
{
    static const uint64_t others[][3] = {{0, 2, 3}, {1, 0, 3}, {1, 2, 4}};
    struct alert_id id = alert_id_make(5, origin, TEXT("rule"));

    for (size_t i = 0; i < 3; i++)
        assert_string_not_equal(id.text, alert_id_make(5, others[i], TEXT("rule")).text);
    assert_string_not_equal(id.text, alert_id_make(6, origin, TEXT("rule")).text);
    assert_string_not_equal(id.text, alert_id_make(5, origin, TEXT("rule2")).text);
}

static void sorts_by_time(void **state)
{
    struct alert_id earlier = alert_id_make(1000000000, origin, TEXT("z"));
    struct alert_id later = alert_id_make(1001000000, origin, TEXT("a"));

    assert_true(strcmp(earlier.text, later.text) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_ulid_of_its_time),
        cmocka_unit_test(is_the_same_for_the_same),
        cmocka_unit_test(differs_with_everything_it_is_made_of),
        cmocka_unit_test(sorts_by_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
