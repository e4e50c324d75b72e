/* Outputs that run as users of their own, who are strangers to one another. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "proc_status.h"

#define ONE   3901
#define OTHER 3902

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    /* For programs, which open their files themselves. */
    assert_int_equal(0, chmod(rig.dir, 01777));
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static struct rig *rig_of_root(void **state)
{
    if (getuid() != 0)
        skip();
    return *state;
}

static void expect_user(pid_t pid, unsigned user)
{
    char line[256], wanted[64];

    snprintf(wanted, sizeof wanted, "%u\t%u\t%u\t%u", user, user, user, user);
    assert_string_equal(wanted, proc_status(pid, "Uid", line));
    assert_string_equal(wanted, proc_status(pid, "Gid", line));
    assert_string_equal("", proc_status(pid, "Groups", line));
    assert_string_equal("0000000000000000", proc_status(pid, "CapPrm", line));
    assert_string_equal("2", proc_status(pid, "Seccomp", line));
}

static void expect_content(struct rig *rig, const char *name, const char *wanted)
{
    struct text got = rig_read(rig, name);

    if (!text_is(got, wanted))
        fail_msg("%s has '%.*s', not '%s'", name, TEXT_ARG(got), wanted);
}

static void hosts_become_whom_they_are_to(void **state)
{
    static const char *const outputs[] = {"json,path=@/a,run_as=3901", "json,path=@/b,name=second",
                                          "json,path=@/c,name=third,run_as=daemon",
                                          "json,path=@/d,name=fourth,run_as=3901"};
    static const unsigned users[] = {ONE, 65534, 1, ONE};
    struct rig *rig = rig_of_root(state);

    rig_start(rig, outputs, 4);
    rig_push(rig, 1, false);
    for (size_t i = 0; i < 4; i++)
        expect_user(rig_await_host(rig, i), users[i]);
    assert_int_equal(0, kill(rig_await_host(rig, 0), SIGKILL));
    rig_push(rig, 1, false);
    rig_drain(rig);
    expect_user(rig_await_host(rig, 0), ONE); /* the next one, too */
    assert_int_equal(0, rig_counters(rig, 3).restarts);
    rig_expect(rig, "a", 2, REPEATS);
    rig_expect(rig, "c", 2, ONCE);
}

/* One that does not answer is held, let go on and killed, whoever it is. */
static void hosts_are_held_and_killed(void **state)
{
    const char *const outputs[] = {
        RIG_HOSTILE ",mode=burn,cpu=5,deadline=1h,run_as=3901",
        RIG_HOSTILE ",mode=sleep,deadline=100ms,name=second,run_as=3902",
    };
    struct rig *rig = rig_of_root(state);
    char line[256];

    rig_start(rig, outputs, 2);
    pid_t burning = rig_await_host(rig, 0);
    int64_t end = clock_monotonic() + 60 * NS_PER_S;

    rig_push(rig, 1, false);
    for (const char *wanted = "T"; wanted;) {
        if (*proc_status(burning, "State", line) == *wanted)
            wanted = *wanted == 'T' ? "R" : NULL;
        assert_true(clock_monotonic() < end);
    }
    while (rig_counters(rig, 1).restarts == 0) {
        assert_true(clock_monotonic() < end);
        usleep(10000);
    }
    assert_int_equal(1, rig_counters(rig, 1).hangs > 0);
    expect_user(burning, ONE);
}

static pid_t find_sleeper(const char *seconds)
{
    CLEANUP(closedirp) DIR *proc = opendir("/proc");
    char wanted[64] = "sleep";

    snprintf(wanted + 6, sizeof wanted - 6, "%s", seconds);
    for (const struct dirent *entry; (entry = readdir(proc));) {
        char path[300], line[64] = "";

        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        CLEANUP(fclosep) FILE *file = fopen(path, "re");
        size_t len = file ? fread(line, 1, sizeof line, file) : 0;

        if (len == 7 + strlen(seconds) && memcmp(line, wanted, len) == 0)
            return (pid_t)strtol(entry->d_name, NULL, 10);
    }
    return 0;
}

static int open_of(pid_t pid, const char *file)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? errno : 0;
}

#define ATTEMPT(call) ((call) < 0 ? errno : 0)

static void become(uid_t user)
{
    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0)
        _exit(100);
}

/* In a child that is as free as a user's process can be: no filter, the machine's own /proc. The
 * number of the first attempt that does not end as it should. */
static int reach_from(uid_t user, pid_t own, pid_t others, pid_t host)
{
    become(user);
    const int attempts[][2] = {
        {open_of(own, "environ"), 0},
        {ATTEMPT(kill(own, 0)), 0},
        {open_of(others, "environ"), EACCES},
        {open_of(others, "mem"), EACCES},
        {ATTEMPT(kill(others, 0)), EPERM},
        {ATTEMPT(ptrace(PTRACE_ATTACH, others, NULL, NULL)), EPERM},
        {open_of(host, "environ"), EACCES},
        {ATTEMPT(kill(host, 0)), EPERM},
        {ATTEMPT(ptrace(PTRACE_ATTACH, host, NULL, NULL)), EPERM},
    };

    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (attempts[i][0] != attempts[i][1])
            return 1 + (int)i;
    return 0;
}

static int in_child_of(pid_t pid)
{
    int status;

    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define SHELL "exec,command=/bin/sh,command=-c,"

/* Each says who it is, keeps something to itself, looks for what the other keeps and at what
 * processes there are, and leaves a program running. */
static void programs_are_strangers(void **state)
{
    static const char *const outputs[] = {
        SHELL "run_as=3901,command=umask 077; id -u > @/one; id -g >> @/one; id -G >> @/one; "
              "cat @/other >> @/stolen; grep -h ^Uid: /proc/[0-9]*/status > @/seen; "
              "[ -e @/lives ] || { touch @/lives; sleep 4243 & }",
        SHELL "name=second,run_as=3902,command=umask 077; "
              "[ -e @/other ] || { id -u > @/other; sleep 4244 & }",
        SHELL
        "name=third,run_as=3902,pause=10ms,command=umask 077; cat @/other >> @/told || exit 75",
    };
    struct rig *rig = rig_of_root(state);

    rig_start(rig, outputs, 3);
    for (int i = 0; i < 2; i++) {
        rig_push(rig, 1, false);
        rig_drain(rig);
    }
    expect_content(rig, "one", "3901\n3901\n3901\n");
    expect_content(rig, "other", "3902\n");
    expect_content(rig, "stolen", "");
    assert_true(text_ends(rig_read(rig, "told"), TEXT("3902\n")));
    assert_true(text_contains(rig_read(rig, "seen"), TEXT("3901")));
    if (!(rig_isolation() & (ISOLATION_PIDS | ISOLATION_PROC)))
        assert_false(text_contains(rig_read(rig, "seen"), TEXT("3902")));
    pid_t one = find_sleeper("4243"), other = find_sleeper("4244"), host = rig_await_host(rig, 1);

    assert_true(one && other);
    expect_user(one, ONE);
    expect_user(other, OTHER);
    pid_t pid = fork();

    if (pid == 0)
        _exit(reach_from(ONE, one, other, host));
    assert_int_equal(0, in_child_of(pid));
    rig_stop(rig);
    assert_int_equal(0, find_sleeper("4243") + find_sleeper("4244"));
}

static void folders_that_are_made_are_theirs(void **state)
{
    static const char *const outputs[] = {RIG_FILER ",folder=@/new,run_as=3901"};
    struct rig *rig = rig_of_root(state);
    struct stat status;

    rig_start(rig, outputs, 1);
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(0, stat(rig_path(rig, "new"), &status));
    assert_true(status.st_uid == ONE && status.st_gid == ONE);
    assert_int_equal(0, stat(rig_path(rig, "new/000001"), &status));
    assert_int_equal(ONE, status.st_uid);
    unlink(rig_path(rig, "new/above"));
    unlink(rig_path(rig, "new/000001"));
    rmdir(rig_path(rig, "new"));
}

static void expect_refusal(struct rig *rig, const char *user, const char *wanted)
{
    const char *const outputs[] = {
        arena_printf(&rig->arena, "json,path=@/unmade,run_as=%s", user),
    };
    const char *shown = rig_refuse(rig, outputs, 1);

    if (!strstr(shown, wanted) || !strstr(shown, "[wrong-user]"))
        fail_msg("'%s' is refused by '%s', not '%s'", user, shown, wanted);
    assert_int_equal(-1, access(rig_path(rig, "unmade"), F_OK));
    diag_list_deinit(&rig->diags);
    rig->diags = (struct diag_list){0};
}

static void root_and_nobody_known_are_refused(void **state)
{
    static const char *const roots[] = {"root", "0", "00"};
    static const char *const unknown[] = {"no-such-user", "-1", "4294967295", ""};

    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
        expect_refusal(*state, roots[i], "': that is root");
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect_refusal(*state, unknown[i], "there is no such user in /etc/passwd");
}

/* In a child: not even whom it is already. */
static int choose_without_root(void)
{
    static const char *const arguments[] = {"json,path=/dev/null,run_as=3901"};
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer shown = {0};
    struct output_config *configs;
    struct delivery *delivery;
    size_t count;

    if (getuid() == 0)
        become(ONE);
    if (output_config_parse(arguments, 1, &arena, &diags, &configs, &count) < 0)
        return 1;
    const struct delivery_options options = {
        .outputs = configs, .output_count = count, .plugin_dir = RIG_PLUGIN_DIR};

    if (delivery_new(&options, &diags, &delivery) != -EINVAL)
        return 2;
    diag_render_all(&diags, false, &shown);
    return strstr(buffer_string(&shown), "-o:1:28: error: option 'run_as': only root can choose")
               ? 0
               : 3;
}

static void only_root_can_choose(void **state)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(choose_without_root());
    assert_int_equal(0, in_child_of(pid));
}

/* The rig's engine becomes nobody, as whom outputs run that do not say. */
static void start_three(struct rig *rig)
{
    static const char *const outputs[] = {"json,path=@/a,run_as=3901", "json,path=@/b,name=second",
                                          "json,path=@/c,name=third,run_as=nobody"};

    rig_start(rig, outputs, 3);
}

static void who_may_read_the_journal_is_told(void **state)
{
    struct rig *rig = rig_of_root(state);

    rig_open_journal(rig, "@/alerts.db", (int64_t)64 << 20);
    struct text said = rig_logged(rig, start_three);

    if (!text_contains(said, TEXT("may read its journal (second, third)")))
        fail_msg("it is said: %.*s", TEXT_ARG(said));
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(hosts_become_whom_they_are_to),
        TEST(hosts_are_held_and_killed),
        TEST(programs_are_strangers),
        TEST(folders_that_are_made_are_theirs),
        TEST(root_and_nobody_known_are_refused),
        TEST(only_root_can_choose),
        TEST(who_may_read_the_journal_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
