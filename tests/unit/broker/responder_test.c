/* The responder signals the process that is meant, and no other that has its number. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "broker/responder.h"
#include "proc_status.h"
#include "stranger.h"

#define NOBODY 65534
#define LIMIT  6
#define TICK   (10 * NS_PER_MS)

struct fixture {
    struct responder *responder;
    pid_t child; /* nobody's that the responder spares */
};

static struct responder *start(size_t limit)
{
    struct responder *responder = NULL;
    const struct responder_options options = {
        .uid = getuid() ? getuid() : NOBODY, .gid = getgid() ? getgid() : NOBODY, .limit = limit};

    assert_int_equal(0, responder_new(&options, &responder));
    return responder;
}

static int set_up(void **state)
{
    static struct fixture f;

    f.responder = start(LIMIT);
    f.child = stranger_start();
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    kill(f->child, SIGKILL);
    responder_free(f->responder);
    return 0;
}

static struct responder_target target_of(pid_t pid)
{
    return (struct responder_target){.pid = pid, .start = stranger_began(pid)};
}

static void expect(struct fixture *f, enum responder_action action,
                   const struct responder_target *target, enum responder_result wanted)
{
    enum responder_result result;

    assert_int_equal(0, responder_act(f->responder, action, target, &result));
    assert_int_equal(wanted, result);
}

static void stops_and_kills(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);

    expect(f, RESPONDER_LOOK, &target, RESPONDER_DONE);
    assert_true(stranger_is(f->child, "SR"));
    expect(f, RESPONDER_STOP, &target, RESPONDER_DONE);
    stranger_await(f->child, "T");
    expect(f, RESPONDER_KILL, &target, RESPONDER_DONE);
    stranger_await(f->child, "Z-");
    expect(f, RESPONDER_KILL, &target, RESPONDER_GONE);
}

/* By the tick, and what an event may be off. */
static void only_the_process_that_is_meant(void **state)
{
    struct fixture *f = *state;
    struct responder_target right = target_of(f->child), wrong = right;

    wrong.start = right.start + TICK - 1;
    expect(f, RESPONDER_LOOK, &wrong, RESPONDER_DONE);
    wrong.start = right.start + TICK + RESPONDER_SLACK;
    expect(f, RESPONDER_KILL, &wrong, RESPONDER_OTHER);
    wrong.start = right.start - RESPONDER_SLACK;
    expect(f, RESPONDER_LOOK, &wrong, RESPONDER_DONE);
    wrong.start--;
    expect(f, RESPONDER_KILL, &wrong, RESPONDER_OTHER);
    wrong.start = INT64_MAX;
    expect(f, RESPONDER_KILL, &wrong, RESPONDER_OTHER);
    wrong.start = INT64_MIN;
    expect(f, RESPONDER_KILL, &wrong, RESPONDER_OTHER);
    wrong.start = 0;
    expect(f, RESPONDER_KILL, &wrong, RESPONDER_OTHER);
    assert_true(stranger_is(f->child, "SR"));
}

static void says_when_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);
    enum responder_result result;

    kill(f->child, SIGKILL);
    stranger_await(f->child, "Z-");
    expect(f, RESPONDER_KILL, &target, RESPONDER_GONE);
    target.pid = 0;
    assert_int_equal(-EINVAL, responder_act(f->responder, RESPONDER_KILL, &target, &result));
    target.pid = -1;
    assert_int_equal(-EINVAL, responder_act(f->responder, RESPONDER_KILL, &target, &result));
    target.pid = INT64_MAX;
    assert_int_equal(-EINVAL, responder_act(f->responder, RESPONDER_KILL, &target, &result));
    target.pid = f->child;
    assert_int_equal(-EINVAL, responder_act(f->responder, RESPONDER_KILL + 1, &target, &result));
}

static void another_process_of_that_pid_is_spared(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);
    pid_t wanted = f->child;
    int status;

    if (getuid() != 0)
        skip();
    kill(wanted, SIGKILL);
    stranger_await(wanted, "-");
    usleep(30000); /* nobody can tell two of one tick apart */
    const struct clone_args arguments = {
        .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1, .exit_signal = SIGCHLD};
    pid_t again = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);

    if (again == 0)
        stranger_sleep();
    if (again < 0 && errno == EPERM)
        skip(); /* pids may not be chosen here */
    assert_int_equal(wanted, again);
    expect(f, RESPONDER_KILL, &target, RESPONDER_OTHER);
    expect(f, RESPONDER_STOP, &target, RESPONDER_OTHER);
    assert_true(stranger_is(again, "SR"));
    kill(again, SIGKILL);
    assert_int_equal(again, waitpid(again, &status, 0));
}

static void the_system_and_picket_itself_are_spared(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(1);
    char line[256];

    expect(f, RESPONDER_KILL, &target, RESPONDER_INIT);
    target = target_of(getpid());
    expect(f, RESPONDER_KILL, &target, RESPONDER_OWN);
    pid_t own = fork();

    if (own == 0)
        stranger_sleep();
    target = target_of(own);
    expect(f, RESPONDER_KILL, &target, RESPONDER_OWN);
    assert_true(stranger_is(own, "SR"));
    kill(own, SIGKILL);
    waitpid(own, NULL, 0);
    if (strcmp("kthreadd", proc_status(2, "Name", line)) != 0)
        skip(); /* the kernel's threads are not seen from here */
    target = target_of(2);
    expect(f, RESPONDER_KILL, &target, RESPONDER_KERNEL);
}

static void *sleep_apart(void *nothing)
{
    stranger_sleep();
}

/* A process of two threads; the number of the other one in *TID. */
static pid_t start_threads(pid_t *tid)
{
    int ready[2];
    char byte, path[64];

    assert_int_equal(0, pipe2(ready, O_CLOEXEC));
    pid_t process = fork();

    if (process == 0) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, sleep_apart, NULL) != 0 || write(ready[1], "", 1) < 0)
            _exit(1);
        stranger_sleep();
    }
    assert_int_equal(1, read(ready[0], &byte, 1));
    close(ready[0]);
    close(ready[1]);
    snprintf(path, sizeof path, "/proc/%d/task", process);
    CLEANUP(closedirp) DIR *tasks = opendir(path);

    *tid = 0;
    for (const struct dirent *entry; (entry = readdir(tasks));) {
        pid_t found = (pid_t)strtol(entry->d_name, NULL, 10);

        if (found > 0 && found != process)
            *tid = found;
    }
    return process;
}

/* The number of a thread is no process's. */
static void threads_are_no_processes(void **state)
{
    struct fixture *f = *state;
    pid_t tid;
    pid_t process = start_threads(&tid);
    struct responder_target target = target_of(tid);

    expect(f, RESPONDER_KILL, &target, RESPONDER_OTHER);
    assert_true(stranger_is(process, "SR"));
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}

/* Whatever an engine asks for that is no longer ours. */
static void no_more_than_the_limit(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);

    for (unsigned i = 0; i < LIMIT; i++)
        expect(f, RESPONDER_STOP, &target, RESPONDER_DONE);
    expect(f, RESPONDER_STOP, &target, RESPONDER_LIMIT);
    expect(f, RESPONDER_KILL, &target, RESPONDER_LIMIT);
    expect(f, RESPONDER_LOOK, &target, RESPONDER_DONE);
    stranger_await(f->child, "T");
}

static void one_that_only_looks_cannot_signal(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);
    CLEANUP(responder_freep) struct responder *dry = start(0);
    enum responder_result result;

    assert_int_equal(0, responder_act(dry, RESPONDER_LOOK, &target, &result));
    assert_int_equal(RESPONDER_DONE, result);
    assert_int_equal(0, responder_act(dry, RESPONDER_KILL, &target, &result));
    assert_int_equal(RESPONDER_LIMIT, result);
    assert_true(stranger_is(f->child, "SR"));
}

static void any_numbers_do_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        struct responder_target target;
        unsigned char *bytes = (void *)&target;
        enum responder_result result = RESPONDER_OTHER;

        for (size_t k = 0; k < sizeof target; k++)
            bytes[k] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
        if (i % 2)
            target.pid = i / 2;
        responder_act(f->responder, RESPONDER_KILL, &target, &result);
        assert_int_not_equal(RESPONDER_DONE, result);
    }
    assert_true(stranger_is(f->child, "SR"));
}

static pid_t find_children(const char *name, pid_t *second)
{
    CLEANUP(closedirp) DIR *proc = opendir("/proc");
    char parent[16], line[256];
    pid_t first = 0;

    snprintf(parent, sizeof parent, "%d", getpid());
    *second = 0;
    for (const struct dirent *entry; (entry = readdir(proc));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid <= 0 || strcmp(parent, proc_status(pid, "PPid", line)) != 0 ||
            strcmp(name, proc_status(pid, "Name", line)) != 0)
            continue;
        *(first ? second : &first) = pid;
    }
    return first;
}

static void expect_rights(pid_t pid, const char *capabilities)
{
    char line[256];

    assert_true(pid > 0);
    assert_string_equal(capabilities, proc_status(pid, "CapPrm", line));
    assert_string_equal(capabilities, proc_status(pid, "CapEff", line));
    assert_string_equal("0000000000000000", proc_status(pid, "CapInh", line));
    assert_string_equal("0000000000000000", proc_status(pid, "CapAmb", line));
    assert_string_equal("1", proc_status(pid, "NoNewPrivs", line));
    assert_string_equal("2", proc_status(pid, "Seccomp", line));
    if (getuid() != 0)
        return;
    assert_string_equal("0000000000000000", proc_status(pid, "CapBnd", line));
    assert_string_equal("65534\t65534\t65534\t65534", proc_status(pid, "Uid", line));
    assert_int_equal(5, proc_descriptors(pid)); /* the standard three, its socket, /proc */
}

/* Who asked was told that it failed. */
static void what_it_is_too_late_for_is_not_done(void **state)
{
    struct fixture *f = *state;
    struct responder_target target = target_of(f->child);
    enum responder_result result = RESPONDER_GONE;
    pid_t second, pid = find_children("picket-respond", &second);
    int r;

    if (getuid() != 0)
        skip(); /* it could not be stopped */
    kill(pid, SIGSTOP);
    assert_int_equal(-ETIMEDOUT, responder_act(f->responder, RESPONDER_KILL, &target, &result));
    assert_int_equal(-EBUSY, responder_act(f->responder, RESPONDER_KILL, &target, &result));
    kill(pid, SIGCONT);
    while ((r = responder_act(f->responder, RESPONDER_LOOK, &target, &result)) == -EBUSY)
        usleep(1000);
    assert_int_equal(0, r);
    assert_int_equal(RESPONDER_DONE, result);
    assert_true(stranger_is(f->child, "SR"));
}

static void holds_one_capability_or_none(void **state)
{
    bool root = getuid() == 0;
    pid_t second;

    expect_rights(find_children("picket-respond", &second),
                  root ? "0000000000000020" : "0000000000000000");
    assert_int_equal(0, second);
    CLEANUP(responder_freep) struct responder *dry = start(0);
    pid_t first = find_children("picket-respond", &second);

    assert_non_null(dry);
    expect_rights(first > second ? first : second, "0000000000000000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stops_and_kills),
        TEST(only_the_process_that_is_meant),
        TEST(says_when_there_is_none),
        TEST(another_process_of_that_pid_is_spared),
        TEST(the_system_and_picket_itself_are_spared),
        TEST(threads_are_no_processes),
        TEST(no_more_than_the_limit),
        TEST(one_that_only_looks_cannot_signal),
        TEST(any_numbers_do_nothing),
        TEST(what_it_is_too_late_for_is_not_done),
        TEST(holds_one_capability_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
