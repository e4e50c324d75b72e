#include "sensor/filters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mounts.h"
#include "exec.skel.h"
#include "wire.h"

static int put_hierarchy(struct buffer *out)
{
    CLEANUP(buffer_deinit) struct buffer mounts = {0};
    struct text root;
    int r = mounts_read(&mounts);

    if (r == 0)
        r = mounts_find_cgroup2(&mounts, &root);
    if (r == 0)
        buffer_put_text(out, root);
    return r;
}

static int resolve_cgroup(const char *path, struct sensor_filter *out, struct buffer *why)
{
    CLEANUP(buffer_deinit) struct buffer place = {0};
    struct stat status;

    if (path[0] != '/') {
        buffer_printf(why, "'%s' is not a cgroup's path: that begins with /", path);
        return -EINVAL;
    }
    int r = put_hierarchy(&place);

    if (r < 0) {
        buffer_put_string(why, "no cgroup2 is mounted here, so no cgroup can be excluded");
        return r;
    }
    buffer_put_string(&place, path);
    if (stat(buffer_string(&place), &status) < 0 || !S_ISDIR(status.st_mode)) {
        buffer_printf(why, "there is no cgroup '%s' (no folder %s)", path, buffer_string(&place));
        return -ENOENT;
    }
    out->number = status.st_ino; /* a cgroup's id is its inode where that has 64 bits */
    return 0;
}

static int resolve_user(const char *value, struct sensor_filter *out, struct buffer *why)
{
    struct account account;
    int r = account_find(value, &account);

    if (r < 0)
        buffer_printf(why, "there is no user '%s' in /etc/passwd", value);
    else
        out->number = account.uid;
    return r;
}

/* A file as the kernel has it: stat(2) tells another device for it on btrfs and overlayfs. */
struct kernel_file {
    int64_t mount, inode;
    uint32_t device;
};

static int find_device(struct kernel_file *file)
{
    CLEANUP(buffer_deinit) struct buffer mounts = {0};
    struct mount mount;
    int r = mounts_read(&mounts);

    if (r == 0)
        r = mounts_read_all(&mounts);
    if (r < 0)
        return r;
    for (size_t at = 0; mounts_next(&mounts, &at, &mount);) {
        if (mount.id == file->mount) {
            file->device = mount.major << 20 | mount.minor;
            return 0;
        }
    }
    return -ENOENT;
}

/* Reads what /proc says of the descriptor FD; the inode only from Linux 5.14. -errno. */
static int read_file_facts(int fd, struct kernel_file *file)
{
    char path[64], line[128];

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    CLEANUP(fclosep) FILE *facts = fopen(path, "re");

    if (!facts)
        return -errno;
    while (fgets(line, sizeof line, facts)) {
        struct text value = text_from(line), name = text_split(&value, ':');

        if (text_is(name, "mnt_id"))
            text_to_int(text_trim(value), &file->mount);
        else if (text_is(name, "ino"))
            text_to_int(text_trim(value), &file->inode);
    }
    return find_device(file);
}

static int resolve_exe(const char *path, struct sensor_filter *out, struct buffer *why)
{
    CLEANUP(closep) int fd = open(path, O_PATH | O_CLOEXEC);
    struct kernel_file file = {.mount = -1};
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        int r = -errno;

        buffer_printf(why, "'%s' cannot be looked at: %s", path, strerror(-r));
        return r;
    }
    if (!S_ISREG(status.st_mode)) {
        buffer_printf(why, "'%s' is not a file that can be executed", path);
        return -EINVAL;
    }
    file.inode = (int64_t)status.st_ino;
    int r = read_file_facts(fd, &file);

    if (r < 0) {
        buffer_printf(why, "the device of '%s' cannot be found in /proc: %s", path, strerror(-r));
        return r;
    }
    out->number = (uint64_t)file.inode;
    out->device = file.device;
    out->ctime = (uint64_t)(status.st_ctim.tv_sec * NS_PER_S + status.st_ctim.tv_nsec);
    return 0;
}

int sensor_filter_resolve(enum sensor_filter_kind kind, const char *value,
                          struct sensor_filter *out, struct buffer *why)
{
    struct sensor_filter filter = {.kind = kind, .text = value};
    int r = -EINVAL;

    switch (kind) {
    case SENSOR_FILTER_CGROUP:
        r = resolve_cgroup(value, &filter, why);
        break;
    case SENSOR_FILTER_USER:
        r = resolve_user(value, &filter, why);
        break;
    case SENSOR_FILTER_EXE:
        r = resolve_exe(value, &filter, why);
        break;
    }
    if (r == 0)
        *out = filter;
    return r;
}

void sensor_filter_put(const struct sensor_filter *filter, struct buffer *out)
{
    static const char *const names[SENSOR_FILTER_KINDS] = {"cgroup", "user", "exe"};

    buffer_printf(out, "%s %s (", names[filter->kind], filter->text);
    if (filter->kind == SENSOR_FILTER_CGROUP)
        buffer_put_string(out, "id ");
    if (filter->kind == SENSOR_FILTER_EXE)
        buffer_printf(out, "%u:%u/", filter->device >> 20, filter->device & 0xfffff);
    buffer_printf(out, "%" PRIu64 ")", filter->number);
}

static uint32_t count_kind(const struct sensor_filter *filters, size_t count,
                           enum sensor_filter_kind kind)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += filters[i].kind == kind;
    return sum;
}

/* A map cannot be empty, so one that nobody looks at has room for one. */
static bool prepare_map(struct bpf_map *map, uint32_t entries)
{
    bpf_map__set_max_entries(map, entries > 0 ? entries : 1);
    return entries > 0;
}

void filters_prepare(struct exec_bpf *skeleton, const struct sensor_filter *filters, size_t count)
{
    skeleton->rodata->has_cgroup_filter = prepare_map(
        skeleton->maps.filter_cgroups, count_kind(filters, count, SENSOR_FILTER_CGROUP));
    skeleton->rodata->has_user_filter =
        prepare_map(skeleton->maps.filter_users, count_kind(filters, count, SENSOR_FILTER_USER));
    skeleton->rodata->has_file_filter =
        prepare_map(skeleton->maps.filter_files, count_kind(filters, count, SENSOR_FILTER_EXE));
}

static int install_filter(const struct exec_bpf *skeleton, const struct sensor_filter *filter)
{
    struct wire_file file = {
        .inode = filter->number, .ctime = filter->ctime, .device = filter->device};
    uint32_t uid = (uint32_t)filter->number;
    uint8_t yes = 1;
    int r = 0;

    switch (filter->kind) {
    case SENSOR_FILTER_CGROUP:
        r = bpf_map_update_elem(bpf_map__fd(skeleton->maps.filter_cgroups), &filter->number, &yes,
                                BPF_ANY);
        break;
    case SENSOR_FILTER_USER:
        r = bpf_map_update_elem(bpf_map__fd(skeleton->maps.filter_users), &uid, &yes, BPF_ANY);
        break;
    case SENSOR_FILTER_EXE:
        r = bpf_map_update_elem(bpf_map__fd(skeleton->maps.filter_files), &file, &yes, BPF_ANY);
        break;
    }
    return r < 0 ? -errno : 0;
}

int filters_install(const struct exec_bpf *skeleton, const struct sensor_filter *filters,
                    size_t count)
{
    const struct bpf_map *const maps[] = {skeleton->maps.filter_cgroups,
                                          skeleton->maps.filter_users, skeleton->maps.filter_files};

    for (size_t i = 0; i < count; i++) {
        int r = install_filter(skeleton, &filters[i]);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        if (bpf_map_freeze(bpf_map__fd(maps[i])) < 0)
            return -errno;
    return 0;
}
