/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The contract between the kernel side (exec.bpf.c) and the engine (core/event/record.c and
 * core/sensor): what a record in the rings looks like, and the memory both sides share.
 *
 * Every number is in the machine's own byte order; both sides run on one machine. A change of
 * anything below is a change of WIRE_VERSION. */
#ifndef PICKET_WIRE_H
#define PICKET_WIRE_H

#include <linux/types.h>

#define WIRE_VERSION 2

/* A length is 16 bits. */
#define WIRE_RECORD_MAX 64000

/* Of the ring that wakes the reader, in bytes: a power of two of pages of any size. */
#define WIRE_BELL_SIZE (1 << 16)

enum wire_type { WIRE_EXEC, WIRE_EXEC_FAILED, WIRE_EXIT, WIRE_FORK, WIRE_TYPES };

/* What could not be captured whole, and what is special. */
enum wire_flag {
    WIRE_ARGV_CUT = 1 << 0,     /* there were more bytes of arguments than are here */
    WIRE_ARGV_FAULT = 1 << 1,   /* (some of) the arguments could not be read */
    WIRE_EXE_CUT = 1 << 2,      /* the walk from the executable did not get to the root */
    WIRE_CWD_CUT = 1 << 3,      /* nor that from the working directory */
    WIRE_MEMFD = 1 << 4,        /* the executable is one of memfd_create(2) */
    WIRE_NO_AUDIT = 1 << 5,     /* this kernel keeps no loginuid and session */
    WIRE_NO_ARGC = 1 << 6,      /* argc is not known */
    WIRE_FILENAME_CUT = 1 << 7, /* the path given to execve was longer, or could not be read */
    WIRE_CGROUP_CUT = 1 << 8,   /* the cgroup's path was longer */
    WIRE_ENV_CUT = 1 << 9,      /* there were more bytes of environment than are here */
    WIRE_ENV_FAULT = 1 << 10,   /* the environment could not be read */
    WIRE_UPPER = 1 << 11,       /* the executable is in the upper layer of an overlay */
    WIRE_FILTERED = 1 << 12,    /* EXEC: a filter of the user's excludes it; there are no texts */
    WIRE_NO_ENV = 1 << 13,      /* the environment is not asked for */
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

/* Who a task acts as. Ids are those of the initial user namespace; sets of capabilities have bit N
 * for capability N. */
struct wire_credentials {
    __u32 uid, euid, suid;
    __u32 gid, egid, sgid;
    __u32 securebits;
    __u32 loginuid, session; /* of the audit login */
    __u32 reserved;          /* 0 */
    __u64 effective, permitted, inheritable, ambient;
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
    struct wire_credentials credentials;
    __u32 pgid, sid; /* of the process group's and the session's leaders */
    __u32 tty;       /* major << 20 | minor; 0: none */
    __u32 flags;     /* enum wire_flag */
    char comm[16];
};

/* The file at a standard descriptor. MODE is 0 when there is none; it has no type (S_IFMT) for
 * the kernel's anonymous files. */
struct wire_stdio {
    __u32 device; /* of a device file: major << 20 | minor */
    __u16 mode;   /* as st_mode */
    __u16 family; /* of a socket: AF_INET, ...  */
};

/* Inode numbers of namespaces, as /proc/PID/ns shows them. */
struct wire_namespaces {
    __u32 cgroup, ipc, mnt, net, pid, user, uts;
    __u32 reserved; /* 0 */
};

/* The texts of a record follow its fixed part, in the order of their lengths there. A length of 0
 * is "there is none"; FILENAME and INTERPRETER count a NUL at their end. EXE, CWD and CGROUP are
 * the names along the path with a NUL behind each, the last name first: "true\0bin\0" is
 * /bin/true, nothing at all is "/". ARGV is the arguments' memory as it is: each with a NUL behind
 * it, but for the last when it was cut; then ARGV_TAIL is the end of that memory, and what is
 * between the two is not here. ENV is the environment's memory from its beginning. */
struct wire_exec {
    struct wire_process process;
    struct wire_namespaces namespaces;
    struct wire_stdio stdio[3];
    __u64 inode;
    __u64 size;        /* of the executable, bytes */
    __u64 mtime;       /* ns since 1970 */
    __u64 ctime;       /* ns since 1970 */
    __u64 args_length; /* bytes of all arguments, those cut off included */
    __u64 env_total;   /* bytes of the whole environment */
    __u32 device;      /* major << 20 | minor */
    __u32 mode;        /* as st_mode */
    __u32 nlink;
    __u32 owner, group; /* of the executable, in the initial user namespace */
    __u32 argc;
    __u32 vpid;          /* in the process's own pid namespace */
    __u32 reserved;      /* 0 */
    char filesystem[16]; /* its type's name, as in /proc/filesystems */
    __u16 filename_length;
    __u16 interpreter_length;
    __u16 exe_length;
    __u16 cwd_length;
    __u16 cgroup_length;
    __u16 argv_length;
    __u16 argv_tail_length;
    __u16 env_length;
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

/* A process (not a thread) was made; PROCESS is the child. Who made it is its parent, but for
 * CLONE_PARENT. */
struct wire_fork {
    struct wire_process process;
    __u64 creator_start; /* start_boottime of the thread group's leader, ns */
    __u32 creator_tgid;
    __u32 reserved; /* 0 */
};

/* One for each possible CPU, in an array map that the reader maps into its memory. The kernel
 * side writes all but READ_BYTES, which is the reader's. */
struct wire_cpu {
    /* While a record is in the making, its time (WIRE_STAMPING before that is known); else 0.
     * So the reader knows below which time nothing more can come from this CPU. */
    __u64 busy;
    __u64 sequence;             /* that of the next record */
    __u64 emitted[WIRE_TYPES];  /* records made, lost ones included */
    __u64 lost[WIRE_TYPES];     /* of those: the ring was full */
    __u64 filtered[WIRE_TYPES]; /* not made, or (EXEC) made without texts: a filter's */
    __u64 folded[WIRE_TYPES];   /* not made: over the budget of its cgroup */
    __u64 faults;               /* records with WIRE_ARGV_FAULT or an unreadable filename */
    __u64 written_bytes;        /* put in the ring, its headers included */
    __u64 rung_bytes;           /* WRITTEN_BYTES when the reader was last rung for */
    __u64 read_before;          /* READ_BYTES as last looked at */
    __u64 ring_size;            /* set before the first record, as the reader made the ring */
    __u64 reserved[1];          /* the reader's half begins a cache line */
    __u64 read_bytes;           /* taken out of the ring, its headers included */
    __u64 reserved_reader[7];
};

#define WIRE_STAMPING 1

/* Which of the two programs of a hook, where both are attached. */
enum wire_side { WIRE_BTF, WIRE_CLASSIC, WIRE_SIDES };

/* One for each possible CPU, in an array map (witnesses) that the reader maps into its memory. */
struct wire_witness {
    __u64 first[WIRE_SIDES][WIRE_TYPES]; /* events that one side saw and the other one had not */
};

/* What a cgroup may still have of a CPU's ring while the reader is behind: in a per-CPU hash map
 * (budgets) keyed by the cgroup's id. */
struct wire_budget {
    __u64 time; /* CLOCK_BOOTTIME, ns, of the last look; 0: never */
    __s64 bytes;
    __u64 folded[WIRE_TYPES];
};

/* Names a file: the key of the map of executables that are excluded (filter_files). */
struct wire_file {
    __u64 inode;
    __u64 ctime;    /* as in struct wire_exec */
    __u32 device;   /* major << 20 | minor */
    __u32 reserved; /* 0 */
};

_Static_assert(sizeof(struct wire_header) == 24, "wire_header has no holes");
_Static_assert(sizeof(struct wire_credentials) == 72, "wire_credentials has no holes");
_Static_assert(sizeof(struct wire_process) == 24 + 32 + 72 + 16 + 16, "wire_process has no holes");
_Static_assert(sizeof(struct wire_exec) ==
                   sizeof(struct wire_process) + 32 + 24 + 48 + 32 + 16 + 16,
               "wire_exec has no holes");
_Static_assert(sizeof(struct wire_exec_failed) == sizeof(struct wire_process) + 16,
               "wire_exec_failed has no holes");
_Static_assert(sizeof(struct wire_exit) == sizeof(struct wire_process) + 8,
               "wire_exit has no holes");
_Static_assert(sizeof(struct wire_fork) == sizeof(struct wire_process) + 16,
               "wire_fork has no holes");
_Static_assert(sizeof(struct wire_witness) == 64, "CPUs share no cache lines");
_Static_assert(sizeof(struct wire_cpu) == 256, "reader and kernel side share no cache lines");

#endif
