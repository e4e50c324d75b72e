#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/config.h"

struct fixture {
    char folder[32];
    char path[64];
    struct config config;
    struct diag_list diags;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    strcpy(f->folder, "/tmp/picket-XXXXXX");
    *state = f;
    config_init(&f->config);
    if (!mkdtemp(f->folder))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/picket.yaml", f->folder);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    rmdir(f->folder);
    config_deinit(&f->config);
    diag_list_deinit(&f->diags);
    free(f);
    return 0;
}

static int read_config(struct fixture *f, const char *content)
{
    FILE *file = fopen(f->path, "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    return config_read(&f->config, f->path, &f->diags);
}

static void reads_everything(void **state)
{
    struct fixture *f = *state;
    char relative[64];

    assert_int_equal(read_config(f, "rules: [/etc/r.yaml, mine]\n"
                                    "outputs:\n"
                                    "  - console\n"
                                    "  - {plugin: json, name: siem, path: /var/log/x}\n"
                                    "user: backup\n"
                                    "sensor:\n"
                                    "  ring: 16MiB\n"
                                    "  failures: false\n"
                                    "  environment: [LD_PRELOAD, TERM]\n"
                                    "  exclude:\n"
                                    "    - cgroup: /system.slice/x\n"
                                    "    - {user: 42}\n"
                                    "    - exe: /bin/true\n"
                                    "watch: true\n"),
                     0);
    snprintf(relative, sizeof relative, "%s/mine", f->folder);
    assert_true(f->config.watch);
    assert_string_equal(f->config.user, "backup");
    assert_int_equal(f->config.user_mark.line, 5);
    assert_int_equal(f->config.rule_count, 2);
    assert_string_equal(f->config.rules[0], "/etc/r.yaml");
    assert_string_equal(f->config.rules[1], relative);
    assert_int_equal(f->config.output_count, 2);
    assert_true(text_is(f->config.outputs[0].plugin, "console"));
    assert_true(text_is(f->config.outputs[1].plugin, "json"));
    assert_int_equal(f->config.outputs[1].setting_count, 2);
    assert_true(text_is(f->config.outputs[1].settings[1].key, "path"));
    assert_true(text_is(f->config.outputs[1].settings[1].value, "/var/log/x"));
    assert_int_equal(f->config.outputs[1].settings[1].value_mark.line, 4);
    assert_int_equal(f->config.ring, 16 << 20);
    assert_int_equal(f->config.failures, SENSOR_FAILURES_NONE);
    assert_int_equal(f->config.environment_count, 2);
    assert_string_equal(f->config.environment[1], "TERM");
    assert_int_equal(f->config.exclusion_count, 3);
    assert_int_equal(f->config.exclusions[0].kind, EXCLUDE_CGROUP);
    assert_true(text_is(f->config.exclusions[0].value, "/system.slice/x"));
    assert_int_equal(f->config.exclusions[1].kind, EXCLUDE_USER);
    assert_int_equal(f->config.exclusions[2].kind, EXCLUDE_EXE);
    assert_int_equal(f->config.exclusions[2].mark.line, 13);
}

static void level_that_is_enough(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(f->config.min_level, SEVERITY_INFORMATIONAL);
    assert_int_equal(read_config(f, "min_level: high\n"), 0);
    assert_int_equal(f->config.min_level, SEVERITY_HIGH);
    assert_int_equal(read_config(f, "min_level: higher\n"), -EINVAL);
    assert_string_equal(f->diags.items[0].code, "wrong-type");
}

static void nothing_means_the_defaults(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_config(f, "# nothing yet\n"), 0);
    assert_int_equal(f->config.rule_count, 0);
    assert_int_equal(f->config.output_count, 0);
    assert_null(f->config.user);
    assert_int_equal(f->config.ring, 0);
    assert_int_equal(f->config.failures, SENSOR_FAILURES_NATIVE);
}

static void options_are_values_lists_and_places_of_secrets(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_config(f, "outputs:\n"
                                    "  - {plugin: x, words: [a, b], none: [], one: c,\n"
                                    "     token: {file: /t}, key: {credential: k}}\n"
                                    "  - {plugin: y, token: {path: /t}}\n"),
                     -EINVAL);
    assert_int_equal(f->diags.count, 1);
    assert_int_equal(f->diags.items[0].mark.line, 4);
    const struct output_setting *settings = f->config.outputs[0].settings;

    assert_int_equal(f->config.outputs[0].setting_count, 6);
    assert_false(f->config.outputs[0].exposed);
    assert_true(text_is(settings[1].key, "words") && text_is(settings[1].value, "b"));
    assert_true(settings[0].in_list && settings[1].in_list && settings[2].in_list);
    assert_null(settings[2].value.ptr);
    assert_false(settings[3].in_list);
    assert_int_equal(settings[3].source, SETTING_VALUE);
    assert_int_equal(settings[4].source, SETTING_FILE);
    assert_true(text_is(settings[4].value, "/t"));
    assert_int_equal(settings[5].source, SETTING_CREDENTIAL);
}

static void journal_is_where_and_how_much(void **state)
{
    struct fixture *f = *state;
    const struct config_journal *journal = &f->config.journal;

    assert_int_equal(read_config(f, "rules: []\n"), 0);
    assert_true(journal->wanted && !journal->given);
    assert_string_equal(journal->path, "/var/lib/picket/alerts.db");
    assert_int_equal(read_config(f, "journal: {path: /d/a.db, size: 10MiB, age: 2d}\n"), 0);
    assert_true(journal->wanted && journal->given);
    assert_string_equal(journal->path, "/d/a.db");
    assert_int_equal(journal->size, 10 << 20);
    assert_int_equal(journal->age, 2LL * 24 * 3600 * 1000000000LL);
    assert_int_equal(read_config(f, "journal: false\n"), 0);
    assert_false(journal->wanted);
    assert_int_equal(read_config(f, "journal: {path: a.db, size: 1KiB, age: 0s, pth: /d}\n"),
                     -EINVAL);
    assert_int_equal(f->diags.errors, 4);
    assert_non_null(strstr(f->diags.items[3].message, "did you mean 'path'?"));
}

static void sensor_may_read_other_machines(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(0, read_config(f, "sensor: {nats: 'nats://a'}\n"));
    assert_true(text_is(f->config.source->plugin, "nats"));
    assert_int_equal(1, f->config.source->setting_count);
    assert_true(text_is(f->config.source->settings[0].key, "servers"));
    assert_true(text_is(f->config.source->settings[0].value, "nats://a"));
    assert_int_equal(0, read_config(f, "sensor:\n"
                                       "  nats:\n"
                                       "    servers: ['nats://a', 'nats://b']\n"
                                       "    password: {file: /run/secret}\n"));
    assert_int_equal(3, f->config.source->setting_count);
    assert_int_equal(SETTING_FILE, f->config.source->settings[2].source);
    assert_false(f->config.source->exposed);
    assert_int_equal(-EINVAL, read_config(f, "sensor: {failures: true, nats: {}}\n"));
    assert_string_equal("conflicting-keys", f->diags.items[0].code);
    assert_int_equal(1, f->diags.count);
    assert_int_equal(-EINVAL, read_config(f, "sensor: {nats: []}\n"));
    assert_string_equal("wrong-type", f->diags.items[1].code);
}

static void failures_of_which_programs(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_config(f, "sensor: {failures: true}\n"), 0);
    assert_int_equal(f->config.failures, SENSOR_FAILURES_NATIVE);
    config_deinit(&f->config);
    config_init(&f->config);
    assert_int_equal(read_config(f, "sensor: {failures: all}\n"), 0);
    assert_int_equal(f->config.failures, SENSOR_FAILURES_ALL);
}

static void all_mistakes_in_one_pass(void **state)
{
    static const struct {
        unsigned line, column;
        const char *code;
    } expected[] = {
        {1, 1, "unknown-key"},  {2, 8, "wrong-type"},   {4, 5, "missing-key"},
        {5, 27, "wrong-type"},  {7, 9, "wrong-type"},   {8, 13, "wrong-type"},
        {9, 3, "unknown-key"},  {10, 20, "wrong-type"}, {12, 7, "wrong-type"},
        {13, 7, "unknown-key"}, {14, 7, "wrong-type"},  {15, 8, "wrong-type"},
    };
    struct fixture *f = *state;

    assert_int_equal(read_config(f, "rule: [a]\n"
                                    "rules: /etc/x\n"
                                    "outputs:\n"
                                    "  - {path: x}\n"
                                    "  - {plugin: json, path: [[a]]}\n"
                                    "sensor:\n"
                                    "  ring: much\n"
                                    "  failures: maybe\n"
                                    "  rings: 1\n"
                                    "  environment: [A, A=B]\n"
                                    "  exclude:\n"
                                    "    - cgroup\n"
                                    "    - users: 1\n"
                                    "user: [a, b]\n"
                                    "watch: perhaps\n"),
                     -EINVAL);
    diag_sort(&f->diags);
    assert_int_equal(f->diags.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < f->diags.count; i++) {
        assert_string_equal(f->diags.items[i].code, expected[i].code);
        assert_int_equal(f->diags.items[i].mark.line, expected[i].line);
        assert_int_equal(f->diags.items[i].mark.column, expected[i].column);
    }
    assert_non_null(strstr(f->diags.items[0].message, "did you mean 'rules'"));
}

static void is_one_document(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_config(f, "rules: [a]\noutputs: [x]\n---\nrules: [b, c]\noutputs: [y]\n"),
                     -EINVAL);
    assert_int_equal(f->diags.count, 1);
    assert_string_equal(f->diags.items[0].code, "many-documents");
    assert_int_equal(f->diags.items[0].mark.line, 4);
    assert_int_equal(f->config.rule_count, 1);
    assert_int_equal(f->config.output_count, 1);
}

static void says_what_cannot_be_read(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(config_read(&f->config, "/nowhere/picket.yaml", &f->diags), -EINVAL);
    assert_int_equal(f->diags.errors, 1);
    assert_string_equal(f->diags.items[0].code, "unreadable-file");
    config_deinit(&f->config); /* what was said outlives the configuration */
    assert_string_equal(f->diags.items[0].mark.file, "/nowhere/picket.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(level_that_is_enough, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_means_the_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_is_where_and_how_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sensor_may_read_other_machines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_of_which_programs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_are_values_lists_and_places_of_secrets, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_mistakes_in_one_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_one_document, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_cannot_be_read, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
