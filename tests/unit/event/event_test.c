#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "event/event.h"

static bool has(const struct process *process, enum field_id id)
{
    return field_set_has(&process->has, id);
}

static void argv_says_what_is_beside_it(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct process process = {.argv = TEXT("sh\0-c\0\0a b\0")};

    field_set_add(&process.has, FIELD_ARGV);
    assert_int_equal(process_derive(&process, &arena), 0);
    assert_true(has(&process, FIELD_CMDLINE));
    assert_true(has(&process, FIELD_ARGC));
    assert_true(has(&process, FIELD_CMDLINE_LENGTH));
    assert_true(text_is(process.cmdline, "sh -c  a b"));
    assert_int_equal(process.argc, 4);
    assert_int_equal(process.cmdline_length, 10);
}

static void no_arguments_are_an_empty_command_line(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct process process = {0};

    field_set_add(&process.has, FIELD_ARGV);
    assert_int_equal(process_derive(&process, &arena), 0);
    assert_true(has(&process, FIELD_CMDLINE));
    assert_int_equal(process.cmdline.len, 0);
    assert_int_equal(process.argc, 0);
}

static void what_is_known_stays(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct process process = {.argv = TEXT("sh\0-c\0"), .argc = 9, .cmdline = TEXT("sh ...")};

    field_set_add(&process.has, FIELD_ARGV);
    field_set_add(&process.has, FIELD_ARGC);
    field_set_add(&process.has, FIELD_CMDLINE);
    assert_int_equal(process_derive(&process, &arena), 0);
    assert_int_equal(process.argc, 9);
    assert_true(text_is(process.cmdline, "sh ..."));
    assert_int_equal(process.cmdline_length, 6);
    assert_null(arena.blocks);
}

static void without_argv_nothing_is_said(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct process process = {.cmdline = TEXT("sh")};

    field_set_add(&process.has, FIELD_CMDLINE);
    assert_int_equal(process_derive(&process, &arena), 0);
    assert_false(has(&process, FIELD_ARGC));
    assert_false(has(&process, FIELD_CMDLINE_LENGTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argv_says_what_is_beside_it),
        cmocka_unit_test(no_arguments_are_an_empty_command_line),
        cmocka_unit_test(what_is_known_stays),
        cmocka_unit_test(without_argv_nothing_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
