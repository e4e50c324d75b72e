/* Tables, CSV and JSON of alerts, hostile ones too. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>

#include "base/cleanup.h"
#include "cli/alert_listing.h"

#define WIDE "\xe9\x80\xb2" /* a character of two columns */

static struct journal_alert sample(void)
{
    return (struct journal_alert){
        .seq = 1,
        .time = 1767225600000000000,
        .severity = 3,
        .id = TEXT("01KDVDNA006FZY2Z5YKVXZKSE8"),
        .host = TEXT("web1"),
        .rule = TEXT("r"),
        .title = TEXT("t"),
        .message = TEXT("m"),
        .json = TEXT("{\"a\":\"\xe2\x80\xae\xe2\x80\xac\"}"),
    };
}

static const char *list(enum alert_format format, size_t width, const struct journal_alert *alert)
{
    static struct buffer out;
    struct alert_listing listing = {.format = format, .width = width};

    buffer_clear(&out);
    alert_listing_put(&listing, alert, &out);
    assert_false(buffer_failed(&out));
    buffer_deinit(&listing.scratch);
    return buffer_string(&out);
}

static size_t columns(const char *line)
{
    wchar_t wide[1024];
    size_t count = mbstowcs(wide, line, 1024);

    assert_true(count < 1024);                /* it is UTF-8 */
    return (size_t)wcswidth(wide, count - 1); /* without its end */
}

static void rows_fit_the_terminal(void **state)
{
    struct journal_alert alert = sample();
    CLEANUP(buffer_deinit) struct buffer message = {0};

    for (int i = 0; i < 200; i++)
        buffer_put_string(&message, i % 3 ? WIDE : "\x1b[2J");
    alert.message = buffer_text(&message);
    alert.rule = TEXT(WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE WIDE);
    for (size_t width = 76; width < 200; width++) {
        const char *line = list(ALERT_TABLE, width, &alert);

        assert_true(columns(line) <= width);
        assert_true(columns(line) + 2 >= width);
        assert_null(strchr(line, '\x1b'));
    }
}

static void elsewhere_nothing_is_cut(void **state)
{
    struct journal_alert alert = sample();

    alert.message = TEXT("a message that is longer than what is left of a terminal's line, which "
                         "does not matter here at all");
    const char *line = list(ALERT_TABLE, 0, &alert);

    assert_non_null(strstr(line, "01KDVDNA006FZY2Z5YKVXZKSE8  high      r   "));
    assert_non_null(strstr(line, "matter here at all\n"));
}

static void nothing_moves_the_cursor(void **state)
{
    struct journal_alert alert = sample();

    alert.message = TEXT("a\nb\r\x1b]0;x\x07\xe2\x80\xae\xe2\x80\xac\xc2\x9b\x7f\xff");
    alert.rule = TEXT("r\n");
    alert.id = TEXT("i\td");
    assert_non_null(strstr(list(ALERT_TABLE, 0, &alert),
                           "a\\nb\\r\\x1b]0;x\\x07\\u{202e}\\u{202c}\\u{9b}\\x7f\\xff\n"));
    assert_non_null(strstr(list(ALERT_CSV, 0, &alert),
                           ",\"a\\nb\\r\\x1b]0;x\\x07\\u{202e}\\u{202c}\\u{9b}\\x7f\\xff\"\r\n"));
    assert_string_equal("{\"a\":\"\\u{202e}\\u{202c}\"}\n", list(ALERT_JSON, 80, &alert));
}

static void json_is_as_it_was_delivered(void **state)
{
    struct journal_alert alert = sample();

    assert_string_equal("{\"a\":\"\xe2\x80\xae\xe2\x80\xac\"}\n", list(ALERT_JSON, 0, &alert));
}

static void csv_is_quoted(void **state)
{
    struct journal_alert alert = sample();

    alert.message = TEXT("say \"hi\", then go");
    assert_string_equal("\"2026-01-01T00:00:00.000000000Z\",\"01KDVDNA006FZY2Z5YKVXZKSE8\","
                        "\"web1\",\"high\",\"r\",\"t\",\"say \"\"hi\"\", then go\"\r\n",
                        list(ALERT_CSV, 0, &alert));
}

static void formulas_are_guarded(void **state)
{
    static const char *const texts[] = {"=1+1", "+1", "-1", "@x"};
    struct journal_alert alert = sample();

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char wanted[32];

        snprintf(wanted, sizeof wanted, ",\"'%s\"\r\n", texts[i]);
        alert.message = text_from(texts[i]);
        assert_non_null(strstr(list(ALERT_CSV, 0, &alert), wanted));
    }
    alert.message = TEXT("a=1");
    assert_non_null(strstr(list(ALERT_CSV, 0, &alert), ",\"a=1\"\r\n"));
    alert.message = TEXT("\t=1"); /* which some cut off */
    assert_non_null(strstr(list(ALERT_CSV, 0, &alert), ",\"\\t=1\"\r\n"));
}

static void unknown_severities_are_no_harm(void **state)
{
    struct journal_alert alert = sample();

    alert.severity = 99;
    assert_non_null(strstr(list(ALERT_TABLE, 0, &alert), "  ?         r"));
    alert.severity = -1;
    assert_non_null(strstr(list(ALERT_CSV, 0, &alert), "\"?\""));
    assert_string_equal("", severity_colour(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_fit_the_terminal),
        cmocka_unit_test(elsewhere_nothing_is_cut),
        cmocka_unit_test(nothing_moves_the_cursor),
        cmocka_unit_test(json_is_as_it_was_delivered),
        cmocka_unit_test(csv_is_quoted),
        cmocka_unit_test(formulas_are_guarded),
        cmocka_unit_test(unknown_severities_are_no_harm),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
