/* The real /proc of real children. */
#include "records.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "../terminal.h"
#include "base/clock.h"
#include "process/proc_scan.h"

/* A child that has begun and waits until it is killed. */
static pid_t start_child(void (*prepare)(void))
{
    int ready[2];
    char byte;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ready[0]);
        prepare();
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    /* Its end instead of a byte: the child execs, and that closed the pipe. */
    assert_true(read(ready[0], &byte, 1) >= 0);
    close(ready[0]);
    return pid;
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nothing(void)
{
}

static int set_up(void **state)
{
    struct proc_scan *scan = malloc(sizeof *scan);

    *state = scan;
    return scan ? proc_scan_init(scan, "/proc") : -1;
}

static int tear_down(void **state)
{
    proc_scan_deinit(*state);
    free(*state);
    return 0;
}

static void our_own_entry_is_what_we_know_of_ourselves(void **state)
{
    char exe[PATH_MAX], cwd[PATH_MAX], device[32], mode[16];
    struct proc_entry entry;
    struct stat file;
    const struct process *process = &entry.process;

    assert_int_equal(proc_scan_read(*state, getpid(), &entry), 0);
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);

    assert_true(len > 0);
    exe[len] = '\0';
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(stat(exe, &file), 0);
    snprintf(device, sizeof device, "%u:%u", major(file.st_dev), minor(file.st_dev));
    snprintf(mode, sizeof mode, "%04o", file.st_mode & 07777U);
    assert_int_equal(entry.self.pid, getpid());
    assert_int_equal(entry.ppid, getppid());
    assert_int_equal(process->ppid, getppid());
    assert_false(entry.zombie);
    assert_int_equal(entry.self.start % PROC_TICK_NS, 0);
    assert_in_range(entry.self.start, 1, clock_boottime());
    assert_text(process->exe, exe);
    assert_text(process->cwd, cwd);
    assert_true(has(process, FIELD_CWD_TRUNCATED) && !process->cwd_truncated);
    assert_text(process->exe_device, device);
    assert_text(process->exe_mode, mode);
    assert_int_equal(process->exe_inode, file.st_ino);
    assert_int_equal(process->exe_nlink, file.st_nlink);
    assert_false(process->exe_deleted);
    assert_false(process->exe_memfd);
    assert_false(process->exe_setuid);
    assert_int_equal(process->exe_size, file.st_size);
    assert_int_equal(process->exe_mtime, file.st_mtim.tv_sec * NS_PER_S + file.st_mtim.tv_nsec);
    assert_int_equal(process->exe_ctime, file.st_ctim.tv_sec * NS_PER_S + file.st_ctim.tv_nsec);
    assert_true(process->exe_uid == file.st_uid && process->exe_gid == file.st_gid);
    assert_int_equal(process->exe_writable, file.st_mode & S_IWOTH);
    assert_int_equal(process->pgid, getpgrp());
    assert_int_equal(process->sid, getsid(0));
    assert_int_equal(process->cmdline_omitted, 0);
    assert_text(process->comm, "test_proc_scan");
    assert_true(process->argc >= 1);
    assert_false(process->cmdline_truncated);
    assert_int_equal(process->cmdline_length, process->cmdline.len);
    assert_false(has(process, FIELD_START_TIME));
    assert_null(process->parent);
}

static int image; /* of what exec_image() runs */

static void exec_image(void)
{
    const char *const argv[] = {"sleep", "60", NULL};
    const char *const envp[] = {NULL};

    fexecve(image, (char *const *)argv, (char *const *)envp);
    _exit(1);
}

static void copy_sleep_to(int fd)
{
    char bytes[65536];
    CLEANUP(closep) int sleep = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    while ((n = read(sleep, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(fd, bytes, (size_t)n), n);
    assert_int_equal(n, 0);
    assert_int_equal(fchmod(fd, 04750), 0);
}

static void who_we_are_is_what_the_kernel_tells_us(void **state)
{
    struct proc_entry entry;
    uid_t uid, euid, suid;
    gid_t gid, egid, sgid;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    const struct process *process = &entry.process;

    assert_int_equal(proc_scan_read(*state, getpid(), &entry), 0);
    assert_int_equal(getresuid(&uid, &euid, &suid), 0);
    assert_int_equal(getresgid(&gid, &egid, &sgid), 0);
    assert_true(process->uid == uid && process->euid == euid && process->suid == suid);
    assert_true(process->gid == gid && process->egid == egid && process->sgid == sgid);
    assert_int_equal(syscall(SYS_capget, &header, sets), 0);
    assert_int_equal(process->cap_effective, (uint64_t)sets[1].effective << 32 | sets[0].effective);
    assert_int_equal(process->cap_permitted, (uint64_t)sets[1].permitted << 32 | sets[0].permitted);
    assert_int_equal(process->cap_inheritable,
                     (uint64_t)sets[1].inheritable << 32 | sets[0].inheritable);
    for (int bit = 0; bit < 41; bit++)
        assert_int_equal(process->cap_ambient >> bit & 1,
                         prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, bit, 0, 0));
    assert_int_equal(process->vpid, getpid());
    assert_false(has(process, FIELD_SECUREBITS) || has(process, FIELD_EXE_AGE));
    assert_false(has(process, FIELD_ENV)); /* none was asked for */
}

static int64_t inode_of(const char *path)
{
    struct stat file;

    assert_int_equal(stat(path, &file), 0);
    return (int64_t)file.st_ino;
}

static void namespaces_are_those_of_their_files(void **state)
{
    struct proc_entry entry;
    const struct process *process = &entry.process;

    assert_int_equal(proc_scan_read(*state, getpid(), &entry), 0);
    assert_int_equal(process->ns_cgroup, inode_of("/proc/self/ns/cgroup"));
    assert_int_equal(process->ns_ipc, inode_of("/proc/self/ns/ipc"));
    assert_int_equal(process->ns_mnt, inode_of("/proc/self/ns/mnt"));
    assert_int_equal(process->ns_net, inode_of("/proc/self/ns/net"));
    assert_int_equal(process->ns_pid, inode_of("/proc/self/ns/pid"));
    assert_int_equal(process->ns_user, inode_of("/proc/self/ns/user"));
    assert_int_equal(process->ns_uts, inode_of("/proc/self/ns/uts"));
}

static void change_descriptors(void)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || dup2(pair[0], 0) < 0 || close(1) < 0 ||
        dup2(open("/dev/null", O_RDWR), 2) < 0)
        _exit(1);
    close(1);
}

static void standard_descriptors_have_their_kinds(void **state)
{
    pid_t pid = start_child(change_descriptors);
    struct proc_entry entry;

    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.stdin, "socket"); /* of which family /proc does not say */
    assert_text(entry.process.stdout, "closed");
    assert_text(entry.process.stderr, "null");
    end_child(pid);
}

static void exec_with_environment(void)
{
    const char *const argv[] = {"sh", "-c", "kill -STOP $$; :", NULL};
    const char *const envp[] = {"A=1", "LD_PRELOAD=", "B=\xff", "LONG=x", NULL};

    execve("/bin/sh", (char *const *)argv, (char *const *)envp);
    _exit(1);
}

static void chosen_variables_are_read(void **state)
{
    static const char *const names[] = {"B", "LD_PRELOAD", "NONE"};
    struct proc_scan *scan = *state;
    pid_t pid = start_child(exec_with_environment);
    struct proc_entry entry;

    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    scan->environment = names;
    scan->environment_count = 3;
    assert_int_equal(proc_scan_read(scan, pid, &entry), 0);
    assert_true(text_equal(entry.process.env, TEXT("LD_PRELOAD=\0B=\xff\0")));
    assert_int_equal(entry.process.env_length, sizeof "A=1\0LD_PRELOAD=\0B=x\0LONG=x");
    assert_false(entry.process.env_truncated);
    end_child(pid);
}

/* As a test that has the rights would be told by statfs, if that had names. */
static void the_file_system_has_its_name(void **state)
{
    struct proc_entry entry;
    struct statfs fs;
    pid_t pid;

    image = memfd_create("payload", MFD_CLOEXEC);
    assert_true(image >= 0);
    copy_sleep_to(image);
    pid = start_child(exec_image);
    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.exe_filesystem, "tmpfs");
    assert_true(entry.process.exe_tmpfs);
    end_child(pid);
    close(image);
    assert_int_equal(proc_scan_read(*state, getpid(), &entry), 0);
    assert_int_equal(statfs("/proc/self/exe", &fs), 0);
    assert_int_equal(entry.process.exe_tmpfs,
                     fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
    if (fs.f_type == EXT4_SUPER_MAGIC)
        assert_true(text_starts(entry.process.exe_filesystem, TEXT("ext")));
    if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
        assert_text(entry.process.exe_filesystem, "overlay");
}

/* The hierarchy and the path that the kernel says, in its words. */
static void the_cgroup_has_its_path(void **state)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/self/cgroup", "r");
    char line[4096] = "", wanted[4096] = "/", memory[4096] = "";
    struct proc_entry entry;

    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) == 0)
            snprintf(wanted, sizeof wanted, "%s", line + 3);
        else if (strstr(line, ":memory:"))
            snprintf(memory, sizeof memory, "%s", strrchr(line, ':') + 1);
    }
    assert_int_equal(proc_scan_read(*state, getpid(), &entry), 0);
    if (strlen(wanted) == 1 && strlen(memory) > 1)
        assert_text(entry.process.cgroup_path, memory);
    else if (strlen(wanted) > 1)
        assert_text(entry.process.cgroup_path, wanted);
    else
        assert_true(has(&entry.process, FIELD_CGROUP_PATH));
}

/* Who may not look at a process sees less of it, and that is no failure. */
static void what_may_not_be_read_is_absent(void **state)
{
    static const enum field_id secret[] = {FIELD_EXE,           FIELD_EXE_INODE, FIELD_CWD,
                                           FIELD_ENV,           FIELD_STDIN,     FIELD_NS_MNT,
                                           FIELD_EXE_FILESYSTEM};
    static const char *const names[] = {"PATH"};
    struct proc_scan *scan = *state;
    int status;

    if (geteuid() != 0)
        skip();
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        struct proc_entry entry;

        scan->environment = names;
        scan->environment_count = 1;
        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
            proc_scan_read(scan, getppid(), &entry) < 0)
            _exit(1);
        for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
            if (has(&entry.process, secret[i]))
                _exit(2);
        _exit(has(&entry.process, FIELD_COMM) && has(&entry.process, FIELD_ARGV) &&
                      has(&entry.process, FIELD_CAP_EFFECTIVE) && entry.process.uid == 0
                  ? 0
                  : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void exec_sleep(void)
{
    char long_one[5000];

    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    execl("/bin/sh", "a b", "-c", "kill -STOP $$; :", "", long_one, "\xff\n", (char *)NULL);
    _exit(1);
}

static void arguments_are_read_as_they_are(void **state)
{
    pid_t pid = start_child(exec_sleep);
    struct proc_entry entry;
    struct text rest, item;

    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    rest = entry.process.argv;
    assert_int_equal(entry.process.argc, 6);
    assert_true(text_list_next(&rest, &item));
    assert_text(item, "a b");
    assert_true(text_list_next(&rest, &item) && text_list_next(&rest, &item));
    assert_text(item, "kill -STOP $$; :");
    assert_true(text_list_next(&rest, &item));
    assert_text(item, "");
    assert_true(text_list_next(&rest, &item));
    assert_int_equal(item.len, 4999);
    assert_true(text_list_next(&rest, &item));
    assert_text(item, "\xff\n");
    assert_false(text_list_next(&rest, &item));
    assert_int_equal(entry.process.cmdline.len, entry.process.argv.len - 1);
    assert_true(text_starts(entry.process.cmdline, TEXT("a b -c kill")));
    end_child(pid);
}

static void take_an_odd_name(void)
{
    prctl(PR_SET_NAME, ") R 1 1\n(");
}

static void a_name_of_parentheses_confuses_nobody(void **state)
{
    pid_t pid = start_child(take_an_odd_name);
    struct proc_entry entry;

    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.comm, ") R 1 1\n(");
    assert_int_equal(entry.ppid, getpid());
    end_child(pid);
}

static void executables_in_memory_are_known_as_such(void **state)
{
    struct proc_entry entry;

    image = memfd_create("payload", MFD_CLOEXEC);
    assert_true(image >= 0);
    copy_sleep_to(image);
    pid_t pid = start_child(exec_image);

    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.exe, "/memfd:payload");
    assert_true(entry.process.exe_memfd);
    assert_true(entry.process.exe_deleted);
    assert_true(entry.process.exe_setuid);
    assert_text(entry.process.exe_mode, "4750");
    end_child(pid);
    close(image);
}

static void deleted_executables_keep_their_last_name(void **state)
{
    char path[] = "/tmp/picket-gone (deleted)-XXXXXX";
    struct proc_entry entry;
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    copy_sleep_to(fd);
    close(fd); /* one cannot exec what is open for writing */
    image = open(path, O_RDONLY | O_CLOEXEC);
    pid_t pid = start_child(exec_image);

    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.exe, path);
    assert_false(entry.process.exe_deleted);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_text(entry.process.exe, path);
    assert_true(entry.process.exe_deleted);
    assert_false(entry.process.exe_memfd);
    assert_int_equal(entry.process.exe_nlink, 0);
    end_child(pid);
    close(image);
}

static void open_a_terminal(void)
{
    int leader, follower;

    setsid();
    if (terminal_open(&leader, &follower) < 0 || ioctl(follower, TIOCSCTTY, 0) < 0)
        _exit(1);
}

static void the_terminal_has_its_name(void **state)
{
    pid_t pid = start_child(open_a_terminal);
    struct proc_entry entry;

    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_false(entry.zombie);
    assert_true(text_starts(entry.process.tty, TEXT("pts/")));
    end_child(pid);
    pid = start_child((void (*)(void))setsid);
    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_false(has(&entry.process, FIELD_TTY));
    end_child(pid);
}

static void who_has_gone_is_not_found(void **state)
{
    pid_t pid = start_child(nothing);
    struct proc_entry entry;
    struct proc_stat stat;

    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_scan_read(*state, pid, &entry), 0);
    assert_true(entry.zombie);
    assert_false(has(&entry.process, FIELD_ARGV));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(proc_scan_read(*state, pid, &entry), -ESRCH);
    assert_int_equal(proc_scan_stat(*state, pid, &stat), -ESRCH);
    assert_int_equal(proc_scan_stat(*state, INT64_MAX, &stat), -ESRCH);
}

static int look_for(int64_t pid, void *context)
{
    return pid == *(pid_t *)context ? 7 : 0;
}

static void every_process_is_visited(void **state)
{
    pid_t pid = start_child(nothing), none = -1;

    assert_int_equal(proc_scan_each(*state, look_for, &pid), 7);
    assert_int_equal(proc_scan_each(*state, look_for, &none), 0);
    end_child(pid);
}

static struct process_table *scanned_table(void)
{
    struct process_table *table = NULL;

    assert_int_equal(process_table_new(NULL, &table), 0);
    assert_int_equal(process_table_scan(table), 0);
    return table;
}

/* As the kernel would have it: somewhere in the tick that /proc shows. */
static struct identity identity_of(struct proc_scan *scan, pid_t pid)
{
    struct proc_stat stat;

    assert_int_equal(proc_scan_stat(scan, pid, &stat), 0);
    stat.self.start += 1234567;
    return stat.self;
}

static void a_scan_finds_those_before_us_with_their_parents(void **state)
{
    pid_t pid = start_child(nothing);
    CLEANUP(process_table_freep) struct process_table *table = scanned_table();
    struct identity self = identity_of(*state, pid);
    struct process_table_counters counters;
    const struct process *process = process_table_find(table, self);

    assert_non_null(process);
    assert_int_equal(process->pid, pid);
    assert_text(process->comm, "test_proc_scan");
    assert_int_equal(process->parent->pid, getpid());
    assert_int_equal(process->parent->parent->pid, getppid());
    assert_in_range(process->start_time - clock_boot_offset() - self.start + NS_PER_S, 1,
                    2 * NS_PER_S);
    process_table_count(table, &counters);
    assert_true(counters.live >= 3);
    assert_int_equal(counters.from_proc, counters.live + counters.exited);

    /* The exact start was adopted: another one in the same tick is somebody else. */
    self.start++;
    assert_null(process_table_find(table, self));
    self.start--;
    assert_non_null(process_table_find(table, self));
    assert_int_equal(process_table_scan(table), 0);
    assert_non_null(process_table_find(table, self));
    end_child(pid);
}

static void a_scan_does_not_undo_what_a_record_said(void **state)
{
    CLEANUP(process_table_freep) struct process_table *table = NULL;
    pid_t pid = start_child(nothing);
    struct identity self = identity_of(*state, pid), parent = identity_of(*state, getpid());
    struct record exec = record_of(EVENT_EXEC, self, parent, clock_boottime());
    struct event event;

    assert_int_equal(process_table_new(NULL, &table), 0);
    record_set_image(&exec, "/bin/newer", TEXT("newer\0"));
    assert_int_equal(process_table_apply(table, &exec, &event), 0);
    assert_int_equal(process_table_scan(table), 0);
    assert_text(process_table_find(table, self)->exe, "/bin/newer");
    end_child(pid);
}

static void a_late_start_looks_up_parents_and_callers(void **state)
{
    CLEANUP(process_table_freep) struct process_table *table = NULL;
    pid_t pid = start_child(nothing);
    struct identity self = identity_of(*state, pid), parent = identity_of(*state, getpid());
    struct identity wrong = {parent.pid, parent.start + 10 * NS_PER_S};
    struct record failed = record_of(EVENT_EXEC_FAILED, self, parent, clock_boottime());
    struct record fork = record_of(EVENT_FORK, (struct identity){1 << 23, 5}, parent, 6);
    struct record stray = record_of(EVENT_FORK, (struct identity){1 << 23, 7}, wrong, 8);
    struct process_table_counters counters;
    struct event event;

    assert_int_equal(process_table_new(NULL, &table), 0);
    failed.retval = -EACCES;
    assert_int_equal(process_table_apply(table, &failed, &event), 0);
    assert_text(event.process->comm, "test_proc_scan");
    assert_true(has(event.process, FIELD_EXE));
    assert_int_equal(event.process->parent->pid, getpid());
    assert_int_equal(event.process->parent->parent->pid, getppid());
    assert_int_equal(process_table_apply(table, &fork, &event), 0);
    assert_int_equal(event.process->parent->pid, getpid());
    assert_text(event.process->comm, "test_proc_scan");
    process_table_count(table, &counters);
    assert_int_equal(counters.unknown_parents, 0);

    /* That pid is there, but began at another time. */
    assert_int_equal(process_table_apply(table, &stray, &event), 0);
    assert_null(event.process->parent);
    assert_false(has(event.process, FIELD_EXE));
    process_table_count(table, &counters);
    assert_int_equal(counters.unknown_parents, 1);
    end_child(pid);
}

static int open_executable(void *context, const struct exe_file *file, int *out)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%lld/exe", (long long)file->pid);
    *out = open(path, O_RDONLY | O_CLOEXEC);
    return *out < 0 ? -errno : 0;
}

/* What sha256sum(1) says of a file. */
static void sum_of(const char *path, char hex[static 65])
{
    char command[PATH_MAX + 16];

    snprintf(command, sizeof command, "sha256sum %s", path);
    FILE *sum = popen(command, "re"); /* NOLINT(cert-env33-c): another's answer is the point */

    assert_non_null(sum);
    assert_int_equal(fread(hex, 1, 64, sum), 64);
    hex[64] = '\0';
    pclose(sum);
}

/* Those who ran before have hashes too, and their ancestors. */
static void executables_have_their_hashes(void **state)
{
    CLEANUP(exe_hash_freep) struct exe_hash *hash = NULL;
    CLEANUP(process_table_freep) struct process_table *table = NULL;
    char path[32], hex[65];
    struct event event;
    pid_t pid = start_child(exec_sleep);

    assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
    table = scanned_table();
    struct identity self = identity_of(*state, pid), parent = identity_of(*state, getpid());
    struct record failed = record_of(EVENT_EXEC_FAILED, self, parent, clock_boottime());

    failed.retval = -EACCES;
    assert_int_equal(exe_hash_new(&(struct exe_hash_options){.open = open_executable}, &hash), 0);
    assert_int_equal(exe_hash_start(hash), 0);
    assert_int_equal(process_table_apply(table, &failed, &event), 0);
    assert_false(has(event.process, FIELD_EXE_SHA256));
    process_table_set_hash(table, hash);
    do
        assert_int_equal(process_table_apply(table, &failed, &event), 0);
    while (!has(event.process, FIELD_EXE_SHA256) || !has(event.process->parent, FIELD_EXE_SHA256));
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    sum_of(path, hex);
    assert_text(event.process->exe_sha256, hex);
    snprintf(path, sizeof path, "/proc/%d/exe", getpid());
    sum_of(path, hex);
    assert_text(event.process->parent->exe_sha256, hex);
    process_table_set_hash(table, NULL);
    end_child(pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(our_own_entry_is_what_we_know_of_ourselves),
        TEST(who_we_are_is_what_the_kernel_tells_us),
        TEST(namespaces_are_those_of_their_files),
        TEST(standard_descriptors_have_their_kinds),
        TEST(chosen_variables_are_read),
        TEST(the_file_system_has_its_name),
        TEST(the_cgroup_has_its_path),
        TEST(what_may_not_be_read_is_absent),
        TEST(arguments_are_read_as_they_are),
        TEST(a_name_of_parentheses_confuses_nobody),
        TEST(executables_in_memory_are_known_as_such),
        TEST(deleted_executables_keep_their_last_name),
        TEST(the_terminal_has_its_name),
        TEST(who_has_gone_is_not_found),
        TEST(every_process_is_visited),
        TEST(a_scan_finds_those_before_us_with_their_parents),
        TEST(a_scan_does_not_undo_what_a_record_said),
        TEST(a_late_start_looks_up_parents_and_callers),
        TEST(executables_have_their_hashes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
