#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define WAIT_SECONDS 20

void capture_open(struct capture *capture, const struct sensor_options *options)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    *capture = (struct capture){0};
    if (sensor_open(options, &why, &capture->sensor) < 0) {
        fprintf(stderr, "the sensor does not open: %s\n", buffer_string(&why));
        exit(1);
    }
}

void capture_close(struct capture *capture)
{
    sensor_close(capture->sensor);
    arena_deinit(&capture->arena);
    free(capture->records);
    free(capture->tracked);
    *capture = (struct capture){0};
}

void capture_clear(struct capture *capture)
{
    capture->count = 0;
    capture->tracked_count = 0;
    arena_clear(&capture->arena);
}

static bool is_tracked(const struct capture *capture, int64_t pid)
{
    if (pid == getpid())
        return true;
    for (size_t i = 0; i < capture->tracked_count; i++)
        if (capture->tracked[i] == pid)
            return true;
    return false;
}

static void track(struct capture *capture, int64_t pid)
{
    if (capture->tracked_count == capture->tracked_size) {
        capture->tracked_size = capture->tracked_size * 2 + 16;
        capture->tracked =
            realloc(capture->tracked, capture->tracked_size * sizeof *capture->tracked);
        assert_non_null(capture->tracked);
    }
    capture->tracked[capture->tracked_count++] = pid;
}

static void record_keep(struct capture *capture, const struct record *record)
{
    if (capture->count == capture->size) {
        capture->size = capture->size * 2 + 16;
        capture->records = realloc(capture->records, capture->size * sizeof *capture->records);
        assert_non_null(capture->records);
    }
    struct record *copy = &capture->records[capture->count++];
    struct text *texts[] = {&copy->process.comm,     &copy->process.exe,
                            &copy->process.exe_mode, &copy->process.exe_device,
                            &copy->process.filename, &copy->process.interpreter,
                            &copy->process.cmdline,  &copy->process.cwd,
                            &copy->process.tty,      &copy->process.argv};

    *copy = *record;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = arena_text(&capture->arena, *texts[i]);
}

static void on_record(void *context, const struct record *record)
{
    struct capture *capture = context;

    if (record->boot_time < capture->last_time)
        capture->disordered = true;
    capture->last_time = record->boot_time;
    if (record->type == EVENT_FORK && is_tracked(capture, record->parent.pid))
        track(capture, record->self.pid);
    if (is_tracked(capture, record->self.pid))
        record_keep(capture, record);
}

void capture_until_exit(struct capture *capture, int64_t pid)
{
    int64_t deadline = clock_monotonic() + WAIT_SECONDS * NS_PER_S;
    struct pollfd poll_fd = {.fd = sensor_fd(capture->sensor), .events = POLLIN};

    sensor_read(capture->sensor, on_record, capture);
    while (!capture_find(capture, EVENT_EXIT, pid, 0)) {
        if (clock_monotonic() > deadline)
            fail_msg("no exit of process %lld was seen", (long long)pid);
        poll(&poll_fd, 1, 1000);
        sensor_read(capture->sensor, on_record, capture);
    }
}

const struct record *capture_find(const struct capture *capture, enum event_type type, int64_t pid,
                                  unsigned n)
{
    for (size_t i = 0; i < capture->count; i++)
        if (capture->records[i].type == type && capture->records[i].self.pid == pid && n-- == 0)
            return &capture->records[i];
    return NULL;
}

/* The path of our own root in that of the mount namespace: the kernel's paths begin with it when we
 * are in a chroot. Who enters a mount namespace, be it his own, is put at its root. */
static const char *root_prefix(void)
{
    static char prefix[4096] = "?";
    int pipes[2];

    if (prefix[0] != '?')
        return prefix;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();

    if (pid == 0) {
        int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int namespace = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

        if (setns(namespace, CLONE_NEWNS) < 0 || fchdir(root) < 0 || !getcwd(prefix, sizeof prefix))
            _exit(1);
        _exit(write(pipes[1], prefix, strlen(prefix)) < 0);
    }
    int status;

    waitpid(pid, &status, 0);
    close(pipes[1]);
    ssize_t len = read(pipes[0], prefix, sizeof prefix - 1);

    close(pipes[0]);
    assert_true(status == 0 && len > 0);
    prefix[len == 1 ? 0 : len] = '\0'; /* "/" is no prefix */
    return prefix;
}

/* The id of a cgroup is its inode number in the v2 hierarchy, here seen through a mount of our own
 * at no place. */
static int64_t cgroup_id(const char *path)
{
    CLEANUP(closep) int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

    assert_true(fs >= 0);
    assert_int_equal(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
    CLEANUP(closep) int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);
    struct stat st;

    assert_true(mounted >= 0);
    assert_int_equal(fstatat(mounted, path[1] ? path + 1 : ".", &st, 0), 0);
    return (int64_t)st.st_ino;
}

#define SET(process, id, member, value)             \
    do {                                            \
        (process)->member = (value);                \
        field_set_add(&(process)->has, FIELD_##id); \
    } while (0)

static struct text printed(struct capture *capture, const char *front, const char *back)
{
    return text_from(arena_printf(&capture->arena, "%s%s", front, back));
}

struct process capture_expect(struct capture *capture, const struct truth *truth)
{
    struct process process = {0};

    SET(&process, PID, pid, truth->pid);
    SET(&process, PPID, ppid, truth->ppid);
    SET(&process, COMM, comm, arena_text(&capture->arena, text_from(truth->comm)));
    SET(&process, UID, uid, truth->uid);
    SET(&process, EUID, euid, truth->euid);
    SET(&process, GID, gid, truth->gid);
    SET(&process, EGID, egid, truth->egid);
    SET(&process, CGROUP_ID, cgroup_id, cgroup_id(truth->cgroup));
    if (truth->loginuid >= 0) { /* else the kernel is built without CONFIG_AUDIT */
        SET(&process, LOGINUID, loginuid, truth->loginuid);
        SET(&process, SESSION, session, truth->session);
    }
    if (truth->tty != 0) {
        int64_t minor = (truth->tty & 0xff) | (truth->tty >> 12 & 0xfff00);

        SET(&process, TTY, tty,
            text_from(arena_printf(&capture->arena, "pts/%lld", (long long)minor)));
    }
    return process;
}

void capture_expect_argv(struct capture *capture, const char *const *argv, struct process *expected)
{
    CLEANUP(buffer_deinit) struct buffer list = {0}, line = {0};
    int64_t argc = 0;

    for (; argv[argc]; argc++) {
        buffer_put(&list, argv[argc], strlen(argv[argc]) + 1);
        if (argc > 0)
            buffer_put_char(&line, ' ');
        buffer_put_string(&line, argv[argc]);
    }
    SET(expected, ARGC, argc, argc);
    SET(expected, ARGV, argv, arena_text(&capture->arena, buffer_text(&list)));
    SET(expected, CMDLINE, cmdline, arena_text(&capture->arena, buffer_text(&line)));
    SET(expected, CMDLINE_LENGTH, cmdline_length, (int64_t)line.len);
    SET(expected, CMDLINE_TRUNCATED, cmdline_truncated, false);
}

void capture_expect_exec(struct capture *capture, const struct truth *truth, const char *filename,
                         const char *const *argv, struct process *expected)
{
    bool memfd = strncmp(truth->exe, "/memfd:", 7) == 0;

    SET(expected, EXE, exe, printed(capture, memfd ? "" : root_prefix(), truth->exe));
    SET(expected, EXE_TRUNCATED, exe_truncated, false);
    SET(expected, EXE_DEVICE, exe_device,
        text_from(arena_printf(&capture->arena, "%lld:%lld", (long long)truth->exe_major,
                               (long long)truth->exe_minor)));
    SET(expected, EXE_INODE, exe_inode, truth->exe_inode);
    SET(expected, EXE_MODE, exe_mode,
        text_from(arena_printf(&capture->arena, "%04llo", (unsigned long long)truth->exe_mode)));
    SET(expected, EXE_NLINK, exe_nlink, truth->exe_nlink);
    SET(expected, EXE_SETUID, exe_setuid, truth->exe_mode & S_ISUID);
    SET(expected, EXE_SETGID, exe_setgid, truth->exe_mode & S_ISGID);
    SET(expected, EXE_MEMFD, exe_memfd, memfd);
    SET(expected, EXE_DELETED, exe_deleted, truth->exe_nlink == 0);
    SET(expected, FILENAME, filename, text_from(arena_string(&capture->arena, filename)));
    SET(expected, FILENAME_TRUNCATED, filename_truncated, false);
    SET(expected, CWD, cwd,
        printed(capture, root_prefix(), root_prefix()[0] && !truth->cwd[1] ? "" : truth->cwd));
    SET(expected, CWD_TRUNCATED, cwd_truncated, false);
    capture_expect_argv(capture, argv, expected);
}

void assert_process(const struct process *seen, const struct process *expected)
{
    for (int id = 0; id < FIELD_COUNT; id++) {
        CLEANUP(buffer_deinit) struct buffer a = {0}, b = {0};
        const struct field *field = &field_catalogue[id];
        struct value value;

        if (field->scope != SCOPE_PROCESS)
            continue;
        if (process_value(seen, field, &value))
            value_put(&a, &value);
        if (process_value(expected, field, &value))
            value_put(&b, &value);
        if (field_set_has(&seen->has, field->id) != field_set_has(&expected->has, field->id) ||
            !text_equal(buffer_text(&a), buffer_text(&b)))
            fail_msg("%s is '%.200s', expected '%.200s'", field->name, buffer_string(&a),
                     buffer_string(&b));
    }
    /* As values the texts of a list are joined by spaces: that hides where they end. */
    assert_true(text_equal(seen->argv, expected->argv));
}

void assert_identities(const struct record *record, const struct truth *truth)
{
    int64_t tick = NS_PER_S / sysconf(_SC_CLK_TCK);

    assert_int_equal(record->self.pid, truth->pid);
    assert_int_equal(record->self.start / tick, truth->start);
    assert_int_equal(record->parent.pid, truth->ppid);
    assert_int_equal(record->parent.start / tick, truth->pstart);
    assert_true(record->boot_time >= record->self.start);
    assert_true(record->boot_time <= clock_boottime());
}
