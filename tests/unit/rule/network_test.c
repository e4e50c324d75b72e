#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "rule/network.h"

static void test_has(void **state)
{
    static const struct {
        const char *network, *text;
        bool expected;
    } cases[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.1.2.3", false},
        {"10.0.0.0/8", "10.1.2", false},
        {"10.0.0.0/8", "10.1.2.3 ", false},
        {"10.0.0.0/8", "10.1.2.3/32", false},
        {"10.0.0.0/8", "", false},
        {"10.0.0.0/8", "not an address, and longer than any address could ever be written", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", false},
        {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "::1", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"fe80::/10", "fe80::1", true},
        {"fe80::/10", "febf::1", true},
        {"fe80::/10", "fec0::1", false},
        {"fe80::/10", "2001:db8::1", false},
        {"::/0", "2001:DB8::1", true},
        {"2001:db8::/127", "2001:db8::1", true},
        {"2001:db8::/127", "2001:db8::2", false},
        {"::1", "0:0:0:0:0:0:0:1", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network network;
        const char *reason;

        assert_int_equal(network_parse(text_from(cases[i].network), &network, &reason), 0);
        if (network_has(&network, text_from(cases[i].text)) != cases[i].expected)
            fail_msg("%s of %s", cases[i].text, cases[i].network);
    }
}

static void test_refused(void **state)
{
    static const char *const networks[] = {
        "",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/0x8",
        "10.0.0.0/8/",
        "10.0.0.1/8",
        "192.0.2.1/31",
        "fe80::/129",
        "fe80::1/10",
        "/8",
        "::/+1",
        "010.0.0.0/8",
        "a.example/8",
        " 10.0.0.0/8",
        "10.0.0.0/ 8",
    };

    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        struct network network = {.size = 99};
        const char *reason = NULL;

        if (network_parse(text_from(networks[i]), &network, &reason) != -EINVAL)
            fail_msg("'%s' is taken", networks[i]);
        assert_non_null(reason);
        assert_int_equal(network.size, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_has),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
