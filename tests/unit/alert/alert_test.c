#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/alert.h"
#include "base/cleanup.h"

static void is_one_json_object(void **state)
{
    static const struct text tags[] = {{"attack.execution", 16}};
    struct rule rule = {
        .id = TEXT("r"),
        .title = TEXT("A \"title\""),
        .severity = SEVERITY_HIGH,
        .tags = {tags, 1},
        .author = TEXT("Ann"),
    };
    static const char *const filters[] = {"cgroup /a", "uid 1000"};
    const struct alert_host host = {"web1", "6.1.0", filters, 2};
    struct alert alert = {
        .id = {"01ARYZ6S41TSV4RRFFQ69G5FAV"},
        .time = 1,
        .host = &host,
        .rule = &rule,
        .message = TEXT("said"),
        .event = TEXT("{\"type\":\"exec\"}"),
        .fold = {3, 2},
    };
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    alert_put_json(&json, &alert);
    assert_string_equal(
        buffer_string(&out),
        "{\"id\":\"01ARYZ6S41TSV4RRFFQ69G5FAV\",\"time\":\"1970-01-01T00:00:00.000000001Z\","
        "\"host\":{\"name\":\"web1\",\"kernel\":\"6.1.0\",\"filters\":[\"cgroup /a\",\"uid "
        "1000\"]},\"rule\":{\"id\":\"r\",\"title\":\"A "
        "\\\"title\\\"\",\"severity\":\"high\","
        "\"tags\":[\"attack.execution\"],\"author\":\"Ann\"},\"message\":\"said\","
        "\"folded\":{\"count\":3,\"since\":\"1970-01-01T00:00:00.000000002Z\"},"
        "\"event\":{\"type\":\"exec\"}}");
}

static void what_it_is_about_is_there_or_not(void **state)
{
    const struct rule rule = {.id = TEXT("picket.x"), .title = TEXT("X"), .severity = SEVERITY_LOW};
    const struct alert_host host = {.name = "h", .kernel = "k"};
    struct alert alert = {
        .id = {"01ARYZ6S41TSV4RRFFQ69G5FAV"},
        .host = &host,
        .rule = &rule,
        .message = TEXT("said"),
        .detail = TEXT("{\"n\":1}"),
    };
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    alert_put_json(&json, &alert);
    assert_string_equal(
        buffer_string(&out),
        "{\"id\":\"01ARYZ6S41TSV4RRFFQ69G5FAV\",\"time\":\"1970-01-01T00:00:00.000000000Z\","
        "\"host\":{\"name\":\"h\",\"kernel\":\"k\"},\"rule\":{\"id\":\"picket.x\",\"title\":\"X\","
        "\"severity\":\"low\"},\"message\":\"said\",\"detail\":{\"n\":1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_one_json_object),
        cmocka_unit_test(what_it_is_about_is_there_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
