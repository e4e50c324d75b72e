#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define DAY (86400 * NS_PER_S)

static void assert_parsed(const char *string, int64_t expected)
{
    int64_t time = -1;

    if (time_parse(text_from(string), &time) < 0)
        fail_msg("'%s' is a time", string);
    assert_int_equal(time, expected);
}

static void assert_refused(const char *string)
{
    int64_t time = -7;

    if (time_parse(text_from(string), &time) != -EINVAL)
        fail_msg("'%s' is no time", string);
    assert_int_equal(time, -7);
}

static void assert_put(int64_t time, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer buffer = {0};

    time_put(&buffer, time);
    assert_string_equal(buffer_string(&buffer), expected);
}

static void times_are_written_in_full(void **state)
{
    assert_put(0, "1970-01-01T00:00:00.000000000Z");
    assert_put(1, "1970-01-01T00:00:00.000000001Z");
    assert_put(DAY - 1, "1970-01-01T23:59:59.999999999Z");
    assert_put(951782400 * NS_PER_S, "2000-02-29T00:00:00.000000000Z");
    assert_put(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    assert_put(-1, "1969-12-31T23:59:59.999999999Z");
    assert_put(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void times_are_read_with_any_offset_and_decimals(void **state)
{
    assert_parsed("1970-01-01T00:00:00Z", 0);
    assert_parsed("2000-02-29T00:00:00z", 951782400 * NS_PER_S);
    assert_parsed("2026-01-01T00:00:00.5Z", 1767225600 * NS_PER_S + 500000000);
    assert_parsed("2026-01-01T00:00:00.1234567899Z", 1767225600 * NS_PER_S + 123456789);
    assert_parsed("2026-01-01T02:30:00+02:30", 1767225600 * NS_PER_S);
    assert_parsed("2025-12-31T23:00:00-01:00", 1767225600 * NS_PER_S);
    assert_parsed("2016-12-31T23:59:60Z", 1483228800 * NS_PER_S);
    assert_parsed("2261-12-31T23:59:59Z", INT64_C(9214646399) * NS_PER_S);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00,5Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Zz",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(wrong[i]);
}

static void every_day_comes_back_and_is_the_c_librarys(void **state)
{
    for (int64_t day = 0; day < 106000; day++) {
        CLEANUP(buffer_deinit) struct buffer buffer = {0};
        int64_t time = day * DAY + day * 123456789 % DAY, back = -1;
        time_t seconds = time / NS_PER_S;
        char expected[32];
        struct tm tm;

        time_put(&buffer, time);
        assert_int_equal(buffer.len, TIME_TEXT_LEN);
        assert_int_equal(time_parse(buffer_text(&buffer), &back), 0);
        assert_int_equal(back, time);
        assert_int_equal(strftime(expected, sizeof expected, "%FT%T", gmtime_r(&seconds, &tm)), 19);
        assert_memory_equal(buffer.data, expected, 19);
    }
}

static void the_offset_leads_from_boot_time_to_real_time(void **state)
{
    int64_t real = clock_realtime();
    int64_t converted = clock_boottime() + clock_boot_offset();
    int64_t later = clock_realtime();

    /* Right to half of what a reading takes, in which we may be interrupted. */
    assert_in_range(converted, real - NS_PER_MS, later + NS_PER_MS);
    int64_t before = clock_monotonic();

    assert_true(clock_monotonic() >= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_full),
        cmocka_unit_test(times_are_read_with_any_offset_and_decimals),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_day_comes_back_and_is_the_c_librarys),
        cmocka_unit_test(the_offset_leads_from_boot_time_to_real_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
