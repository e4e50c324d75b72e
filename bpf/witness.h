/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Two programs that see the same events, from Linux 7.0 on, where the kernel may skip either:
 *
 *     one on a classic tracepoint, while another task is preempted within bpf(2) on that CPU;
 *     one on tp_btf, while another task is preempted within that very program on that CPU.
 *
 * Whichever comes first marks the event and reports it; the other one finds the mark and does
 * nothing. Both run before the task that the event happens to goes on, one after the other, so a
 * mark kept in that task's storage needs neither lock nor atomic: no other task ever looks at it. A
 * fork happens to the child: its creator may give it the pid of the one before. Where there is no
 * room for a mark both report: an event twice rather than never.
 *
 * Programs on tp_btf can be preempted there, but a CPU has one record in the making at most
 * (ring.h): they mark and report with preemption off. */
#ifndef PICKET_WITNESS_H
#define PICKET_WITNESS_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "wire.h"

extern void bpf_preempt_disable(void) __ksym __weak;
extern void bpf_preempt_enable(void) __ksym __weak;

/* Set by the loader: both are attached. */
const volatile bool has_witnesses = false;
/* Set by the reader before it reads for the last time: a program on tp_btf that was preempted
 * before it began keeps silent from then on. */
__u32 witnesses_closed = 0;

/* What was last reported of what a task did, by type: a number that tells that event from the one
 * before it. */
struct witness_mark {
    __u64 last[WIRE_TYPES];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct witness_mark);
} witness_marks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1); /* the loader makes it the number of CPUs */
    __type(key, __u32);
    __type(value, struct wire_witness);
} witnesses SEC(".maps");

static __always_inline void witness_count(enum wire_side side, enum wire_type type)
{
    __u32 number = bpf_get_smp_processor_id();
    struct wire_witness *witness = bpf_map_lookup_elem(&witnesses, &number);

    if (witness)
        witness->first[side][type]++;
}

/* Whether an event of TASK has not been seen by the other side. NUMBER is never 0. With preemption
 * off. */
static __always_inline bool is_first(enum wire_side side, enum wire_type type,
                                     struct task_struct *task, __u64 number)
{
    struct witness_mark *mark =
        bpf_task_storage_get(&witness_marks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

    if (mark) {
        if (mark->last[type] == number)
            return false;
        mark->last[type] = number;
    }
    witness_count(side, type);
    return true;
}

static __always_inline bool is_closed(void)
{
    return *(volatile __u32 *)&witnesses_closed;
}

#endif
