#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/cleanup.h"
#include "base/map.h"

#define KEYS 5000

static void keys_lead_to_their_values_in_order_of_insertion(void **state)
{
    CLEANUP(map_deinit) struct map map = {0};
    static char keys[KEYS][8];

    for (size_t i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i * 7 % KEYS);
        assert_int_equal(map_add(&map, text_from(keys[i]), keys[i]), 0);
    }
    assert_int_equal(map.count, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        assert_ptr_equal(map_get(&map, text_from(keys[i])), keys[i]);
        assert_ptr_equal(map.entries[i].value, keys[i]);
    }
    assert_null(map_get(&map, TEXT("k5000")));
    assert_null(map_get(&map, TEXT("")));
}

static void the_first_value_of_a_key_stays(void **state)
{
    CLEANUP(map_deinit) struct map map = {0};
    int first, second;

    assert_null(map_get(&map, TEXT("a")));
    assert_int_equal(map_add(&map, TEXT("a"), &first), 0);
    assert_int_equal(map_add(&map, TEXT("a"), &second), -EEXIST);
    assert_ptr_equal(map_get(&map, TEXT("a")), &first);
    assert_int_equal(map.count, 1);
}

static void keys_are_bytes(void **state)
{
    CLEANUP(map_deinit) struct map map = {0};
    int values[4];

    assert_int_equal(map_add(&map, TEXT(""), &values[0]), 0);
    assert_int_equal(map_add(&map, TEXT("\0"), &values[1]), 0);
    assert_int_equal(map_add(&map, TEXT("a\0b"), &values[2]), 0);
    assert_int_equal(map_add(&map, TEXT("a\0c"), &values[3]), 0);
    assert_ptr_equal(map_get(&map, TEXT("")), &values[0]);
    assert_ptr_equal(map_get(&map, TEXT("\0")), &values[1]);
    assert_ptr_equal(map_get(&map, TEXT("a\0c")), &values[3]);
    assert_null(map_get(&map, TEXT("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_lead_to_their_values_in_order_of_insertion),
        cmocka_unit_test(the_first_value_of_a_key_stays),
        cmocka_unit_test(keys_are_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
