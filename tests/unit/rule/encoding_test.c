/* What pySigma 1.5 makes of the same values, and what RFC 4648 says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "rule/encoding.h"

#define STEPS_MAX 3

struct expected {
    struct text value;
    enum encoding steps[STEPS_MAX];
    size_t steps_count, count;
    struct text texts[5];
};

static void check(const struct expected *expected)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct encoded encoded;

    assert_int_equal(
        encoding_apply(&arena, expected->steps, expected->steps_count, expected->value, &encoded),
        0);
    assert_int_equal(encoded.count, expected->count);
    for (size_t i = 0; i < encoded.count; i++)
        if (!text_equal(encoded.texts[i], expected->texts[i]))
            fail_msg("'%.*s' gives '%.*s' for '%.*s'", TEXT_ARG(expected->value),
                     TEXT_ARG(encoded.texts[i]), TEXT_ARG(expected->texts[i]));
}

#define CHECK_ALL(cases)                                            \
    for (size_t i_ = 0; i_ < sizeof(cases) / sizeof *(cases); i_++) \
    check(&(cases)[i_])

static void test_base64(void **state)
{
    static const struct expected cases[] = {
        {TEXT(""), {ENCODING_BASE64}, 1, 1, {TEXT("")}},
        {TEXT("f"), {ENCODING_BASE64}, 1, 1, {TEXT("Zg==")}},
        {TEXT("fo"), {ENCODING_BASE64}, 1, 1, {TEXT("Zm8=")}},
        {TEXT("foo"), {ENCODING_BASE64}, 1, 1, {TEXT("Zm9v")}},
        {TEXT("/bin/sh"), {ENCODING_BASE64}, 1, 1, {TEXT("L2Jpbi9zaA==")}},
        {TEXT("foob"), {ENCODING_BASE64, ENCODING_BASE64}, 2, 1, {TEXT("Wm05dllnPT0=")}},
    };

    CHECK_ALL(cases);
}

static void test_base64_offset(void **state)
{
    static const struct expected cases[] = {
        {TEXT("/bin/bash"),
         {ENCODING_BASE64_OFFSET},
         1,
         3,
         {TEXT("L2Jpbi9iYXNo"), TEXT("9iaW4vYmFza"), TEXT("vYmluL2Jhc2")}},
        {TEXT("foobar"),
         {ENCODING_BASE64_OFFSET},
         1,
         3,
         {TEXT("Zm9vYmFy"), TEXT("Zvb2Jhc"), TEXT("mb29iYX")}},
        /* At the second offset of one byte there is no digit that is all its own. */
        {TEXT("a"), {ENCODING_BASE64_OFFSET}, 1, 2, {TEXT("Y"), TEXT("h")}},
        {TEXT(""), {ENCODING_BASE64_OFFSET}, 1, 0, {TEXT("")}},
        {TEXT("ping"),
         {ENCODING_UTF16LE, ENCODING_BASE64_OFFSET},
         2,
         3,
         {TEXT("cABpAG4AZw"), TEXT("AAaQBuAGcA"), TEXT("wAGkAbgBnA")}},
    };

    CHECK_ALL(cases);
}

/* Wherever a value stands in a longer one, one of its three forms stands in the longer one's. */
static void test_base64_offset_finds(void **state)
{
    static const enum encoding step = ENCODING_BASE64_OFFSET;
    CLEANUP(arena_deinit) struct arena arena = {0};
    const struct text value = TEXT("curl -s http");
    struct encoded encoded;

    assert_int_equal(encoding_apply(&arena, &step, 1, value, &encoded), 0);
    for (size_t before = 0; before < 7; before++)
        for (size_t after = 0; after < 4; after++) {
            CLEANUP(buffer_deinit) struct buffer whole = {0};
            CLEANUP(buffer_deinit) struct buffer out = {0};
            unsigned found = 0;

            buffer_put(&whole, "\xff:;x/<\xfe", before);
            buffer_put_text(&whole, value);
            buffer_put(&whole, "\x80?!.", after);
            base64_encode(buffer_text(&whole), &out);
            for (size_t i = 0; i < encoded.count; i++)
                found += text_contains(buffer_text(&out), encoded.texts[i]);
            assert_int_equal(found, 1);
        }
}

static void test_utf16(void **state)
{
    static const struct expected cases[] = {
        {TEXT("hi"), {ENCODING_UTF16LE}, 1, 1, {TEXT("h\0i\0")}},
        {TEXT("hi"), {ENCODING_UTF16BE}, 1, 1, {TEXT("\0h\0i")}},
        {TEXT("hi"), {ENCODING_UTF16}, 1, 1, {TEXT("\xff\xfeh\0i\0")}},
        {TEXT("\u20ac"), {ENCODING_UTF16LE}, 1, 1, {TEXT("\xac\x20")}},
        {TEXT("\U0001f600"), {ENCODING_UTF16BE}, 1, 1, {TEXT("\xd8\x3d\xde\x00")}},
    };

    CHECK_ALL(cases);
}

static void test_windash(void **state)
{
    static const struct expected cases[] = {
        {TEXT(" -enc "),
         {ENCODING_WINDASH},
         1,
         5,
         {TEXT(" -enc "), TEXT(" /enc "), TEXT(" \u2013enc "), TEXT(" \u2014enc "),
          TEXT(" \u2015enc ")}},
        {TEXT("/s"),
         {ENCODING_WINDASH},
         1,
         5,
         {TEXT("-s"), TEXT("/s"), TEXT("\u2013s"), TEXT("\u2014s"), TEXT("\u2015s")}},
        /* Within a word, before a blank or at the end it is no such dash. */
        {TEXT("a-b a/b - / x-"), {ENCODING_WINDASH}, 1, 1, {TEXT("a-b a/b - / x-")}},
        {TEXT("--long"),
         {ENCODING_WINDASH},
         1,
         5,
         {TEXT("--long"), TEXT("-/long"), TEXT("-\u2013long"), TEXT("-\u2014long"),
          TEXT("-\u2015long")}},
    };

    CHECK_ALL(cases);
}

static void test_bounds(void **state)
{
    static const enum encoding dashes = ENCODING_WINDASH, wide = ENCODING_UTF16LE;
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct encoded encoded;

    assert_int_equal(encoding_apply(&arena, &dashes, 1, TEXT("-a -b -c -d -e"), &encoded), 0);
    assert_int_equal(encoded.count, ENCODED_MAX);
    assert_true(text_is(encoded.texts[1], "/a -b -c -d -e"));
    assert_true(text_is(encoded.texts[ENCODED_MAX - 1], "\u2015a \u2015b \u2015c \u2015d \u2015e"));
    assert_int_equal(encoding_apply(&arena, &dashes, 1, TEXT("-a -b -c -d -e -f"), &encoded),
                     -E2BIG);
    assert_int_equal(encoding_apply(&arena, &wide, 1, TEXT("a\xff"), &encoded), -EILSEQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_offset),
        cmocka_unit_test(test_base64_offset_finds),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_windash),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
