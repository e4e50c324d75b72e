#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/container.h"

#define WAIT_SECONDS 20

const char *const capture_environment[] = {TRUTH_ENV "1", TRUTH_ENV "EMPTY", TRUTH_ENV "LONG"};

void capture_open(struct capture *capture, const struct sensor_options *options)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    struct sensor_options own = *options;

    if (!own.environment) {
        own.environment = capture_environment;
        own.environment_count = 3;
    }
    *capture = (struct capture){.classic = own.classic};
    if (sensor_open(&own, &why, &capture->sensor) < 0) {
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

    *copy = *record;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];
        struct text *text = (void *)((char *)&copy->process + field->offset);

        if (field->scope == SCOPE_PROCESS && field_set_has(&copy->process.has, field->id) &&
            (field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST))
            *text = arena_text(&capture->arena, *text);
    }
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

    sensor_read(capture->sensor,
                &(struct sensor_reader){.on_record = on_record, .context = capture});
    while (!capture_find(capture, EVENT_EXIT, pid, 0)) {
        if (clock_monotonic() > deadline)
            fail_msg("no exit of process %lld was seen", (long long)pid);
        poll(&poll_fd, 1, 1000);
        sensor_read(capture->sensor,
                    &(struct sensor_reader){.on_record = on_record, .context = capture});
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
    if (truth->pgid > 0) /* else that of a process outside of what /proc shows */
        SET(&process, PGID, pgid, truth->pgid);
    if (truth->sid > 0)
        SET(&process, SID, sid, truth->sid);
    SET(&process, UID, uid, truth->uid);
    SET(&process, EUID, euid, truth->euid);
    SET(&process, SUID, suid, truth->suid);
    SET(&process, GID, gid, truth->gid);
    SET(&process, EGID, egid, truth->egid);
    SET(&process, SGID, sgid, truth->sgid);
    SET(&process, CAP_EFFECTIVE, cap_effective, (int64_t)truth->effective);
    SET(&process, CAP_PERMITTED, cap_permitted, (int64_t)truth->permitted);
    SET(&process, CAP_INHERITABLE, cap_inheritable, (int64_t)truth->inheritable);
    SET(&process, CAP_AMBIENT, cap_ambient, (int64_t)truth->ambient);
    SET(&process, SECUREBITS, securebits, truth->securebits);
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
    SET(expected, CMDLINE_OMITTED, cmdline_omitted, 0);
    SET(expected, CMDLINE_TRUNCATED, cmdline_truncated, false);
}

static bool is_magic(const struct truth *truth, unsigned long magic)
{
    return (unsigned long)truth->exe_magic == magic;
}

/* What these mounts say is on the executable's device, or NULL. */
static const char *mounted_on(struct capture *capture, const struct truth *truth, const char *list)
{
    CLEANUP(fclosep) FILE *mounts = fopen(list, "re");
    char line[4096], device[64];

    snprintf(device, sizeof device, " %lld:%lld ", (long long)truth->exe_major,
             (long long)truth->exe_minor);
    while (mounts && fgets(line, sizeof line, mounts)) {
        const char *type = strstr(line, " - ");

        if (strstr(line, device) && type)
            return arena_printf(&capture->arena, "%.*s", (int)strcspn(type + 3, " "), type + 3);
    }
    return NULL;
}

/* What our own mounts say, or the machine's, of which a chroot does not see all; for what is
 * mounted nowhere, the magic number. */
static const char *filesystem_of(struct capture *capture, const struct truth *truth)
{
    const char *type = mounted_on(capture, truth, "/proc/self/mountinfo");

    if (!type)
        type = mounted_on(capture, truth, "/proc/1/mountinfo");
    return type                                     ? type
           : is_magic(truth, TMPFS_MAGIC)           ? "tmpfs"
           : is_magic(truth, OVERLAYFS_SUPER_MAGIC) ? "overlay"
                                                    : "?";
}

static void expect_file(struct capture *capture, const struct truth *truth,
                        struct process *expected)
{
    bool root = expected->uid == 0 || expected->euid == 0;

    SET(expected, EXE_DEVICE, exe_device,
        text_from(arena_printf(&capture->arena, "%lld:%lld", (long long)truth->exe_major,
                               (long long)truth->exe_minor)));
    SET(expected, EXE_INODE, exe_inode, truth->exe_inode);
    SET(expected, EXE_MODE, exe_mode,
        text_from(arena_printf(&capture->arena, "%04llo", (unsigned long long)truth->exe_mode)));
    SET(expected, EXE_NLINK, exe_nlink, truth->exe_nlink);
    SET(expected, EXE_SIZE, exe_size, truth->exe_size);
    SET(expected, EXE_MTIME, exe_mtime, truth->exe_mtime);
    SET(expected, EXE_CTIME, exe_ctime, truth->exe_ctime);
    SET(expected, EXE_UID, exe_uid, truth->exe_uid);
    SET(expected, EXE_GID, exe_gid, truth->exe_gid);
    SET(expected, EXE_SETUID, exe_setuid, truth->exe_mode & S_ISUID);
    SET(expected, EXE_SETGID, exe_setgid, truth->exe_mode & S_ISGID);
    SET(expected, EXE_WRITABLE, exe_writable, truth->exe_mode & S_IWOTH);
    SET(expected, EXE_DELETED, exe_deleted, truth->exe_nlink == 0);
    SET(expected, EXE_FILESYSTEM, exe_filesystem, text_from(filesystem_of(capture, truth)));
    SET(expected, EXE_TMPFS, exe_tmpfs,
        is_magic(truth, TMPFS_MAGIC) || is_magic(truth, RAMFS_MAGIC));
    SET(expected, EXE_UPPER, exe_upper, false);
    SET(expected, EXE_FILECAPS, exe_filecaps, truth->exe_filecaps && !root);
}

static const char *kind_of(const struct truth_file *file)
{
    if (file->mode < 0)
        return "closed";
    if (S_ISSOCK(file->mode))
        return file->family == AF_UNIX                               ? "unix"
               : file->family == AF_INET || file->family == AF_INET6 ? "inet"
               : file->family == AF_NETLINK                          ? "netlink"
                                                                     : "socket";
    if (S_ISCHR(file->mode)) {
        unsigned number = major((dev_t)file->device);

        return file->device == (int64_t)makedev(1, 3)                          ? "null"
               : (number >= 136 && number < 144) || number == 4 || number == 5 ? "tty"
                                                                               : "device";
    }
    return S_ISFIFO(file->mode)  ? "pipe"
           : S_ISDIR(file->mode) ? "directory"
           : S_ISREG(file->mode) ? "file"
           : S_ISBLK(file->mode) ? "device"
                                 : "anon";
}

static void expect_surroundings(struct capture *capture, const struct truth *truth,
                                struct process *expected)
{
    struct buffer room = {0};
    struct container container;

    SET(expected, VPID, vpid, truth->vpid);
    SET(expected, NS_CGROUP, ns_cgroup, truth->ns_cgroup);
    SET(expected, NS_IPC, ns_ipc, truth->ns_ipc);
    SET(expected, NS_MNT, ns_mnt, truth->ns_mnt);
    SET(expected, NS_NET, ns_net, truth->ns_net);
    SET(expected, NS_PID, ns_pid, truth->ns_pid);
    SET(expected, NS_USER, ns_user, truth->ns_user);
    SET(expected, NS_UTS, ns_uts, truth->ns_uts);
    SET(expected, STDIN, stdin, text_from(kind_of(&truth->stdio[0])));
    SET(expected, STDOUT, stdout, text_from(kind_of(&truth->stdio[1])));
    SET(expected, STDERR, stderr, text_from(kind_of(&truth->stdio[2])));
    SET(expected, CGROUP_PATH, cgroup_path,
        text_from(arena_string(&capture->arena, truth->cgroup_path)));
    /* Which paths are a container's is a unit test's to tell. */
    if (container_find(expected->cgroup_path, &room, &container)) {
        SET(expected, CONTAINER_ID, container_id, arena_text(&capture->arena, container.id));
        if (container.runtime)
            SET(expected, CONTAINER_RUNTIME, container_runtime, text_from(container.runtime));
    }
    buffer_deinit(&room);
}

static void expect_environment(struct capture *capture, const struct truth *truth,
                               struct process *expected)
{
    struct text env = {truth->env, (size_t)truth->env_used};

    if (env.len > 0)
        SET(expected, ENV, env, arena_text(&capture->arena, env));
    SET(expected, ENV_LENGTH, env_length, truth->env_length);
    SET(expected, ENV_TRUNCATED, env_truncated, truth->env_length > SENSOR_ENV_MAX);
}

/* What was meant by a relative path. */
static void expect_path(struct capture *capture, struct process *expected)
{
    CLEANUP(buffer_deinit) struct buffer path = {0};

    if (!process_has_relative_filename(expected))
        return;
    path_put(&path, expected->cwd, expected->filename);
    SET(expected, FILENAME_ABSOLUTE, filename_absolute,
        arena_text(&capture->arena, buffer_text(&path)));
}

void capture_expect_exec(struct capture *capture, const struct truth *truth, const char *filename,
                         const char *const *argv, struct process *expected)
{
    bool memfd = strncmp(truth->exe, "/memfd:", 7) == 0;

    SET(expected, EXE, exe, printed(capture, memfd ? "" : root_prefix(), truth->exe));
    SET(expected, EXE_TRUNCATED, exe_truncated, false);
    expect_file(capture, truth, expected);
    expect_surroundings(capture, truth, expected);
    expect_environment(capture, truth, expected);
    SET(expected, EXE_MEMFD, exe_memfd, memfd);
    SET(expected, FILENAME, filename, text_from(arena_string(&capture->arena, filename)));
    SET(expected, FILENAME_TRUNCATED, filename_truncated, false);
    SET(expected, CWD, cwd,
        printed(capture, root_prefix(), root_prefix()[0] && !truth->cwd[1] ? "" : truth->cwd));
    SET(expected, CWD_TRUNCATED, cwd_truncated, false);
    expect_path(capture, expected);
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
