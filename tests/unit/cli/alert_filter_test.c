/* Which alerts are wanted. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "cli/alert_filter.h"

#define JSON                                                               \
    "{\"rule\":{\"id\":\"web-shell\"},\"message\":\"say \\\"Hi\\\"\\\\\"," \
    "\"event\":{\"pid\":4711,\"argv\":[\"x\",\"/tmp/\xc3\xa9\"],\"is_exit\":false}}"

static const struct journal_alert sample = {
    .time = 1000,
    .severity = SEVERITY_HIGH,
    .rule = {"web-shell", 9},
    .json = {JSON, sizeof JSON - 1},
};

static struct alert_filter all(void)
{
    return (struct alert_filter){.until = INT64_MAX};
}

static bool finds(const char *text)
{
    struct alert_filter filter = all();

    filter.search = text_from(text);
    assert_int_equal(0, alert_filter_prepare(&filter));
    bool found = alert_filter_passes(&filter, &sample);

    alert_filter_deinit(&filter);
    return found;
}

static void values_are_searched(void **state)
{
    assert_true(finds(""));
    assert_true(finds("WEB-s"));
    assert_true(finds("say \"hi\""));
    assert_true(finds("\"\\"));
    assert_true(finds("471"));
    assert_true(finds("/tmp/\xc3\xa9"));
    assert_false(finds("/tmp/\xc3\xa8"));
    assert_false(finds("nothing"));
}

static void keys_and_quoting_are_not(void **state)
{
    assert_false(finds("argv"));
    assert_false(finds("message"));
    assert_false(finds("\\\""));
    assert_false(finds("false"));
    assert_false(finds("{"));
}

static void broken_json_is_shown_rather_than_missed(void **state)
{
    struct alert_filter filter = all();
    struct journal_alert alert = sample;

    alert.json = TEXT("{\"message\":\"cut");
    filter.search = TEXT("cut");
    assert_int_equal(0, alert_filter_prepare(&filter));
    assert_true(alert_filter_passes(&filter, &alert));
    alert_filter_deinit(&filter);
}

static void rules_fit_one_pattern(void **state)
{
    const char *patterns[] = {"ssh-*", "web-?hell"};
    struct alert_filter filter = all();

    filter.rules = patterns;
    filter.rule_count = 1;
    assert_false(alert_filter_passes(&filter, &sample));
    filter.rule_count = 2;
    assert_true(alert_filter_passes(&filter, &sample));
    patterns[1] = "web";
    assert_false(alert_filter_passes(&filter, &sample));
}

static void severities_are_least_ones(void **state)
{
    struct alert_filter filter = all();

    filter.severity = SEVERITY_HIGH;
    assert_true(alert_filter_passes(&filter, &sample));
    filter.severity = SEVERITY_CRITICAL;
    assert_false(alert_filter_passes(&filter, &sample));
}

static void both_ends_are_included(void **state)
{
    struct alert_filter filter = all();

    filter.since = filter.until = 1000;
    assert_true(alert_filter_passes(&filter, &sample));
    filter.until = 999;
    assert_false(alert_filter_passes(&filter, &sample));
    filter.until = 2000;
    filter.since = 1001;
    assert_false(alert_filter_passes(&filter, &sample));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_searched),
        cmocka_unit_test(keys_and_quoting_are_not),
        cmocka_unit_test(broken_json_is_shown_rather_than_missed),
        cmocka_unit_test(rules_fit_one_pattern),
        cmocka_unit_test(severities_are_least_ones),
        cmocka_unit_test(both_ends_are_included),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
