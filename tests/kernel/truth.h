/* What a process knows of itself, from sources that have nothing to do with the capture: /proc,
 * stat(2) and the like. The capture's records are compared with it. */
#ifndef PICKET_TESTS_KERNEL_TRUTH_H
#define PICKET_TESTS_KERNEL_TRUTH_H

#include <stdint.h>

/* Where the probe writes its truth. */
#define TRUTH_FD 9

struct truth {
    int64_t pid, ppid;     /* as /proc has them */
    int64_t start, pstart; /* of the process and its parent, in clock ticks since boot */
    int64_t uid, euid, gid, egid;
    int64_t loginuid, session;
    int64_t tty; /* device number as in /proc/self/stat; 0: none */
    int64_t exe_inode, exe_nlink, exe_mode, exe_major, exe_minor;
    char comm[16];
    char exe[4096]; /* /proc/self/exe, without " (deleted)" */
    char cwd[4096]; /* "" when it has no path */
    char cgroup[1024];
};

/* Fills *TRUTH for the calling process and writes it to TRUTH_FD. 0 or -errno. */
int truth_tell(void);

/* Start of process PID in clock ticks, or -errno. */
int64_t truth_start(int64_t pid);

#endif
