/* The vectors are those of the reference implementation: the key is 00 01 .. 0f, what is hashed
 * 00 01 .. and so on. */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sip_hash.h"

static struct sip_key counting_key(void)
{
    return (struct sip_key){{0x0706050403020100U, 0x0f0e0d0c0b0a0908U}};
}

static struct sip_digest digest_of(size_t len, size_t step)
{
    struct sip_key key = counting_key();
    struct sip_hash hash;
    char bytes[64];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    sip_hash_begin(&hash, &key);
    for (size_t at = 0; at < len; at += step)
        sip_hash_put(&hash, (struct text){bytes + at, len - at < step ? len - at : step});
    return sip_hash_end(&hash);
}

static void expect(struct sip_digest digest, const unsigned char wanted[static 16])
{
    uint64_t words[2] = {htole64(digest.words[0]), htole64(digest.words[1])};

    assert_memory_equal(words, wanted, sizeof words);
}

static void is_the_reference(void **state)
{
    (void)state;
    static const unsigned char none[] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                         0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    static const unsigned char one[] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                        0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};

    expect(digest_of(0, 1), none);
    expect(digest_of(1, 1), one);
}

static void pieces_make_no_difference(void **state)
{
    (void)state;
    for (size_t len = 0; len < 40; len++)
        for (size_t step = 1; step <= 17; step++)
            assert_true(sip_digest_equal(digest_of(len, 64), digest_of(len, step)));
}

static void another_key_another_digest(void **state)
{
    (void)state;
    struct sip_key a, b;
    struct sip_hash hash;
    struct sip_digest digests[2];

    assert_int_equal(sip_key_draw(&a), 0);
    assert_int_equal(sip_key_draw(&b), 0);
    sip_hash_begin(&hash, &a);
    digests[0] = sip_hash_end(&hash);
    sip_hash_begin(&hash, &b);
    digests[1] = sip_hash_end(&hash);
    assert_false(sip_digest_equal(digests[0], digests[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_reference),
        cmocka_unit_test(pieces_make_no_difference),
        cmocka_unit_test(another_key_another_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
