#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/diag_code.h"
#include "base/diag_report.h"

#define FILE_NAME "rules/a b%.yaml"

/* Mistakes of all kinds: with a hint, behind two-byte letters, at a line's end, of a file, of none.
 */
static struct diag_list make_list(void)
{
    struct diag_list list = {0};

    diag_add_source(&list, FILE_NAME, TEXT("rules:\n  \"é\": ünknown\r\nlast"));
    diag_error(&list, (struct mark){FILE_NAME, 2, 9, 8}, "unknown-field", "unknown '%s'%s", "ünkn",
               diag_hint(&list, "known"));
    diag_warning(&list, (struct mark){FILE_NAME, 3, 5, 0}, "missing-tests", "nothing \"here\"\n");
    diag_error(&list, (struct mark){.file = "/gone.yaml"}, "unreadable-file", "cannot be read");
    diag_error(&list, (struct mark){0}, "no-rules", "none at all");
    return list;
}

static json_t *parse(struct buffer *out)
{
    struct json_failure failure = {0};
    json_t *json = NULL;

    if (json_parse(buffer_text(out), &json, &failure) < 0)
        fail_msg("%u: %s in %s", failure.column, failure.reason, buffer_string(out));
    return json;
}

/* ITEM as text, keys sorted. */
static void assert_json(const json_t *item, const char *expected)
{
    CLEANUP(freep) char *text = json_dumps(item, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

    assert_string_equal(text, expected);
}

static void test_json(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = make_list();
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(json_freep) json_t *all = NULL;
    struct json_writer json = {.buffer = &out};

    diag_put_json(&json, &list);
    all = parse(&out);
    assert_int_equal(json_array_size(all), 4);
    assert_json(json_array_get(all, 0),
                "{\"code\":\"unknown-field\",\"column\":9,\"end_column\":17,"
                "\"file\":\"rules/a b%.yaml\",\"hint\":\"known\",\"line\":2,"
                "\"message\":\"unknown 'ünkn'; did you mean 'known'?\",\"severity\":\"error\"}");
    assert_json(json_array_get(all, 1),
                "{\"code\":\"missing-tests\",\"column\":5,\"end_column\":6,"
                "\"file\":\"rules/a b%.yaml\",\"hint\":null,\"line\":3,"
                "\"message\":\"nothing \\\"here\\\"\\n\",\"severity\":\"warning\"}");
    assert_json(json_array_get(all, 2),
                "{\"code\":\"unreadable-file\",\"column\":null,\"end_column\":null,"
                "\"file\":\"/gone.yaml\",\"hint\":null,\"line\":null,"
                "\"message\":\"cannot be read\",\"severity\":\"error\"}");
    assert_json(json_array_get(all, 3),
                "{\"code\":\"no-rules\",\"column\":null,\"end_column\":null,\"file\":null,"
                "\"hint\":null,\"line\":null,\"message\":\"none at all\",\"severity\":\"error\"}");
}

static const json_t *location_of(const json_t *results, size_t index)
{
    const json_t *locations = json_object_get(json_array_get(results, index), "locations");

    return json_object_get(json_array_get(locations, 0), "physicalLocation");
}

static void test_sarif_results(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = make_list();
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(json_freep) json_t *log = NULL;
    struct json_writer json = {.buffer = &out};

    diag_put_sarif(&json, &list);
    log = parse(&out);
    assert_json(json_object_get(log, "version"), "\"2.1.0\"");
    const json_t *run = json_array_get(json_object_get(log, "runs"), 0);
    const json_t *results = json_object_get(run, "results");

    assert_json(json_object_get(run, "columnKind"), "\"unicodeCodePoints\"");
    assert_int_equal(json_array_size(results), 4);
    assert_json(location_of(results, 0), "{\"artifactLocation\":{\"uri\":\"rules/a%20b%25.yaml\"},"
                                         "\"region\":{\"endColumn\":15,\"startColumn\":8,"
                                         "\"startLine\":2}}");
    assert_json(location_of(results, 1), "{\"artifactLocation\":{\"uri\":\"rules/a%20b%25.yaml\"},"
                                         "\"region\":{\"endColumn\":6,\"startColumn\":5,"
                                         "\"startLine\":3}}");
    assert_json(location_of(results, 2), "{\"artifactLocation\":{\"uri\":\"file:///gone.yaml\"},"
                                         "\"region\":{\"startLine\":1}}");
    assert_null(location_of(results, 3));
    assert_json(json_object_get(json_array_get(results, 1), "level"), "\"warning\"");
}

/* Each result names its rule, which the driver describes. */
static void test_sarif_rules(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = make_list();
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(json_freep) json_t *log = NULL;
    struct json_writer json = {.buffer = &out};
    size_t count;

    diag_codes(&count);
    diag_put_sarif(&json, &list);
    log = parse(&out);
    const json_t *run = json_array_get(json_object_get(log, "runs"), 0);
    const json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
    const json_t *rules = json_object_get(driver, "rules");
    const json_t *results = json_object_get(run, "results");

    assert_int_equal(json_array_size(rules), count);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i);
        json_int_t index = json_integer_value(json_object_get(result, "ruleIndex"));
        const json_t *rule = json_array_get(rules, (size_t)index);

        assert_string_equal(json_string_value(json_object_get(rule, "id")),
                            json_string_value(json_object_get(result, "ruleId")));
        assert_non_null(json_object_get(rule, "shortDescription"));
    }
}

static void test_allow(void **state)
{
    CLEANUP(diag_list_deinit) struct diag_list list = make_list();

    assert_int_equal(diag_allow(&list, "unknown-field"), 0);
    assert_int_equal(diag_allow(&list, "missing-tests"), 1);
    assert_int_equal(diag_allow(&list, "missing-tests"), 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.warnings, 0);
    assert_int_equal(list.errors, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_sarif_results),
        cmocka_unit_test(test_sarif_rules),
        cmocka_unit_test(test_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
