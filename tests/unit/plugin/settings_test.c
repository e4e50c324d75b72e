/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "base/clock.h"
#include "plugin/settings.h"

static struct plugin_option table[] = {
    {.name = {"path", 4}, .type = PICKET_FILE, .flags = PICKET_REQUIRED},
    {.name = {"color", 5}, .type = PICKET_ENUM, .choices = {"auto|always|never", 17}},
    {.name = {"port", 4}, .type = PICKET_INT, .value = {"514", 3}, .min = 1, .max = 65535},
    {.name = {"bytes", 5}, .type = PICKET_SIZE},
    {.name = {"text", 4}, .type = PICKET_STRING},
    {.name = {"sync", 4}, .type = PICKET_BOOL},
    {.name = {"pause", 5}, .type = PICKET_DURATION},
    {.name = {"token", 5}, .type = PICKET_STRING, .flags = PICKET_SECRET},
    {.name = {"words", 5}, .type = PICKET_STRINGS, .value = {"usual", 5}},
};

static const struct plugin_info info = {
    .name = {"x", 1}, .options = table, .option_count = sizeof table / sizeof *table};

enum { PATH, COLOR, PORT, BYTES, TEXT_OPTION, SYNC, PAUSE, TOKEN, WORDS };

struct reading {
    struct arena arena;
    struct diag_list diags;
    struct settings settings;
    struct buffer shown;
};

static void reading_deinit(struct reading *read)
{
    buffer_deinit(&read->shown);
    diag_list_deinit(&read->diags);
    arena_deinit(&read->arena);
}

static void read_config(struct reading *read, const struct output_config *config)
{
    assert_int_equal(0, settings_read(config, &read->arena, &read->diags, &read->settings));
    assert_int_equal(
        0, settings_read_options(config, &info, &read->arena, &read->diags, &read->settings));
    diag_render_all(&read->diags, false, &read->shown);
}

static void read_argument(struct reading *read, const char *argument)
{
    struct output_config *configs;
    size_t count;

    assert_int_equal(
        0, output_config_parse(&argument, 1, &read->arena, &read->diags, &configs, &count));
    assert_int_equal(1, count);
    read_config(read, configs);
}

static void defaults_are_there(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, "x,path=-");
    const struct settings *settings = &read.settings;

    assert_int_equal(0, read.diags.count);
    assert_true(text_is(settings->name, "x"));
    assert_int_equal(10 * NS_PER_S, settings->deadline);
    assert_int_equal(8192, settings->queue);
    assert_int_equal(64 << 20, settings->queue_size);
    assert_int_equal(512 << 20, settings->memory);
    assert_int_equal(0, settings->batch);
    assert_int_equal(514, settings->values[PORT].number);
    assert_true(settings->values[PORT].set);
    assert_false(settings->values[TEXT_OPTION].set);
}

static void values_are_read(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, "x,path=/a,color=never,port=0x50,bytes=4KiB,text=,sync=Yes,pause=1m30s,"
                         "name=y,deadline=250ms,queue=5,queue_size=1MB,batch=9,memory=2GiB");
    const struct settings *settings = &read.settings;

    assert_int_equal(0, read.diags.count);
    assert_true(text_is(settings->name, "y"));
    assert_int_equal(250 * NS_PER_MS, settings->deadline);
    assert_int_equal(5, settings->queue);
    assert_int_equal(1000000, settings->queue_size);
    assert_int_equal(9, settings->batch);
    assert_int_equal(2LL << 30, settings->memory);
    assert_true(text_is(settings->values[PATH].text, "/a"));
    assert_int_equal(2, settings->values[COLOR].number);
    assert_int_equal(80, settings->values[PORT].number);
    assert_int_equal(4096, settings->values[BYTES].number);
    assert_true(settings->values[TEXT_OPTION].set);
    assert_int_equal(1, settings->values[SYNC].number);
    assert_int_equal(90 * NS_PER_S, settings->values[PAUSE].number);
}

static void names_are_for_people(void **state)
{
    static const char *const names[] = {"", "a\nb", "\033[2J", "a\x7f", "\xff"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CLEANUP(reading_deinit) struct reading read = {0};
        CLEANUP(buffer_deinit) struct buffer argument = {0};

        buffer_printf(&argument, "x,path=-,name=%s", names[i]);
        read_argument(&read, buffer_string(&argument));
        assert_int_equal(1, read.diags.errors);
        assert_string_equal("option 'name' takes 1 to 64 bytes of printable text",
                            read.diags.items[0].message);
    }
}

static void mistakes_are_found_in_one_pass(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, "x,colour=never,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
                         "sync=on");
    assert_string_equal(
        "-o:1:1: error: output 'x' needs its option 'path' [missing-option]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      | ^\n"
        "-o:1:3: error: output 'x' has no option 'colour'; did you mean 'color'? "
        "[unknown-option]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |   ^~~~~~\n"
        "-o:1:22: error: option 'color' takes auto, always or never; not 'sometimes' "
        "[bad-option-value]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                      ^~~~~~~~~\n"
        "-o:1:37: error: option 'port' takes a whole number, from 1 to 65535; not '0' "
        "[bad-option-value]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                                     ^\n"
        "-o:1:45: error: option 'bytes' takes a size, as in 512 or 10MiB; not 'hunter2' "
        "[bad-option-value]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                                             ^~~~~~~\n"
        "-o:1:58: error: option 'sync' takes true or false; not '2' [bad-option-value]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                                                          ^\n"
        "-o:1:66: error: option 'pause' takes a duration, as in 250ms or 1h30m; not '1' "
        "[bad-option-value]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                                                                  ^\n"
        "-o:1:68: error: option 'sync' is set twice [duplicate-option]\n"
        "    1 | x,colour=*****,color=sometimes,port=0,bytes=hunter2,sync=2,pause=1,"
        "sync=on\n"
        "      |                                                                    ^~~~\n",
        buffer_string(&read.shown));
}

static void lists_are_read(void **state)
{
    CLEANUP(reading_deinit) struct reading usual = {0}, given = {0};

    read_argument(&usual, "x,path=-");
    assert_int_equal(1, usual.settings.values[WORDS].list_count);
    assert_true(text_is(usual.settings.values[WORDS].list[0], "usual"));
    assert_int_equal(0, usual.settings.redact_count);
    read_argument(&given, "x,path=-,words=a,redact=tokens,words=b\\,c,words=,format=ocsf");
    assert_int_equal(0, given.diags.count);
    assert_int_equal(3, given.settings.values[WORDS].list_count);
    assert_true(text_is(given.settings.values[WORDS].list[1], "b,c"));
    assert_true(text_is(given.settings.values[WORDS].list[2], ""));
    assert_int_equal(1, given.settings.redact_count);
    assert_true(text_is(given.settings.redact[0], "tokens"));
    assert_int_equal(2, given.settings.format);
}

/* As the configuration has `words: []`, and a list where there is none. */
static void lists_of_a_configuration_are_read(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};
    struct output_setting settings[] = {
        {.key = TEXT("words"), .in_list = true},
        {.key = TEXT("path"), .value = TEXT("-")},
        {.key = TEXT("text"), .value = TEXT("a"), .in_list = true},
        {.key = TEXT("text"), .value = TEXT("b"), .in_list = true},
    };
    const struct output_config config = {
        .plugin = TEXT("x"), .settings = settings, .setting_count = 4};

    read_config(&read, &config);
    assert_int_equal(0, read.settings.values[WORDS].list_count);
    assert_true(read.settings.values[WORDS].set);
    assert_string_equal("error: option 'text' takes one value, no list [bad-option-value]\n",
                        buffer_string(&read.shown));
}

static const char *write_secret(struct reading *read, const char *content)
{
    char *path = arena_string(&read->arena, "/tmp/picket-secret-XXXXXX");
    CLEANUP(closep) int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(strlen(content), write(fd, content, strlen(content)));
    return path;
}

static void secrets_are_read_from_files(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};
    const char *path = write_secret(&read, "hunter2\r\n");

    read_argument(&read, arena_printf(&read.arena, "x,path=-,token.file=%s", path));
    unlink(path);
    assert_string_equal("", buffer_string(&read.shown));
    assert_true(text_is(read.settings.values[TOKEN].text, "hunter2"));
}

static void secrets_are_read_from_credentials(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};
    const char *path = write_secret(&read, "two\nlines\n");

    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    read_argument(&read, arena_printf(&read.arena, "x,path=-,token.credential=%s", path + 5));
    unsetenv("CREDENTIALS_DIRECTORY");
    unlink(path);
    assert_string_equal("", buffer_string(&read.shown));
    assert_true(text_is(read.settings.values[TOKEN].text, "two\nlines"));
}

static void expect_mistake(const char *argument, const char *mistake)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, argument);
    const char *shown = buffer_string(&read.shown);

    if (!strstr(shown, mistake))
        fail_msg("'%s' says '%s', not '%s'", argument, shown, mistake);
    if (strstr(shown, "hunter2"))
        fail_msg("'%s' shows the secret: '%s'", argument, shown);
}

static void secrets_are_not_shown(void **state)
{
    expect_mistake("x,path=-,token=hunter2", "option 'token' is a secret, and arguments are");
    expect_mistake("x,path=-,token=hunter2", "x,path=-,token=*******\n");
    expect_mistake("x,token=hunter2,port=0", "option 'port' takes");
    expect_mistake("x,path=-,tokne=hunter2", "did you mean 'token'?");
    /* The plugin has not been asked which of its options are secrets. */
    expect_mistake("x,other=hunter2,deadline=1ms", "option 'deadline' takes a duration");
    expect_mistake("x,path=-,token.file=/nowhere", "/nowhere: No such file or directory");
    expect_mistake("x,path=-,token.file=/dev/null", "/dev/null: is empty");
    expect_mistake("x,path=-,token.credential=a", "systemd has given no credentials");
    expect_mistake("x,path=-,text.file=/etc/passwd", "it is no secret");
}

static void looks_are_checked(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, "x,path=-,redact=tokens,redact=a(,format=text,template=%{id} %{idd}");
    assert_string_equal(
        "-o:1:33: error: option 'redact': not a pattern: missing closing parenthesis "
        "[bad-option-value]\n"
        "    1 | x,path=*,redact=tokens,redact=a(,format=text,template=%{id} %{idd}\n"
        "      |                                 ^\n"
        "-o:1:63: error: option 'template': alerts have no 'idd'; did you mean 'id'? "
        "[bad-option-value]\n"
        "    1 | x,path=*,redact=tokens,redact=a(,format=text,template=%{id} %{idd}\n"
        "      |                                                               ^~~\n",
        buffer_string(&read.shown));
    expect_mistake("x,path=-,redact=token", "none of the classes 'passwords' and 'tokens'");
    expect_mistake("x,path=-,template=%{id}", "option 'template' is for the format text");
    expect_mistake("x,path=-,format=json", "option 'format' takes picket, ecs, ocsf or text");
}

static void what_is_forwarded_is_read(void **state)
{
    CLEANUP(reading_deinit) struct reading usual = {0}, given = {0}, wrong = {0};

    read_argument(&usual, "x,path=y");
    assert_false(usual.settings.forwards);
    read_argument(&given, "x,path=y,forward=events");
    assert_true(given.settings.forwards);
    read_argument(&wrong, "x,path=y,forward=event");
    assert_int_equal(1, wrong.diags.errors);
    assert_non_null(strstr(buffer_string(&wrong.shown), "alerts"));
}

static void users_are_found(void **state)
{
    CLEANUP(reading_deinit) struct reading usual = {0}, root = {0}, named = {0}, number = {0};

    read_argument(&usual, "x,path=y");
    assert_int_equal(0, usual.settings.user.uid);
    read_argument(&named, "x,path=y,run_as=nobody");
    assert_int_equal(65534, named.settings.user.uid);
    read_argument(&number, "x,path=y,run_as=3999");
    assert_int_equal(3999, number.settings.user.uid);
    assert_int_equal(3999, number.settings.user.gid);
    read_argument(&root, "x,path=y,run_as=root");
    assert_string_equal(
        "-o:1:17: error: option 'run_as': 'root': that is root: an output is to run "
        "as somebody who may do nothing else [wrong-user]\n"
        "    1 | x,path=*,run_as=root\n"
        "      |                 ^~~~\n",
        buffer_string(&root.shown));
    expect_mistake("x,path=y,run_as=0", "'0': that is root");
    expect_mistake("x,path=y,run_as=no-such-user", "there is no such user in /etc/passwd");
    expect_mistake("x,path=y,run_as=", "there is no such user in /etc/passwd");
    expect_mistake("x,path=y,run_as=a,run_as=b", "option 'run_as' is set twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_there),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(names_are_for_people),
        cmocka_unit_test(mistakes_are_found_in_one_pass),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(lists_of_a_configuration_are_read),
        cmocka_unit_test(secrets_are_read_from_files),
        cmocka_unit_test(secrets_are_read_from_credentials),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(looks_are_checked),
        cmocka_unit_test(what_is_forwarded_is_read),
        cmocka_unit_test(users_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
