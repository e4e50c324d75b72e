#include "rig.h"

#include <fcntl.h>
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

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
}

static void alerts_are_appended_a_line_each(void **state)
{
    struct rig *rig = *state;
    struct stat status;

    start(rig, "json,path=@/out,sync=true");
    rig_push(rig, 5000, true);
    rig_drain(rig);
    rig_expect(rig, "out", 5000, ONCE);
    assert_int_equal(0, stat(rig_path(rig, "out"), &status));
    assert_int_equal(0640, status.st_mode & 0777);
    delivery_free(rig->delivery);
    rig->delivery = NULL;
    /* A second run goes on where the first ended. */
    start(rig, "json,path=@/out");
    rig_push(rig, 10, true);
    rig_drain(rig);
    rig_expect(rig, "out", 5010, ONCE);
}

static void standard_output_is_the_engines(void **state)
{
    struct rig *rig = *state;
    int before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    CLEANUP(closep)
    int file = open(rig_path(rig, "out"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    fflush(stdout);
    assert_true(file >= 0 && dup2(file, STDOUT_FILENO) >= 0);
    start(rig, "json");
    rig_push(rig, 3, false);
    rig_drain(rig);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    rig_expect(rig, "out", 3, ONCE);
}

static void a_slow_reader_of_a_pipe_gets_everything(void **state)
{
    struct rig *rig = *state;
    char number[16], bytes[4096];
    size_t lines = 0;
    int pair[2];

    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    snprintf(number, sizeof number, "%d", pair[1]);
    start(rig, arena_printf(&rig->arena, "json,path=/proc/self/fd/%s", number));
    close(pair[1]);
    rig_push(rig, 2000, true); /* more than a pipe holds */
    while (lines < 2000) {
        ssize_t got = read(pair[0], bytes, sizeof bytes);

        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++)
            lines += bytes[i] == '\n';
    }
    rig_drain(rig);
    assert_int_equal(2000, rig_counters(rig, 0).delivered);
    close(pair[0]);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(alerts_are_appended_a_line_each),
        TEST(standard_output_is_the_engines),
        TEST(a_slow_reader_of_a_pipe_gets_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
