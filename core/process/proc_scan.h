/* What /proc says of processes: those that ran before the sensor did.
 *
 * Races are the normal case here: a process that goes away while it is read yields -ESRCH when
 * nothing is known of it yet, and otherwise just has fewer fields; so does one whose details the
 * kernel keeps from us. Nothing in a result is verified against a second look: whoever holds an
 * exact identity compares (see process_table.c). No server is asked what a file on it is like
 * (NFS, FUSE): what the kernel knows of it will do. One thread at a time.
 *
 * What is known only at exec is absent: filename, script, interpreter, exe.age, exe.filecaps,
 * exe.upper, securebits. What a process may change since is as it is now: its environment,
 * standard descriptors, namespaces and cgroup. */
#ifndef PICKET_PROCESS_PROC_SCAN_H
#define PICKET_PROCESS_PROC_SCAN_H

#include "base/arena.h"
#include "event/record.h"
#include "process/mount_types.h"

/* What a start time in /proc/PID/stat is cut to: one tick of USER_HZ, which is 100 on every
 * architecture that the sensor knows (kernel: fs/proc/array.c, nsec_to_clock_t). A process whose
 * start reads as T began in [T, T + PROC_TICK_NS). */
#define PROC_TICK_NS 10000000LL

/* The most that is read of one file, command lines above all. */
#define PROC_FILE_MAX (2UL * 1024 * 1024)

struct proc_scan {
    int proc;   /* folder handles, -1: none; they go on working after privileges are dropped */
    int cgroup; /* where cgroup v2 is mounted */
    struct arena texts;
    struct buffer file;
    struct mount_types mounts;
    int64_t mounts_read; /* when, monotonic */
    /* The variables that `env` has. Borrowed, set by the owner; none: no environment is read. */
    const char *const *environment;
    size_t environment_count;
};

struct proc_stat {
    struct identity self; /* start: the beginning of its tick */
    int64_t ppid;         /* 0: none, or outside of our pid namespace */
    int64_t pgid, sid;    /* the same */
    bool zombie;          /* it has exited and only waits for its parent */
    uint32_t tty;         /* device number as the kernel writes it to user space, 0: none */
    struct text comm;     /* borrows the scan's buffer: valid until the next call */
};

struct proc_entry {
    struct identity self;
    int64_t ppid;
    bool zombie;
    struct process process; /* no start_time, user or parent; texts live until the next call */
};

/* PATH is where procfs is mounted. 0 or -errno. */
int proc_scan_init(struct proc_scan *scan, const char *path);
void proc_scan_deinit(struct proc_scan *scan);

/* Only who it is, for the price of one file. 0, -ESRCH, -ENOMEM, or -errno of reading. */
int proc_scan_stat(struct proc_scan *scan, int64_t pid, struct proc_stat *out);

/* All there is. The same errors. */
int proc_scan_read(struct proc_scan *scan, int64_t pid, struct proc_entry *out);

/* Calls VISIT for every process id there is now, in no certain order, until it returns other than
 * 0, which is then returned. VISIT may use SCAN. Otherwise 0, or -errno of reading the folder. */
int proc_scan_each(struct proc_scan *scan, int (*visit)(int64_t pid, void *context), void *context);

#endif
