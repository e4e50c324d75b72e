/* Drawings of alerts that are not as they should be; tests/golden/alerts has the others. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "cli/alert_drawing.h"

/* From right to left. */
static const char OVERRIDE[] = {(char)0xe2, (char)0x80, (char)0xae, 0};

static void draw(const char *json, struct buffer *out)
{
    CLEANUP(json_freep) json_t *alert = NULL;
    struct json_failure failure;

    assert_int_equal(0, json_parse(text_from(json), &alert, &failure));
    buffer_clear(out);
    alert_drawing_put(&(struct drawing){.out = out}, alert);
    assert_false(buffer_failed(out));
}

static void what_is_missing_or_odd_is_left_out(void **state)
{
    static const char *const alerts[] = {
        "{}",
        "[]",
        "{\"event\":{}}",
        "{\"event\":7,\"detail\":[],\"correlation\":1,\"matched\":{},\"rule\":\"x\",\"host\":[]}",
        "{\"matched\":[7,{}],\"event\":{\"parent\":\"x\",\"pid\":\"y\",\"comm\":5,\"env\":[[]]}}",
        "{\"correlation\":{\"events\":[7,{},{\"events\":[{\"event\":[]}]}],\"omitted\":3}}",
        "{\"folded\":{\"count\":\"x\"},\"rule\":{\"severity\":\"x\",\"tags\":[{}]}}",
        "{\"detail\":{\"a\":null,\"b\":{},\"c\":[],\"d\":[[1,2],{\"e\":1.5}],\"f\":[true,false]}}",
    };
    CLEANUP(buffer_deinit) struct buffer out = {0};

    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++) {
        draw(alerts[i], &out);
        assert_true(out.len > 0);
    }
    assert_non_null(strstr(buffer_string(&out), "e              1.5\n"));
}

static void who_matched_it_elsewhere_is_told(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    draw("{\"host\":{\"name\":\"web1\"},\"engine\":{\"name\":\"centre\",\"id\":\"x\"}}", &out);
    assert_non_null(
        strstr(buffer_string(&out), "  host           web1\n  matched at     centre\n"));
}

static void steps_on_other_machines_say_which(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    draw("{\"correlation\":{\"events\":[{\"rule\":\"r\",\"title\":\"T\",\"event\":{\"host\":"
         "{\"name\":\"web2\"}}},{\"rule\":\"s\",\"event\":{}}]}}",
         &out);
    assert_non_null(strstr(buffer_string(&out), "r  T  on web2\n"));
    assert_null(strstr(buffer_string(&out), "s  on"));
}

static void deep_trees_stay_on_the_screen(void **state)
{
    CLEANUP(buffer_deinit) struct buffer json = {0}, out = {0};

    buffer_put_string(&json, "{\"event\":");
    for (int i = 0; i < 500; i++)
        buffer_printf(&json, "{\"pid\":%d,\"comm\":\"p\",\"parent\":", i);
    buffer_put_string(&json, "{}");
    for (int i = 0; i < 501; i++)
        buffer_put_char(&json, '}');
    draw(buffer_string(&json), &out);
    assert_non_null(strstr(buffer_string(&out), "p (0)\n"));
    for (struct text rest = buffer_text(&out); rest.ptr;)
        assert_true(text_split(&rest, '\n').len < 80);
}

static void long_texts_are_cut(void **state)
{
    CLEANUP(buffer_deinit) struct buffer json = {0}, out = {0};

    buffer_put_string(&json, "{\"event\":{\"cmdline\":\"");
    for (int i = 0; i < DRAWING_TEXT_MAX + 7; i++)
        buffer_put_char(&json, 'x');
    buffer_put_string(&json, "\"}}");
    draw(buffer_string(&json), &out);
    assert_non_null(strstr(buffer_string(&out), "x… and 7 bytes more\n"));
}

static void no_byte_reaches_the_terminal_as_it_is(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

#define EVIL "\"\\u001b[2J\\n\\u202e\\u009b\""
    draw("{\"id\":" EVIL ",\"time\":" EVIL ",\"message\":" EVIL ",\"host\":{\"name\":" EVIL
         ",\"filters\":[" EVIL "]},\"rule\":{\"id\":" EVIL ",\"title\":" EVIL ",\"severity\":" EVIL
         ",\"tags\":[" EVIL "]},\"matched\":[{\"field\":" EVIL ",\"operator\":" EVIL
         ",\"pattern\":" EVIL ",\"value\":" EVIL ",\"at\":" EVIL "}],\"folded\":{\"count\":1,"
         "\"since\":" EVIL "},\"event\":{\"comm\":" EVIL ",\"user\":" EVIL ",\"exe\":" EVIL
         ",\"cmdline\":" EVIL ",\"cwd\":" EVIL ",\"env\":[" EVIL
         "]},\"correlation\":{\"type\":" EVIL ",\"group\":{" EVIL ":" EVIL
         "},\"events\":[{\"rule\":" EVIL ",\"title\":" EVIL ",\"time\":" EVIL
         "}]},\"detail\":{" EVIL ":{" EVIL ":" EVIL "}}}",
         &out);
    struct text rest = buffer_text(&out);

    assert_false(text_contains(rest, TEXT("\x1b")));
    assert_false(text_contains(rest, ((struct text){OVERRIDE, 3})));
    assert_false(text_contains(rest, TEXT("\xc2\x9b")));
    assert_false(text_contains(rest, TEXT("\n\n\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_or_odd_is_left_out),
        cmocka_unit_test(who_matched_it_elsewhere_is_told),
        cmocka_unit_test(steps_on_other_machines_say_which),
        cmocka_unit_test(deep_trees_stay_on_the_screen),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(no_byte_reaches_the_terminal_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
