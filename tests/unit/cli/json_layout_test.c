/* JSON on many lines. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "cli/json_layout.h"

static void check(const char *wanted, const char *json)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    json_layout_put(&out, text_from(json));
    assert_string_equal(wanted, buffer_string(&out));
}

static void members_have_lines(void **state)
{
    check("{\n  \"a\": 1,\n  \"b\": [\n    1.10,\n    true\n  ]\n}", "{\"a\":1,\"b\":[1.10,true]}");
    check("{\n  \"a\": 1\n}", " { \"a\" :\n1 } ");
}

static void what_is_empty_stays_together(void **state)
{
    check("{\n  \"a\": {},\n  \"b\": []\n}", "{\"a\":{},\"b\":[ ]}");
    check("7", "7");
}

static void strings_are_left_alone(void **state)
{
    check("[\n  \"{\\\"a\\\\\",\n  \"[,: \\u001b\"\n]", "[\"{\\\"a\\\\\",\"[,: \\u001b\"]");
}

static void what_is_no_json_does_no_harm(void **state)
{
    check("\n]\n}", "]}");
    check("\"open", "\"open");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_have_lines),
        cmocka_unit_test(what_is_empty_stays_together),
        cmocka_unit_test(strings_are_left_alone),
        cmocka_unit_test(what_is_no_json_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
