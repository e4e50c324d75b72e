/* What a plugin finds itself to be, as it reports itself from inside its host. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PROBER                            \
    RIG_PROBER ",path=@/report,closed=@/" \
               "closed,text=a\\,b,flag=on,size=3KiB,choice=blue,number=0x10,name=probe"

static int set_up(void **state)
{
    static struct rig rig;
    const char *const arguments[] = {PROBER};

    rig_init(&rig);
    /* As the journal is. */
    int closed = open(rig_path(&rig, "closed"), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

    assert_true(closed >= 0);
    close(closed);
    setenv("PICKET_TEST_SECRET", "hunter2", 1);
    setenv("TZ", "UTC", 1);
    rig_start(&rig, arguments, 1);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void expect_line(struct rig *rig, const char *line)
{
    CLEANUP(buffer_deinit) struct buffer whole = {0};

    /* The report begins with a line break of its own making, so that each line has one before. */
    buffer_printf(&whole, "\n%s\n", line);
    struct text report = rig_read(rig, "report");

    if (!text_contains(report, buffer_text(&whole)) &&
        !text_starts(report, (struct text){whole.data + 1, whole.len - 1}))
        fail_msg("no line '%s' in the report:\n%.*s", line, TEXT_ARG(report));
}

static void expect(struct rig *rig, const char *what, long long value)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    buffer_printf(&line, "%s %lld", what, value);
    expect_line(rig, buffer_string(&line));
}

static void is_nobody(void **state)
{
    static const char *const capabilities[] = {"cap_permitted", "cap_effective", "cap_inheritable",
                                               "cap_ambient"};
    bool root = getuid() == 0;

    expect(*state, "uid", root ? 65534 : getuid());
    expect(*state, "euid", root ? 65534 : getuid());
    expect(*state, "gid", root ? 65534 : getgid());
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        expect(*state, capabilities[i], 0);
    if (root) {
        expect(*state, "groups", 0);
        expect(*state, "cap_bounding", 0);
    }
    expect(*state, "no_new_privs", 1);
    expect(*state, "seccomp", 2);
    expect(*state, "dumpable", 0);
    expect(*state, "own_session", 1);
    expect(*state, "core_limit", 0);
    expect(*state, "files_limit", 1024);
    if (root)
        expect(*state, "tasks_limit", 4096);
}

static void has_few_descriptors(void **state)
{
    /* Standard three, its socket, its file. */
    expect(*state, "descriptors", 5);
    expect(*state, "stdout_bytes", 6); /* into /dev/null: the rig's output shows no "stray" */
}

static void cannot_reach_others(void **state)
{
    static const char *const attempts[] = {"ptrace",         "kill_parent", "kill_all",
                                           "tgkill_parent",  "pidfd_open",  "process_vm_readv",
                                           "perf_event_open"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(*state, attempts[i], EPERM);
    /* There is no such process to be seen; or, in the machine's own /proc, it may not be opened. */
    if (getuid() == 0)
        expect(*state, "parent_memory", rig_isolation() & ISOLATION_PROC ? EACCES : ENOENT);
}

static void cannot_have_the_kernel_send_signals(void **state)
{
    static const char *const attempts[] = {"setown",  "setown_high_bits", "setown_ex", "setsig",
                                           "async",   "async_nonblock",   "fiosetown", "siocspgrp",
                                           "fioasync"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(*state, attempts[i], EPERM);
    expect(*state, "nonblock", 0);
    expect(*state, "fionbio", 0);
    expect(*state, "owner", 0);
    expect(*state, "readiness_signal", 0);
}

static void cannot_change_the_machine(void **state)
{
    static const char *const attempts[] = {
        "bpf",    "mount",       "unshare", "setns",   "io_uring",         "userfaultfd",
        "keyctl", "init_module", "kexec",   "tiocsti", "tiocsti_high_bits"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(*state, attempts[i], EPERM);
    expect(*state, "later_call", ENOSYS);
}

static void sees_and_writes_no_files_of_others(void **state)
{
    bool root = getuid() == 0;

    if (!(rig_isolation() & ISOLATION_FILES)) {
        expect(*state, "tmp", EROFS);
        expect(*state, "shm", EROFS);
    }
    if (!(rig_isolation() & ISOLATION_PROC))
        expect(*state, "processes", 1);
    if (root) {
        expect(*state, "closed", EACCES);
        expect(*state, "closed_to_write", EACCES);
    }
    expect(*state, "remount", EPERM);
    expect(*state, "unmount_proc", EPERM);
    expect(*state, "new_network", EPERM);
}

static void has_no_network(void **state)
{
    static const char *const attempts[] = {"inet",  "inet6",       "netlink",       "packet",
                                           "vsock", "unspecified", "inet_high_bits"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(*state, attempts[i], EPERM);
}

static void raises_no_privileges(void **state)
{
    if (getuid() != 0)
        skip();
    expect(*state, "raise_user", EPERM);
    expect(*state, "raise_group", EPERM);
}

static void cannot_leave(void **state)
{
    static const char *const attempts[] = {"fork",           "execve",         "setuid",
                                           "dumpable_again", "outlive_parent", "memory_limit"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (getuid() == 0 || strcmp(attempts[i], "setuid") != 0)
            expect(*state, attempts[i], EPERM);
}

static void cannot_take_memory_past_its_limit(void **state)
{
    static const char *const attempts[] = {"shared_memory", "growing_memory", "memfd_create",
                                           "shmget",        "msgget",         "semget",
                                           "mq_open",       "io_setup"};

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        expect(*state, attempts[i], EPERM);
    expect(*state, "private_memory", 0);
    expect(*state, "oom_score_adj", 1000);
}

static void has_a_name(void **state)
{
    struct rig *rig = *state;
    const char *path = arena_printf(&rig->arena, "/proc/%d/comm", (int)rig_await_host(rig, 0));
    CLEANUP(fclosep) FILE *file = fopen(path, "re");
    char comm[32];

    assert_non_null(file);
    assert_non_null(fgets(comm, sizeof comm, file));
    assert_string_equal("picket-host\n", comm);
}

/* What is sent to all of a group, or by pkill to all of a name. */
static void does_not_mind_signals(void **state)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                  SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};
    struct rig *rig = *state;
    pid_t pid = rig_await_host(rig, 0);

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        assert_int_equal(0, kill(pid, signals[i]));
    assert_int_equal(0, rig_push_json(rig, "after signals", "{}"));
    rig_drain(rig);
    assert_int_equal(pid, rig_await_host(rig, 0));
    assert_int_equal(0, rig_counters(rig, 0).crashes);
}

static void gets_its_options(void **state)
{
    expect(*state, "a,b", 0);
    expect(*state, "number", 16);
    expect(*state, "flag", 1);
    expect(*state, "size", 3072);
    expect(*state, "duration", 60000000000);
    expect(*state, "choice", 2);
    expect(*state, "absent", -1);
    expect_line(*state, "output=probe");
}

static void gets_little_environment(void **state)
{
    expect(*state, "secret", 0);
    expect(*state, "zone", 1);
}

static void gets_values_of_alerts(void **state)
{
    static const char *const lines[] = {
        "alert 000001 h tmp-binary a\\x1b[2Jb\\u{202e}\\u{202c}c\xef\xbf\xbd 3 1767225600000000000",
        "event.parent.comm=bash",
        "event.pid=17",
        "event.argv.1=two words",
        "event.argv=[\"a\",\"two words\"]",
        "event.argv.9=(null)",
        "event.argv.-1=(null)",
        "event.none.x=(null)",
        "event.comm.x=(null)",
        "=(null)",
        "rule.severity=high",
        "event.flag=true",
        "alert 000002 h tmp-binary no json 3 1767225600000000000"};
    struct rig *rig = *state;

    assert_int_equal(0, rig_push_json(rig,
                                      "a\033[2Jb\xe2\x80\xae\xe2\x80\xac"
                                      "c\xff",
                                      "{\"rule\":{\"severity\":\"high\"},\"event\":{\"pid\":17,"
                                      "\"comm\":\"x\",\"argv\":[\"a\",\"two words\"],\"flag\":true,"
                                      "\"parent\":{\"comm\":\"bash\"}}}"));
    assert_int_equal(0, rig_push_json(rig, "no json", "{\"event\":"));
    rig_drain(rig);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect_line(rig, lines[i]);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_nobody),
        cmocka_unit_test(has_few_descriptors),
        cmocka_unit_test(cannot_reach_others),
        cmocka_unit_test(cannot_have_the_kernel_send_signals),
        cmocka_unit_test(cannot_change_the_machine),
        cmocka_unit_test(sees_and_writes_no_files_of_others),
        cmocka_unit_test(has_no_network),
        cmocka_unit_test(raises_no_privileges),
        cmocka_unit_test(cannot_leave),
        cmocka_unit_test(gets_its_options),
        cmocka_unit_test(gets_little_environment),
        cmocka_unit_test(gets_values_of_alerts),
        cmocka_unit_test(cannot_take_memory_past_its_limit),
        cmocka_unit_test(has_a_name),
        cmocka_unit_test(does_not_mind_signals),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
