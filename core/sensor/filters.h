/* What the user excludes from capture, in the kernel: few and simple, because a filter is a hole.
 *
 * A program that a filter excludes still makes a record of its exec, without texts, so that
 * ancestry stays true; no failed attempt of an excluded process makes one. All of it is counted.
 * What the filters are is settled before the first program is attached: the kernel's maps are
 * frozen then. */
#ifndef PICKET_SENSOR_FILTERS_H
#define PICKET_SENSOR_FILTERS_H

#include "base/buffer.h"

struct exec_bpf;

enum sensor_filter_kind {
    SENSOR_FILTER_CGROUP, /* of the v2 hierarchy: processes right in it, not in those below it */
    SENSOR_FILTER_USER,   /* real uid */
    /* A file as it is now, by device, inode and ctime: under whatever name, but no longer once it
     * was changed, or its inode is another file's. */
    SENSOR_FILTER_EXE,
};

#define SENSOR_FILTER_KINDS 3

struct sensor_filter {
    enum sensor_filter_kind kind;
    const char *text; /* as it was written; borrowed */
    uint64_t number;  /* the cgroup's id, the uid, the inode */
    uint32_t device;  /* of the file: major << 20 | minor, as the kernel has it */
    uint64_t ctime;   /* of the file, ns since 1970 */
};

/* Looks up what VALUE names: a cgroup's path below the root of the v2 hierarchy ("/backup.slice"),
 * a user's name or number, a file's path (a symbolic link is followed). 0; or -errno, and WHY says
 * in a sentence what is the matter. */
int sensor_filter_resolve(enum sensor_filter_kind kind, const char *value,
                          struct sensor_filter *out, struct buffer *why);

/* "cgroup /backup.slice (id 42)", "user backup (34)", "exe /usr/bin/true (254:0/1234)". */
void sensor_filter_put(const struct sensor_filter *filter, struct buffer *out);

/* Makes room for the filters in a skeleton that is open and not loaded yet. */
void filters_prepare(struct exec_bpf *skeleton, const struct sensor_filter *filters, size_t count);

/* Puts them there, once it is loaded, and locks the door. -errno. */
int filters_install(const struct exec_bpf *skeleton, const struct sensor_filter *filters,
                    size_t count);

#endif
