/* Outputs that cannot start say why, where the user wrote it; and leave nothing behind. */
#include "rig.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void expect_refusal(struct rig *rig, const char *argument, const char *shown)
{
    assert_string_equal(shown, rig_refuse(rig, &argument, 1));
}

static void unknown_plugins_are_named(void **state)
{
    expect_refusal(*state, "jsn,path=-",
                   "-o:1:1: error: there is no plugin 'jsn': No such file or directory; did you "
                   "mean 'json'? [unknown-plugin]\n"
                   "    1 | jsn,path=-\n"
                   "      | ^~~\n");
}

static void where_no_name_is_near_the_list_is(void **state)
{
    expect_refusal(*state, "teapot",
                   "-o:1:1: error: there is no plugin 'teapot': No such file or directory; 'picket "
                   "plugin list' shows those there are [unknown-plugin]\n"
                   "    1 | teapot\n"
                   "      | ^~~~~~\n");
}

static void unknown_paths_are_named(void **state)
{
    expect_refusal(*state, "/nowhere/x.so",
                   "-o:1:1: error: there is no plugin '/nowhere/x.so': No such file or directory "
                   "[unknown-plugin]\n"
                   "    1 | /nowhere/x.so\n"
                   "      | ^~~~~~~~~~~~~\n");
}

static void unknown_options_are_named(void **state)
{
    expect_refusal(*state, "console,colour=never",
                   "-o:1:9: error: output 'console' has no option 'colour'; did you mean 'color'? "
                   "[unknown-option]\n"
                   "    1 | console,colour=*****\n"
                   "      |         ^~~~~~\n");
}

static void all_mistakes_come_at_once_and_nothing_is_made(void **state)
{
    static const char *const arguments[] = {"json,path=@/made.jsonl", "json,name=two,sync=perhaps",
                                            "cnsole", "json,path=@/too.jsonl"};
    struct rig *rig = *state;
    const char *shown = rig_refuse(rig, arguments, 4);

    assert_int_equal(3, rig->diags.errors);
    assert_non_null(strstr(shown, "-o:2:20: error: option 'sync' takes true or false"));
    assert_non_null(strstr(shown, "-o:3:1: error: there is no plugin 'cnsole'"));
    assert_non_null(strstr(shown, "-o:4:1: error: there is an output 'json' already"));
    assert_int_equal(-1, access(rig_path(rig, "made.jsonl"), F_OK));
}

static void files_that_cannot_be_opened_are_named(void **state)
{
    static const char *const arguments[] = {"json,path=@/none/x.jsonl"};
    struct rig *rig = *state;
    const char *shown = rig_refuse(rig, arguments, 1);

    assert_non_null(strstr(shown, "-o:1:11: error: output 'json': '/tmp/"));
    assert_non_null(strstr(shown, "cannot be opened: No such file or directory"));
}

static void a_pipe_without_a_reader_does_not_hold_up_the_start(void **state)
{
    static const char *const arguments[] = {"json,path=@/pipe"};
    struct rig *rig = *state;

    assert_int_equal(0, mkfifo(rig_path(rig, "pipe"), 0600));
    assert_non_null(strstr(rig_refuse(rig, arguments, 1), "cannot be opened: No such device"));
}

static void copy_file(const char *from, const char *to)
{
    CLEANUP(closep) int source = open(from, O_RDONLY | O_CLOEXEC);
    CLEANUP(closep) int target = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t copied;

    assert_true(source >= 0 && target >= 0);
    do
        copied = sendfile(target, source, NULL, 1 << 20);
    while (copied > 0);
    assert_int_equal(0, copied);
}

static void a_plugin_out_of_nobodys_reach_is_loaded(void **state)
{
    const char *argument = "@/json.so,path=@/out.jsonl";
    struct rig *rig = *state;

    /* As in a home: the folder is closed to all but its owner. */
    copy_file(RIG_PLUGIN_DIR "/json.so", rig_path(rig, "json.so"));
    assert_int_equal(0, chmod(rig->dir, 0700));
    rig_start(rig, &argument, 1);
    rig_push(rig, 3, false);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 3, ONCE);
}

static void no_outputs_are_fine(void **state)
{
    struct rig *rig = *state;

    rig_start(rig, NULL, 0);
    rig_push(rig, 3, true);
    rig_drain(rig);
    assert_int_equal(0, delivery_output_count(rig->delivery));
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(unknown_plugins_are_named),
        TEST(where_no_name_is_near_the_list_is),
        TEST(unknown_paths_are_named),
        TEST(unknown_options_are_named),
        TEST(all_mistakes_come_at_once_and_nothing_is_made),
        TEST(files_that_cannot_be_opened_are_named),
        TEST(a_pipe_without_a_reader_does_not_hold_up_the_start),
        TEST(a_plugin_out_of_nobodys_reach_is_loaded),
        TEST(no_outputs_are_fine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
