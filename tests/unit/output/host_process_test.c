/* A host that cannot be watched is not left behind. */
#include "rig.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/wait.h>

#include "output/host_process.h"

/* From here on this process, and what it starts, gets no pidfd. */
static void deny_pidfds(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    assert_non_null(filter);
    assert_int_equal(0, seccomp_rule_add(filter, SCMP_ACT_ERRNO(EMFILE), SCMP_SYS(pidfd_open), 0));
    assert_int_equal(0, seccomp_load(filter));
    seccomp_release(filter);
}

static void a_host_without_a_pidfd_is_ended(void **state)
{
    struct host_process host;
    CLEANUP(closep) int module = host_process_open_module(RIG_HOSTILE);
    const struct host_launch launch = {.name = "x",
                                       .path = RIG_HOSTILE,
                                       .module = module,
                                       .uid = HOST_NOBODY,
                                       .gid = HOST_NOBODY,
                                       .memory = (int64_t)64 << 20};
    int status;

    assert_true(module >= 0);
    assert_int_equal(0, host_process_start(&host, &launch));
    host_process_deinit(&host);
    assert_int_equal(-1, waitpid(-1, &status, WNOHANG));
    assert_int_equal(ECHILD, errno);
    deny_pidfds();
    assert_int_equal(-EMFILE, host_process_start(&host, &launch));
    assert_int_equal(0, host.pid);
    assert_int_equal(-1, waitpid(-1, &status, WNOHANG));
    assert_int_equal(ECHILD, errno);
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
