/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fairness when the reader does not keep up. While more than three quarters of a CPU's ring are
 * unread, the last one is shared out: each cgroup has a bucket of a 32nd of the ring there that
 * fills up again within BUDGET_REFILL; what a cgroup does beyond that is folded: counted, and not
 * made a record. So one cgroup's flood leaves the rest of the ring to the others, and nothing is
 * folded that was not about to be lost.
 *
 * The first exec of a program (cgroup, device, inode) is never folded; nor is the first one after
 * BUDGET_MEMORY. */
#ifndef PICKET_BUDGET_H
#define PICKET_BUDGET_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "wire.h"

#define BUDGET_CGROUPS  1024
#define BUDGET_PROGRAMS 8192
#define BUDGET_MEMORY   10000000000ULL /* ns */
#define BUDGET_REFILL   1000000000ULL  /* ns */
#define BUDGET_RESERVE  4              /* the last of that many parts of a ring is shared out */
#define BUDGET_SHARES   32             /* a bucket is one of that many parts */

/* Set by the loader. */
const volatile bool has_budget = true;

/* Keyed by the id of the cgroup; the reader lists it for what was folded. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
    __uint(max_entries, BUDGET_CGROUPS);
    __type(key, __u64);
    __type(value, struct wire_budget);
} budgets SEC(".maps");

struct budget_program {
    __u64 cgroup_id, inode;
    __u64 device;
};

/* When a program was last reported while its CPU was pressed. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, BUDGET_PROGRAMS);
    __type(key, struct budget_program);
    __type(value, __u64);
} budget_programs SEC(".maps");

/* READ_BYTES is looked at only when it may matter: the reader has its cache line. */
static __always_inline bool is_pressed(struct wire_cpu *cpu)
{
    __s64 most = cpu->ring_size - cpu->ring_size / BUDGET_RESERVE;

    if (!has_budget || (__s64)(cpu->written_bytes - cpu->read_before) <= most)
        return false;
    cpu->read_before = *(volatile __u64 *)&cpu->read_bytes;
    return (__s64)(cpu->written_bytes - cpu->read_before) > most;
}

/* True for a program that was not reported lately; from now on it was. */
static __always_inline bool program_is_new(const struct budget_program *program, __u64 now)
{
    __u64 *last = bpf_map_lookup_elem(&budget_programs, program);

    if (last && now - *last < BUDGET_MEMORY)
        return false;
    bpf_map_update_elem(&budget_programs, program, &now, BPF_ANY);
    return true;
}

/* A bucket of another CPU's is all zeros, and so full by now. */
static __always_inline void bucket_fill(struct wire_budget *budget, __u64 now, __s64 most)
{
    __u64 elapsed = now - budget->time;

    budget->time = now;
    if (elapsed < BUDGET_REFILL)
        budget->bytes += most * elapsed / BUDGET_REFILL;
    else
        budget->bytes = most;
    if (budget->bytes > most)
        budget->bytes = most;
}

/* Whether the cgroup may have a record of TYPE, one of PROGRAM when that is an exec, from a bucket
 * of MOST bytes. */
static __always_inline bool is_affordable(const struct budget_program *program, __u32 type,
                                          __s64 most)
{
    struct wire_budget *budget = bpf_map_lookup_elem(&budgets, &program->cgroup_id);
    __u64 now = bpf_ktime_get_boot_ns();

    if (!budget) {
        struct wire_budget empty = {};

        bpf_map_update_elem(&budgets, &program->cgroup_id, &empty, BPF_ANY);
        budget = bpf_map_lookup_elem(&budgets, &program->cgroup_id);
        if (!budget)
            return true;
    }
    bucket_fill(budget, now, most);
    if (type == WIRE_EXEC && program_is_new(program, now))
        return true;
    if (budget->bytes > 0)
        return true;
    budget->folded[type % WIRE_TYPES]++; /* a bound that the verifier sees */
    return false;
}

/* The same. A global function, so that the verifier looks at it once. */
__noinline int budget_permits(__u64 cgroup_id, __u32 type, __u64 inode, __u64 device, __u64 most)
{
    struct budget_program program = {cgroup_id, inode, device};

    return is_affordable(&program, type, most);
}

__noinline int budget_charge(__u64 cgroup_id, __u32 length)
{
    struct wire_budget *budget = bpf_map_lookup_elem(&budgets, &cgroup_id);

    if (budget)
        budget->bytes -= length;
    return 0;
}

/* Whether to go without a record of TYPE; counts it then. FILE: what an exec executes. */
static __always_inline bool is_over_budget(struct wire_cpu *cpu, enum wire_type type,
                                           __u64 cgroup_id, struct file *file)
{
    __u64 inode = 0;
    __u32 device = 0;

    if (!is_pressed(cpu))
        return false;
    if (file) {
        inode = file->f_inode->i_ino;
        device = file->f_inode->i_sb->s_dev;
    }
    if (budget_permits(cgroup_id, type, inode, device, cpu->ring_size / BUDGET_SHARES))
        return false;
    cpu->folded[type]++;
    return true;
}

#endif
