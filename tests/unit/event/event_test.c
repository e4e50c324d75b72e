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

/* By pid: process 1 is left out wherever it stands, who has no pid is not. */
static void a_lineage_is_without_init(void **state)
{
    struct process line[ANCESTOR_MAX + 2] = {0};
    struct event event = {.process = &line[0]};
    struct lineage lineage = lineage_of(&event);

    assert_ptr_equal(lineage_next(&lineage), &line[0]); /* nobody is ahead of it */
    assert_null(lineage_next(&lineage));
    line[0].parent = &line[1];
    process_set_number(&line[1], FIELD_PID, &line[1].pid, 1);
    lineage = lineage_of(&event);
    assert_ptr_equal(lineage_next(&lineage), &line[0]);
    assert_null(lineage_next(&lineage));
    for (size_t i = 0; i < ANCESTOR_MAX + 2; i++) {
        line[i].parent = i <= ANCESTOR_MAX ? &line[i + 1] : NULL;
        if (i != 3)
            process_set_number(&line[i], FIELD_PID, &line[i].pid, i == 2 ? 1 : 10 + (int64_t)i);
    }
    lineage = lineage_of(&event);
    for (size_t i = 1; i <= ANCESTOR_MAX; i++)
        if (i != 2)
            assert_ptr_equal(lineage_next(&lineage), &line[i]);
    assert_null(lineage_next(&lineage)); /* there is one more, which nobody sees */
    (void)state;
}

static void values_are_equal(void **state)
{
    struct value a = {.type = TYPE_TEXT, .text = TEXT("a")}, b = {.type = TYPE_TEXT};
    char other[] = "a";

    b.text = text_from(other);
    assert_true(value_equal(&a, &b));
    b.text = TEXT("ab");
    assert_false(value_equal(&a, &b));
    a = (struct value){.type = TYPE_TIME, .number = 5};
    b = (struct value){.type = TYPE_TIME, .number = 6};
    assert_false(value_equal(&a, &b));
    b.number = 5;
    assert_true(value_equal(&a, &b));
    a = (struct value){.type = TYPE_BOOL, .boolean = true};
    b = (struct value){.type = TYPE_BOOL};
    assert_false(value_equal(&a, &b));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argv_says_what_is_beside_it),
        cmocka_unit_test(no_arguments_are_an_empty_command_line),
        cmocka_unit_test(what_is_known_stays),
        cmocka_unit_test(without_argv_nothing_is_said),
        cmocka_unit_test(a_lineage_is_without_init),
        cmocka_unit_test(values_are_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
