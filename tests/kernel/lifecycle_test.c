/* How processes begin and end: forks, exits, their order, and what the sensor costs an idle
 * machine. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture.h"
#include "scene.h"

static struct capture capture;
static bool classic;

static int group_setup(void **state)
{
    capture_open(&capture, &(struct sensor_options){.classic = classic});
    scene_open();
    return 0;
}

static int group_teardown(void **state)
{
    scene_close();
    capture_close(&capture);
    return 0;
}

/* Runs CHILD in a new process; returns its exit record and what wait(2) said. */
static const struct record *run(void (*child)(void), int *status)
{
    capture_clear(&capture);
    pid_t pid = fork();

    if (pid == 0) {
        child();
        _exit(99);
    }
    assert_int_equal(waitpid(pid, status, 0), pid);
    capture_until_exit(&capture, pid);
    return capture_find(&capture, EVENT_EXIT, pid, 0);
}

static void check_status(void (*child)(void))
{
    int status;
    const struct record *record = run(child, &status);

    assert_int_equal(record->exit_status, status);
    assert_int_equal(record->parent.pid, getpid());
}

static void exit_3(void)
{
    _exit(3);
}

static void test_exit_code(void **state)
{
    check_status(exit_3);
}

static void killed(void)
{
    kill(getpid(), SIGKILL);
}

static void test_signal(void **state)
{
    check_status(killed);
}

/* With the flag of a core dump, where the limits allow one. */
static void aborted(void)
{
    abort();
}

static void test_abort(void **state)
{
    check_status(aborted);
}

static void *thread_exit(void *argument)
{
    prctl(PR_SET_NAME, "not-the-leader");
    usleep(20000);
    syscall(SYS_exit, 5); /* of this thread alone, the last one */
    return NULL;
}

static void leader_first(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_exit, NULL);
    syscall(SYS_exit, 4);
}

/* Two threads that end at once may each report it (wire.h), of one and the same process. */
static void assert_ends_once(const struct record *ended)
{
    const struct record *again = capture_find(&capture, EVENT_EXIT, ended->self.pid, 1);

    assert_true(!again || again->self.start == ended->self.start);
    assert_null(capture_find(&capture, EVENT_EXIT, ended->self.pid, 2));
}

/* The exit is that of the process, not of its first thread; its name is not that of its last. */
static void test_leader_ends_first(void **state)
{
    char comm[16];
    int status;
    const struct record *record = run(leader_first, &status);

    prctl(PR_GET_NAME, comm);
    assert_true(text_is(record->process.comm, comm));
    assert_int_equal(record->exit_status, status);
    assert_true(record->boot_time - record->self.start >= 20 * NS_PER_MS);
    assert_ends_once(record);
}

static void sleeps(void)
{
    usleep(50000);
    _exit(0);
}

static void test_duration(void **state)
{
    int64_t before = clock_boottime();
    int status;
    const struct record *record = run(sleeps, &status);
    int64_t duration = record->boot_time - record->self.start;

    assert_true(duration >= 50 * NS_PER_MS);
    assert_true(duration <= clock_boottime() - before);
}

static void *thread_nothing(void *argument)
{
    return NULL;
}

static void many_threads(void)
{
    for (int i = 0; i < 10; i++) {
        pthread_t thread;

        pthread_create(&thread, NULL, thread_nothing, NULL);
        pthread_join(thread, NULL);
    }
    _exit(0);
}

static void test_threads_are_no_processes(void **state)
{
    int status;
    const struct record *record = run(many_threads, &status);
    unsigned forks = 0;

    for (size_t i = 0; i < capture.count; i++)
        forks += capture.records[i].type == EVENT_FORK;
    assert_int_equal(forks, 1);
    assert_ends_once(record);
}

/* A chain of three: each fork names child and parent as they are. */
static void chain(void)
{
    for (int depth = 0; depth < 2; depth++) {
        pid_t pid = fork();

        if (pid > 0) {
            waitpid(pid, NULL, 0);
            _exit(0);
        }
    }
    _exit(0);
}

static void test_lineage(void **state)
{
    int status;
    const struct record *record = run(chain, &status);
    const struct record *above = capture_find(&capture, EVENT_FORK, record->self.pid, 0);

    assert_int_equal(above->parent.pid, getpid());
    assert_int_equal(above->parent.start / (NS_PER_S / sysconf(_SC_CLK_TCK)),
                     truth_start(getpid()));
    for (int depth = 0; depth < 2; depth++) {
        const struct record *forked = above;

        for (size_t i = 0; i < capture.count; i++)
            if (capture.records[i].type == EVENT_FORK &&
                capture.records[i].parent.pid == above->self.pid)
                forked = &capture.records[i];
        assert_ptr_not_equal(forked, above);
        assert_int_equal(forked->parent.start, above->self.start);
        above = forked;
    }
}

static void test_orphan(void **state)
{
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    capture_clear(&capture);
    pid_t pid = fork();

    if (pid == 0) {
        pid_t orphan = fork();

        if (orphan > 0)
            _exit(write(pipes[1], &orphan, sizeof orphan) < 0);
        while (getppid() == pid)
            usleep(1000);
        usleep(50000);
        _exit(7);
    }
    pid_t orphan;

    assert_int_equal(read(pipes[0], &orphan, sizeof orphan), sizeof orphan);
    close(pipes[0]);
    close(pipes[1]);
    waitpid(pid, NULL, 0);
    capture_until_exit(&capture, orphan);
    const struct record *forked = capture_find(&capture, EVENT_FORK, orphan, 0);
    const struct record *ended = capture_find(&capture, EVENT_EXIT, orphan, 0);

    /* The parent at the time of each. */
    assert_int_equal(forked->parent.pid, pid);
    assert_int_not_equal(ended->parent.pid, pid);
    assert_int_equal(ended->exit_status, 7 << 8);
}

static void execs(void)
{
    const char *argv[] = {"noop", NULL};

    for (int i = 0; i < 200; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            execv(NOOP_PATH, (char *const *)argv);
            _exit(1);
        }
        if (i % 4 == 3)
            while (waitpid(-1, NULL, 0) > 0)
                continue;
    }
    _exit(0);
}

/* However the CPUs take turns: nothing of a process before its fork, nothing after its exit. */
static void test_order(void **state)
{
    int status;
    const struct record *record = run(execs, &status);
    unsigned whole = 0;

    for (size_t i = 0; i < capture.count; i++) {
        const struct record *forked = &capture.records[i];

        if (forked->type != EVENT_FORK || forked->parent.pid != record->self.pid)
            continue;
        const struct record *run_record = capture_find(&capture, EVENT_EXEC, forked->self.pid, 0);
        const struct record *ended = capture_find(&capture, EVENT_EXIT, forked->self.pid, 0);

        assert_true(forked < run_record && run_record < ended);
        whole++;
    }
    assert_int_equal(whole, 200);
    assert_false(capture.disordered);
}

static int child_probe(void *argument)
{
    const char *argv[] = {"probe", NULL};

    return execv(scene_path("probe"), (char *const *)argv);
}

/* What a fork says of the child, and an exit of the process, is what the process says. */
static void test_facts_of_fork_and_exit(void **state)
{
    struct truth truth;

    capture_clear(&capture);
    pid_t pid = scene_run(child_probe, NULL, &truth);

    capture_until_exit(&capture, pid);
    const struct record *forked = capture_find(&capture, EVENT_FORK, pid, 0);
    const struct record *ended = capture_find(&capture, EVENT_EXIT, pid, 0);
    struct process expected = capture_expect(&capture, &truth);

    assert_identities(ended, &truth);
    assert_process(&ended->process, &expected);
    /* Until it executes something, a child has its parent's name. */
    prctl(PR_GET_NAME, truth.comm);
    expected = capture_expect(&capture, &truth);
    assert_identities(forked, &truth);
    assert_process(&forked->process, &expected);
}

static void ignore(void *context, const struct record *record)
{
}

/* A lone exec is handed over without anything else happening on the machine: the doorbell works
 * each time, whatever came before. */
static void test_doorbell(void **state)
{
    struct pollfd poll_fd = {.fd = sensor_fd(capture.sensor), .events = POLLIN};

    for (int i = 0; i < 50; i++) {
        int status;

        /* Until it sleeps. */
        while (poll(&poll_fd, 1, 10) > 0)
            sensor_read(capture.sensor, &(struct sensor_reader){.on_record = ignore});
        const struct record *record = run(exit_3, &status);

        assert_non_null(record);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exit_code), cmocka_unit_test(test_signal),
        cmocka_unit_test(test_abort),     cmocka_unit_test(test_leader_ends_first),
        cmocka_unit_test(test_duration),  cmocka_unit_test(test_threads_are_no_processes),
        cmocka_unit_test(test_lineage),   cmocka_unit_test(test_orphan),
        cmocka_unit_test(test_order),     cmocka_unit_test(test_facts_of_fork_and_exit),
        cmocka_unit_test(test_doorbell),
    };

    int skipped = scene_skip();

    if (skipped)
        return skipped;
    int failed = cmocka_run_group_tests_name("tp_btf", tests, group_setup, group_teardown);

    if (!scene_has_classic())
        return failed;
    classic = true;
    return failed + cmocka_run_group_tests_name("classic", tests, group_setup, group_teardown);
}
