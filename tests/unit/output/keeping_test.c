/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "output/keeping.h"

static void a_mark_is_kept_once_all_before_it_is_journalled(void **state)
{
    struct keeping keeping = {0};
    uint64_t nothing = keeping_mark(&keeping);
    uint64_t first = keeping_add(&keeping);
    uint64_t mark = keeping_mark(&keeping);
    uint64_t second = keeping_add(&keeping);

    (void)state;
    assert_int_equal(KEEPING_PENDING, keeping_of(&keeping, mark));
    keeping_settle(&keeping, first, 1);
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, nothing));
    assert_int_equal(KEEPING_PENDING, keeping_of(&keeping, keeping_mark(&keeping)));
    keeping_settle(&keeping, second, 1);
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, mark));
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, keeping_mark(&keeping)));
}

static void one_that_had_no_room_is_lost_for_the_next_mark(void **state)
{
    struct keeping keeping = {0};
    uint64_t before = keeping_mark(&keeping);

    (void)state;
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, before));
    keeping_refuse(&keeping);
    uint64_t number = keeping_add(&keeping);
    uint64_t mark = keeping_mark(&keeping);
    uint64_t after = keeping_mark(&keeping);

    keeping_settle(&keeping, number, 1);
    assert_int_equal(KEEPING_LOST, keeping_of(&keeping, mark));
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, after));
}

static void one_that_is_lost_later_spoils_the_marks_that_stand_for_it(void **state)
{
    struct keeping keeping = {0};
    uint64_t first = keeping_add(&keeping);
    uint64_t marked = keeping_mark(&keeping);
    uint64_t second = keeping_add(&keeping);

    (void)state;
    keeping_lose(&keeping, first);
    assert_int_equal(KEEPING_LOST, keeping_of(&keeping, marked));
    keeping_lose(&keeping, second);
    assert_int_equal(KEEPING_LOST, keeping_of(&keeping, keeping_mark(&keeping)));
    assert_int_equal(KEEPING_KEPT, keeping_of(&keeping, keeping_mark(&keeping)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_kept_once_all_before_it_is_journalled),
        cmocka_unit_test(one_that_had_no_room_is_lost_for_the_next_mark),
        cmocka_unit_test(one_that_is_lost_later_spoils_the_marks_that_stand_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
