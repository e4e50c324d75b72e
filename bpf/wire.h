/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The contract between the kernel side (exec.bpf.c) and the engine (core/event/record.c and
 * core/sensor): what a record in the perf rings looks like, and the memory both sides share.
 *
 * Every number is in the machine's own byte order; both sides run on one machine. A perf sample
 * begins 12 bytes into its ring entry, so a record is misaligned where it lies: copy, never cast.
 * A change of anything below is a change of WIRE_VERSION. */
#ifndef PICKET_WIRE_H
#define PICKET_WIRE_H

#include <linux/types.h>

#define WIRE_VERSION 1

/* Above 65,516 bytes a perf sample vanishes without an error, above 65,528 its 16-bit length wraps
 * and a reader over-reads (both seen on 6.18): keep well away. */
#define WIRE_RECORD_MAX 64000

enum wire_type { WIRE_EXEC, WIRE_EXEC_FAILED, WIRE_EXIT, WIRE_FORK, WIRE_TYPES };

/* What could not be captured whole. */
enum wire_flag {
    WIRE_ARGV_CUT = 1 << 0,     /* there were more bytes of arguments than are here */
    WIRE_ARGV_FAULT = 1 << 1,   /* (some of) the arguments could not be read */
    WIRE_EXE_CUT = 1 << 2,      /* the walk from the executable did not get to the root */
    WIRE_CWD_CUT = 1 << 3,      /* nor that from the working directory */
    WIRE_MEMFD = 1 << 4,        /* the executable is one of memfd_create(2) */
    WIRE_NO_AUDIT = 1 << 5,     /* this kernel keeps no loginuid and session */
    WIRE_NO_ARGC = 1 << 6,      /* argc is not known */
    WIRE_FILENAME_CUT = 1 << 7, /* the path given to execve was longer, or could not be read */
};

/* Begins every record. */
struct wire_header {
    __u16 length; /* bytes of the whole record; the ring may pad it */
    __u8 type;    /* enum wire_type */
    __u8 version; /* WIRE_VERSION */
    __u32 cpu;
    __u64 sequence; /* counts the records of this CPU, lost ones too: a gap is a loss */
    __u64 time;     /* CLOCK_BOOTTIME, ns */
};

/* What every record says of its process. (tgid, start) names a process for good: pids are used
 * again. All ids are those of the initial namespaces. */
struct wire_process {
    struct wire_header header;
    __u64 start;        /* start_boottime of the thread group's leader, ns */
    __u64 parent_start; /* of the real parent's */
    __u32 tgid;
    __u32 parent_tgid;
    __u64 cgroup_id; /* in the v2 hierarchy */
    __u32 uid, euid, gid, egid;
    __u32 loginuid, session;
    __u32 tty;   /* major << 20 | minor; 0: none */
    __u32 flags; /* enum wire_flag */
    char comm[16];
};

/* The texts of a record follow its fixed part, in the order of their lengths there. A length of 0
 * is "there is none"; FILENAME and INTERPRETER count a NUL at their end. EXE and CWD are the
 * names along the path with a NUL behind each, the last name first: "true\0bin\0" is /bin/true,
 * nothing at all is "/". ARGV is the arguments' memory as it is: each with a NUL behind it, but
 * for the last when it was cut. */
struct wire_exec {
    struct wire_process process;
    __u64 inode;
    __u64 args_length; /* bytes of all arguments, those cut off included */
    __u32 device;      /* major << 20 | minor */
    __u32 mode;        /* as st_mode */
    __u32 nlink;
    __u32 argc;
    __u16 filename_length;
    __u16 interpreter_length;
    __u16 exe_length;
    __u16 cwd_length;
    __u16 argv_length;
    __u16 reserved[3]; /* 0 */
};

/* An execve or execveat that failed; PROCESS is the caller. */
struct wire_exec_failed {
    struct wire_process process;
    __s32 retval; /* -errno */
    __u32 argc;   /* of the arguments that are here, when WIRE_ARGV_CUT or _FAULT is set */
    __u16 filename_length;
    __u16 argv_length;
    __u32 reserved; /* 0 */
};

/* The last thread of a process ended. Two threads that end at once may each report it. */
struct wire_exit {
    struct wire_process process;
    __s32 status; /* as wait(2) has it */
    __u32 reserved;
};

/* A process (not a thread) was made; PROCESS is the child. */
struct wire_fork {
    struct wire_process process;
};

/* One for each possible CPU, in an array map that the reader maps into its memory. The kernel
 * side writes, the reader reads. */
struct wire_cpu {
    /* While a record is in the making, its time (WIRE_STAMPING before that is known); else 0.
     * So the reader knows below which time nothing more can come from this CPU. */
    __u64 busy;
    __u64 sequence;            /* that of the next record */
    __u64 emitted[WIRE_TYPES]; /* records made, lost ones included */
    __u64 lost[WIRE_TYPES];    /* of those: the ring was full, or the CPU has none */
    __u64 faults;              /* records with WIRE_ARGV_FAULT or an unreadable filename */
    __u64 reserved[5];
};

#define WIRE_STAMPING 1

_Static_assert(sizeof(struct wire_header) == 24, "wire_header has no holes");
_Static_assert(sizeof(struct wire_process) == 24 + 16 + 8 + 8 + 16 + 8 + 8 + 16,
               "wire_process has no holes");
_Static_assert(sizeof(struct wire_exec) == sizeof(struct wire_process) + 48,
               "wire_exec has no holes");
_Static_assert(sizeof(struct wire_exec_failed) == sizeof(struct wire_process) + 16,
               "wire_exec_failed has no holes");
_Static_assert(sizeof(struct wire_exit) == sizeof(struct wire_process) + 8,
               "wire_exit has no holes");
_Static_assert(sizeof(struct wire_cpu) == 128, "CPUs do not share cache lines");

#endif
