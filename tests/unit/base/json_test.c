#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json.h"

static json_t *parse(struct text t)
{
    struct json_failure failure;
    json_t *value = NULL;

    if (json_parse(t, &value, &failure) != 0)
        fail_msg("'%.*s': %s", TEXT_ARG(t), failure.reason);
    return value;
}

static void the_writer_puts_commas_where_they_belong(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(json_freep) json_t *tree = parse(TEXT("{\"deep\":[1,2.5,null]}"));
    struct json_writer json = {.buffer = &out};

    json_begin(&json, '{');
    json_key(&json, TEXT("pid"));
    json_int(&json, INT64_MIN);
    json_key(&json, TEXT("list"));
    json_begin(&json, '[');
    json_bool(&json, true);
    json_begin(&json, '{');
    json_end(&json, '}');
    json_begin(&json, '[');
    json_end(&json, ']');
    json_text(&json, TEXT("x"));
    json_end(&json, ']');
    json_key(&json, TEXT("times"));
    json_begin(&json, '[');
    json_time(&json, 0);
    json_time(&json, -1);
    json_end(&json, ']');
    json_key(&json, TEXT("raw"));
    json_raw(&json, TEXT("{\"a\":1}"));
    json_key(&json, TEXT("tree"));
    assert_int_equal(json_tree(&json, tree), 0);
    json_key(&json, TEXT("no"));
    json_bool(&json, false);
    json_end(&json, '}');
    assert_string_equal(buffer_string(&out),
                        "{\"pid\":-9223372036854775808,\"list\":[true,{},[],\"x\"],"
                        "\"times\":[\"1970-01-01T00:00:00.000000000Z\","
                        "\"1969-12-31T23:59:59.999999999Z\"],"
                        "\"raw\":{\"a\":1},\"tree\":{\"deep\":[1,2.5,null]},\"no\":false}");
}

/* As one element of a list, written and parsed. */
static void assert_round_trip(struct text t, struct text expected)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    json_text(&json, t);
    CLEANUP(json_freep) json_t *value = parse(buffer_text(&out));

    assert_true(text_equal(json_as_text(value), expected));
}

static void every_text_becomes_valid_json(void **state)
{
    assert_round_trip(TEXT(""), TEXT(""));
    assert_round_trip(TEXT("\"\\/\b\f\n\r\t\x01\x1f\x7f"), TEXT("\"\\/\b\f\n\r\t\x01\x1f\x7f"));
    assert_round_trip(TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
                      TEXT("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
    assert_round_trip(TEXT("a\xff\xfe z"), TEXT("a\xef\xbf\xbd\xef\xbf\xbd z"));
    assert_round_trip(TEXT("\xed\xa0\x80"),
                      TEXT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")); /* a surrogate */
    assert_round_trip(TEXT("cut\xe2\x82"), TEXT("cut\xef\xbf\xbd\xef\xbf\xbd"));
    for (unsigned first = 1; first < 256; first++) {
        for (unsigned second = 1; second < 256; second++) {
            char bytes[] = {'x', (char)first, (char)second, 'y'};
            struct text t = {bytes, sizeof bytes};
            CLEANUP(buffer_deinit) struct buffer out = {0};
            struct json_writer json = {.buffer = &out};

            json_text(&json, t);
            CLEANUP(json_freep) json_t *value = parse(buffer_text(&out));

            assert_true(!text_is_utf8(t) || text_equal(json_as_text(value), t));
        }
    }
}

static void base64_comes_back(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0}, back = {0};
    char bytes[256];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 167);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        struct json_writer json = {.buffer = &out};
        struct text t = {bytes, len};

        buffer_clear(&out);
        json_base64(&json, t);
        assert_int_equal(out.len, 2 + (len + 2) / 3 * 4);
        assert_int_equal(base64_decode((struct text){out.data + 1, out.len - 2}, &back), 0);
        assert_true(text_equal(buffer_text(&back), t));
    }
}

static void base64_is_rfc_4648s(void **state)
{
    static const char *const wrong[] = {"a",    "ab",   "abc",  "abc!",
                                        "=abc", "a===", "ab=c", "ab==cdef"};
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    json_base64(&json, TEXT("f"));
    json_base64(&json, TEXT("foobar"));
    json_base64(&json, TEXT("\xfb\xff"));
    assert_string_equal(buffer_string(&out), "\"Zg==\",\"Zm9vYmFy\",\"+/8=\"");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(base64_decode(text_from(wrong[i]), &out), -EINVAL);
    assert_int_equal(base64_decode(TEXT("ab\0="), &out), -EINVAL);
}

static void assert_refused(struct text t, unsigned column)
{
    struct json_failure failure = {0};
    json_t *value = NULL;

    assert_int_equal(json_parse(t, &value, &failure), -EINVAL);
    assert_null(value);
    assert_true(failure.reason[0] != '\0');
    if (column)
        assert_int_equal(failure.column, column);
}

static void broken_json_is_refused(void **state)
{
    CLEANUP(buffer_deinit) struct buffer deep = {0};

    assert_refused(TEXT(""), 0);
    assert_refused((struct text){NULL, 0}, 0);
    assert_refused(TEXT("{\"a\":1"), 0);
    assert_refused(TEXT("{\"a\":1,}"), 8);
    assert_refused(TEXT("{\"a\":1}{"), 8);
    assert_refused(TEXT("{\"a\":1,\"a\":2}"), 0);
    assert_refused(TEXT("\"a\\u0000b\""), 0);
    assert_refused(TEXT("\"\xff\""), 0);
    assert_refused(TEXT("[1,\0]"), 0);
    assert_refused(TEXT("99999999999999999999"), 0);
    for (unsigned i = 0; i < 1U << 20; i++)
        buffer_put_char(&deep, '[');
    assert_refused(buffer_text(&deep), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_writer_puts_commas_where_they_belong),
        cmocka_unit_test(every_text_becomes_valid_json),
        cmocka_unit_test(base64_comes_back),
        cmocka_unit_test(base64_is_rfc_4648s),
        cmocka_unit_test(broken_json_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
