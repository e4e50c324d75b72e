/* Programs that start, in every way there is: each field of the record against what the program
 * knows of itself. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <linux/xattr.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "capture.h"
#include "scene.h"

#define SOME_UID 12345
#define SOME_GID 12346

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

/* Runs CHILD in a new process, which is to end in a probe; returns the probe's truth. */
static struct truth run(int (*child)(void *), void *argument)
{
    struct truth truth;

    capture_clear(&capture);
    capture_until_exit(&capture, scene_run(child, argument, &truth));
    return truth;
}

static const struct record *check(const struct truth *truth, const struct process *expected)
{
    const struct record *record = capture_find(&capture, EVENT_EXEC, truth->pid, 0);

    assert_non_null(record);
    assert_identities(record, truth);
    assert_process(&record->process, expected);
    assert_false(capture.disordered);
    return record;
}

static const char *const just_probe[] = {"probe", NULL};

/* How a child starts its program. */
struct start {
    const char *filename;
    const char *const *argv;
};

static struct process expected_of(const struct truth *truth, const struct start *start)
{
    struct process expected = capture_expect(&capture, truth);

    capture_expect_exec(&capture, truth, start->filename, start->argv, &expected);
    return expected;
}

static int child_execve(void *argument)
{
    struct start *start = argument;

    return execv(start->filename, (char *const *)start->argv);
}

static void check_start(const struct start *start)
{
    struct truth truth = run(child_execve, (void *)start);
    struct process expected = expected_of(&truth, start);

    check(&truth, &expected);
}

static void test_execve(void **state)
{
    const char *argv[] = {"an argument 0", "-x", "", "last", NULL};

    check_start(&(struct start){scene_path("probe"), argv});
}

static void test_relative_filename(void **state)
{
    const char *argv[] = {"probe", NULL};

    assert_int_equal(chdir(scene_path("")), 0);
    check_start(&(struct start){"./../../../../../../../../..//proc/self/cwd/./probe", argv});
    assert_int_equal(chdir("/"), 0);
    check_start(&(struct start){scene_path("probe"), argv});
}

static void check_length(size_t len)
{
    static char filler[SENSOR_ARGV_MAX];
    const char *argv[] = {"p", len > 1 ? filler : NULL, NULL};

    memset(filler, 'f', len);
    filler[len > 2 ? len - 2 : 0] = '\0';
    check_start(&(struct start){scene_path("probe"), argv});
}

static void test_argv_of_1_byte(void **state)
{
    check_length(1);
}

static void test_argv_of_10000_bytes(void **state)
{
    check_length(10000);
}

static void test_argv_as_long_as_is_taken(void **state)
{
    check_length(SENSOR_ARGV_MAX - 1); /* and the last NUL */
}

/* What is taken of argv: the front, the end, and the whole's length and count. */
static void test_argv_of_100000_bytes(void **state)
{
    const char *argv[12] = {"p"};

    static char arguments[10][10000];

    for (int i = 0; i < 10; i++) {
        memset(arguments[i], 'a' + i, sizeof arguments[i] - 1);
        argv[i + 1] = arguments[i];
    }
    struct start start = {scene_path("probe"), argv};
    struct truth truth = run(child_execve, &start);
    struct process expected = expected_of(&truth, &start);

    assert_int_equal(expected.cmdline_length, 100001);
    CLEANUP(buffer_deinit) struct buffer ends = {0}, line = {0};
    size_t back = SENSOR_ARGV_MAX / 4, front = SENSOR_ARGV_MAX - back;

    buffer_put(&ends, expected.argv.ptr, front);
    buffer_put_char(&ends, '\0');
    buffer_put(&ends, expected.argv.ptr + expected.argv.len - back, back);
    expected.argv = buffer_text(&ends);
    cmdline_put(&line, expected.argv);
    expected.cmdline = buffer_text(&line);
    expected.cmdline_omitted = 100002 - SENSOR_ARGV_MAX;
    expected.cmdline_truncated = true;
    check(&truth, &expected);
}

static void test_argv_of_any_bytes(void **state)
{
    const char *argv[] = {
        "\n", "two\nlines\n", "\xff\xfe\xc3(", "\xed\xa0\x80", "\t\x1b[31m\x7f", "", NULL};

    check_start(&(struct start){scene_path("probe"), argv});
}

static void test_no_argv(void **state)
{
    const char *none[] = {NULL};
    const char *empty[] = {"", NULL};
    struct start start = {scene_path("probe"), none};
    struct truth truth = run(child_execve, &start);
    const struct record *record = capture_find(&capture, EVENT_EXEC, truth.pid, 0);

    /* From 5.18 the kernel makes it one empty argument. */
    assert_non_null(record);
    start.argv = record->process.argc == 1 ? empty : none;
    struct process expected = expected_of(&truth, &start);

    check(&truth, &expected);
}

struct start_at {
    int fd;
    const char *path;
    int flags;
    const char *const *argv;
};

static int child_execveat(void *argument)
{
    struct start_at *start = argument;

    return (int)syscall(SYS_execveat, start->fd, start->path, (char *const *)start->argv, environ,
                        start->flags);
}

static void check_start_at(struct start_at *start, const char *name)
{
    struct truth truth = run(child_execveat, start);
    struct process expected = expected_of(
        &truth, &(struct start){arena_printf(&capture.arena, "/dev/fd/%d%s", start->fd, name),
                                start->argv});

    check(&truth, &expected);
}

static void test_execveat_of_a_folder(void **state)
{
    const char *argv[] = {"probe", "at", NULL};
    CLEANUP(closep) int folder = open(scene_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    check_start_at(&(struct start_at){folder, "probe", 0, argv}, "/probe");
}

/* What the kernel makes of it is longer than a path may be. */
static void test_execveat_of_a_path_of_4095_bytes(void **state)
{
    const char *argv[] = {"probe", NULL};
    CLEANUP(closep) int folder = open(scene_path(""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char path[4096], name[4097];

    memset(path, '/', sizeof path);
    path[0] = '.';
    memcpy(path + sizeof path - sizeof "probe", "probe", sizeof "probe");
    snprintf(name, sizeof name, "/%s", path);
    check_start_at(&(struct start_at){folder, path, 0, argv}, name);
}

static void test_execveat_of_a_file(void **state)
{
    const char *argv[] = {"probe", NULL};
    CLEANUP(closep) int file = open(scene_path("probe"), O_RDONLY | O_CLOEXEC);

    check_start_at(&(struct start_at){file, "", AT_EMPTY_PATH, argv}, "");
}

static void test_memfd(void **state)
{
    const char *argv[] = {"kworker/0:1", NULL};
    CLEANUP(closep) int memfd = memfd_create("evil", MFD_CLOEXEC);

    scene_copy(scene_path("probe"), memfd);
    struct start_at start = {memfd, "", AT_EMPTY_PATH, argv};

    check_start_at(&start, "");
    const struct process *process = &capture.records[1].process;

    assert_true(text_is(process->exe, "/memfd:evil") && process->exe_memfd && process->exe_deleted);
}

static void test_deleted(void **state)
{
    const char *argv[] = {"gone", NULL};

    scene_probe("gone", 0755);
    CLEANUP(closep) int file = open(scene_path("gone"), O_RDONLY | O_CLOEXEC);

    unlink(scene_path("gone"));
    struct start_at start = {file, "", AT_EMPTY_PATH, argv};

    check_start_at(&start, "");
    const struct process *process = &capture.records[1].process;

    assert_true(text_ends(process->exe, TEXT("/gone")) && process->exe_deleted);
    assert_int_equal(process->exe_nlink, 0);
}

static void test_hard_link(void **state)
{
    const char *argv[] = {"second", NULL};

    assert_int_equal(link(scene_path("probe"), scene_path("second")), 0);
    check_start(&(struct start){scene_path("second"), argv});
    unlink(scene_path("second"));
}

static void script_expect(struct process *expected, const char *interpreter, const char *script)
{
    if (capture.classic)
        return;
    process_set_text(expected, FIELD_INTERPRETER, &expected->interpreter, text_from(interpreter));
    process_set_text(expected, FIELD_SCRIPT, &expected->script, text_from(script));
}

static void test_script(void **state)
{
    const char *argv[] = {"ignored", "-z", NULL};

    scene_script("script", "-w one string");
    struct start start = {scene_path("script"), argv};
    struct truth truth = run(child_execve, &start);
    const char *probe = arena_string(&capture.arena, scene_path("probe"));
    const char *seen[] = {probe, "-w one string",
                          arena_string(&capture.arena, scene_path("script")), "-z", NULL};
    struct process expected = expected_of(&truth, &(struct start){seen[2], seen});

    script_expect(&expected, probe, seen[2]);
    check(&truth, &expected);
}

static void test_script_by_a_relative_path(void **state)
{
    const char *argv[] = {"ignored", NULL};

    scene_script("script", "-w");
    assert_int_equal(chdir(scene_path("")), 0);
    struct truth truth = run(child_execve, &(struct start){".//script", argv});

    assert_int_equal(chdir("/"), 0);
    const char *probe = arena_string(&capture.arena, scene_path("probe"));
    const char *seen[] = {probe, "-w", ".//script", NULL};
    struct process expected = expected_of(&truth, &(struct start){".//script", seen});

    script_expect(&expected, probe,
                  arena_printf(&capture.arena, "%.*s/script", TEXT_ARG(expected.cwd)));
    check(&truth, &expected);
}

static void *thread_execve(void *argument)
{
    child_execve(argument);
    return NULL;
}

static int child_thread(void *argument)
{
    pthread_t thread;

    usleep(30000); /* so that leader and thread have different start times */
    if (pthread_create(&thread, NULL, thread_execve, argument) != 0)
        return -1;
    pause();
    return -1;
}

static void test_exec_of_a_second_thread(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_thread, &start);
    struct process expected = expected_of(&truth, &start);
    const struct record *record = check(&truth, &expected);
    const struct record *forked = capture_find(&capture, EVENT_FORK, truth.pid, 0);
    const struct record *ended = capture_find(&capture, EVENT_EXIT, truth.pid, 0);

    /* The same process all along. */
    assert_int_equal(record->self.start, forked->self.start);
    assert_int_equal(record->self.start, ended->self.start);
    assert_null(capture_find(&capture, EVENT_EXIT, truth.pid, 1));
}

static int child_vfork(void *argument)
{
    struct start *start = argument;

    scene_vfork(start->filename, start->argv);
}

static void test_vfork(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_vfork, &start);
    struct process expected = expected_of(&truth, &start);

    check(&truth, &expected);
    assert_non_null(capture_find(&capture, EVENT_FORK, truth.pid, 0));
}

static int child_other_user(void *argument)
{
    if (setgid(SOME_GID) < 0 || setuid(SOME_UID) < 0)
        return -1;
    return child_execve(argument);
}

static void test_other_user(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_other_user, &start);
    struct process expected = expected_of(&truth, &start);
    const struct record *record = check(&truth, &expected);

    assert_int_equal(record->process.uid, SOME_UID);
    assert_int_equal(record->process.egid, SOME_GID);
    /* The exec reports what the process is, its fork what it was. */
    assert_int_equal(capture_find(&capture, EVENT_FORK, truth.pid, 0)->process.uid, 0);
}

static int child_effective_user(void *argument)
{
    return setresgid(SOME_GID, 0, 0) < 0 || setresuid(SOME_UID, 0, 0) < 0 ? -1
                                                                          : child_execve(argument);
}

static void test_effective_user(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_effective_user, &start);
    struct process expected = expected_of(&truth, &start);

    assert_true(expected.uid == SOME_UID && expected.euid == 0);
    check(&truth, &expected);
}

static void check_set_id(const char *name, mode_t mode)
{
    scene_probe(name, mode);
    struct start start = {scene_path(name), just_probe};
    struct truth truth = run(child_other_user, &start);
    struct process expected = expected_of(&truth, &start);

    check(&truth, &expected);
    assert_int_equal(expected.uid, SOME_UID);
    assert_int_equal(expected.gid, SOME_GID);
    assert_int_equal(expected.euid, mode & S_ISUID ? 0 : SOME_UID);
    assert_int_equal(expected.egid, mode & S_ISGID ? 0 : SOME_GID);
    assert_true(expected.exe_setuid == !!(mode & S_ISUID));
    assert_true(expected.exe_setgid == !!(mode & S_ISGID));
}

static void test_setuid_executable(void **state)
{
    check_set_id("setuid", 04755);
}

static void test_setgid_executable(void **state)
{
    check_set_id("setgid", 02755);
}

/* For what cannot be done in a chroot: out of it (who enters a mount namespace, be it his own, is
 * put at its root). Returns what was the root, for chroot_return(), or -1. */
static int chroot_leave(void)
{
    int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    return setns(namespace, CLONE_NEWNS) < 0 ? -1 : root;
}

static int chroot_return(int root)
{
    return fchdir(root) < 0 ? -1 : chroot(".");
}

static int child_namespaces(void *argument)
{
    int root = chroot_leave();

    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0 || chroot_return(root) < 0)
        return -1;
    pid_t pid = fork();

    if (pid == 0) {
        child_execve(argument);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void test_new_pid_and_user_namespaces(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_namespaces, &start);

    /* Inside it is nobody; the machine knows whose process it is. */
    assert_int_not_equal(truth.uid, 0);
    truth.uid = truth.euid = truth.suid = truth.gid = truth.egid = truth.sgid = 0;
    truth.exe_uid = truth.exe_gid = 0;
    struct process expected = expected_of(&truth, &start);

    assert_int_equal(expected.vpid, 1);
    check(&truth, &expected);
}

static int child_all_namespaces(void *argument)
{
    return unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP) < 0
               ? -1
               : child_execve(argument);
}

static void test_new_namespaces(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth own = run(child_execve, &start);
    struct truth truth = run(child_all_namespaces, &start);

    assert_int_not_equal(truth.ns_net, own.ns_net);
    assert_int_not_equal(truth.ns_cgroup, own.ns_cgroup);
    /* Seen from inside, the cgroup is the root. */
    memcpy(truth.cgroup, own.cgroup, sizeof truth.cgroup);
    memcpy(truth.cgroup_path, own.cgroup_path, sizeof truth.cgroup_path);
    struct process expected = expected_of(&truth, &start);

    check(&truth, &expected);
}

static int child_new_session(void *argument)
{
    if (setsid() < 0)
        return -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (setpgid(0, 0) < 0)
            _exit(1);
        child_execve(argument);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void test_new_session_and_group(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_new_session, &start);
    struct process expected = expected_of(&truth, &start);

    assert_int_equal(expected.pgid, truth.pid);
    assert_int_equal(expected.sid, truth.ppid);
    check(&truth, &expected);
}

/* What the standard descriptors of a child are; -1: closed. */
struct start_with {
    struct start start;
    int files[3];
};

static int child_descriptors(void *argument)
{
    struct start_with *with = argument;

    for (int i = 0; i < 3; i++)
        if (with->files[i] < 0 ? close(i) < 0 && errno != EBADF : dup2(with->files[i], i) < 0)
            return -1;
    return child_execve(&with->start);
}

static void check_descriptors(const int files[static 3], const char *const kinds[static 3])
{
    struct start_with with = {{scene_path("probe"), just_probe}, {files[0], files[1], files[2]}};
    struct truth truth = run(child_descriptors, &with);
    struct process expected = expected_of(&truth, &with.start);

    assert_true(text_is(expected.stdin, kinds[0]));
    assert_true(text_is(expected.stdout, kinds[1]));
    assert_true(text_is(expected.stderr, kinds[2]));
    check(&truth, &expected);
}

static void test_sockets_as_descriptors(void **state)
{
    const char *const families[] = {"inet", "inet", "netlink"}, *const unixes[] = {"unix", "unix",
                                                                                   "closed"};
    CLEANUP(closep) int inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CLEANUP(closep) int inet6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CLEANUP(closep) int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    CLEANUP(closep) int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(inet >= 0 && netlink >= 0 && local >= 0);
    check_descriptors((int[]){inet, inet6 >= 0 ? inet6 : inet, netlink}, families);
    check_descriptors((int[]){local, local, -1}, unixes);
}

static void test_files_as_descriptors(void **state)
{
    const char *const files[] = {"null", "file", "directory"}, *const others[] = {"pipe", "anon",
                                                                                  "device"};
    CLEANUP(closep) int null = -1;
    CLEANUP(closep) int file = open(scene_path("probe"), O_RDONLY | O_CLOEXEC);
    CLEANUP(closep) int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closep) int event = eventfd(0, EFD_CLOEXEC);
    CLEANUP(closep) int full = -1;
    int pipes[2];

    mknod(scene_path("null"), S_IFCHR | 0600, makedev(1, 3));
    mknod(scene_path("full"), S_IFCHR | 0600, makedev(1, 7));
    null = open(scene_path("null"), O_RDWR | O_CLOEXEC);
    full = open(scene_path("full"), O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_true(null >= 0 && full >= 0 && file >= 0 && folder >= 0 && event >= 0);
    check_descriptors((int[]){null, file, folder}, files);
    check_descriptors((int[]){pipes[0], event, full}, others);
    close(pipes[0]);
    close(pipes[1]);
}

static int child_environment(void *argument)
{
    struct start *start = argument;
    static char filler[10000], long_one[800];
    const char *envp[] = {"PATH=/bin",
                          TRUTH_ENV "EMPTY=",
                          TRUTH_ENV "OTHER=x",
                          TRUTH_ENV "1=\xff\n",
                          long_one,
                          filler,
                          TRUTH_ENV "1=again",
                          NULL};

    memset(long_one, 'l', sizeof long_one - 1);
    memcpy(long_one, TRUTH_ENV "LONG=", sizeof TRUTH_ENV "LONG=" - 1);
    memset(filler, 'f', start->argv[1] ? sizeof filler - 1 : 1);
    return execve(start->filename, (char *const *)start->argv, (char *const *)envp);
}

/* Takes the Nth variable, from 0, out of those that were told. */
static void environment_drop(struct truth *truth, unsigned n)
{
    char *at = truth->env;

    while (n-- > 0)
        at += strlen(at) + 1;
    size_t len = strlen(at) + 1;

    memmove(at, at + len, (size_t)truth->env_used - (size_t)(at - truth->env) - len);
    truth->env_used -= (int64_t)len;
}

static void test_environment(void **state)
{
    const char *longer[] = {"probe", "with a filler", NULL};
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_environment, &start);

    environment_drop(&truth, 1); /* nobody asked for OTHER */
    struct process expected = expected_of(&truth, &start);

    assert_true(text_ends(expected.env, TEXT("=again\0")));
    check(&truth, &expected);
    start.argv = longer;
    truth = run(child_environment, &start);
    environment_drop(&truth, 1);
    environment_drop(&truth, 3); /* it is beyond what is taken */
    expected = expected_of(&truth, &start);
    assert_true(expected.env_truncated);
    check(&truth, &expected);
}

static void test_no_environment(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_execve, &start);
    struct process expected = expected_of(&truth, &start);

    assert_false(field_set_has(&expected.has, FIELD_ENV));
    check(&truth, &expected);
}

static void test_file_capabilities(void **state)
{
    const struct vfs_cap_data raw = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
                                     .data = {{.permitted = 1 << CAP_NET_RAW}}};
    struct start start = {scene_path("capable"), just_probe};

    scene_probe("capable", 0755);
    if (setxattr(start.filename, XATTR_NAME_CAPS, &raw, XATTR_CAPS_SZ_2, 0) < 0) {
        fprintf(stderr, "skipped: no capabilities of files here: %s\n", strerror(errno));
        skip();
    }
    struct truth truth = run(child_other_user, &start);
    struct process expected = expected_of(&truth, &start);

    assert_true(expected.exe_filecaps);
    assert_int_equal(expected.cap_effective, 1 << CAP_NET_RAW);
    check(&truth, &expected);
    truth = run(child_execve, &start); /* root has them anyway */
    expected = expected_of(&truth, &start);
    assert_false(expected.exe_filecaps);
    check(&truth, &expected);
}

/* Capabilities that are kept, and not of the file. */
static int child_ambient(void *argument)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{1 << CAP_KILL, 1 << CAP_KILL, 1 << CAP_KILL}};

    if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgid(SOME_GID) < 0 || setuid(SOME_UID) < 0 ||
        syscall(SYS_capset, &header, sets) < 0 ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0) < 0)
        return -1;
    return child_execve(argument);
}

static void test_ambient_capabilities(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_ambient, &start);
    struct process expected = expected_of(&truth, &start);

    assert_int_equal(expected.cap_ambient, 1 << CAP_KILL);
    assert_int_equal(expected.cap_permitted, 1 << CAP_KILL);
    assert_false(expected.exe_filecaps);
    check(&truth, &expected);
}

static int child_secure(void *argument)
{
    return prctl(PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_SETUID_FIXUP) < 0
               ? -1
               : child_execve(argument);
}

static void test_secure_bits(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_secure, &start);
    struct process expected = expected_of(&truth, &start);

    assert_int_equal(expected.securebits, SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_SETUID_FIXUP);
    check(&truth, &expected);
}

static void test_writable_executable(void **state)
{
    scene_probe("open-to-all", 0757);
    assert_int_equal(chown(scene_path("open-to-all"), SOME_UID, SOME_GID), 0);
    struct start start = {scene_path("open-to-all"), just_probe};
    struct truth truth = run(child_execve, &start);
    struct process expected = expected_of(&truth, &start);

    assert_true(expected.exe_writable && expected.exe_uid == SOME_UID);
    check(&truth, &expected);
}

#define CONTAINER "3f0a1b2c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8"

static int child_container(void *argument)
{
    struct start *start = argument;
    CLEANUP(closep) int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    CLEANUP(closep) int root = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    if (mkdirat(root, "docker-" CONTAINER ".scope", 0755) < 0 && errno != EEXIST)
        return -1;
    CLEANUP(closep)
    int joined = openat(root, "docker-" CONTAINER ".scope/cgroup.procs", O_WRONLY | O_CLOEXEC);

    if (write(joined, "0", 1) != 1)
        return -1;
    return child_execve(start);
}

static void test_container(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_container, &start);
    struct process expected = expected_of(&truth, &start);

    assert_true(text_is(expected.cgroup_path, "/docker-" CONTAINER ".scope"));
    assert_true(text_is(expected.container_id, CONTAINER));
    assert_true(text_is(expected.container_runtime, "docker"));
    check(&truth, &expected);
    CLEANUP(closep) int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

    assert_int_equal(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
    CLEANUP(closep) int root = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    assert_int_equal(unlinkat(root, "docker-" CONTAINER ".scope", AT_REMOVEDIR), 0);
}

static int pty_open(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (terminal >= 0)
        return terminal;
    /* There is no /dev/ptmx that works in a bare chroot. */
    CLEANUP(closep) int fs = fsopen("devpts", FSOPEN_CLOEXEC);

    assert_int_equal(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
    CLEANUP(closep) int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    return openat(mounted, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

struct start_on {
    struct start start;
    int terminal;
};

static int child_terminal(void *argument)
{
    struct start_on *on = argument;

    if (setsid() < 0 || ioctl(on->terminal, TIOCSCTTY, 0) < 0)
        return -1;
    return child_execve(&on->start);
}

static void test_terminal(void **state)
{
    const char *argv[] = {"probe", NULL};
    CLEANUP(closep) int master = pty_open();
    int unlocked = 0;

    assert_true(master >= 0);
    assert_int_equal(ioctl(master, TIOCSPTLCK, &unlocked), 0);
    CLEANUP(closep) int terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

    assert_true(terminal >= 0);
    struct start_on on = {{scene_path("probe"), argv}, terminal};
    struct truth truth = run(child_terminal, &on);
    struct process expected = expected_of(&truth, &on.start);
    unsigned number;

    assert_int_equal(ioctl(master, TIOCGPTN, &number), 0);
    assert_true(text_is(expected.tty, arena_printf(&capture.arena, "pts/%u", number)));
    check(&truth, &expected);
}

/* Deeper than what a record has room for: the end is there, and the flag. */
static int child_deep(void *argument)
{
    const char *argv[] = {"probe", NULL};

    for (int i = 0; i < 50; i++)
        if ((mkdir(argument, 0755) < 0 && errno != EEXIST) || chdir(argument) < 0)
            return -1;
    CLEANUP(closep) int copy = open("deep", O_WRONLY | O_CREAT | O_TRUNC, 0755);

    scene_copy(scene_path("probe"), copy);
    closep(&copy);
    copy = -1;
    return execv("deep", (char *const *)argv);
}

static void test_path_beyond_the_record(void **state)
{
    char name[256];

    memset(name, 'd', 255);
    name[255] = '\0';
    assert_int_equal(chdir(scene_path("")), 0);
    struct truth truth = run(child_deep, name);

    assert_int_equal(chdir("/"), 0);
    const struct record *record = capture_find(&capture, EVENT_EXEC, truth.pid, 0);

    assert_non_null(record);
    assert_true(record->process.exe_truncated);
    assert_true(record->process.cwd_truncated && !record->process.filename_truncated);
    assert_true(record->process.exe.len > 4096 && record->process.cwd.len > 4096);
    assert_true(text_ends(record->process.exe, TEXT("ddd/deep")));
    assert_true(text_ends(record->process.cwd, TEXT("ddd")));
    assert_false(text_starts(record->process.exe, TEXT("/")));
    assert_false(text_starts(record->process.cwd, TEXT("/")));
    assert_true(text_is(record->process.filename, "deep"));
}

/* A tree that is mounted nowhere has a root, but not the machine's. */
static int child_unmounted(void *argument)
{
    const char *argv[] = {"probe", NULL};
    int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

    if (unshare(CLONE_NEWNS) < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    mkdir(scene_path("mount"), 0755);
    if (move_mount(mounted, "", AT_FDCWD, scene_path("mount"), MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -1;
    int copy = openat(mounted, "probe", O_WRONLY | O_CREAT, 0755);

    scene_copy(scene_path("probe"), copy);
    close(copy);
    int file = openat(mounted, "probe", O_RDONLY | O_CLOEXEC);

    if (fchdir(mounted) < 0 || umount2(scene_path("mount"), MNT_DETACH) < 0)
        return -1;
    return fexecve(file, (char *const *)argv, environ);
}

static void test_unmounted_tree(void **state)
{
    struct truth truth = run(child_unmounted, NULL);
    const struct record *record = capture_find(&capture, EVENT_EXEC, truth.pid, 0);

    assert_non_null(record);
    assert_true(record->process.exe_truncated && record->process.cwd_truncated);
    assert_true(text_is(record->process.exe, "probe"));
    assert_true(text_is(record->process.cwd, ""));
}

/* Nor is that of a tree that was never mounted. */
static int child_detached(void *argument)
{
    const char *argv[] = {"probe", NULL};
    int tree = open_tree(AT_FDCWD, scene_path(""), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    if (fchdir(tree) < 0 || (argument && chdir(argument) < 0))
        return -1;
    return execv(argument ? "../probe" : "./probe", (char *const *)argv);
}

static void check_detached(const char *folder)
{
    struct truth truth = run(child_detached, (void *)folder);
    const struct record *record = capture_find(&capture, EVENT_EXEC, truth.pid, 0);

    assert_non_null(record);
    assert_true(record->process.exe_truncated && record->process.cwd_truncated);
    assert_true(text_is(record->process.exe, "probe"));
    assert_true(text_is(record->process.cwd, folder ? folder : ""));
    assert_false(record->process.filename_truncated);
    assert_int_equal(record->process.exe_inode, truth.exe_inode);
}

static void test_detached_tree(void **state)
{
    mkdir(scene_path("folder"), 0755);
    check_detached(NULL);
    check_detached("folder");
}

static int child_other_mounts(void *argument)
{
    return unshare(CLONE_NEWNS) < 0 ? -1 : child_execve(argument);
}

static void test_new_mount_namespace(void **state)
{
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_other_mounts, &start);
    struct process expected = expected_of(&truth, &start);

    check(&truth, &expected);
}

/* Mounts all there is at the folder "root" too, and goes there. */
static int root_enter(void)
{
    const char *root = scene_path("root");

    return mount("/", root, NULL, MS_BIND | MS_REC, NULL) < 0 ? -1 : chdir(root);
}

/* Once with chroot(2), which makes a mount the root, and so pivot_root(2) possible. */
static int child_other_root(void *argument)
{
    if (unshare(CLONE_NEWNS) < 0)
        return -1;
    int root = chroot_leave();

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || chroot_return(root) < 0)
        return -1;
    if (root_enter() < 0 || chroot(".") < 0 || chdir("/") < 0)
        return -1;
    if (root_enter() < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
        return -1;
    return child_execve(argument);
}

static void test_other_root(void **state)
{
    mkdir(scene_path("root"), 0755);
    struct start start = {scene_path("probe"), just_probe};
    struct truth truth = run(child_other_root, &start);
    struct process expected = expected_of(&truth, &start);

    /* The record tells the whole way from the root of the namespace. */
    const char *root = scene_path("root");
    size_t outer = expected.exe.len - strlen(truth.exe);

    expected.exe = text_from(
        arena_printf(&capture.arena, "%.*s%s%s", (int)outer, expected.exe.ptr, root, truth.exe));
    expected.cwd =
        text_from(arena_printf(&capture.arena, "%.*s%s", (int)outer, expected.exe.ptr, root));
    check(&truth, &expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_execve),
        cmocka_unit_test(test_relative_filename),
        cmocka_unit_test(test_argv_of_1_byte),
        cmocka_unit_test(test_argv_of_10000_bytes),
        cmocka_unit_test(test_argv_as_long_as_is_taken),
        cmocka_unit_test(test_argv_of_100000_bytes),
        cmocka_unit_test(test_argv_of_any_bytes),
        cmocka_unit_test(test_no_argv),
        cmocka_unit_test(test_execveat_of_a_folder),
        cmocka_unit_test(test_execveat_of_a_path_of_4095_bytes),
        cmocka_unit_test(test_execveat_of_a_file),
        cmocka_unit_test(test_memfd),
        cmocka_unit_test(test_deleted),
        cmocka_unit_test(test_hard_link),
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_script_by_a_relative_path),
        cmocka_unit_test(test_exec_of_a_second_thread),
        cmocka_unit_test(test_vfork),
        cmocka_unit_test(test_other_user),
        cmocka_unit_test(test_effective_user),
        cmocka_unit_test(test_setuid_executable),
        cmocka_unit_test(test_setgid_executable),
        cmocka_unit_test(test_new_pid_and_user_namespaces),
        cmocka_unit_test(test_new_namespaces),
        cmocka_unit_test(test_new_session_and_group),
        cmocka_unit_test(test_sockets_as_descriptors),
        cmocka_unit_test(test_files_as_descriptors),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_no_environment),
        cmocka_unit_test(test_file_capabilities),
        cmocka_unit_test(test_ambient_capabilities),
        cmocka_unit_test(test_secure_bits),
        cmocka_unit_test(test_writable_executable),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_terminal),
        cmocka_unit_test(test_path_beyond_the_record),
        cmocka_unit_test(test_unmounted_tree),
        cmocka_unit_test(test_detached_tree),
        cmocka_unit_test(test_new_mount_namespace),
        cmocka_unit_test(test_other_root),
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
