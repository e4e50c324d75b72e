/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The tutorial's execsnoop, written anew: one program where execve is entered, one wake-up each. */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "seed.h"

struct syscall_enter {
    __u64 entry;
    long number;
    unsigned long arguments[6];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
} events SEC(".maps");

SEC("tracepoint/syscalls/sys_enter_execve")
int seed_enter(struct syscall_enter *ctx)
{
    struct task_struct *task = (void *)bpf_get_current_task();
    struct seed_event event = {};

    event.pid = bpf_get_current_pid_tgid() >> 32;
    event.ppid = BPF_CORE_READ(task, real_parent, tgid);
    event.uid = bpf_get_current_uid_gid();
    bpf_probe_read_user_str(event.comm, sizeof(event.comm), (void *)ctx->arguments[0]);
    bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
