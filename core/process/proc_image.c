#include "process/proc_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/kernel_text.h"
#include "process/proc_file.h"

/* For so long what is mounted where is taken as it was read. */
#define MOUNTS_AGE_MAX NS_PER_S

static void read_arguments(struct proc_scan *scan, int dir, struct process *process)
{
    CLEANUP(buffer_deinit) struct buffer joined = {0};
    int cut = proc_file_read(scan, dir, "cmdline");

    /* Nothing in it: a kernel thread, a zombie, or a process that wiped its arguments. */
    if (cut < 0 || scan->file.len == 0)
        return;
    if (scan->file.data[scan->file.len - 1] != '\0')
        buffer_put_char(&scan->file, '\0');
    cmdline_put(&joined, buffer_text(&scan->file));
    if (buffer_failed(&joined) || buffer_failed(&scan->file))
        return;
    proc_file_set(scan, process, FIELD_ARGV, buffer_text(&scan->file));
    proc_file_set_put(scan, process, FIELD_CMDLINE, &joined);
    process_set_bool(process, FIELD_CMDLINE_TRUNCATED, &process->cmdline_truncated, cut);
    if (cut)
        return;
    process_set_number(process, FIELD_CMDLINE_OMITTED, &process->cmdline_omitted, 0);
    process_derive(process, &scan->texts);
}

static void read_environment(struct proc_scan *scan, int dir, struct process *process)
{
    CLEANUP(buffer_deinit) struct buffer chosen = {0};
    int cut = scan->environment_count ? proc_file_read(scan, dir, "environ") : -ENOENT;

    if (cut < 0)
        return;
    environment_choose(buffer_text(&scan->file), scan->environment, scan->environment_count,
                       &chosen);
    if (chosen.len)
        proc_file_set_put(scan, process, FIELD_ENV, &chosen);
    process_set_bool(process, FIELD_ENV_TRUNCATED, &process->env_truncated, cut);
    if (!cut)
        process_set_number(process, FIELD_ENV_LENGTH, &process->env_length,
                           (int64_t)scan->file.len);
}

/* In a list of mounts. */
static const char *look_up(struct proc_scan *scan, int dir, const char *list, int64_t mount)
{
    if (proc_file_read(scan, dir, list) < 0 || mount_types_add(&scan->mounts, &scan->file) < 0)
        return NULL;
    return mount_types_find(&scan->mounts, mount);
}

static const char *type_of_mount(struct proc_scan *scan, int dir, int64_t mount)
{
    int64_t now = clock_monotonic();

    if (now - scan->mounts_read > MOUNTS_AGE_MAX) {
        mount_types_clear(&scan->mounts);
        scan->mounts_read = now;
    }
    const char *type = mount_types_find(&scan->mounts, mount);

    if (!type)
        type = look_up(scan, dir, "mountinfo", mount);
    /* A chroot hides the mount that it lies in. */
    return type ? type : look_up(scan, scan->proc, "1/mountinfo", mount);
}

/* By the mount, not by the device, which of btrfs and the like no mount shows. Nothing is told when
 * the mount is in no list (lazily unmounted, say): the file system is not asked, it may be a server
 * that does not answer. */
static void set_filesystem(struct proc_scan *scan, int dir, struct process *process,
                           const struct statx *file)
{
    const char *type = NULL;

    if (process->exe_memfd)
        type = "tmpfs"; /* the kernel's own mount of it, which nobody sees */
    else if (file->stx_mask & STATX_MNT_ID)
        type = type_of_mount(scan, dir, (int64_t)file->stx_mnt_id);
    if (!type)
        return;
    proc_file_set(scan, process, FIELD_EXE_FILESYSTEM, text_from(type));
    process_set_bool(process, FIELD_EXE_TMPFS, &process->exe_tmpfs,
                     filesystem_is_memory(process->exe_filesystem));
}

static int64_t nanoseconds(struct statx_timestamp time)
{
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void set_file(struct proc_scan *scan, struct process *process, const struct statx *file)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    device_put(&text, file->stx_dev_major, file->stx_dev_minor);
    proc_file_set_put(scan, process, FIELD_EXE_DEVICE, &text);
    mode_put(&text, file->stx_mode);
    proc_file_set_put(scan, process, FIELD_EXE_MODE, &text);
    process_set_number(process, FIELD_EXE_INODE, &process->exe_inode, (int64_t)file->stx_ino);
    process_set_number(process, FIELD_EXE_NLINK, &process->exe_nlink, file->stx_nlink);
    process_set_number(process, FIELD_EXE_SIZE, &process->exe_size, (int64_t)file->stx_size);
    process_set_number(process, FIELD_EXE_MTIME, &process->exe_mtime, nanoseconds(file->stx_mtime));
    process_set_number(process, FIELD_EXE_CTIME, &process->exe_ctime, nanoseconds(file->stx_ctime));
    process_set_number(process, FIELD_EXE_UID, &process->exe_uid, file->stx_uid);
    process_set_number(process, FIELD_EXE_GID, &process->exe_gid, file->stx_gid);
    process_set_bool(process, FIELD_EXE_SETUID, &process->exe_setuid, file->stx_mode & S_ISUID);
    process_set_bool(process, FIELD_EXE_SETGID, &process->exe_setgid, file->stx_mode & S_ISGID);
    process_set_bool(process, FIELD_EXE_WRITABLE, &process->exe_writable, file->stx_mode & S_IWOTH);
    process_set_bool(process, FIELD_EXE_DELETED, &process->exe_deleted, file->stx_nlink == 0);
}

/* As the kernel knows the file by now: a server that does not answer (NFS, FUSE) is not asked, or
 * whoever has one could hold up the engine. */
static bool look_at(int dir, const char *link, struct statx *out)
{
    return statx(dir, link, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
                 out) == 0;
}

/* False when there is none that could be seen: a kernel thread, a zombie, or another user's. */
static bool read_executable(struct proc_scan *scan, int dir, struct process *process)
{
    char path[PATH_MAX];
    struct statx file;
    struct text target;
    bool known = look_at(dir, "exe", &file);
    bool named = proc_file_link(dir, "exe", known && file.stx_nlink == 0, path, &target);

    if (known)
        set_file(scan, process, &file);
    if (named) {
        proc_file_set(scan, process, FIELD_EXE, target);
        process_set_bool(process, FIELD_EXE_TRUNCATED, &process->exe_truncated, false);
    }
    if (known && named)
        process_set_bool(process, FIELD_EXE_MEMFD, &process->exe_memfd,
                         file.stx_nlink == 0 && text_starts(target, TEXT("/memfd:")));
    if (known)
        set_filesystem(scan, dir, process, &file);
    return named;
}

static void read_folder(struct proc_scan *scan, int dir, struct process *process)
{
    char path[PATH_MAX];
    struct statx folder;
    struct text target;
    bool gone = look_at(dir, "cwd", &folder) && folder.stx_nlink == 0;

    if (!proc_file_link(dir, "cwd", gone, path, &target))
        return;
    proc_file_set(scan, process, FIELD_CWD, target);
    process_set_bool(process, FIELD_CWD_TRUNCATED, &process->cwd_truncated, false);
}

/* /proc does not say of which family a socket is. */
static void read_stdio(struct proc_scan *scan, int dir, struct process *process)
{
    static const struct {
        const char *name;
        enum field_id id;
    } files[] = {{"fd/0", FIELD_STDIN}, {"fd/1", FIELD_STDOUT}, {"fd/2", FIELD_STDERR}};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct file_kind kind = {.family = -1};
        struct statx file;

        if (look_at(dir, files[i].name, &file))
            kind = (struct file_kind){.mode = file.stx_mode,
                                      .major = file.stx_rdev_major,
                                      .minor = file.stx_rdev_minor,
                                      .family = -1};
        else if (errno != ENOENT)
            return;
        proc_file_set(scan, process, files[i].id, text_from(file_kind_name(&kind)));
    }
}

void proc_image_read(struct proc_scan *scan, int dir, struct process *process)
{
    read_arguments(scan, dir, process);
    read_folder(scan, dir, process);
    if (!read_executable(scan, dir, process))
        return;
    read_environment(scan, dir, process);
    read_stdio(scan, dir, process);
}
