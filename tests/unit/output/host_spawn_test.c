/* A host that cannot be watched is not left behind. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/launcher.h"

/* From here on this process, and what it starts, gets no pidfd. */
static void deny_pidfds(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    assert_non_null(filter);
    assert_int_equal(0, seccomp_rule_add(filter, SCMP_ACT_ERRNO(EMFILE), SCMP_SYS(pidfd_open), 0));
    assert_int_equal(0, seccomp_load(filter));
    seccomp_release(filter);
}

static void expect_no_child(void)
{
    int status;

    assert_int_equal(-1, waitpid(-1, &status, WNOHANG));
    assert_int_equal(ECHILD, errno);
}

static void a_host_without_a_pidfd_is_ended(void **state)
{
    CLEANUP(closep) int module = open(RIG_HOSTILE, O_RDONLY | O_CLOEXEC);
    const struct host_launch launch = {.name = "x",
                                       .path = RIG_HOSTILE,
                                       .module = module,
                                       .uid = LAUNCHER_NOBODY,
                                       .gid = LAUNCHER_NOBODY,
                                       .memory = (int64_t)64 << 20};
    const struct launcher_options options = {
        .launches = &launch, .count = 1, .own = 1, .uid = LAUNCHER_NOBODY, .gid = LAUNCHER_NOBODY};
    struct launcher launcher;
    struct host_ends ends;
    int status;

    assert_true(module >= 0);
    assert_int_equal(0, host_spawn(&launch, &ends));
    assert_int_equal(0, kill(ends.pid, SIGKILL));
    assert_int_equal(ends.pid, waitpid(ends.pid, &status, 0));
    close(ends.pidfd);
    close(ends.socket);
    close(ends.errors);
    deny_pidfds();
    assert_int_equal(-EMFILE, host_spawn(&launch, &ends));
    expect_no_child();
    assert_int_equal(-EMFILE, launcher_start(&launcher, &options));
    expect_no_child();
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_a_pidfd_is_ended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
