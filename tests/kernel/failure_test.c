/* Attempts to start a program that fail: which error, what was attempted, and who tried. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "capture.h"
#include "scene.h"

static struct capture capture;
static bool classic;

static int group_setup(void **state)
{
    capture_open(&capture,
                 &(struct sensor_options){.classic = classic, .failures = SENSOR_FAILURES_NATIVE});
    scene_open();
    return 0;
}

static int group_teardown(void **state)
{
    scene_close();
    capture_close(&capture);
    return 0;
}

static const char *const some_argv[] = {"some", "arguments\n", "\xff", "", NULL};

struct attempt {
    const char *filename;
    const char *const *argv;
    int folder; /* of execveat; 0: execve */
    int error;
};

static volatile size_t resident;

/* Attempts it and returns whether it failed as it should. */
static bool attempt_fails(const struct attempt *attempt)
{

    /* The capture reads what is in memory and brings nothing in; the pages of our constants are
     * not, right after a fork. */
    for (size_t i = 0; attempt->argv > (const char *const *)8 && attempt->argv[i]; i++)
        resident += strlen(attempt->argv[i]);
    long r = attempt->folder ? syscall(SYS_execveat, attempt->folder, attempt->filename,
                                       attempt->argv, environ, 0)
                             : syscall(SYS_execve, attempt->filename, attempt->argv, environ);

    return r == -1 && errno == attempt->error;
}

/* Attempts it, then tells the truth of who did. */
static int child_attempt(void *argument)
{
    _exit(attempt_fails(argument) && truth_tell() == 0 ? 0 : 1);
}

static void *thread_attempt(void *argument)
{
    prctl(PR_SET_NAME, "not-the-leader");
    return attempt_fails(argument) ? argument : NULL;
}

static int child_attempt_in_thread(void *argument)
{
    pthread_t thread;
    void *failed = NULL;

    pthread_create(&thread, NULL, thread_attempt, argument);
    pthread_join(thread, &failed);
    _exit(failed && truth_tell() == 0 ? 0 : 1);
}

/* Runs the attempt in CHILD and returns its record, what is of the caller and the error compared.
 */
static const struct record *attempt_run_in(int (*child)(void *), struct attempt *attempt,
                                           struct process *expected)
{
    struct truth truth;

    capture_clear(&capture);
    capture_until_exit(&capture, scene_run(child, attempt, &truth));
    *expected = capture_expect(&capture, &truth);
    const struct record *record = capture_find(&capture, EVENT_EXEC_FAILED, truth.pid, 0);

    assert_non_null(record);
    assert_int_equal(record->retval, -attempt->error);
    assert_identities(record, &truth);
    assert_null(capture_find(&capture, EVENT_EXEC_FAILED, truth.pid, 1));
    assert_null(capture_find(&capture, EVENT_EXEC, truth.pid, 0));
    return record;
}

static const struct record *attempt_run(struct attempt *attempt, struct process *expected)
{
    return attempt_run_in(child_attempt, attempt, expected);
}

static void filename_expect(struct process *expected, const char *filename)
{
    expected->filename = text_from(arena_string(&capture.arena, filename));
    field_set_add(&expected->has, FIELD_FILENAME);
    expected->filename_truncated = false;
    field_set_add(&expected->has, FIELD_FILENAME_TRUNCATED);
}

static void check(struct attempt attempt)
{
    struct process expected;
    const struct record *record = attempt_run(&attempt, &expected);

    filename_expect(&expected, attempt.filename);
    capture_expect_argv(&capture, attempt.argv, &expected);
    assert_process(&record->process, &expected);
}

static void file_make(const char *name, const char *content, mode_t mode)
{
    CLEANUP(closep) int fd = open(scene_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    assert_true(fd >= 0 && write(fd, content, strlen(content)) >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
}

static void test_no_such_file(void **state)
{
    check((struct attempt){"/no/such/file", some_argv, 0, ENOENT});
}

/* The process is the one that attempted it, whichever of its threads did. */
static void test_in_a_thread(void **state)
{
    struct attempt attempt = {"/no/such/file", some_argv, 0, ENOENT};
    struct process expected;
    const struct record *record = attempt_run_in(child_attempt_in_thread, &attempt, &expected);

    filename_expect(&expected, attempt.filename);
    capture_expect_argv(&capture, attempt.argv, &expected);
    assert_process(&record->process, &expected);
}

static void test_relative_filename(void **state)
{
    check((struct attempt){"./no-such-file", some_argv, 0, ENOENT});
}

static void test_not_executable(void **state)
{
    file_make("plain", "#!/bin/sh\n", 0644);
    check((struct attempt){scene_path("plain"), some_argv, 0, EACCES});
}

static void test_not_a_program(void **state)
{
    file_make("garbage", "garbage garbage\n", 0755);
    check((struct attempt){scene_path("garbage"), some_argv, 0, ENOEXEC});
}

static void test_no_such_interpreter(void **state)
{
    file_make("script", "#!/no/such/interpreter\n", 0755);
    check((struct attempt){scene_path("script"), some_argv, 0, ENOENT});
}

static void test_execveat(void **state)
{
    CLEANUP(closep) int folder = open(scene_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    check((struct attempt){"no-such-file", some_argv, folder, ENOENT});
}

static void test_folder(void **state)
{
    check((struct attempt){"/", some_argv, 0, EACCES});
}

/* The kernel takes no argv for an empty one. */
static void test_null_argv(void **state)
{
    static const char *const none[] = {NULL};
    struct attempt attempt = {"/no/such/file", NULL, 0, ENOENT};
    struct process expected;
    const struct record *record = attempt_run(&attempt, &expected);

    filename_expect(&expected, attempt.filename);
    capture_expect_argv(&capture, none, &expected);
    assert_process(&record->process, &expected);
}

/* Of what cannot be read there is nothing, and the flag. */
static void test_unreadable_argv(void **state)
{
    struct attempt attempt = {"/bin/true", (const char *const *)8, 0, EFAULT};
    struct process expected;
    const struct record *record = attempt_run(&attempt, &expected);

    filename_expect(&expected, attempt.filename);
    expected.cmdline_truncated = true;
    field_set_add(&expected.has, FIELD_CMDLINE_TRUNCATED);
    assert_process(&record->process, &expected);
}

static void test_unreadable_filename(void **state)
{
    struct attempt attempt = {(const char *)8, some_argv, 0, EFAULT};
    struct process expected;
    const struct record *record = attempt_run(&attempt, &expected);

    expected.filename_truncated = true;
    field_set_add(&expected.has, FIELD_FILENAME_TRUNCATED);
    capture_expect_argv(&capture, attempt.argv, &expected);
    assert_process(&record->process, &expected);
}

/* The longest that the kernel takes, which is not taken for a cut one. */
static void test_filename_of_4095_bytes(void **state)
{
    static char filename[4096];

    for (size_t i = 0; i < sizeof filename - 1; i++)
        filename[i] = i % 2 ? 'x' : '/';
    check((struct attempt){filename, some_argv, 0, ENOENT});
}

static void test_filename_too_long(void **state)
{
    static char filename[4097];
    struct attempt attempt = {filename, some_argv, 0, ENAMETOOLONG};
    struct process expected;

    memset(filename, 'f', sizeof filename - 1);
    const struct record *record = attempt_run(&attempt, &expected);

    filename[4095] = '\0';
    filename_expect(&expected, filename);
    expected.filename_truncated = true;
    capture_expect_argv(&capture, attempt.argv, &expected);
    assert_process(&record->process, &expected);
}

/* Of an argument beyond 4 KiB there is the front; how long it is all together is not said. */
static void test_argument_too_long(void **state)
{
    static char argument[300000];
    const char *argv[] = {"p", argument, "next", NULL};
    struct attempt attempt = {scene_path("probe"), argv, 0, E2BIG};
    struct process expected;

    memset(argument, 'a', sizeof argument - 1);
    const struct record *record = attempt_run(&attempt, &expected);

    argument[4095] = '\0';
    filename_expect(&expected, attempt.filename);
    capture_expect_argv(&capture, argv, &expected);
    expected.cmdline_truncated = true;
    field_set_remove(&expected.has, FIELD_ARGC);
    field_set_remove(&expected.has, FIELD_CMDLINE_LENGTH);
    field_set_remove(&expected.has, FIELD_CMDLINE_OMITTED);
    assert_process(&record->process, &expected);
}

/* The longest that fits in one piece is not taken for a cut one. */
static void test_argument_of_4095_bytes(void **state)
{
    static char argument[4096];
    const char *argv[] = {argument, NULL};

    memset(argument, 'b', sizeof argument - 1);
    check((struct attempt){"/no/such/file", argv, 0, ENOENT});
}

static void test_many_arguments(void **state)
{
    const char *argv[1001];

    for (int i = 0; i < 1000; i++)
        argv[i] = "x";
    argv[1000] = NULL;
    struct attempt attempt = {"/no/such/file", argv, 0, ENOENT};
    struct process expected;
    const struct record *record = attempt_run(&attempt, &expected);

    argv[256] = NULL;
    filename_expect(&expected, attempt.filename);
    capture_expect_argv(&capture, argv, &expected);
    expected.cmdline_truncated = true;
    field_set_remove(&expected.has, FIELD_ARGC);
    field_set_remove(&expected.has, FIELD_CMDLINE_LENGTH);
    field_set_remove(&expected.has, FIELD_CMDLINE_OMITTED);
    assert_process(&record->process, &expected);
}

static void test_empty_filename(void **state)
{
    check((struct attempt){"", some_argv, 0, ENOENT});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_such_file),
        cmocka_unit_test(test_in_a_thread),
        cmocka_unit_test(test_relative_filename),
        cmocka_unit_test(test_not_executable),
        cmocka_unit_test(test_not_a_program),
        cmocka_unit_test(test_no_such_interpreter),
        cmocka_unit_test(test_execveat),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_null_argv),
        cmocka_unit_test(test_unreadable_argv),
        cmocka_unit_test(test_unreadable_filename),
        cmocka_unit_test(test_filename_of_4095_bytes),
        cmocka_unit_test(test_filename_too_long),
        cmocka_unit_test(test_argument_too_long),
        cmocka_unit_test(test_argument_of_4095_bytes),
        cmocka_unit_test(test_many_arguments),
        cmocka_unit_test(test_empty_filename),
    };

    int skipped = scene_skip();

    if (skipped)
        return skipped;
    int failed = cmocka_run_group_tests_name("raw_tp", tests, group_setup, group_teardown);

    if (!scene_has_classic())
        return failed;
    classic = true;
    return failed + cmocka_run_group_tests_name("classic", tests, group_setup, group_teardown);
}
