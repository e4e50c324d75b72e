#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/cleanup.h"

static void memory_is_zeroed_and_aligned_also_when_used_again(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};

    for (unsigned round = 0; round < 3; round++) {
        for (size_t size = 0; size < 300; size++) {
            unsigned char *memory = arena_alloc(&arena, size);

            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xa5, size);
        }
        arena_clear(&arena);
    }
}

static void what_was_handed_out_stays(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct text kept = arena_text(&arena, TEXT("k\0pt"));
    char *string = arena_string(&arena, "string");
    char *printed = arena_printf(&arena, "%05d|%s", 42, "x");
    char *big = arena_alloc(&arena, 1000000);

    assert_non_null(big);
    memset(big, 'b', 1000000);
    for (unsigned i = 0; i < 10000; i++)
        memset(arena_alloc(&arena, 40), 'x', 40);
    assert_int_equal(kept.len, 4);
    assert_memory_equal(kept.ptr, "k\0pt", 5);
    assert_string_equal(string, "string");
    assert_string_equal(printed, "00042|x");
    assert_int_equal(big[999999], 'b');
}

static void an_empty_text_has_a_pointer(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct text t = arena_text(&arena, (struct text){NULL, 0});

    assert_non_null(t.ptr);
    assert_int_equal(t.len, 0);
    assert_int_equal(t.ptr[0], 0);
}

static void sizes_that_overflow_are_refused(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};

    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_array(&arena, SIZE_MAX / 2, 4));
    assert_non_null(arena_array(&arena, 3, 5));
}

static void clear_keeps_one_block_and_deinit_none(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};

    arena_clear(&arena);
    assert_null(arena.blocks);
    for (unsigned i = 0; i < 10; i++)
        assert_non_null(arena_alloc(&arena, 10000));
    const struct arena_block *kept = arena.blocks;

    arena_clear(&arena);
    assert_ptr_equal(arena.blocks, kept);
    assert_non_null(arena_alloc(&arena, 10000));
    assert_ptr_equal(arena.blocks, kept);
    arena_deinit(&arena);
    assert_null(arena.blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned_also_when_used_again),
        cmocka_unit_test(what_was_handed_out_stays),
        cmocka_unit_test(an_empty_text_has_a_pointer),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(clear_keeps_one_block_and_deinit_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
