/* The processes of this machine and their ancestry (DESIGN.md, Processes).
 *
 * Records go in, events come out: each with its process and, above it, the ancestors as they stand
 * at that moment. The parent of a process is the one that forked it, also after that one exited and
 * the kernel gave the child to another; ppid is what the kernel says at the time of the event.
 *
 * The order at start, so that nothing is lost and nothing newer is overwritten by older:
 *   1. attach the sensor (records wait in its rings),
 *   2. process_table_scan(),
 *   3. apply the records, oldest first.
 * A process that began in between is found by the scan and by its fork record: the fork then only
 * tells the true parent, for the scan's image is the newer one. An exec record always wins: later
 * ones follow it.
 *
 * A start time read from /proc is cut to ticks of 10 ms. process_table.c's find_entry() is the one
 * place where it meets the kernel's own: same pid, same tick, then the exact one is adopted.
 *
 * One thread at a time. Nothing here waits for anything but /proc and, where hashes are asked for,
 * EXE_HASH_WAIT for one. */
#ifndef PICKET_PROCESS_PROCESS_TABLE_H
#define PICKET_PROCESS_PROCESS_TABLE_H

#include "base/cleanup.h"
#include "event/record.h"
#include "process/exe_hash.h"

#define PROCESS_TABLE_ENTRIES_MAX 65536
#define PROCESS_TABLE_BYTES_MAX   (64UL * 1024 * 1024)
#define PROCESS_TABLE_EXITED_MAX  4096

/* 0 or NULL: the default. */
struct process_table_options {
    size_t entries_max; /* processes kept */
    size_t bytes_max;   /* memory of them and their texts */
    size_t exited_max;  /* exited processes kept for late events, beside those kept as ancestors */
    const char *proc;   /* where procfs is mounted: "/proc" */
    const char *passwd; /* names of users: "/etc/passwd" */
    const char *group;  /* and of groups: "/etc/group" */
    /* The variables that `env` has of processes found in /proc. Borrowed. */
    const char *const *environment;
    size_t environment_count;
};

struct process_table_counters {
    uint64_t live;            /* now: not known to have exited */
    uint64_t exited;          /* now: exited and kept */
    uint64_t bytes;           /* now */
    uint64_t retired;         /* exited ones let go */
    uint64_t evicted;         /* live ones let go, for want of room: a loss */
    uint64_t from_proc;       /* found in /proc, at start or later */
    uint64_t unknown_parents; /* sought, and found neither here nor in /proc */
    uint64_t duplicates;      /* repeated exits */
};

struct process_table;

/* 0, -ENOMEM, or -errno of opening procfs. */
int process_table_new(const struct process_table_options *options, struct process_table **out);
void process_table_free(struct process_table *table);
DEFINE_FREEP(struct process_table, process_table)

/* From now on events have exe.sha256, also of ancestors; NULL: no more. HASH is borrowed: it has to
 * outlive the table or the next call. */
void process_table_set_hash(struct process_table *table, struct exe_hash *hash);

/* Adds every process of /proc that is not in the table yet. 0, -ENOMEM, or -errno. */
int process_table_scan(struct process_table *table);

/* Takes in one record and makes the event of it. *out borrows from the table and from the record,
 * until the next call with the table or the end of the record. Its origin's first number, which
 * names the boot, is left 0. What the event's process says is the record's own as far as that
 * goes (argv and cmdline whole), of an EXEC_FAILED the image of the caller with filename, argv,
 * argc and the cmdline fields of the attempt.
 *
 * Of a process whose exec a filter left out nothing is known but who it is; its exit and its
 * failed execs are taken in and make no event. What it forks is not filtered until it execs.
 *
 * EXIT: a process that returned has exit.code, one that was killed has exit.signal; retval is the
 * code, 0 for a killed one. FORK: the process is the child.
 *
 * 0; -EALREADY: an exit that was applied before, there is no event (the kernel reports some exits
 * of threaded processes twice); -ECANCELED: of a filtered process, there is no event; -EINVAL: the
 * record names no process; -ENOMEM. */
int process_table_apply(struct process_table *table, const struct record *record,
                        struct event *out);

/* The process of that identity with its ancestors, or NULL. Borrowed until the next call. */
const struct process *process_table_find(struct process_table *table, struct identity self);

void process_table_count(const struct process_table *table, struct process_table_counters *out);

#endif
