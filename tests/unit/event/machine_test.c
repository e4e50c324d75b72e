/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "event/event.h"

static void this_one_is_as_its_kernel_says(void **state)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct machine machine;
    struct utsname system;

    assert_int_equal(0, machine_read(&arena, &machine));
    assert_int_equal(0, uname(&system));
    assert_true(machine.is_here);
    assert_true(text_is(machine.name, system.nodename));
    assert_true(text_is(machine.kernel, system.release));
    assert_true(text_is(machine.arch, system.machine));
    assert_true(field_set_has(&machine.has, FIELD_HOST_NAME));
    assert_int_equal(field_set_has(&machine.has, FIELD_HOST_ID), machine.id.len == 32);
    assert_int_equal(field_set_has(&machine.has, FIELD_HOST_OS), machine.os.len > 0);
    assert_null(memchr(machine.os.ptr ? machine.os.ptr : "", '"', machine.os.len));
}

static void it_is_written_without_what_it_has_not(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};
    const struct machine machine = {
        .has = {{UINT64_C(1) << FIELD_HOST_NAME | UINT64_C(1) << FIELD_HOST_OS_VERSION}},
        .name = TEXT("a"),
        .os_version = TEXT("12")};

    json_begin(&json, '{');
    machine_put_members(&json, &machine);
    json_end(&json, '}');
    assert_string_equal("{\"name\":\"a\",\"os.version\":\"12\"}", buffer_string(&out));
}

static void name_and_id_say_which_one_it_is(void **state)
{
    const struct field_set ids = {{UINT64_C(1) << FIELD_HOST_ID}};
    const struct machine here = {.has = ids, .name = TEXT("a"), .id = TEXT("1")};
    const struct machine clone = {.has = ids, .name = TEXT("b"), .id = TEXT("1")};
    const struct machine namesake = {.has = ids, .name = TEXT("a"), .id = TEXT("2")};
    const struct machine unknown = {.name = TEXT("a")};

    assert_false(machine_is_same(&here, &clone));
    assert_false(machine_is_same(&here, &namesake));
    assert_true(machine_is_same(&here, &unknown));
    assert_ptr_equal(&here, machine_or_here(NULL, &here));
    assert_ptr_equal(&clone, machine_or_here(&clone, &here));
    assert_ptr_equal(&namesake, machine_or_here(&namesake, &here));
}

static void an_event_has_the_fields_of_its_host(void **state)
{
    const struct machine web1 = {.has = {{UINT64_C(1) << FIELD_HOST_NAME}}, .name = TEXT("web1")};
    struct event event = {.host = &web1};
    struct field_ref ref;
    struct value value;

    assert_int_equal(0, field_ref_parse(TEXT("host.name"), &ref));
    assert_true(event_value(&event, &ref, &value));
    assert_true(text_is(value.text, "web1"));
    assert_int_equal(0, field_ref_parse(TEXT("host.id"), &ref));
    assert_false(event_value(&event, &ref, &value));
    event.host = NULL;
    assert_int_equal(0, field_ref_parse(TEXT("host.name"), &ref));
    assert_false(event_value(&event, &ref, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(this_one_is_as_its_kernel_says),
        cmocka_unit_test(it_is_written_without_what_it_has_not),
        cmocka_unit_test(name_and_id_say_which_one_it_is),
        cmocka_unit_test(an_event_has_the_fields_of_its_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
