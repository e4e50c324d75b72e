#include "process/proc_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/mounts.h"
#include "event/container.h"
#include "event/kernel_text.h"
#include "process/proc_file.h"
#include "process/proc_image.h"

#define COMM_LEN_MAX 15

static int open_cgroup_root(void)
{
    CLEANUP(buffer_deinit) struct buffer mounts = {0}, place = {0};
    struct text root;

    if (mounts_read(&mounts) < 0 || mounts_find_cgroup2(&mounts, &root) < 0)
        return -1;
    buffer_put_text(&place, root);
    return open(buffer_string(&place), O_PATH | O_DIRECTORY | O_CLOEXEC);
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
    mount_types_deinit(&scan->mounts);
    buffer_deinit(&scan->file);
    *scan = (struct proc_scan){.proc = -1, .cgroup = -1};
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
enum {
    STAT_STATE,
    STAT_PPID,
    STAT_PGRP,
    STAT_SESSION,
    STAT_TTY,
    STAT_THREADS = 17,
    STAT_START = 19,
    STAT_COUNT
};

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
    if (text_to_int(words[STAT_PPID], &out->ppid) < 0 ||
        text_to_int(words[STAT_PGRP], &out->pgid) < 0 ||
        text_to_int(words[STAT_SESSION], &out->sid) < 0 || text_to_int(words[STAT_TTY], &tty) < 0 ||
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
    int r = proc_file_read(scan, dir, "stat");

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

#define STATUS_IDS  4
#define NESTING_MAX 32 /* MAX_PID_NS_LEVEL in the kernel's include/linux/pid_namespace.h */

/* The numbers behind "KEY:" in a line of status, parted by tabs. */
static size_t parse_numbers(struct text rest, int64_t *numbers, size_t max)
{
    size_t count = 0;

    while (rest.ptr && count < max && text_to_int(text_split(&rest, '\t'), &numbers[count]) == 0)
        count++;
    return count;
}

static void set_users(struct text ids, struct process *process)
{
    int64_t numbers[STATUS_IDS];

    if (parse_numbers(ids, numbers, STATUS_IDS) < 3)
        return;
    process_set_number(process, FIELD_UID, &process->uid, numbers[0]);
    process_set_number(process, FIELD_EUID, &process->euid, numbers[1]);
    process_set_number(process, FIELD_SUID, &process->suid, numbers[2]);
}

static void set_groups(struct text ids, struct process *process)
{
    int64_t numbers[STATUS_IDS];

    if (parse_numbers(ids, numbers, STATUS_IDS) < 3)
        return;
    process_set_number(process, FIELD_GID, &process->gid, numbers[0]);
    process_set_number(process, FIELD_EGID, &process->egid, numbers[1]);
    process_set_number(process, FIELD_SGID, &process->sgid, numbers[2]);
}

/* The last one is that of the innermost namespace. */
static void set_vpid(struct text pids, struct process *process)
{
    int64_t numbers[NESTING_MAX + 1];
    size_t count = parse_numbers(pids, numbers, NESTING_MAX + 1);

    if (count > 0)
        process_set_number(process, FIELD_VPID, &process->vpid, numbers[count - 1]);
}

/* 16 hexadecimal digits. */
static void set_capabilities(struct text digits, struct process *process, enum field_id id)
{
    char number[2 + 16 + 1];
    int64_t set;

    if (digits.len > 16)
        return;
    snprintf(number, sizeof number, "0x%.*s", TEXT_ARG(digits));
    if (text_to_int(text_from(number), &set) == 0)
        process_set_number(process, id, (void *)((char *)process + field_catalogue[id].offset),
                           set);
}

static void read_status(struct proc_scan *scan, int dir, struct process *process)
{
    if (proc_file_read(scan, dir, "status") < 0)
        return;
    struct text status = buffer_text(&scan->file);

    while (status.ptr) {
        struct text value = text_split(&status, '\n');
        struct text key = text_split(&value, '\t');

        if (text_is(key, "Uid:"))
            set_users(value, process);
        else if (text_is(key, "Gid:"))
            set_groups(value, process);
        else if (text_is(key, "NSpid:"))
            set_vpid(value, process);
        else if (text_is(key, "CapInh:"))
            set_capabilities(value, process, FIELD_CAP_INHERITABLE);
        else if (text_is(key, "CapPrm:"))
            set_capabilities(value, process, FIELD_CAP_PERMITTED);
        else if (text_is(key, "CapEff:"))
            set_capabilities(value, process, FIELD_CAP_EFFECTIVE);
        else if (text_is(key, "CapAmb:"))
            set_capabilities(value, process, FIELD_CAP_AMBIENT);
    }
}

static void read_number(struct proc_scan *scan, int dir, const char *name, struct process *process,
                        enum field_id id)
{
    int64_t value;

    if (proc_file_read(scan, dir, name) == 0 &&
        text_to_int(text_trim(buffer_text(&scan->file)), &value) == 0)
        process_set_number(process, id, (void *)((char *)process + field_catalogue[id].offset),
                           value);
}

/* DEVICE is written as the kernel's new_encode_dev() has it. */
static void set_tty(struct proc_scan *scan, struct process *process, uint32_t device)
{
    CLEANUP(buffer_deinit) struct buffer name = {0};

    if (device == 0)
        return;
    tty_put(&name, device >> 8 & 0xfff, (device & 0xff) | (device >> 12 & 0xfff00));
    proc_file_set_put(scan, process, FIELD_TTY, &name);
}

/* "mnt:[4026531841]" */
static void read_namespaces(int dir, struct process *process)
{
    static const struct {
        const char *name;
        enum field_id id;
    } links[] = {
        {"ns/cgroup", FIELD_NS_CGROUP}, {"ns/ipc", FIELD_NS_IPC}, {"ns/mnt", FIELD_NS_MNT},
        {"ns/net", FIELD_NS_NET},       {"ns/pid", FIELD_NS_PID}, {"ns/user", FIELD_NS_USER},
        {"ns/uts", FIELD_NS_UTS},
    };

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        int64_t *member = (void *)((char *)process + field_catalogue[links[i].id].offset);
        char path[PATH_MAX];
        struct text target;
        int64_t inode;

        if (!proc_file_link(dir, links[i].name, false, path, &target))
            continue;
        text_split(&target, '[');
        if (text_to_int(text_split(&target, ']'), &inode) == 0)
            process_set_number(process, links[i].id, member, inode);
    }
}

/* The hierarchies whose path may be told, the next one where the process is at the root of those
 * before it: as path.h of the kernel side has it. */
static const struct text hierarchies[] = {
    {"", 0}, {"memory", 6}, {"pids", 4}, {"cpu", 3}, /* v2 has no controllers in its line */
};
#define HIERARCHIES (sizeof hierarchies / sizeof *hierarchies)

static bool is_among(struct text names, struct text name)
{
    while (names.ptr)
        if (text_equal(text_split(&names, ','), name))
            return true;
    return false;
}

/* "ID:CONTROLLERS:PATH" */
static void parse_cgroups(struct text rest, struct text paths[static HIERARCHIES])
{
    while (rest.ptr) {
        struct text path = text_split(&rest, '\n');
        bool unified = text_is(text_split(&path, ':'), "0");
        struct text controllers = text_split(&path, ':');

        if (unified)
            paths[0] = path;
        for (size_t i = 1; i < HIERARCHIES; i++)
            if (!unified && is_among(controllers, hierarchies[i]))
                paths[i] = path;
    }
}

static void set_cgroup_path(struct proc_scan *scan, struct process *process, struct text path)
{
    CLEANUP(buffer_deinit) struct buffer room = {0};
    struct container container;

    proc_file_set(scan, process, FIELD_CGROUP_PATH, path);
    if (!container_find(path, &room, &container) || buffer_failed(&room))
        return;
    proc_file_set(scan, process, FIELD_CONTAINER_ID, container.id);
    if (container.runtime)
        proc_file_set(scan, process, FIELD_CONTAINER_RUNTIME, text_from(container.runtime));
}

/* The id of a v2 cgroup is its folder's inode. */
static void read_cgroup(struct proc_scan *scan, int dir, struct process *process)
{
    struct text paths[HIERARCHIES] = {{NULL, 0}};
    struct stat folder;

    if (proc_file_read(scan, dir, "cgroup") < 0)
        return;
    parse_cgroups(buffer_text(&scan->file), paths);
    if (scan->cgroup >= 0 && paths[0].len > 0) {
        const char *path = arena_printf(&scan->texts, ".%.*s", TEXT_ARG(paths[0]));

        if (path && fstatat(scan->cgroup, path, &folder, 0) == 0)
            process_set_number(process, FIELD_CGROUP_ID, &process->cgroup_id,
                               (int64_t)folder.st_ino);
    }
    for (size_t i = 0; i < HIERARCHIES; i++) {
        if (paths[i].len > 1) {
            set_cgroup_path(scan, process, paths[i]);
            return;
        }
    }
    if (paths[0].len > 0)
        set_cgroup_path(scan, process, paths[0]);
}

static void set_ids(const struct proc_stat *stat, struct process *process)
{
    process_set_number(process, FIELD_PPID, &process->ppid, stat->ppid);
    /* The kernel's own threads are in no group and no session. */
    if (stat->pgid > 0)
        process_set_number(process, FIELD_PGID, &process->pgid, stat->pgid);
    if (stat->sid > 0)
        process_set_number(process, FIELD_SID, &process->sid, stat->sid);
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
    process_set_number(process, FIELD_PID, &process->pid, pid);
    set_ids(&stat, process);
    proc_file_set(scan, process, FIELD_COMM, stat.comm);
    set_tty(scan, process, stat.tty);
    read_status(scan, dir, process);
    read_number(scan, dir, "loginuid", process, FIELD_LOGINUID);
    read_number(scan, dir, "sessionid", process, FIELD_SESSION);
    proc_image_read(scan, dir, process);
    read_namespaces(dir, process);
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
