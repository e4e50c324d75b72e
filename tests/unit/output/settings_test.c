/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "base/clock.h"
#include "output/settings.h"

static struct plugin_option table[] = {
    {.name = {"path", 4}, .type = PICKET_FILE, .flags = PICKET_REQUIRED},
    {.name = {"color", 5}, .type = PICKET_ENUM, .choices = {"auto|always|never", 17}},
    {.name = {"port", 4}, .type = PICKET_INT, .value = {"514", 3}, .min = 1, .max = 65535},
    {.name = {"token", 5}, .type = PICKET_SIZE, .flags = PICKET_SECRET},
    {.name = {"text", 4}, .type = PICKET_STRING},
    {.name = {"sync", 4}, .type = PICKET_BOOL},
    {.name = {"pause", 5}, .type = PICKET_DURATION},
};

static const struct plugin_info info = {
    .name = {"x", 1}, .options = table, .option_count = sizeof table / sizeof *table};

enum { PATH, COLOR, PORT, TOKEN, TEXT_OPTION, SYNC, PAUSE };

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

static void read_argument(struct reading *read, const char *argument)
{
    struct output_config *configs;
    size_t count;

    assert_int_equal(
        0, output_config_parse(&argument, 1, &read->arena, &read->diags, &configs, &count));
    assert_int_equal(1, count);
    assert_int_equal(0, settings_read(configs, &read->arena, &read->diags, &read->settings));
    assert_int_equal(
        0, settings_read_options(configs, &info, &read->arena, &read->diags, &read->settings));
    diag_render_all(&read->diags, false, &read->shown);
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

    read_argument(&read, "x,path=/a,color=never,port=0x50,token=4KiB,text=,sync=Yes,pause=1m30s,"
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
    assert_int_equal(4096, settings->values[TOKEN].number);
    assert_true(settings->values[TEXT_OPTION].set);
    assert_int_equal(1, settings->values[SYNC].number);
    assert_int_equal(90 * NS_PER_S, settings->values[PAUSE].number);
}

static void mistakes_are_found_in_one_pass(void **state)
{
    CLEANUP(reading_deinit) struct reading read = {0};

    read_argument(&read, "x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
                         "deadline=1ms,sync=on");
    assert_string_equal(
        "-o:1:1: error: output 'x' needs its option 'path' [missing-option]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      | ^\n"
        "-o:1:3: error: output 'x' has no option 'colour'; did you mean 'color'? "
        "[unknown-option]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |   ^~~~~~\n"
        "-o:1:22: error: option 'color' takes auto, always or never; not 'sometimes' "
        "[bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                      ^~~~~~~~~\n"
        "-o:1:37: error: option 'port' takes a whole number, from 1 to 65535; not '0' "
        "[bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                     ^\n"
        "-o:1:45: error: option 'token' takes a size, as in 512 or 10MiB [bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                             ^~~~~~~\n"
        "-o:1:58: error: option 'sync' takes true or false; not '2' [bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                                          ^\n"
        "-o:1:66: error: option 'pause' takes a duration, as in 250ms or 1h30m; not '1' "
        "[bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                                                  ^\n"
        "-o:1:77: error: option 'deadline' takes a duration, as in 250ms or 1h30m, from 10ms to "
        "3600000ms; not '1ms' [bad-option-value]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                                                             ^~~\n"
        "-o:1:81: error: option 'sync' is set twice [duplicate-option]\n"
        "    1 | x,colour=never,color=sometimes,port=0,token=hunter2,sync=2,pause=1,"
        "deadline=1ms,sync=on\n"
        "      |                                                                                 "
        "^~~~\n",
        buffer_string(&read.shown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_there),
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(mistakes_are_found_in_one_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
