/* Whom the engine becomes, and what is left to it then: enough to work, and no more. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "engine/privileges.h"
#include "proc_status.h"
#include "rule/regex.h"

#define NOBODY 65534

/* A number that no work ends with. */
enum { FAILED_TO_DROP = 200 };

static struct privileges somebody(void)
{
    return (struct privileges){NOBODY, NOBODY};
}

/* Runs WORK in a child that has dropped; how the child ended. */
static int run_dropped(int (*work)(void))
{
    const struct privileges privileges = somebody();
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(privileges_drop(&privileges) < 0 ? FAILED_TO_DROP : work());
    assert_int_equal(pid, waitpid(pid, &status, 0));
    return status;
}

static void expect_fine(int (*work)(void))
{
    int status = run_dropped(work);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("ended with status 0x%x", (unsigned)status);
}

static void finds_users(void **state)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct privileges found = {1, 1};

    assert_int_equal(0, privileges_find("nobody", &found, &why));
    assert_int_equal(NOBODY, found.uid);
    assert_int_equal(NOBODY, found.gid);
    assert_int_equal(0, privileges_find("65534", &found, &why));
    assert_int_equal(NOBODY, found.uid);
    assert_int_equal(0, privileges_find("3999999999", &found, &why)); /* without a name */
    assert_int_equal(3999999999U, found.uid);
    assert_int_equal(3999999999U, found.gid);
    assert_int_equal(0, why.len);
    assert_int_not_equal(0, privileges_default().uid);
    assert_int_not_equal(0, privileges_default().gid);
}

static void expect_refused(const char *user, const char *reason)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct privileges found;

    assert_int_equal(-EINVAL, privileges_find(user, &found, &why));
    if (!strstr(buffer_string(&why), reason))
        fail_msg("'%s' is refused because '%s'", user, buffer_string(&why));
}

static void refuses_nobody_known_and_root(void **state)
{
    expect_refused("root", "'root' is root");
    expect_refused("0", "'0' is root");
    expect_refused("00", "'00' is root");
    expect_refused("no-such-user", "there is no user 'no-such-user'");
    expect_refused("-1", "there is no user '-1'");
    expect_refused("4294967295", "there is no user"); /* "no change", to setresuid(2) */
    expect_refused("4294967296", "there is no user"); /* 0 in 32 bits */
}

static bool says(const char *key, const char *wanted)
{
    char line[256];

    return strcmp(wanted, proc_status(getpid(), key, line)) == 0;
}

static int look_at_itself(void)
{
    const char *const none[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (!says(none[i], "0000000000000000"))
            return 1 + (int)i;
    return !says("NoNewPrivs", "1") ? 11 : !says("Seccomp", "2") ? 12 : 0;
}

static int look_at_its_user(void)
{
    return !says("Uid", "65534\t65534\t65534\t65534")   ? 1
           : !says("Gid", "65534\t65534\t65534\t65534") ? 2
           : !says("Groups", "")                        ? 3
           : !says("CapBnd", "0000000000000000")        ? 4
                                                        : 0;
}

static void holds_nothing(void **state)
{
    expect_fine(look_at_itself);
    if (getuid() == 0)
        expect_fine(look_at_its_user);
}

static void *touch(void *argument)
{
    char *bytes = malloc(1 << 20);

    if (bytes)
        memset(bytes, 1, 1 << 20);
    free(bytes);
    return argument;
}

static int use_threads_and_memory(void)
{
    pthread_t threads[8];
    char *large = malloc((size_t)64 << 20);
    void *result;

    if (!large || !(large = realloc(large, (size_t)80 << 20)))
        return 1;
    memset(large, 1, (size_t)80 << 20);
    free(large);
    for (size_t i = 0; i < 8; i++)
        if (pthread_create(&threads[i], NULL, touch, threads) != 0)
            return 2;
    for (size_t i = 0; i < 8; i++)
        if (pthread_join(threads[i], &result) != 0 || result != threads)
            return 3;
    return 0;
}

static int use_files_and_time(void)
{
    const struct timespec pause = {.tv_nsec = 1000};
    CLEANUP(closedirp) DIR *proc = opendir("/proc");
    CLEANUP(fclosep) FILE *file = fopen("/etc/passwd", "re");
    char line[256], path[64];
    time_t now = time(NULL);
    struct tm local;

    if (!proc || !readdir(proc) || !file || !fgets(line, sizeof line, file))
        return 1;
    if (readlink("/proc/self/exe", path, sizeof path) < 0 || !localtime_r(&now, &local))
        return 2;
    if (getrandom(line, sizeof line, 0) != sizeof line || nanosleep(&pause, NULL) < 0)
        return 3;
    return fprintf(stderr, "%s", "") < 0 ? 4 : 0;
}

/* Rules and alerts are compiled and read again while the engine runs. */
static int use_libraries(void)
{
    struct regex_failure failure;
    struct json_failure mistake;
    struct regex_scratch *scratch;
    struct regex *regex;
    json_t *tree;

    if (regex_new(TEXT("(a|b)+c{2,5}$"), 0, &regex, &failure) < 0 ||
        regex_scratch_new(&scratch) < 0)
        return 1;
    if (regex_match(regex, scratch, TEXT("xxabababccc")) != 1)
        return 2;
    regex_scratch_free(scratch);
    regex_free(regex);
    if (json_parse(TEXT("{\"a\":[1,2,{\"b\":\"c\"}]}"), &tree, &mistake) < 0)
        return 3;
    json_decref(tree);
    return 0;
}

static void can_work(void **state)
{
    expect_fine(use_threads_and_memory);
    expect_fine(use_files_and_time);
    expect_fine(use_libraries);
}

static int abort_itself(void)
{
    abort();
}

static void can_abort(void **state)
{
    int status = run_dropped(abort_itself);

    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status));
}

#define ATTEMPT(call) ((call) < 0 ? errno : 0)

static int reach_out(void)
{
    union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY};
    char *const arguments[] = {NULL};
    const int refused[] = {
        ATTEMPT(open("/tmp/picket-forbidden", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)),
        ATTEMPT(open("/dev/null", O_RDWR | O_CLOEXEC)),
        ATTEMPT(open("/dev/null", O_WRONLY | O_CLOEXEC)),
        ATTEMPT(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)),
        ATTEMPT(open("/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC)),
        ATTEMPT(mkdir("/tmp/picket-forbidden", 0700)),
        ATTEMPT(unlink("/tmp/picket-forbidden")),
        ATTEMPT(rename("/tmp/picket-forbidden", "/tmp/picket-forbidden-too")),
        ATTEMPT(chmod("/tmp", 0777)),
        ATTEMPT(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        ATTEMPT(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        ATTEMPT(execv("/bin/true", arguments)),
        ATTEMPT((int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL)),
        ATTEMPT((int)syscall(SYS_clone3, NULL, 0)),
        ATTEMPT(kill(getppid(), 0)),
        ATTEMPT(kill(-1, 0)),
        ATTEMPT((int)syscall(SYS_tgkill, getppid(), getppid(), 0)),
        ATTEMPT((int)syscall(SYS_pidfd_open, getppid(), 0)),
        ATTEMPT(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL)),
        ATTEMPT((int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)),
        ATTEMPT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)),
        ATTEMPT((int)syscall(SYS_setuid, 0)),
        ATTEMPT(unshare(CLONE_NEWUSER)),
        ATTEMPT((int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr)),
        ATTEMPT((int)syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0)),
        ATTEMPT((int)syscall(SYS_keyctl, 0, 0, 0, 0, 0)),
        ATTEMPT((int)syscall(SYS_io_uring_setup, 1, NULL)),
        ATTEMPT((int)syscall(SYS_memfd_create, "x", 0)),
    };

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (refused[i] != ENOSYS)
            return 1 + (int)i;
    return 0;
}

static void can_do_nothing_else(void **state)
{
    expect_fine(reach_out);
}

static int inherited, own;

static int look_at_descriptors(void)
{
    if (fcntl(inherited, F_GETFD) >= 0 || errno != EBADF)
        return 1;
    return fcntl(own, F_GETFD) < 0 || fcntl(STDERR_FILENO, F_GETFD) < 0 ? 2 : 0;
}

static void keeps_no_descriptor_that_it_was_started_with(void **state)
{
    inherited = open("/dev/null", O_RDWR); /* NOLINT(android-cloexec-open): that is the point */
    own = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(inherited > 0 && own > 0);
    expect_fine(look_at_descriptors);
    close(inherited);
    close(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_users),
        cmocka_unit_test(refuses_nobody_known_and_root),
        cmocka_unit_test(holds_nothing),
        cmocka_unit_test(can_work),
        cmocka_unit_test(can_abort),
        cmocka_unit_test(can_do_nothing_else),
        cmocka_unit_test(keeps_no_descriptor_that_it_was_started_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
