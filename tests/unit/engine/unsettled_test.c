/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "base/cleanup.h"
#include "engine/unsettled.h"

static struct stream_message message(uint64_t sequence, int64_t stored)
{
    return (struct stream_message){.token = TEXT("t"), .sequence = sequence, .stored = stored};
}

static enum unsettled_state find(const struct unsettled *unsettled, uint64_t sequence,
                                 int64_t stored)
{
    struct stream_message wanted = message(sequence, stored);

    return unsettled_find(unsettled, &wanted);
}

static void what_comes_again_is_known(void **state)
{
    CLEANUP(unsettled_freep) struct unsettled *unsettled = NULL;
    struct stream_message first = message(5, 100);

    assert_int_equal(0, unsettled_new(&unsettled));
    assert_int_equal(UNSETTLED_NEW, find(unsettled, 5, 100));
    assert_int_equal(0, unsettled_add(unsettled, &first, 1));
    assert_int_equal(UNSETTLED_WAITING, find(unsettled, 5, 100));
    assert_int_equal(1, unsettled_count(unsettled));
    /* Of a stream that was made anew; and others. */
    assert_int_equal(UNSETTLED_NEW, find(unsettled, 5, 101));
    assert_int_equal(UNSETTLED_NEW, find(unsettled, 6, 100));
    assert_int_equal(UNSETTLED_NEW, find(unsettled, 5 + UNSETTLED_MAX, 100 + 1));
    /* What says no time is never known. */
    assert_int_equal(UNSETTLED_NEW, find(unsettled, 7, 0));
}

static void there_is_an_end_to_it(void **state)
{
    CLEANUP(unsettled_freep) struct unsettled *unsettled = NULL;
    struct stream_message one;

    assert_int_equal(0, unsettled_new(&unsettled));
    for (uint64_t i = 0; i < UNSETTLED_MAX; i++) {
        one = message(i, (int64_t)i + 1);
        assert_int_equal(0, unsettled_add(unsettled, &one, i));
    }
    one = message(UNSETTLED_MAX, 1);
    assert_int_equal(-ENOBUFS, unsettled_add(unsettled, &one, UNSETTLED_MAX));
    assert_int_equal(UNSETTLED_NEW, find(unsettled, UNSETTLED_MAX, 1 + UNSETTLED_MAX));
    assert_int_equal(UNSETTLED_WAITING, find(unsettled, 0, 1));
    assert_int_equal(UNSETTLED_MAX, unsettled_count(unsettled));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_again_is_known),
        cmocka_unit_test(there_is_an_end_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
