/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* How a record begins and gets into the ring of its CPU. All programs make their records with
 * preemption off and in process context, so a CPU has one record in the making at most. */
#ifndef PICKET_RING_H
#define PICKET_RING_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "budget.h"
#include "wire.h"

/* The reader sets it before it sleeps; whoever finds it set clears it and rings. */
__u32 reader_asleep = 0;
/* Events on a CPU that is beyond the maps. */
__u64 unseen = 0;

struct ring {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 16); /* a pattern: the loader's rings have sizes of their own */
};

/* Those that the loader makes, one a CPU. Nobody is woken by what is in them. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, 1); /* the loader makes it the number of CPUs */
    __type(key, __u32);
    __array(values, struct ring);
} rings SEC(".maps");

/* What wakes the reader. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, WIRE_BELL_SIZE);
} bell SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1); /* the loader makes it the number of CPUs */
    __type(key, __u32);
    __type(value, struct wire_cpu);
} cpus SEC(".maps");

static __always_inline struct wire_cpu *cpu_find(void)
{
    __u32 number = bpf_get_smp_processor_id();
    struct wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &number);

    if (!cpu)
        __sync_fetch_and_add(&unseen, 1);
    return cpu;
}

/* Begins a record: stamps it, and tells the reader that this CPU has one in the making. */
static __always_inline void record_begin(struct wire_cpu *cpu, struct wire_process *process,
                                         enum wire_type type)
{
    *(volatile __u64 *)&cpu->busy = WIRE_STAMPING;
    process->header.time = bpf_ktime_get_boot_ns();
    *(volatile __u64 *)&cpu->busy = process->header.time;
    process->header.type = type;
    process->header.version = WIRE_VERSION;
    process->header.cpu = bpf_get_smp_processor_id();
    process->header.sequence = cpu->sequence++;
}

/* What a record of LENGTH bytes takes in the ring. */
static __always_inline __u64 ring_bytes(__u64 length)
{
    return BPF_RINGBUF_HDR_SZ + ((length + 7) & ~7ULL);
}

/* Rings once for a reader that sleeps; and for each half of a ring that is written, for one that
 * only looks now and then. */
static __always_inline void reader_wake(struct wire_cpu *cpu)
{
    __u64 stroke = 1;

    reader_asleep = 0;
    cpu->rung_bytes = cpu->written_bytes;
    bpf_ringbuf_output(&bell, &stroke, sizeof(stroke), BPF_RB_FORCE_WAKEUP);
}

static __always_inline void record_end(struct wire_cpu *cpu, struct wire_process *process,
                                       enum wire_type type, __u64 length)
{
    void *ring = bpf_map_lookup_elem(&rings, &process->header.cpu);

    process->header.length = length;
    if (is_pressed(cpu))
        budget_charge(process->cgroup_id, length);
    if (!ring || bpf_ringbuf_output(ring, process, length, BPF_RB_NO_WAKEUP))
        cpu->lost[type]++;
    else
        cpu->written_bytes += ring_bytes(length);
    *(volatile __u64 *)&cpu->emitted[type] += 1;
    *(volatile __u64 *)&cpu->busy = 0;
    /* The record must be in the ring before we look whether the reader sleeps, as the reader says
     * that it sleeps before it looks for records: putting it there ends with an exchange, which is
     * a full barrier. Nobody waits for a fork: what the child does will ring. */
    if ((type != WIRE_FORK && *(volatile __u32 *)&reader_asleep) ||
        cpu->written_bytes - cpu->rung_bytes > cpu->ring_size / 2)
        reader_wake(cpu);
}

#endif
