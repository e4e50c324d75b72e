/* The real /proc of real children. */
#include "records.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
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
    assert_int_equal(process->uid, getuid());
    assert_int_equal(process->euid, geteuid());
    assert_int_equal(process->gid, getgid());
    assert_int_equal(process->egid, getegid());
    assert_text(process->comm, "test_proc_scan");
    assert_true(process->argc >= 1);
    assert_false(process->cmdline_truncated);
    assert_int_equal(process->cmdline_length, process->cmdline.len);
    assert_false(has(process, FIELD_START_TIME));
    assert_null(process->parent);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(our_own_entry_is_what_we_know_of_ourselves),
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
