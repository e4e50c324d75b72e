/* What people write for a moment. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/moment.h"

/* 2026-03-29 12:34:56 UTC: the day on which Berlin's clocks skip from 2 to 3. */
#define NOW (1774787696 * NS_PER_S)

static int64_t parse(const char *text)
{
    int64_t time = -1;
    int r = moment_parse(text_from(text), NOW, &time);

    if (r < 0)
        fail_msg("'%s' gives %d", text, r);
    return time;
}

static void set_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static void spans_are_ago(void **state)
{
    assert_int_equal(NOW - 600 * NS_PER_S, parse("10m"));
    assert_int_equal(NOW - 600 * NS_PER_S, parse("10m ago"));
    assert_int_equal(NOW - 600 * NS_PER_S, parse("-10m"));
    assert_int_equal(NOW - 5400 * NS_PER_S, parse("1h30m"));
    assert_int_equal(NOW - 172800 * NS_PER_S, parse("2 days ago"));
    assert_int_equal(NOW - (86400 + 1) * NS_PER_S, parse(" 1 day 1 second ago "));
    assert_int_equal(NOW - 604800 * NS_PER_S, parse("1w"));
    assert_int_equal(NOW, parse("0s"));
}

static void words_are_days(void **state)
{
    set_zone("UTC");
    assert_int_equal(NOW, parse("now"));
    assert_int_equal(1774742400 * NS_PER_S, parse("today"));
    assert_int_equal((1774742400 - 86400) * NS_PER_S, parse("yesterday"));
    assert_int_equal((1774742400 + 86400) * NS_PER_S, parse("tomorrow"));
}

/* What was shown can be asked for. */
static void shown_moments_are_read(void **state)
{
    const int64_t moment = 1767225630 * NS_PER_S + 123456789;
    CLEANUP(buffer_deinit) struct buffer shown = {0};

    set_zone("Asia/Kolkata");
    moment_put_exact(&shown, moment);
    assert_int_equal(moment, parse(buffer_string(&shown)));
    assert_int_equal(moment, parse("2026-01-01 00:00:30.123456789Z"));
    assert_int_equal(moment, parse("2026-01-01 05:30:30.123456789"));
    assert_int_equal(1767225630 * NS_PER_S, parse("2026-01-01 01:00:30 +01:00"));
    assert_int_equal(1767225630 * NS_PER_S, parse("2026-01-01 00:00:30 UTC"));
}

static void days_may_have_23_hours(void **state)
{
    set_zone("Europe/Berlin");
    if (parse("2026-01-01") != (1767225600 - 3600) * NS_PER_S)
        skip(); /* the zone is not installed */
    assert_int_equal((1774742400 - 3600) * NS_PER_S, parse("today"));
    assert_int_equal((1774742400 + 79200) * NS_PER_S, parse("tomorrow"));
    assert_int_equal((1774742400 + 12 * 3600 - 7200) * NS_PER_S, parse("12:00"));
}

static void times_are_local_unless_they_say(void **state)
{
    set_zone("XXX-2");
    assert_int_equal((1767225600 - 7200) * NS_PER_S, parse("2026-01-01"));
    assert_int_equal((1767225600 + 43200 - 7200) * NS_PER_S, parse("2026-01-01 12:00"));
    assert_int_equal((1767225600 + 43205 - 7200) * NS_PER_S, parse("2026-01-01T12:00:05"));
    assert_int_equal((1774742400 + 3600 - 7200) * NS_PER_S, parse("01:00"));
    assert_int_equal((1767225600 + 43200) * NS_PER_S, parse("2026-01-01T12:00:00Z"));
    assert_int_equal((1767225600 + 43200 - 3600) * NS_PER_S + 500000000,
                     parse("2026-01-01T12:00:00.5+01:00"));
    assert_int_equal(1767225600 * NS_PER_S, parse("@1767225600"));
}

static void others_are_refused(void **state)
{
    static const char *const texts[] = {
        "",         "  ",          "10",         "10x",         "m",           "ago",
        "-",        "10m later",   "24:00",      "12:60",       "12:00:61",    "1:00",
        "12:00:",   "2026-02-29",  "2026-13-01", "2026-00-10",  "2026-1-1",    "2026-01-01 ",
        "@",        "@-1",         "@x",         "2026-01-01x", "20260101",    "2026-01-01 12",
        "todayish", "12:00 today", "\0",         "10m\n5",      "2026-01-01T",
    };
    int64_t time = 7;

    set_zone("UTC");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int r = moment_parse(text_from(texts[i]), NOW, &time);

        if (strcmp(texts[i], "2026-01-01 ") == 0) /* blanks around it are nothing */
            assert_int_equal(0, r);
        else if (r != -EINVAL)
            fail_msg("'%s' gives %d", texts[i], r);
    }
    assert_int_equal(-ERANGE, moment_parse(TEXT("99999999d"), NOW, &time));
    assert_int_equal(-ERANGE, moment_parse(TEXT("99999999999999999999d"), NOW, &time));
    assert_int_equal(-ERANGE, moment_parse(TEXT("1969-12-31"), NOW, &time));
    assert_int_equal(-ERANGE, moment_parse(TEXT("9999-01-01"), NOW, &time));
    assert_int_equal(-ERANGE, moment_parse(TEXT("@99999999999"), NOW, &time));
}

static void they_are_put_in_local_time(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    set_zone("XXX-2");
    moment_put(&out, NOW);
    buffer_put_char(&out, '|');
    moment_put_exact(&out, NOW + 42);
    assert_string_equal("2026-03-29 14:34:56|2026-03-29 14:34:56.000000042 +0200",
                        buffer_string(&out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_are_ago),
        cmocka_unit_test(words_are_days),
        cmocka_unit_test(shown_moments_are_read),
        cmocka_unit_test(days_may_have_23_hours),
        cmocka_unit_test(times_are_local_unless_they_say),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(they_are_put_in_local_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
