/* Nothing of the engine is readable or writable from a host, whatever its plugin needs: memory,
 * descriptors, the journal, configurations, sockets of the machine. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

/* With a secret in it, as root may have it. */
static void write_config(struct rig *rig)
{
    int fd = open(rig_path(rig, "picket.yaml"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(6, write(fd, "token:", 6));
    close(fd);
}

static int listen_abstractly(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, name, strlen(name));
    assert_int_equal(0,
                     bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
    assert_int_equal(0, listen(fd, 4));
    return fd;
}

/* The journal's files, the page that counts for it, the configuration. */
static void find_files(struct rig *rig, glob_t *out)
{
    struct stat lock;

    assert_int_equal(0, stat(rig_path(rig, "alerts.db.lock"), &lock));
    const char *page =
        arena_printf(&rig->arena, "/dev/shm/picket-%llx-%llx", (unsigned long long)lock.st_dev,
                     (unsigned long long)lock.st_ino);

    assert_int_equal(0, glob(rig_path(rig, "alerts.db*"), 0, NULL, out));
    assert_true(out->gl_pathc >= 3);
    assert_int_equal(0, glob(page, GLOB_APPEND, NULL, out));
    assert_int_equal(0, glob(rig_path(rig, "picket.yaml"), GLOB_APPEND, NULL, out));
}

static const char *name_of(const char *path)
{
    return strrchr(path, '/') + 1;
}

static long long result_of(struct rig *rig, const char *what)
{
    const char *line = arena_printf(&rig->arena, "\n%s ", what);
    struct text got = rig_read(rig, "report");
    const char *at = memmem(got.ptr, got.len, line, strlen(line));

    if (at)
        return strtoll(at + strlen(line), NULL, 10);
    fail_msg("nothing is said of '%s' in:\n%.*s", what, TEXT_ARG(got));
    return -1;
}

static void expect(struct rig *rig, const char *what, long long wanted)
{
    long long got = result_of(rig, what);

    if (got != wanted)
        fail_msg("%s: %lld, not %lld", what, got, wanted);
}

static void expect_files_closed(struct rig *rig, const glob_t *files)
{
    static const char *const ways[] = {"read", "write", "both", "remove", "rename", "chmod"};

    for (size_t i = 0; i < files->gl_pathc; i++)
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            long long got = result_of(
                rig, arena_printf(&rig->arena, "%s %s", ways[k], name_of(files->gl_pathv[i])));

            if (got != EACCES && got != EPERM && got != EROFS && got != EXDEV)
                fail_msg("%s %s: %lld", ways[k], files->gl_pathv[i], got);
        }
}

/* Who may signal finds that there is no such process. */
static void expect_refusal(struct rig *rig, const char *what, bool may_signal)
{
    long long got = result_of(rig, what);

    if (got != EPERM && !(may_signal && got == ESRCH))
        fail_msg("%s: %lld", what, got);
}

static void expect_engine_closed(struct rig *rig, bool may_signal)
{
    static const char *const hidden[] = {"memory read", "memory write", "proc environ",
                                         "proc maps",   "proc fd/3",    "proc root",
                                         "proc cwd",    "proc auxv"};
    static const char *const refused[] = {"ptrace attach", "ptrace seize", "vm readv",
                                          "vm writev",     "pidfd open",   "pidfd getfd"};
    static const char *const signals[] = {"signal none", "signal stop", "signal kill",
                                          "signal queued"};

    if (!(rig_isolation() & ISOLATION_PROC))
        for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
            expect(rig, hidden[i], ENOENT);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect_refusal(rig, refused[i], may_signal);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        expect_refusal(rig, signals[i], may_signal);
    if (!(rig_isolation() & ISOLATION_PROC))
        expect(rig, "descriptors of others", 0);
}

static void run(struct rig *rig, const char *plugin, glob_t *files)
{
    CLEANUP(buffer_deinit) struct buffer argument = {0};
    const char *name = rig->dir;
    CLEANUP(closep) int listener = listen_abstractly(name);

    assert_true(listener >= 0);
    write_config(rig);
    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    find_files(rig, files);
    buffer_printf(&argument, "%s/%s,path=@/report,engine=%d,abstract=%s", RIG_FOLDER, plugin,
                  getpid(), name);
    for (size_t i = 0; i < files->gl_pathc; i++)
        buffer_printf(&argument, ",files=%s", files->gl_pathv[i]);
    const char *output = buffer_string(&argument);

    rig_start(rig, &output, 1);
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

static void expect_nothing_reached(struct rig *rig, const char *plugin)
{
    glob_t files;

    run(rig, plugin, &files);
    if (getuid() == 0)
        expect_files_closed(rig, &files);
    expect_engine_closed(rig, strstr(plugin, "programs") != NULL);
    globfree(&files);
}

static void one_that_needs_nothing_reaches_nothing(void **state)
{
    expect_nothing_reached(*state, "reacher.so");
    if (!(rig_isolation() & ISOLATION_NETWORK))
        expect(*state, "socket abstract", ECONNREFUSED);
}

/* But for sockets without a path, which belong to the network: docs/security.md. */
static void one_with_the_network_reaches_nothing(void **state)
{
    expect_nothing_reached(*state, "reacher_network.so");
}

static void one_with_programs_reaches_nothing(void **state)
{
    if (rig_isolation() & ISOLATION_PIDS)
        skip(); /* there it may signal nobody at all */
    expect_nothing_reached(*state, "reacher_programs.so");
    if (!(rig_isolation() & ISOLATION_NETWORK))
        expect(*state, "socket abstract", ECONNREFUSED);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_that_needs_nothing_reaches_nothing),
        TEST(one_with_the_network_reaches_nothing),
        TEST(one_with_programs_reaches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
