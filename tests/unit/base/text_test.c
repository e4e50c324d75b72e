#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.ptr, expected, t.len);
}

static void parts_are_found(void **state)
{
    struct text whole = TEXT("/usr/bin/curl"), empty = {NULL, 0};

    assert_true(text_starts(whole, TEXT("/usr")));
    assert_false(text_starts(whole, TEXT("usr")));
    assert_true(text_ends(whole, TEXT("curl")));
    assert_false(text_ends(TEXT("rl"), TEXT("curl")));
    assert_true(text_contains(whole, TEXT("bin")));
    assert_false(text_contains(whole, TEXT("sbin")));
    assert_true(text_starts(empty, empty) && text_ends(empty, empty));
    assert_true(text_contains(empty, empty) && text_contains(whole, empty));
    assert_false(text_contains(empty, whole));
    assert_true(text_equal(empty, TEXT("")));
    assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
    assert_true(text_equal_nocase(TEXT("CuRL[z"), TEXT("cUrl[Z")));
    assert_false(text_equal_nocase(TEXT("[@`"), TEXT("{@`")));
    assert_false(text_equal_nocase(TEXT("\xc3\x84"), TEXT("\xc3\xa4")));
}

static void split_returns_every_part_and_then_nothing(void **state)
{
    struct text rest = TEXT("a,,b,");

    assert_text(text_split(&rest, ','), "a");
    assert_text(text_split(&rest, ','), "");
    assert_text(text_split(&rest, ','), "b");
    assert_non_null(rest.ptr);
    assert_text(text_split(&rest, ','), "");
    assert_null(rest.ptr);
    rest = TEXT("whole");
    assert_text(text_split(&rest, ','), "whole");
    assert_null(rest.ptr);
    assert_text(text_trim(TEXT(" \t\r\n a b \n")), "a b");
    assert_text(text_trim(TEXT(" \n ")), "");
}

static void what_is_clipped_ends_with_a_character(void **state)
{
    assert_text(text_clip(TEXT("abc"), 3), "abc");
    assert_text(text_clip(TEXT("abcd"), 3), "abc");
    assert_text(text_clip(TEXT("ab\xc3\xa4"), 3), "ab");
    assert_text(text_clip(TEXT("a\xf0\x9f\x98\x80"), 4), "a");
    assert_text(text_clip(TEXT("\x80\x80\x80\x80\x80\x80"), 4), "\x80");
    assert_text(text_clip(TEXT("\x80\x80"), 1), "");
}

static void assert_character(const char *bytes, size_t len, uint32_t code)
{
    uint32_t got = 0;

    assert_int_equal(text_utf8(text_from(bytes), &got), len);
    if (len)
        assert_int_equal(got, code);
}

static void utf8_is_as_rfc_3629_has_it(void **state)
{
    assert_character("A", 1, 'A');
    assert_character("\x7f", 1, 0x7f);
    assert_character("\xc2\x80", 2, 0x80);
    assert_character("\xdf\xbf", 2, 0x7ff);
    assert_character("\xe0\xa0\x80", 3, 0x800);
    assert_character("\xed\x9f\xbf", 3, 0xd7ff);
    assert_character("\xee\x80\x80", 3, 0xe000);
    assert_character("\xef\xbf\xbf", 3, 0xffff);
    assert_character("\xf0\x90\x80\x80", 4, 0x10000);
    assert_character("\xf4\x8f\xbf\xbf", 4, 0x10ffff);
    assert_character("\x80", 0, 0);
    assert_character("\xc0\xaf", 0, 0);
    assert_character("\xc1\xbf", 0, 0);
    assert_character("\xc3", 0, 0);
    assert_character("\xc3(", 0, 0);
    assert_character("\xe0\x9f\xbf", 0, 0);
    assert_character("\xed\xa0\x80", 0, 0);
    assert_character("\xf0\x8f\xbf\xbf", 0, 0);
    assert_character("\xf4\x90\x80\x80", 0, 0);
    assert_character("\xf5\x80\x80\x80", 0, 0);
    assert_character("\xe2\x82", 0, 0);
    assert_character("", 0, 0);
    assert_true(text_is_utf8(TEXT("a\0\xe2\x82\xac")));
    assert_true(text_is_utf8(TEXT("")));
    assert_false(text_is_utf8(TEXT("a\xff")));
    assert_false(text_is_utf8(TEXT("0123456789abcde\xff"
                                   "0123456789")));
}

static void assert_int(const char *string, int r, int64_t expected)
{
    int64_t got = 77;

    assert_int_equal(text_to_int(text_from(string), &got), r);
    assert_int_equal(got, r == 0 ? expected : 77);
}

static void numbers_are_whole_texts(void **state)
{
    assert_int("0", 0, 0);
    assert_int("+7", 0, 7);
    assert_int("-12", 0, -12);
    assert_int("007", 0, 7);
    assert_int("0x1F", 0, 31);
    assert_int("-0xff", 0, -255);
    assert_int("9223372036854775807", 0, INT64_MAX);
    assert_int("-9223372036854775808", 0, INT64_MIN);
    assert_int("9223372036854775808", -ERANGE, 0);
    assert_int("-9223372036854775809", -ERANGE, 0);
    assert_int("99999999999999999999", -ERANGE, 0);
    assert_int("", -EINVAL, 0);
    assert_int("-", -EINVAL, 0);
    assert_int("+-1", -EINVAL, 0);
    assert_int("0x", -EINVAL, 0);
    assert_int("1 ", -EINVAL, 0);
    assert_int("1.5", -EINVAL, 0);
    assert_int("1a", -EINVAL, 0);
}

static void sizes_have_units(void **state)
{
    static const struct {
        const char *string;
        int r;
        int64_t bytes;
    } cases[] = {
        {"10", 0, 10},
        {"10B", 0, 10},
        {"10kB", 0, 10000},
        {"10KB", 0, 10000},
        {"10KiB", 0, 10240},
        {"3MiB", 0, 3 << 20},
        {"3MB", 0, 3000000},
        {"2GiB", 0, INT64_C(2) << 30},
        {"2GB", 0, 2000000000},
        {"", -EINVAL, 0},
        {"MiB", -EINVAL, 0},
        {"10K", -EINVAL, 0},
        {"10 MiB", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"10MiBs", -EINVAL, 0},
        {"9999999999GiB", -ERANGE, 0},
        {"9223372036854775808", -ERANGE, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 0;

        assert_int_equal(text_to_size(text_from(cases[i].string), &got), cases[i].r);
        assert_int_equal(got, cases[i].bytes);
    }
}

static void durations_are_sums(void **state)
{
    static const struct {
        const char *string;
        int r;
        int64_t ns;
    } cases[] = {
        {"1ns", 0, 1},
        {"2us", 0, 2000},
        {"250ms", 0, 250000000},
        {"10s", 0, 10000000000},
        {"5m", 0, 300000000000},
        {"2h", 0, 7200000000000},
        {"7d", 0, 604800000000000},
        {"1h30m", 0, 5400000000000},
        {"0s", 0, 0},
        {"", -EINVAL, 0},
        {"5", -EINVAL, 0},
        {"5 s", -EINVAL, 0},
        {"1h30", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"1w", -EINVAL, 0},
        {"200000d", -ERANGE, 0},
        {"106751d106751d", -ERANGE, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 0;

        assert_int_equal(text_to_duration(text_from(cases[i].string), &got), cases[i].r);
        assert_int_equal(got, cases[i].ns);
    }
}

static void distance_counts_single_edits(void **state)
{
    char longer[100];

    memset(longer, 'x', sizeof longer);
    assert_int_equal(text_distance(TEXT("parent"), TEXT("parent"), 3), 0);
    assert_int_equal(text_distance(TEXT("parnet"), TEXT("parent"), 3), 1);
    assert_int_equal(text_distance(TEXT("PARNET"), TEXT("parent"), 3), 1);
    assert_int_equal(text_distance(TEXT("paren"), TEXT("parent"), 3), 1);
    assert_int_equal(text_distance(TEXT("parentt"), TEXT("parent"), 3), 1);
    assert_int_equal(text_distance(TEXT("parmnt"), TEXT("parent"), 3), 1);
    assert_int_equal(text_distance(TEXT("kitten"), TEXT("sitting"), 5), 3);
    assert_int_equal(text_distance(TEXT("kitten"), TEXT("sitting"), 1), 2);
    assert_int_equal(text_distance(TEXT(""), TEXT("abc"), 5), 3);
    assert_int_equal(text_distance(TEXT(""), TEXT(""), 5), 0);
    assert_int_equal(text_distance((struct text){longer, 100}, TEXT("abc"), 2), 3);
}

static void only_what_is_near_is_suggested(void **state)
{
    static const char *const fields[] = {"exe", "parent", "cmdline", "comm"};

    assert_string_equal(text_nearest(TEXT("parnet"), fields, 4), "parent");
    assert_string_equal(text_nearest(TEXT("Comm"), fields, 4), "comm");
    assert_string_equal(text_nearest(TEXT("ex"), fields, 4), "exe");
    assert_null(text_nearest(TEXT("ppid"), fields, 4));
    assert_null(text_nearest(TEXT("x"), fields, 0));
    assert_null(text_nearest(TEXT("x"), (const char *const[]){"y"}, 1));
    assert_null(text_nearest(TEXT("|"), (const char *const[]){"i"}, 1));
    assert_null(text_nearest(TEXT(""), (const char *const[]){"i"}, 1));
    assert_string_equal(text_nearest(TEXT("X"), (const char *const[]){"x"}, 1), "x");
}

/* At each place in a word, and behind it. */
static void plain_ends_at_what_has_to_be_looked_at(void **state)
{
    char bytes[20];

    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (size_t at = 0; at < sizeof bytes; at++) {
            bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

            memset(bytes, 'a' + (int)at, sizeof bytes);
            bytes[at] = (char)c;
            assert_int_equal(plain ? sizeof bytes : at,
                             text_plain((struct text){bytes, sizeof bytes}));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_found),
        cmocka_unit_test(split_returns_every_part_and_then_nothing),
        cmocka_unit_test(what_is_clipped_ends_with_a_character),
        cmocka_unit_test(utf8_is_as_rfc_3629_has_it),
        cmocka_unit_test(plain_ends_at_what_has_to_be_looked_at),
        cmocka_unit_test(numbers_are_whole_texts),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(durations_are_sums),
        cmocka_unit_test(distance_counts_single_edits),
        cmocka_unit_test(only_what_is_near_is_suggested),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
