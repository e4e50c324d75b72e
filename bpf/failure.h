/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* An execve or execveat that failed, as its caller had it in memory when it returned: another
 * thread may have changed that since. */
#ifndef PICKET_FAILURE_H
#define PICKET_FAILURE_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "budget.h"
#include "filter.h"
#include "machine.h"
#include "process.h"
#include "program.h"
#include "ring.h"
#include "texts.h"
#include "wire.h"

#define ARGS_MAX 256  /* each has to be fetched on its own */
#define ARG_SIZE 4096 /* of each of them */

/* From here on (include/linux/errno.h) they are the kernel's own, for a call that a signal has
 * interrupted and that is to be made again. */
#define ERESTARTSYS 512

static __always_inline bool is_failure(long retval)
{
    return retval < 0 && retval > -ERESTARTSYS;
}

/* How a failed execve was called. */
struct attempt {
    long retval;
    unsigned long filename, argv; /* user addresses */
    bool compat;                  /* the pointers in ARGV are of 32 bits */
};

/* Reads a string of the process's memory to TO, its NUL included, and returns what that takes; or
 * -errno. Before Linux 6.2 the helper returns 0 for an empty one and forgets the NUL. */
static __always_inline long user_string_read(char *to, __u32 size, unsigned long string)
{
    long taken = bpf_probe_read_user_str(to, size, (void *)string);

    if (taken == 0) {
        *to = '\0';
        return 1;
    }
    return taken;
}

/* True when a string that filled SIZE bytes had more. */
static __always_inline bool user_string_cut(unsigned long string, __u32 size)
{
    char last = 0;

    bpf_probe_read_user(&last, 1, (void *)(string + size - 1));
    return last != 0;
}

/* Puts the argument whose address is at PLACE; 0 when there is none or no more can be had. Global
 * for the same reason as walk_step(). */
__noinline int arg_put(unsigned long place, int compat)
{
    struct scratch *s = scratch_find();
    unsigned long arg = 0;

    if (!s)
        return 0;
    __u32 used = s->used;
    /* Little endian: the four bytes of a 32-bit pointer are the lower half. */
    if (bpf_probe_read_user(&arg, compat ? 4 : 8, (void *)place)) {
        s->flags |= WIRE_ARGV_FAULT;
        return 0;
    }
    if (!arg)
        return 0;
    if (used > TEXTS_SIZE - ARG_SIZE || used > s->failed.filename_length + argv_limit) {
        s->flags |= WIRE_ARGV_CUT;
        return 0;
    }
    long taken = user_string_read((char *)&s->texts[used], ARG_SIZE, arg);
    if (taken <= 0) {
        s->flags |= WIRE_ARGV_FAULT;
        return 0;
    }
    if (taken == ARG_SIZE && user_string_cut(arg, ARG_SIZE))
        s->flags |= WIRE_ARGV_CUT;
    s->used = used + taken;
    s->failed.argc++;
    return 1;
}

static __always_inline void attempt_put(struct scratch *s, const struct attempt *attempt)
{
    struct wire_exec_failed *failed = &s->failed;
    const int size = attempt->compat ? 4 : 8;
    int i;

    long taken = user_string_read((char *)s->texts, PATH_MAX, attempt->filename);
    if (taken <= 0 || (taken == PATH_MAX && user_string_cut(attempt->filename, PATH_MAX)))
        s->flags |= WIRE_FILENAME_CUT;
    s->used = taken > 0 ? taken : 0;
    failed->filename_length = s->used;
    for (i = 0; i < ARGS_MAX && attempt->argv; i++)
        if (!arg_put(attempt->argv + i * size, attempt->compat))
            break;
    if (i == ARGS_MAX)
        s->flags |= WIRE_ARGV_CUT;
    failed->argv_length = s->used - failed->filename_length;
}

static __always_inline int failure_report(const struct attempt *attempt)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct wire_cpu *cpu = cpu_find();
    struct scratch *s = scratch_find();

    if (!cpu || !s || is_over_budget(cpu, WIRE_EXEC_FAILED, cgroup_id_of(task, false), NULL))
        return 0;
    struct wire_exec_failed *failed = &s->failed;
    __builtin_memset(failed, 0, sizeof(*failed));
    s->used = 0;
    s->flags = 0;
    process_fill(&failed->process, task, false);
    if (is_process_filtered(&failed->process)) {
        cpu->filtered[WIRE_EXEC_FAILED]++;
        return 0;
    }
    record_begin(cpu, &failed->process, WIRE_EXEC_FAILED);
    failed->retval = attempt->retval;
    attempt_put(s, attempt);
    failed->process.flags |= s->flags;
    record_end(cpu, &failed->process, WIRE_EXEC_FAILED, scratch_length(s, cpu, sizeof(*failed)));
    return 0;
}

/* AT: it was execveat, whose arguments come one later. */
static __always_inline int call_report(long retval, struct pt_regs *regs, bool at,
                                       enum call_kind kind)
{
    struct attempt attempt = {
        .retval = retval,
        .filename = call_argument(regs, at ? 1 : 0, kind),
        .argv = call_argument(regs, at ? 2 : 1, kind),
        .compat = kind != CALL_64,
    };

    return failure_report(&attempt);
}

#endif
