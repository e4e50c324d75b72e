/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>

#include "base/cleanup.h"
#include "plugin/output_config.h"

struct parsed {
    struct arena arena;
    struct diag_list diags;
    struct output_config *configs;
    size_t count;
};

static void parsed_deinit(struct parsed *parsed)
{
    diag_list_deinit(&parsed->diags);
    arena_deinit(&parsed->arena);
}

static void parse(struct parsed *parsed, const char *const *arguments, size_t count)
{
    assert_int_equal(0, output_config_parse(arguments, count, &parsed->arena, &parsed->diags,
                                            &parsed->configs, &parsed->count));
}

static void expect_setting(const struct output_setting *setting, const char *key, const char *value)
{
    assert_true(text_is(setting->key, key));
    assert_true(text_is(setting->value, value));
}

static void arguments_are_read(void **state)
{
    static const char *const arguments[] = {
        "json", "syslog,socket=/run/a\\,b,tag=x=y,empty=,tail=\\n\\\\", "./my/own.so,name=mine"};
    CLEANUP(parsed_deinit) struct parsed parsed = {0};

    parse(&parsed, arguments, 3);
    assert_int_equal(0, parsed.diags.count);
    assert_int_equal(3, parsed.count);
    assert_true(text_is(parsed.configs[0].plugin, "json"));
    assert_int_equal(0, parsed.configs[0].setting_count);
    assert_int_equal(4, parsed.configs[1].setting_count);
    expect_setting(&parsed.configs[1].settings[0], "socket", "/run/a,b");
    expect_setting(&parsed.configs[1].settings[1], "tag", "x=y");
    expect_setting(&parsed.configs[1].settings[2], "empty", "");
    expect_setting(&parsed.configs[1].settings[3], "tail", "\\n\\");
    assert_true(text_is(output_config_name(&parsed.configs[1]), "syslog"));
    assert_true(text_is(output_config_name(&parsed.configs[2]), "mine"));
    parsed.configs[2].setting_count = 0;
    assert_true(text_is(output_config_name(&parsed.configs[2]), "own"));
}

static void mistakes_are_shown_where_they_are(void **state)
{
    static const char *const arguments[] = {"json,path", "console", ",x=1", "json,=1"};
    CLEANUP(parsed_deinit) struct parsed parsed = {0};
    CLEANUP(buffer_deinit) struct buffer shown = {0};

    parse(&parsed, arguments, 4);
    assert_int_equal(3, parsed.diags.errors);
    assert_int_equal(1, parsed.count);
    assert_true(text_is(parsed.configs[0].plugin, "console"));
    diag_render_all(&parsed.diags, false, &shown);
    assert_string_equal(
        "-o:1:6: error: 'path' is not key=value (a comma within a value is written '\\,') "
        "[bad-output]\n"
        "    1 | json,path\n"
        "      |      ^~~~\n"
        "-o:3:1: error: an output begins with the name of a plugin [bad-output]\n"
        "    3 | ,x=1\n"
        "      | ^\n"
        "-o:4:6: error: '=1' is not key=value (a comma within a value is written '\\,') "
        "[bad-output]\n"
        "    4 | json,=1\n"
        "      |      ^~\n",
        buffer_string(&shown));
}

static void source_has_an_address(void **state)
{
    CLEANUP(parsed_deinit) struct parsed parsed = {0};
    struct output_config source;

    assert_int_equal(0, output_config_parse_source("nats=nats://a:1\\,b=c,stream=X", &parsed.arena,
                                                   &parsed.diags, &source));
    assert_true(text_is(source.plugin, "nats"));
    assert_true(source.exposed);
    assert_int_equal(2, source.setting_count);
    expect_setting(&source.settings[0], "servers", "nats://a:1,b=c");
    expect_setting(&source.settings[1], "stream", "X");
    assert_int_equal(6, source.settings[0].value_mark.column);
    assert_int_equal(
        0, output_config_parse_source("nats,stream=X", &parsed.arena, &parsed.diags, &source));
    assert_int_equal(1, source.setting_count);
    assert_int_equal(0, parsed.diags.errors);
    assert_int_equal(-EINVAL,
                     output_config_parse_source("=x,y", &parsed.arena, &parsed.diags, &source));
    assert_int_equal(2, parsed.diags.errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_read),
        cmocka_unit_test(mistakes_are_shown_where_they_are),
        cmocka_unit_test(source_has_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
