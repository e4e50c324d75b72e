#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alert/alert.h"
#include "base/cleanup.h"

static const struct machine web1 = {
    .has = {{UINT64_C(1) << FIELD_HOST_NAME | UINT64_C(1) << FIELD_HOST_KERNEL}},
    .name = TEXT("web1"),
    .kernel = TEXT("6.1.0"),
};

static struct buffer place_json;

static struct alert_place place(const struct alert_engine *engine, const struct machine *host)
{
    struct json_writer json = {.buffer = &place_json};

    buffer_clear(&place_json);
    alert_place_put_json(&json, engine, host);
    return (struct alert_place){host->name, buffer_text(&place_json)};
}

static void assert_place(const struct alert_engine *engine, const struct machine *host,
                         const char *expected)
{
    place(engine, host);
    assert_string_equal(buffer_string(&place_json), expected);
}

/* What the engine's own machine leaves out is not what another does. */
static void who_matched_is_said_where_it_is_another(void **state)
{
    static const char *const filters[] = {"uid 1000"};
    const struct field_set both = {{UINT64_C(1) << FIELD_HOST_NAME | UINT64_C(1) << FIELD_HOST_ID}};
    const struct machine here = {.has = both, .name = TEXT("a"), .id = TEXT("1")};
    const struct machine clone = {.has = both, .name = TEXT("b"), .id = TEXT("1")};
    const struct machine namesake = {.has = both, .name = TEXT("a"), .id = TEXT("2")};
    const struct machine nameless = {.has = web1.has, .name = TEXT("a"), .kernel = TEXT("k")};
    const struct alert_engine engine = {&here, filters, 1};

    assert_place(&engine, &clone,
                 "\"host\":{\"name\":\"b\",\"id\":\"1\"},\"engine\":{\"name\":\"a\",\"id\":\"1\"}");
    assert_place(&engine, &namesake,
                 "\"host\":{\"name\":\"a\",\"id\":\"2\"},\"engine\":{\"name\":\"a\",\"id\":\"1\"}");
    assert_place(&engine, &nameless,
                 "\"host\":{\"name\":\"a\",\"kernel\":\"k\",\"filters\":[\"uid 1000\"]}");
    assert_place(&engine, &web1,
                 "\"host\":{\"name\":\"web1\",\"kernel\":\"6.1.0\"},"
                 "\"engine\":{\"name\":\"a\",\"id\":\"1\"}");
}

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
    const struct alert_engine engine = {&web1, filters, 2};
    struct alert alert = {
        .id = {"01ARYZ6S41TSV4RRFFQ69G5FAV"},
        .time = 1,
        .place = place(&engine, &web1),
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
    const struct alert_engine engine = {.machine = &web1};
    struct alert alert = {
        .id = {"01ARYZ6S41TSV4RRFFQ69G5FAV"},
        .place = place(&engine, &web1),
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
        "\"host\":{\"name\":\"web1\",\"kernel\":\"6.1.0\"},\"rule\":{\"id\":\"picket.x\",\"title\":"
        "\"X\","
        "\"severity\":\"low\"},\"message\":\"said\",\"detail\":{\"n\":1}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_one_json_object),
        cmocka_unit_test(who_matched_is_said_where_it_is_another),
        cmocka_unit_test(what_it_is_about_is_there_or_not),
    };

    int r = cmocka_run_group_tests(tests, NULL, NULL);

    buffer_deinit(&place_json);
    return r;
}
