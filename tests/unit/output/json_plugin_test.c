#include "rig.h"

#include <fcntl.h>
#include <signal.h>
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

static void a_line_left_unfinished_is_ended(void **state)
{
    struct rig *rig = *state;
    int fd = open(rig_path(rig, "out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(6, write(fd, "{\"id\":", 6));
    close(fd);
    start(rig, "json,path=@/out");
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct text out = rig_read(rig, "out");

    assert_true(text_starts(out, TEXT("{\"id\":\n{\"id\":\"000001\",")));
    assert_true(text_ends(out, TEXT("}\n")));
}

/* Whom the engine becomes makes the files. */
static void files_are_rotated_by_size(void **state)
{
    struct rig *rig = *state;
    struct stat status;

    assert_int_equal(0, chmod(rig->dir, 0777));
    start(rig, "json,path=@/out,rotate=1,keep=2");
    for (int i = 0; i < 4; i++) {
        rig_push(rig, 1, false);
        rig_drain(rig);
    }
    assert_true(text_starts(rig_read(rig, "out"), TEXT("{\"id\":\"000004\",")));
    assert_true(text_starts(rig_read(rig, "out.1"), TEXT("{\"id\":\"000003\",")));
    assert_true(text_starts(rig_read(rig, "out.2"), TEXT("{\"id\":\"000002\",")));
    assert_int_equal(-1, stat(rig_path(rig, "out.3"), &status));
    assert_int_equal(4, rig_counters(rig, 0).delivered);
}

static void push_two(struct rig *rig)
{
    for (int i = 0; i < 2; i++) {
        rig_push(rig, 1, false);
        rig_drain(rig);
    }
}

/* A file that cannot be moved goes on, and not a word a batch. */
static void a_file_that_cannot_be_rotated_is_written_to(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(0, chmod(rig->dir, 0777));
    start(rig, "json,path=@/out,rotate=1KiB,keep=1");
    rig_push(rig, 20, false);
    rig_drain(rig);
    assert_int_equal(0, mkdir(rig_path(rig, "out.1"), 0700));
    assert_int_equal(0, mkdir(rig_path(rig, "out.1/x"), 0700));
    struct text said = rig_logged(rig, push_two);

    assert_int_equal(0, rmdir(rig_path(rig, "out.1/x")));
    assert_int_equal(0, rmdir(rig_path(rig, "out.1")));
    assert_int_equal(22, rig_counters(rig, 0).delivered);
    rig_expect(rig, "out", 22, ONCE);
    text_split(&said, '\n');
    assert_false(text_contains(said, TEXT("begun anew")));
}

/* A log shipper that is started anew loses nothing that came between. */
static void a_fifo_waits_for_another_reader(void **state)
{
    struct rig *rig = *state;
    char bytes[4096] = "";

    assert_int_equal(0, mkfifo(rig_path(rig, "fifo"), 0600));
    int reader = open(rig_path(rig, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    assert_true(reader >= 0);
    start(rig, "json,path=@/fifo");
    close(reader);
    rig_push(rig, 3, false);
    while (rig_counters(rig, 0).retries == 0)
        usleep(1000);
    reader = open(rig_path(rig, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    rig_drain(rig);
    assert_true(read(reader, bytes, sizeof bytes - 1) > 0);
    close(reader);
    assert_non_null(strstr(bytes, "\"000001\""));
    assert_non_null(strstr(bytes, "\"000003\""));
    assert_int_equal(3, rig_counters(rig, 0).delivered);
    assert_int_equal(0, rig_counters(rig, 0).rejected);
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

/* Held, so that its batches are as large as can be. */
static void push_while_held(struct rig *rig)
{
    pid_t pid = rig_await_host(rig, 0);

    assert_int_equal(0, kill(pid, SIGSTOP));
    rig_push(rig, 3000, false);
    assert_int_equal(0, kill(pid, SIGCONT));
    rig_drain(rig);
}

/* As after `| head -1`. */
static void a_reader_that_is_gone_costs_one_line(void **state)
{
    struct rig *rig = *state;
    int pair[2];

    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    start(rig, arena_printf(&rig->arena, "json,deadline=1h,path=/proc/self/fd/%d", pair[1]));
    close(pair[1]);
    close(pair[0]);
    struct text log = rig_logged(rig, push_while_held);
    struct delivery_counters counters = rig_counters(rig, 0);

    assert_int_equal(3000, counters.offered);
    assert_int_equal(3000, counters.rejected);
    assert_int_equal(0, counters.delivered + counters.dropped + counters.queued);
    assert_int_equal(0, counters.retries + counters.restarts + counters.suppressed);
    assert_true(text_contains(log, TEXT(" rejected"))); /* one of them, or the first batch */
    assert_true(text_contains(log, TEXT(": the reader of its file is gone\n")));
    assert_int_equal(rig_count_lines(log), 1);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(alerts_are_appended_a_line_each),
        TEST(a_line_left_unfinished_is_ended),
        TEST(a_fifo_waits_for_another_reader),
        TEST(standard_output_is_the_engines),
        TEST(a_slow_reader_of_a_pipe_gets_everything),
        TEST(a_reader_that_is_gone_costs_one_line),
        TEST(files_are_rotated_by_size),
        TEST(a_file_that_cannot_be_rotated_is_written_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
