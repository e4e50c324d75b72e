/* Version 1 of the plugin ABI, as it will always be on 64-bit machines: plugins compiled against it
 * must run in every later picket. A failure here is a broken promise, not a number to correct. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "picket/plugin.h"
#include "plugin/settings.h"

#define SIZE(bytes, name)          assert_int_equal(bytes, sizeof(struct picket_##name))
#define PLACE(bytes, name, member) assert_int_equal(bytes, offsetof(struct picket_##name, member))

static void structures_stay_as_they_are(void **state)
{
    SIZE(64, option);
    PLACE(0, option, name);
    PLACE(8, option, value);
    PLACE(16, option, help);
    PLACE(24, option, choices);
    PLACE(32, option, min);
    PLACE(40, option, max);
    PLACE(48, option, offset);
    PLACE(56, option, type);
    PLACE(60, option, flags);
    SIZE(96, alert);
    PLACE(0, alert, size);
    PLACE(8, alert, id);
    PLACE(16, alert, time);
    PLACE(24, alert, host);
    PLACE(32, alert, rule);
    PLACE(40, alert, title);
    PLACE(48, alert, message);
    PLACE(56, alert, json);
    PLACE(64, alert, json_len);
    PLACE(72, alert, text);
    PLACE(80, alert, text_len);
    PLACE(88, alert, severity);
    PLACE(92, alert, kind);
    SIZE(80, host);
    PLACE(0, host, size);
    PLACE(8, host, output);
    PLACE(16, host, version);
    PLACE(24, host, deadline);
    PLACE(32, host, log);
    PLACE(40, host, value);
    PLACE(48, host, printable);
    PLACE(56, host, rotate);
    PLACE(64, host, respond);
    PLACE(72, host, format);
    SIZE(40, verdict);
    PLACE(0, verdict, size);
    PLACE(8, verdict, delivered);
    PLACE(16, verdict, rejected);
    PLACE(24, verdict, action);
    PLACE(28, verdict, retry_ms);
    PLACE(32, verdict, reason);
    SIZE(112, plugin);
    PLACE(0, plugin, size);
    PLACE(8, plugin, abi);
    PLACE(12, plugin, needs);
    PLACE(16, plugin, name);
    PLACE(24, plugin, version);
    PLACE(32, plugin, help);
    PLACE(40, plugin, options);
    PLACE(48, plugin, option_size);
    PLACE(56, plugin, option_count);
    PLACE(64, plugin, config_size);
    PLACE(72, plugin, batch_max);
    PLACE(80, plugin, open);
    PLACE(88, plugin, deliver);
    PLACE(96, plugin, flush);
    PLACE(104, plugin, close);
}

static void numbers_stay_as_they_are(void **state)
{
    assert_int_equal(1, PICKET_ABI);
    assert_int_equal(0, PICKET_INFORMATIONAL);
    assert_int_equal(1, PICKET_LOW);
    assert_int_equal(2, PICKET_MEDIUM);
    assert_int_equal(3, PICKET_HIGH);
    assert_int_equal(4, PICKET_CRITICAL);
    assert_int_equal(0, PICKET_LOG_ERROR);
    assert_int_equal(1, PICKET_LOG_WARNING);
    assert_int_equal(2, PICKET_LOG_INFO);
    assert_int_equal(3, PICKET_LOG_DEBUG);
    assert_int_equal(0, PICKET_STRING);
    assert_int_equal(1, PICKET_INT);
    assert_int_equal(2, PICKET_BOOL);
    assert_int_equal(3, PICKET_SIZE);
    assert_int_equal(4, PICKET_DURATION);
    assert_int_equal(5, PICKET_ENUM);
    assert_int_equal(6, PICKET_FILE);
    assert_int_equal(7, PICKET_STRINGS);
    assert_int_equal(8, PICKET_FOLDER);
    assert_int_equal(9, PICKET_SOCKET);
    assert_int_equal(1, PICKET_REQUIRED);
    assert_int_equal(2, PICKET_SECRET);
    assert_int_equal(4, PICKET_ROTATES);
    assert_int_equal(0, PICKET_OK);
    assert_int_equal(1, PICKET_RETRY);
    assert_int_equal(2, PICKET_REJECT);
    assert_int_equal(1, PICKET_NEEDS_NETWORK);
    assert_int_equal(2, PICKET_NEEDS_PROGRAMS);
    assert_int_equal(4, PICKET_NEEDS_RESPONSE);
    assert_int_equal(1, PICKET_STOP);
    assert_int_equal(2, PICKET_KILL);
    assert_int_equal(0, PICKET_RESPONDED);
    assert_int_equal(1, PICKET_DRY_RUN);
    assert_int_equal(2, PICKET_GONE);
    assert_int_equal(3, PICKET_REFUSED);
}

static void members_are_asked_for_by_size(void **state)
{
    struct picket_verdict verdict = {.size = offsetof(struct picket_verdict, reason)};
    struct picket_verdict *shorter = &verdict;

    assert_true(PICKET_HAS(shorter, retry_ms));
    assert_false(PICKET_HAS(shorter, reason));
    shorter->size = sizeof verdict;
    assert_true(PICKET_HAS(shorter, reason));
}

/* An option of an old plugin must never become one that every output has: what is new there has a
 * '-' in its name, which no option of a plugin can have. */
static void expect_among_first(const struct plugin_option *options, size_t count)
{
    static const char *const first[] = {"name",       "deadline", "queue",         "queue_size",
                                        "batch",      "memory",   "cpu",           "sha256",
                                        "format",     "template", "redact",        "forward",
                                        "respond_to", "dry_run",  "respond_limit", "run_as"};

    for (size_t i = 0; i < count; i++) {
        bool found = memchr(options[i].name.ptr, '-', options[i].name.len) != NULL;

        for (size_t k = 0; k < sizeof first / sizeof *first; k++)
            found |= text_is(options[i].name, first[k]);
        if (!found)
            fail_msg("an option of that name may be an old plugin's: %.*s",
                     TEXT_ARG(options[i].name));
    }
}

static void names_that_are_taken_stay_as_they_are(void **state)
{
    size_t count;
    const struct plugin_option *options = settings_common(&count);

    expect_among_first(options, count);
    options = settings_responding(&count);
    expect_among_first(options, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structures_stay_as_they_are),
        cmocka_unit_test(numbers_stay_as_they_are),
        cmocka_unit_test(members_are_asked_for_by_size),
        cmocka_unit_test(names_that_are_taken_stay_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
