/* The launcher starts what it was told before it was forked, as one user, and its end is noticed.
 */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "broker/rights.h"
#include "host/confinement.h"
#include "host/launcher.h"
#include "proc_status.h"

#define PATIENCE 60000 /* ms */

static void expect_end(int pidfd)
{
    struct pollfd dead = {.fd = pidfd, .events = POLLIN};

    assert_int_equal(1, poll(&dead, 1, PATIENCE));
}

static pid_t parent_of(pid_t pid)
{
    char line[256];

    return (pid_t)strtol(proc_status(pid, "PPid", line), NULL, 10);
}

static void close_ends(const struct host_ends *ends)
{
    close(ends->pidfd);
    close(ends->socket);
    close(ends->errors);
}

struct fixture {
    struct launcher launcher;
    int module;
};

static int set_up(void **state)
{
    static struct fixture f;

    f.module = open(RIG_HOSTILE, O_RDONLY | O_CLOEXEC);
    assert_true(f.module >= 0);
    const struct host_launch launches[] = {
        {.name = "one",
         .path = RIG_HOSTILE,
         .module = f.module,
         .memory = (int64_t)64 << 20,
         .deadline = NS_PER_S,
         .uid = LAUNCHER_NOBODY,
         .gid = LAUNCHER_NOBODY},
        {.name = "two",
         .path = RIG_HOSTILE,
         .module = f.module,
         .memory = (int64_t)64 << 20,
         .deadline = NS_PER_S,
         .uid = LAUNCHER_NOBODY,
         .gid = LAUNCHER_NOBODY},
    };
    const struct launcher_options options = {
        .launches = launches, .count = 2, .own = 3, .uid = LAUNCHER_NOBODY, .gid = LAUNCHER_NOBODY};

    assert_int_equal(0, launcher_start(&f.launcher, &options));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    launcher_deinit(&f->launcher);
    close(f->module);
    return 0;
}

static void starts_kills_and_tells(void **state)
{
    struct fixture *f = *state;
    struct host_ends ends, twice;
    int status;

    assert_int_equal(-ECHILD, launcher_reap_host(&f->launcher, 0, &status));
    launcher_kill_host(&f->launcher, 0); /* none: nothing */
    assert_int_equal(0, launcher_start_host(&f->launcher, 0, &ends));
    assert_int_equal(f->launcher.broker.pid, parent_of(ends.pid));
    assert_int_equal(-EBUSY, launcher_start_host(&f->launcher, 0, &twice));
    assert_int_equal(-EAGAIN, launcher_reap_host(&f->launcher, 0, &status));
    launcher_kill_host(&f->launcher, 1); /* another: nothing */
    launcher_kill_host(&f->launcher, 0);
    expect_end(ends.pidfd);
    assert_int_equal(0, launcher_reap_host(&f->launcher, 0, &status));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(-ECHILD, launcher_reap_host(&f->launcher, 0, &status));
    close_ends(&ends);
}

static void starts_nothing_else(void **state)
{
    static const size_t others[] = {2, 63, 64, SIZE_MAX};
    struct fixture *f = *state;
    struct host_ends ends;
    int status;

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(-EINVAL, launcher_start_host(&f->launcher, others[i], &ends));
        assert_int_equal(-EINVAL, launcher_reap_host(&f->launcher, others[i], &status));
        launcher_kill_host(&f->launcher, others[i]);
    }
    assert_int_equal(0, launcher_start_host(&f->launcher, 1, &ends));
    close_ends(&ends);
}

/* A host whose descriptors the engine had no room for has nobody to talk to, and ends. */
static void a_start_that_did_not_arrive_can_be_repeated(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, tight;
    struct host_ends ends;

    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
    tight = (struct rlimit){.rlim_cur = 5, .rlim_max = before.rlim_max};
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &tight));
    int r = launcher_start_host(&f->launcher, 0, &ends);

    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
    assert_int_equal(-EMFILE, r);
    do
        r = launcher_start_host(&f->launcher, 0, &ends);
    while (r == -EBUSY);
    assert_int_equal(0, r);
    close_ends(&ends);
}

/* And no other: whom it may become follows from whom it may start. */
static void starts_those_of_its_own_user(void **state)
{
    struct fixture *f = *state;
    struct host_launch launches[] = {
        {.name = "one", .path = RIG_HOSTILE, .module = f->module, .uid = 3901, .gid = 3902},
        {.name = "two",
         .path = RIG_HOSTILE,
         .module = f->module,
         .memory = (int64_t)64 << 20,
         .deadline = NS_PER_S,
         .uid = 3903,
         .gid = 3904},
    };
    const struct launcher_options options = {
        .launches = launches, .count = 2, .own = 2, .uid = 3905, .gid = 3905};
    struct launcher launcher;
    struct host_ends ends;
    char line[256], byte;

    if (getuid() != 0)
        skip();
    assert_int_equal(0, launcher_start(&launcher, &options));
    assert_int_equal(-EINVAL, launcher_start_host(&launcher, 0, &ends));
    assert_int_equal(0, launcher_start_host(&launcher, 1, &ends));
    struct pollfd hello = {.fd = ends.socket, .events = POLLIN};

    assert_int_equal(1, poll(&hello, 1, PATIENCE));
    assert_int_equal(1, recv(ends.socket, &byte, 1, 0));
    assert_string_equal("3903\t3903\t3903\t3903", proc_status(ends.pid, "Uid", line));
    assert_string_equal("3904\t3904\t3904\t3904", proc_status(ends.pid, "Gid", line));
    assert_string_equal("3905\t3905\t3905\t3905", proc_status(launcher.broker.pid, "Uid", line));
    launcher_hold_host(&launcher, 1, true);
    while (*proc_status(ends.pid, "State", line) != 'T')
        usleep(1000);
    launcher_hold_host(&launcher, 1, false);
    while (*proc_status(ends.pid, "State", line) == 'T')
        usleep(1000);
    launcher_kill_host(&launcher, 1);
    expect_end(ends.pidfd);
    close_ends(&ends);
    launcher_deinit(&launcher);
}

static void holds_three_capabilities(void **state)
{
    struct fixture *f = *state;
    pid_t pid = f->launcher.broker.pid;
    bool root = getuid() == 0;
    const char *none = "0000000000000000";
    char line[256];

    assert_string_equal("picket-launcher", proc_status(pid, "Name", line));
    assert_string_equal(root ? "00000000000000e0" : none, proc_status(pid, "CapPrm", line));
    assert_string_equal(root ? "00000000000000e0" : none, proc_status(pid, "CapEff", line));
    assert_string_equal(root ? "00000000000000c0" : none, proc_status(pid, "CapInh", line));
    assert_string_equal(root ? "00000000000000c0" : none, proc_status(pid, "CapAmb", line));
    assert_string_equal("1", proc_status(pid, "NoNewPrivs", line));
    assert_string_equal("2", proc_status(pid, "Seccomp", line));
    if (root) {
        assert_string_equal(none, proc_status(pid, "CapBnd", line));
        assert_string_equal("65534\t65534\t65534\t65534", proc_status(pid, "Uid", line));
        assert_string_equal("", proc_status(pid, "Groups", line));
    }
}

#define ATTEMPT(call) ((call) < 0 ? errno : 0)

/* In a child: what a launcher that was taken over could do. The number of the first attempt that
 * did not end as it should. */
static int attempt_everything(void)
{
    const uint64_t kept = RIGHT(CAP_SETUID) | RIGHT(CAP_SETGID) | RIGHT(CAP_KILL);
    const gid_t root_group = 0;

    if (rights_reduce(&(struct rights){LAUNCHER_NOBODY, LAUNCHER_NOBODY, kept, 0}) < 0 ||
        confinement_enter_launcher(LAUNCHER_NOBODY, LAUNCHER_NOBODY) < 0)
        return 1;
    const int refused[] = {
        ATTEMPT(syscall(SYS_setresuid, 0, 0, 0)),
        ATTEMPT(syscall(SYS_setresuid, -1, 0, -1)),
        ATTEMPT(syscall(SYS_setresuid, LAUNCHER_NOBODY, LAUNCHER_NOBODY, 0)),
        ATTEMPT(syscall(SYS_setuid, 0)),
        ATTEMPT(syscall(SYS_setreuid, 0, 0)),
        ATTEMPT(syscall(SYS_setresgid, 0, 0, 0)),
        ATTEMPT(syscall(SYS_setgid, 0)),
        ATTEMPT(syscall(SYS_setregid, 0, 0)),
        ATTEMPT(syscall(SYS_setgroups, 1, &root_group)),
        ATTEMPT(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)),
        ATTEMPT(unshare(CLONE_NEWUSER)),
        ATTEMPT(syscall(SYS_bpf, 0, NULL, 0)),
        ATTEMPT(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL)),
    };

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i] != EPERM)
            return 2 + (int)i;
    /* setfsuid() tells the user it had: nothing else has come of trying. */
    syscall(SYS_setfsuid, 0);
    if (syscall(SYS_setfsuid, -1) == 0 ||
        syscall(SYS_setresuid, LAUNCHER_NOBODY, LAUNCHER_NOBODY, LAUNCHER_NOBODY) < 0 ||
        syscall(SYS_setresgid, LAUNCHER_NOBODY, LAUNCHER_NOBODY, LAUNCHER_NOBODY) < 0 ||
        syscall(SYS_setgroups, 0, NULL) < 0)
        return 100;
    return 0;
}

static void can_become_no_other_user(void **state)
{
    int status;

    if (getuid() != 0)
        skip();
    pid_t pid = fork();

    if (pid == 0)
        _exit(attempt_everything());
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    assert_int_equal(0, WEXITSTATUS(status));
}

static int set_up_rig(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down_rig(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void kill_launcher(struct rig *rig)
{
    pid_t host = rig_await_host(rig, 0);
    int pidfd = (int)syscall(SYS_pidfd_open, host, 0);

    assert_true(pidfd >= 0);
    assert_int_equal(0, kill(parent_of(host), SIGKILL));
    expect_end(pidfd); /* it dies with its launcher */
    close(pidfd);
    while (!delivery_is_broken(rig->delivery))
        usleep(1000);
}

/* Nothing waits for outputs that will never come back, and the sums stay right. */
static void its_end_is_told(void **state)
{
    static const char *const arguments[] = {"json,path=@/x,queue=2"};
    struct rig *rig = *state;

    rig_start(rig, arguments, 1);
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct text said = rig_logged(rig, kill_launcher);

    if (!text_contains(said, TEXT("the process that starts outputs is gone")))
        fail_msg("it said '%.*s'", TEXT_ARG(said));
    rig_push(rig, 10, true);
    assert_int_equal(-EPIPE, delivery_drain(rig->delivery, INT64_MAX / 4));
    struct delivery_counters counters = rig_counters(rig, 0);

    assert_int_equal(1, counters.delivered);
    assert_int_equal(2, counters.queued);
    assert_int_equal(8, counters.dropped);
    rig_expect_sum(rig, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        TEST(starts_kills_and_tells),
        TEST(starts_nothing_else),
        TEST(a_start_that_did_not_arrive_can_be_repeated),
        TEST(starts_those_of_its_own_user),
        TEST(holds_three_capabilities),
        cmocka_unit_test(can_become_no_other_user),
        cmocka_unit_test_setup_teardown(its_end_is_told, set_up_rig, tear_down_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
