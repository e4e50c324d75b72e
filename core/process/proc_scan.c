#include "process/proc_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "event/kernel_text.h"

#define COMM_LEN_MAX 15

static int open_cgroup_root(void)
{
    static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct statfs fs;
        int fd = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return fd;
        closep(&fd);
    }
    return -1;
}

int proc_scan_init(struct proc_scan *scan, const char *path)
{
    int proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (proc < 0)
        return -errno;
    *scan = (struct proc_scan){.proc = proc, .cgroup = open_cgroup_root()};
    return 0;
}

void proc_scan_deinit(struct proc_scan *scan)
{
    closep(&scan->proc);
    closep(&scan->cgroup);
    arena_deinit(&scan->texts);
    buffer_deinit(&scan->file);
    *scan = (struct proc_scan){.proc = -1, .cgroup = -1};
}

/* Reads NAME in the folder DIR into scan->file: 0, or 1 when there was more than PROC_FILE_MAX. */
static int read_file(struct proc_scan *scan, int dir, const char *name)
{
    CLEANUP(closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

    buffer_clear(&scan->file);
    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    int r = buffer_read_fd(&scan->file, fd, PROC_FILE_MAX);

    return r == -EFBIG ? 1 : r;
}

static int open_process(const struct proc_scan *scan, int64_t pid)
{
    char name[24];

    snprintf(name, sizeof name, "%lld", (long long)pid);
    int fd = openat(scan->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

/* proc_pid_stat(5): the name stands in parentheses and may hold any byte, so the last one counts.
 * Behind it: state ppid pgrp session tty_nr ... num_threads itrealvalue starttime. */
enum { STAT_STATE, STAT_PPID, STAT_TTY = 4, STAT_THREADS = 17, STAT_START = 19, STAT_COUNT };

static int parse_stat(struct text line, struct proc_stat *out)
{
    const char *open = line.len ? memchr(line.ptr, '(', line.len) : NULL;
    const char *close = line.len ? memrchr(line.ptr, ')', line.len) : NULL;
    struct text words[STAT_COUNT];
    int64_t tty, threads, ticks;

    if (!open || !close || close < open || close + 2 > line.ptr + line.len)
        return -ESRCH;
    out->comm = (struct text){open + 1, (size_t)(close - open - 1)};
    /* The kernel lengthens the names of its workers here, and nowhere else. */
    if (out->comm.len > COMM_LEN_MAX)
        out->comm.len = COMM_LEN_MAX;
    struct text rest = {close + 2, (size_t)(line.ptr + line.len - close - 2)};

    for (size_t i = 0; i < STAT_COUNT; i++)
        words[i] = text_split(&rest, ' ');
    if (text_to_int(words[STAT_PPID], &out->ppid) < 0 || text_to_int(words[STAT_TTY], &tty) < 0 ||
        text_to_int(words[STAT_THREADS], &threads) < 0 ||
        text_to_int(words[STAT_START], &ticks) < 0 ||
        __builtin_mul_overflow(ticks, PROC_TICK_NS, &out->self.start))
        return -ESRCH;
    out->tty = (uint32_t)tty;
    /* A leader that ended before its threads is a zombie too, but its process lives on. */
    out->zombie = text_is(words[STAT_STATE], "Z") && threads <= 1;
    return 0;
}

static int read_stat(struct proc_scan *scan, int dir, int64_t pid, struct proc_stat *out)
{
    struct proc_stat stat = {.self.pid = pid};
    int r = read_file(scan, dir, "stat");

    if (r == 0)
        r = parse_stat(buffer_text(&scan->file), &stat);
    if (r == 0)
        *out = stat;
    return r;
}

int proc_scan_stat(struct proc_scan *scan, int64_t pid, struct proc_stat *out)
{
    CLEANUP(closep) int dir = open_process(scan, pid);

    return dir < 0 ? dir : read_stat(scan, dir, pid, out);
}

static void set_text(struct proc_scan *scan, struct process *process, enum field_id id,
                     struct text *member, struct text value)
{
    *member = arena_text(&scan->texts, value);
    if (member->ptr)
        field_set_add(&process->has, id);
}

/* The same, of what was put together in BUFFER, which is then empty. */
static void set_put(struct proc_scan *scan, struct process *process, enum field_id id,
                    struct text *member, struct buffer *buffer)
{
    if (!buffer_failed(buffer))
        set_text(scan, process, id, member, buffer_text(buffer));
    buffer_clear(buffer);
}

static void set_number(struct process *process, enum field_id id, int64_t *member, int64_t value)
{
    *member = value;
    field_set_add(&process->has, id);
}

static void set_bool(struct process *process, enum field_id id, bool *member, bool value)
{
    *member = value;
    field_set_add(&process->has, id);
}

/* "KEY:\treal\teffective\t..." of status. */
static bool find_ids(struct text status, struct text key, int64_t ids[static 2])
{
    while (status.ptr) {
        struct text line = text_split(&status, '\n');

        if (!text_starts(line, key))
            continue;
        line = (struct text){line.ptr + key.len, line.len - key.len};
        return text_to_int(text_split(&line, '\t'), &ids[0]) == 0 &&
               text_to_int(text_split(&line, '\t'), &ids[1]) == 0;
    }
    return false;
}

static void read_ids(struct proc_scan *scan, int dir, struct process *process)
{
    int64_t ids[2];

    if (read_file(scan, dir, "status") < 0)
        return;
    struct text status = buffer_text(&scan->file);

    if (find_ids(status, TEXT("Uid:\t"), ids)) {
        set_number(process, FIELD_UID, &process->uid, ids[0]);
        set_number(process, FIELD_EUID, &process->euid, ids[1]);
    }
    if (find_ids(status, TEXT("Gid:\t"), ids)) {
        set_number(process, FIELD_GID, &process->gid, ids[0]);
        set_number(process, FIELD_EGID, &process->egid, ids[1]);
    }
}

static void read_number(struct proc_scan *scan, int dir, const char *name, struct process *process,
                        enum field_id id)
{
    int64_t value;

    if (read_file(scan, dir, name) == 0 &&
        text_to_int(text_trim(buffer_text(&scan->file)), &value) == 0)
        set_number(process, id, (int64_t *)((char *)process + field_catalogue[id].offset), value);
}

static void read_arguments(struct proc_scan *scan, int dir, struct process *process)
{
    CLEANUP(buffer_deinit) struct buffer joined = {0};
    int cut = read_file(scan, dir, "cmdline");

    /* Nothing in it: a kernel thread, a zombie, or a process that wiped its arguments. */
    if (cut < 0 || scan->file.len == 0)
        return;
    if (scan->file.data[scan->file.len - 1] != '\0')
        buffer_put_char(&scan->file, '\0');
    cmdline_put(&joined, buffer_text(&scan->file));
    if (buffer_failed(&joined) || buffer_failed(&scan->file))
        return;
    set_text(scan, process, FIELD_ARGV, &process->argv, buffer_text(&scan->file));
    set_text(scan, process, FIELD_CMDLINE, &process->cmdline, buffer_text(&joined));
    set_bool(process, FIELD_CMDLINE_TRUNCATED, &process->cmdline_truncated, cut);
    if (!cut)
        process_derive(process, &scan->texts);
}

#define DELETED " (deleted)"

/* The target of a link of /proc/PID. The kernel marks what has no name left; GONE says whether it
 * may have done so here, as a file can be named like that too. */
static bool read_link(int dir, const char *name, bool gone, char path[static PATH_MAX],
                      struct text *out)
{
    ssize_t len = readlinkat(dir, name, path, PATH_MAX);

    if (len <= 0 || len == PATH_MAX)
        return false;
    *out = (struct text){path, (size_t)len};
    if (gone && text_ends(*out, TEXT(DELETED)))
        out->len -= sizeof DELETED - 1;
    return true;
}

static void set_file(struct proc_scan *scan, struct process *process, const struct stat *file)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    device_put(&text, major(file->st_dev), minor(file->st_dev));
    set_put(scan, process, FIELD_EXE_DEVICE, &process->exe_device, &text);
    mode_put(&text, file->st_mode);
    set_put(scan, process, FIELD_EXE_MODE, &process->exe_mode, &text);
    set_number(process, FIELD_EXE_INODE, &process->exe_inode, (int64_t)file->st_ino);
    set_number(process, FIELD_EXE_NLINK, &process->exe_nlink, (int64_t)file->st_nlink);
    set_bool(process, FIELD_EXE_SETUID, &process->exe_setuid, file->st_mode & S_ISUID);
    set_bool(process, FIELD_EXE_SETGID, &process->exe_setgid, file->st_mode & S_ISGID);
    set_bool(process, FIELD_EXE_DELETED, &process->exe_deleted, file->st_nlink == 0);
}

static void read_executable(struct proc_scan *scan, int dir, struct process *process)
{
    char path[PATH_MAX];
    struct stat file;
    struct text target;
    bool known = fstatat(dir, "exe", &file, 0) == 0;

    if (known)
        set_file(scan, process, &file);
    if (!read_link(dir, "exe", known && file.st_nlink == 0, path, &target))
        return;
    set_text(scan, process, FIELD_EXE, &process->exe, target);
    set_bool(process, FIELD_EXE_TRUNCATED, &process->exe_truncated, false);
    if (known)
        set_bool(process, FIELD_EXE_MEMFD, &process->exe_memfd,
                 file.st_nlink == 0 && text_starts(target, TEXT("/memfd:")));
}

static void read_folder(struct proc_scan *scan, int dir, struct process *process)
{
    char path[PATH_MAX];
    struct stat folder;
    struct text target;
    bool gone = fstatat(dir, "cwd", &folder, 0) == 0 && folder.st_nlink == 0;

    if (!read_link(dir, "cwd", gone, path, &target))
        return;
    set_text(scan, process, FIELD_CWD, &process->cwd, target);
    set_bool(process, FIELD_CWD_TRUNCATED, &process->cwd_truncated, false);
}

/* DEVICE is written as the kernel's new_encode_dev() has it. */
static void set_tty(struct proc_scan *scan, struct process *process, uint32_t device)
{
    CLEANUP(buffer_deinit) struct buffer name = {0};

    if (device == 0)
        return;
    tty_put(&name, device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
    set_put(scan, process, FIELD_TTY, &process->tty, &name);
}

/* The id of a v2 cgroup is its folder's inode. */
static void read_cgroup(struct proc_scan *scan, int dir, struct process *process)
{
    struct stat folder;

    if (scan->cgroup < 0 || read_file(scan, dir, "cgroup") < 0)
        return;
    struct text rest = buffer_text(&scan->file);

    while (rest.ptr) {
        struct text line = text_split(&rest, '\n');

        if (!text_starts(line, TEXT("0::/")))
            continue;
        char *path = arena_printf(&scan->texts, ".%.*s", (int)line.len - 3, line.ptr + 3);

        if (path && fstatat(scan->cgroup, path, &folder, 0) == 0)
            set_number(process, FIELD_CGROUP_ID, &process->cgroup_id, (int64_t)folder.st_ino);
        return;
    }
}

int proc_scan_read(struct proc_scan *scan, int64_t pid, struct proc_entry *out)
{
    CLEANUP(closep) int dir = open_process(scan, pid);
    struct proc_stat stat = {0};

    if (dir < 0)
        return dir;
    int r = read_stat(scan, dir, pid, &stat);

    if (r < 0)
        return r;
    struct proc_entry entry = {.self = stat.self, .ppid = stat.ppid, .zombie = stat.zombie};
    struct process *process = &entry.process;

    arena_clear(&scan->texts);
    set_number(process, FIELD_PID, &process->pid, pid);
    set_number(process, FIELD_PPID, &process->ppid, stat.ppid);
    set_text(scan, process, FIELD_COMM, &process->comm, stat.comm);
    set_tty(scan, process, stat.tty);
    read_ids(scan, dir, process);
    read_number(scan, dir, "loginuid", process, FIELD_LOGINUID);
    read_number(scan, dir, "sessionid", process, FIELD_SESSION);
    read_arguments(scan, dir, process);
    read_executable(scan, dir, process);
    read_folder(scan, dir, process);
    read_cgroup(scan, dir, process);
    *out = entry;
    return 0;
}

int proc_scan_each(struct proc_scan *scan, int (*visit)(int64_t pid, void *context), void *context)
{
    int fd = openat(scan->proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir) {
        int r = -errno;

        closep(&fd);
        return r;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t pid;

        if (text_to_int(text_from(entry->d_name), &pid) < 0)
            continue;
        int r = visit(pid, context);

        if (r != 0)
            return r;
    }
    return 0;
}
