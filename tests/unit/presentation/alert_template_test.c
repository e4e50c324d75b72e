/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "presentation/alert_template.h"

static const char json[] =
    "{\"id\":\"X1\",\"time\":\"1970-01-01T00:00:01.000000000Z\",\"host\":{\"name\":\"web1\"},"
    "\"rule\":{\"id\":\"r\",\"title\":\"T\",\"severity\":\"high\",\"tags\":[\"a\",\"b\"]},"
    "\"message\":\"m\",\"matched\":[{\"field\":\"exe\"}],\"event\":{\"exe\":\"/x\\ny\","
    "\"exe.mode\":\"0755\",\"argv\":[\"a "
    "b\",\"\\u001b[2J\"],\"pid\":7,\"parent\":{\"comm\":\"sh\"},"
    "\"meta\":{\"n\":null}}}";

static void alert_init(struct picket_alert *alert)
{
    *alert = (struct picket_alert){.size = sizeof *alert,
                                   .id = "X1",
                                   .time = 1000000000,
                                   .host = "web1",
                                   .rule = "r",
                                   .title = "T",
                                   .message = "m",
                                   .json = json,
                                   .json_len = sizeof json - 1,
                                   .severity = PICKET_HIGH};
}

static void expect(const char *source, const char *line)
{
    CLEANUP(alert_template_freep) struct alert_template *template = NULL;
    CLEANUP(json_freep) json_t *tree = NULL;
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct alert_template_mistake mistake;
    struct json_failure failure;
    struct picket_alert alert;

    alert_init(&alert);
    assert_int_equal(0, json_parse(text_from(json), &tree, &failure));
    assert_int_equal(0, alert_template_new(text_from(source), &template, &mistake));
    alert_template_put(template, &alert, tree, &out);
    assert_string_equal(line, buffer_string(&out));
}

static void values_are_put(void **state)
{
    expect(ALERT_TEMPLATE_DEFAULT, "1970-01-01T00:00:01.000000000Z web1 high r: m");
    expect("%{id}|%{rule.title}|%{rule.tags}|%{rule.tags.1}", "X1|T|a b|b");
    expect("%{event.pid} %{event.exe.mode} %{event.parent.comm} 100%%", "7 0755 sh 100%");
    expect("%{event}", "{\"exe\":\"/x\\ny\",\"exe.mode\":\"0755\",\"argv\":[\"a b\","
                       "\"\\u001b[2J\"],\"pid\":7,\"parent\":{\"comm\":\"sh\"},\"meta\":{\"n\":"
                       "null}}");
    expect("plain", "plain");
}

static void what_is_not_there_is_a_dash(void **state)
{
    expect("%{event.cwd} %{event.meta.n} %{rule.tags.9} %{detail}", "- - - -");
}

static void a_line_stays_one(void **state)
{
    expect("%{event.exe} %{event.argv}", "/x\\ny a b \\x1b[2J");
}

static void a_plain_one_needs_no_tree(void **state)
{
    static const struct {
        const char *source;
        bool plain;
    } cases[] = {{ALERT_TEMPLATE_DEFAULT, true},
                 {"%{id} %{rule.title} %%", true},
                 {"%{rule.tags}", false},
                 {"%{event.pid}", false}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(alert_template_freep) struct alert_template *template = NULL;
        struct alert_template_mistake mistake;

        assert_int_equal(0, alert_template_new(text_from(cases[i].source), &template, &mistake));
        assert_int_equal(cases[i].plain, alert_template_is_plain(template));
    }
}

static void mistakes_have_a_place(void **state)
{
    static const struct {
        const char *source;
        size_t offset, len;
        const char *reason;
    } cases[] = {
        {"", 0, 0, "a template cannot be empty"},
        {"a\nb", 1, 1, "a template is one line, without control characters"},
        {"\xff", 0, 1, "a template is text in UTF-8"},
        {"50% of", 2, 1, "'%' begins a value, as in %{message}; a percent sign is written '%%'"},
        {"x %{id", 2, 4, "'%{' is never closed"},
        {"%{mesage}", 2, 6, "alerts have no 'mesage'; did you mean 'message'?"},
        {"%{cmdline}", 2, 7, "alerts have no 'cmdline'; did you mean 'event.cmdline'?"},
        {"%{event.cmdlin}", 2, 12, "alerts have no 'event.cmdlin'; did you mean 'event.cmdline'?"},
        {"%{rule.name}", 2, 9, "alerts have no 'rule.name'"},
        {"%{}", 2, 0, "alerts have no ''"},
        {"%{id.x}", 2, 4, "alerts have no 'id.x'"},
        {"%{event.parent.parent.zzzzzzzz}", 2, 28, "alerts have no 'event.parent.parent.zzzzzzzz'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct alert_template *template = NULL;
        struct alert_template_mistake mistake;

        assert_int_equal(-EINVAL,
                         alert_template_new(text_from(cases[i].source), &template, &mistake));
        assert_null(template);
        assert_string_equal(cases[i].reason, mistake.reason);
        assert_int_equal(cases[i].offset, mistake.offset);
        assert_int_equal(cases[i].len, mistake.len);
    }
}

static void every_path_of_an_alert_is_one(void **state)
{
    static const char *const paths[] = {"%{event.parent.parent.exe.mode}",
                                        "%{event.exit.code}",
                                        "%{event.cgroup}",
                                        "%{event.argv.0}",
                                        "%{event.raw.exe}",
                                        "%{event.ancestors_omitted}",
                                        "%{event.parent}",
                                        "%{host.filters.0}",
                                        "%{matched.0.at}",
                                        "%{correlation.group.session}",
                                        "%{folded.count}",
                                        "%{detail.cpu}",
                                        "%{redacted.count}",
                                        "%{event.meta.any.thing}"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CLEANUP(alert_template_freep) struct alert_template *template = NULL;
        struct alert_template_mistake mistake;

        assert_int_equal(0, alert_template_new(text_from(paths[i]), &template, &mistake));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_put),        cmocka_unit_test(what_is_not_there_is_a_dash),
        cmocka_unit_test(a_line_stays_one),      cmocka_unit_test(a_plain_one_needs_no_tree),
        cmocka_unit_test(mistakes_have_a_place), cmocka_unit_test(every_path_of_an_alert_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
