/* What a process knows of itself, from sources that have nothing to do with the capture: /proc,
 * stat(2) and the like. The capture's records are compared with it. */
#ifndef PICKET_TESTS_KERNEL_TRUTH_H
#define PICKET_TESTS_KERNEL_TRUTH_H

#include <stdint.h>

/* Where the probe writes its truth. */
#define TRUTH_FD 9

/* The most that is told of the environment. */
#define TRUTH_ENV_MAX 1024

/* Which variables of the environment are told: those whose names begin so. */
#define TRUTH_ENV "TESTED_"

struct truth_file {
    int64_t mode, device; /* of fstat(2): st_mode and st_rdev; mode -1: closed */
    int64_t family;       /* of a socket, by getsockopt(2) */
};

struct truth {
    int64_t pid, ppid;     /* as /proc has them */
    int64_t vpid;          /* getpid(2) */
    int64_t pgid, sid;     /* as /proc has them */
    int64_t start, pstart; /* of the process and its parent, in clock ticks since boot */
    int64_t uid, euid, suid, gid, egid, sgid;
    uint64_t effective, permitted, inheritable, ambient; /* capabilities, of /proc/self/status */
    int64_t securebits;                                  /* prctl(2) */
    int64_t loginuid, session;
    int64_t tty; /* device number as in /proc/self/stat; 0: none */
    int64_t exe_inode, exe_nlink, exe_mode, exe_major, exe_minor;
    int64_t exe_size, exe_mtime, exe_ctime, exe_uid, exe_gid; /* times: ns since 1970 */
    int64_t exe_magic;                                        /* statfs(2) */
    int64_t exe_filecaps; /* whether it has an attribute security.capability */
    int64_t ns_cgroup, ns_ipc, ns_mnt, ns_net, ns_pid, ns_user, ns_uts;
    struct truth_file stdio[3];
    int64_t env_length, env_used;
    char env[TRUTH_ENV_MAX]; /* those that TRUTH_ENV tells, in their order, with their NULs */
    char comm[16];
    char exe[4096];         /* /proc/self/exe, without " (deleted)" */
    char cwd[4096];         /* "" when it has no path */
    char cgroup[1024];      /* in the v2 hierarchy */
    char cgroup_path[1024]; /* the same; where that is "/" the deepest of the v1 hierarchies */
};

/* Fills *TRUTH for the calling process and writes it to TRUTH_FD. 0 or -errno. */
int truth_tell(void);

/* Start of process PID in clock ticks, or -errno. */
int64_t truth_start(int64_t pid);

#endif
