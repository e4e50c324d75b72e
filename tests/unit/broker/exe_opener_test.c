/* The opener gives away the executables of processes, for reading, and nothing else. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "broker/exe_opener.h"
#include "broker/rights.h"
#include "proc_status.h"

#define NOBODY 65534

struct fixture {
    struct exe_opener *opener;
    struct exe_wanted self; /* this program */
    struct stat file;
};

static struct exe_wanted wanted(pid_t pid, const struct stat *file)
{
    return (struct exe_wanted){
        .pid = pid,
        .device = (uint64_t)major(file->st_dev) << 20 | minor(file->st_dev),
        .inode = file->st_ino,
        .ctime = file->st_ctim.tv_sec * NS_PER_S + file->st_ctim.tv_nsec,
    };
}

static int set_up(void **state)
{
    static struct fixture f;

    assert_int_equal(0, stat("/proc/self/exe", &f.file));
    f.self = wanted(getpid(), &f.file);
    assert_int_equal(
        0, exe_opener_new(getuid() ? getuid() : NOBODY, getgid() ? getgid() : NOBODY, &f.opener));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    exe_opener_free(f->opener);
    return 0;
}

static void expect(struct fixture *f, const struct exe_wanted *wish, int result)
{
    int fd = -1;

    assert_int_equal(result, exe_opener_open(f->opener, wish, &fd));
    assert_true((result == 0) == (fd >= 0));
    if (fd >= 0)
        close(fd);
}

static void opens_for_reading(void **state)
{
    struct fixture *f = *state;
    struct stat opened;
    char magic[4];
    int fd;

    assert_int_equal(0, exe_opener_open(f->opener, &f->self, &fd));
    assert_int_equal(0, fstat(fd, &opened));
    assert_true(opened.st_dev == f->file.st_dev && opened.st_ino == f->file.st_ino);
    assert_int_equal(sizeof magic, pread(fd, magic, sizeof magic, 0));
    assert_memory_equal("\177ELF", magic, sizeof magic);
    assert_int_equal(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void only_the_file_that_is_meant(void **state)
{
    struct fixture *f = *state;
    struct exe_wanted wish = f->self;

    wish.inode++;
    expect(f, &wish, -ESTALE);
    wish = f->self;
    wish.device++;
    expect(f, &wish, 0); /* the same moment of change will do: see is_wanted() */
    wish.ctime++;
    expect(f, &wish, -ESTALE);
    wish = f->self;
    wish.ctime = 0;
    expect(f, &wish, 0); /* it may have got another name, or mode, since */
}

static void says_when_there_is_none(void **state)
{
    struct fixture *f = *state;
    struct exe_wanted wish = f->self;
    pid_t gone = fork();

    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    wish.pid = gone;
    expect(f, &wish, -ESRCH);
    wish.pid = 0;
    expect(f, &wish, -EINVAL);
    wish.pid = -1;
    expect(f, &wish, -EINVAL);
    wish.pid = INT64_MAX;
    expect(f, &wish, -ESRCH);
    wish.pid = 2; /* kthreadd, where there is one, has no executable */
    int fd = -1;

    assert_true(exe_opener_open(f->opener, &wish, &fd) < 0);
    assert_int_equal(-1, fd);
}

/* Any numbers, from an engine that is no longer ours: no file but a wanted one. */
static void any_numbers_open_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 1;

    for (int i = 0; i < 20000; i++) {
        struct exe_wanted wish;
        unsigned char *bytes = (void *)&wish;
        int fd = -1;

        for (size_t k = 0; k < sizeof wish; k++)
            bytes[k] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
        if (i % 2)
            wish.pid = i;
        assert_true(exe_opener_open(f->opener, &wish, &fd) < 0);
        assert_int_equal(-1, fd);
    }
    expect(f, &f->self, 0);
}

/* A program of mode 0100 that has lost its name and runs as another user. */
static pid_t run_unreadable(struct stat *file)
{
    char path[] = "/tmp/picket-opener-XXXXXX";
    int to = mkstemp(path), from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int ready[2] = {-1, -1};
    char bytes[65536];
    ssize_t got;

    assert_true(to >= 0 && from >= 0 && pipe2(ready, O_CLOEXEC) == 0);
    while ((got = read(from, bytes, sizeof bytes)) > 0)
        assert_int_equal(got, write(to, bytes, (size_t)got));
    assert_int_equal(0, fchmod(to, 0100));
    assert_int_equal(0, fstat(to, file));
    close(to);
    close(from);
    pid_t pid = fork();

    if (pid == 0) {
        execl(path, path, "pause", NULL);
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(0, read(ready[0], bytes, 1)); /* closed by the exec */
    close(ready[0]);
    assert_int_equal(0, unlink(path));
    return pid;
}

static void an_engine_without_rights_gets_what_it_could_not_open(void **state)
{
    struct fixture *f = *state;
    struct stat file;
    int status;

    if (getuid() != 0)
        skip();
    pid_t target = run_unreadable(&file);
    pid_t engine = fork();

    if (engine == 0) {
        struct exe_wanted wish = wanted(target, &file);
        char path[64], byte;
        int fd = -1;

        snprintf(path, sizeof path, "/proc/%d/exe", target);
        if (rights_reduce(&(struct rights){.uid = NOBODY, .gid = NOBODY}) < 0)
            _exit(1);
        if (open(path, O_RDONLY | O_CLOEXEC) >= 0)
            _exit(2);
        if (exe_opener_open(f->opener, &wish, &fd) < 0 || read(fd, &byte, 1) != 1)
            _exit(3);
        _exit(0);
    }
    assert_int_equal(engine, waitpid(engine, &status, 0));
    kill(target, SIGKILL);
    waitpid(target, NULL, 0);
    assert_int_equal(0, status);
}

static pid_t find_child(const char *name)
{
    DIR *proc = opendir("/proc");
    char parent[16], line[256];
    pid_t found = 0;

    snprintf(parent, sizeof parent, "%d", getpid());
    for (const struct dirent *entry; !found && (entry = readdir(proc));) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && strcmp(parent, proc_status(pid, "PPid", line)) == 0 &&
            strcmp(name, proc_status(pid, "Name", line)) == 0)
            found = pid;
    }
    closedir(proc);
    return found;
}

static void holds_two_capabilities(void **state)
{
    pid_t pid = find_child("picket-opener");
    bool root = getuid() == 0;
    const char *two = root ? "0000000000080004" : "0000000000000000";
    char line[256];

    assert_true(pid > 0);
    assert_string_equal(two, proc_status(pid, "CapPrm", line));
    assert_string_equal(two, proc_status(pid, "CapEff", line));
    assert_string_equal("0000000000000000", proc_status(pid, "CapInh", line));
    assert_string_equal("0000000000000000", proc_status(pid, "CapAmb", line));
    assert_string_equal("1", proc_status(pid, "NoNewPrivs", line));
    assert_string_equal("2", proc_status(pid, "Seccomp", line));
    if (root) {
        assert_string_equal("0000000000000000", proc_status(pid, "CapBnd", line));
        assert_string_equal("65534\t65534\t65534\t65534", proc_status(pid, "Uid", line));
        assert_int_equal(5, proc_descriptors(pid)); /* the standard three, its socket, /proc */
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(opens_for_reading),
        TEST(only_the_file_that_is_meant),
        TEST(says_when_there_is_none),
        TEST(any_numbers_open_nothing),
        TEST(an_engine_without_rights_gets_what_it_could_not_open),
        TEST(holds_two_capabilities),
    };

    if (argc > 1) { /* run_unreadable()'s program */
        pause();
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
