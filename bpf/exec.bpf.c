/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel side: what is executed, tried, forked and ended, as records (wire.h) in rings.
 *
 * A success is taken at sched_process_exec: behind the point of no return, the arguments read from
 * the new memory, so that no racing thread can forge it and no way of starting a program avoids
 * it. A failure is taken where execve returns.
 *
 * Below Linux 7.0 the programs are on tp_btf (..._btf), and nothing is kept between two of them.
 * From 7.0 on the kernel may skip those; classic tracepoints it has always been free to skip,
 * though for other reasons. There each success, fork and exit has two programs (..._witness and
 * ..._classic), and the one that comes first reports. See witness.h. */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "budget.h"
#include "failure.h"
#include "filter.h"
#include "process.h"
#include "program.h"
#include "ring.h"
#include "wire.h"
#include "witness.h"

#define CLONE_THREAD 0x00010000

#define FORKED 1 /* as marks: a task is forked once, and exits once */
#define EXITED 1

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* All but the ids: nobody looks at what a filter excludes. */
static __always_inline void exec_fill(struct scratch *s, struct task_struct *task,
                                      struct linux_binprm *binprm, const void *filename)
{
    struct wire_exec *exec = &s->exec;
    struct mm_struct *mm = task->mm;
    struct fs_struct *fs = task->fs;

    namespaces_fill(&exec->namespaces, task);
    pid_fill(exec, task);
    descriptors_fill(exec, task->files);
    names_put(s, mm, binprm, filename);
    executable_put(s, mm->exe_file);
    exec->cwd_length = path_put(s, fs->pwd.mnt, fs->pwd.dentry, WIRE_CWD_CUT);
    exec->cgroup_length = cgroup_put(s, task->cgroups, exec->process.header.time);
    argv_put(s, mm);
    environment_put(s, mm);
}

static __always_inline int exec_report(struct task_struct *task, struct linux_binprm *binprm,
                                       const void *filename)
{
    struct file *file = task->mm->exe_file;
    struct wire_cpu *cpu = cpu_find();
    struct scratch *s = scratch_find();

    if (!cpu || !s || is_over_budget(cpu, WIRE_EXEC, cgroup_id_of(task, true), file))
        return 0;
    struct wire_exec *exec = &s->exec;
    __builtin_memset(exec, 0, sizeof(*exec));
    s->used = 0;
    s->flags = 0;
    record_begin(cpu, &exec->process, WIRE_EXEC);
    process_fill(&exec->process, task, true);
    inode_fill(exec, file->f_inode);
    if (is_exec_filtered(exec)) {
        s->flags |= WIRE_FILTERED;
        cpu->filtered[WIRE_EXEC]++;
    } else {
        exec_fill(s, task, binprm, filename);
    }
    exec->process.flags |= s->flags;
    record_end(cpu, &exec->process, WIRE_EXEC, scratch_length(s, cpu, sizeof(*exec)));
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_btf, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    return exec_report(task, binprm, binprm->filename);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_witness, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    bpf_preempt_disable();
    if (!is_closed() && is_first(WIRE_BTF, WIRE_EXEC, task, task->self_exec_id))
        exec_report(task, binprm, binprm->filename);
    bpf_preempt_enable();
    return 0;
}

SEC("tracepoint/sched/sched_process_exec")
int exec_classic(struct trace_event_raw_sched_process_exec *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();
    const void *filename = (void *)ctx + (ctx->__data_loc_filename & 0xffff);

    if (has_witnesses && !is_first(WIRE_CLASSIC, WIRE_EXEC, task, task->self_exec_id))
        return 0;
    return exec_report(task, NULL, filename);
}

static __always_inline int fork_report(struct task_struct *creator, struct task_struct *child)
{
    struct wire_cpu *cpu = cpu_find();
    struct wire_fork fork = {};

    if (!cpu || is_over_budget(cpu, WIRE_FORK, cgroup_id_of(child, true), NULL))
        return 0;
    record_begin(cpu, &fork.process, WIRE_FORK);
    process_fill(&fork.process, child, true);
    fork.creator_start = creator->group_leader->start_boottime;
    fork.creator_tgid = creator->tgid;
    record_end(cpu, &fork.process, WIRE_FORK, sizeof(fork));
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_btf, struct task_struct *creator, struct task_struct *child)
{
    return child->pid == child->tgid ? fork_report(creator, child) : 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_witness, struct task_struct *creator, struct task_struct *child)
{
    bpf_preempt_disable();
    if (!is_closed() && is_first(WIRE_BTF, WIRE_FORK, child, FORKED) && child->pid == child->tgid)
        fork_report(creator, child);
    bpf_preempt_enable();
    return 0;
}

/* The classic sched_process_fork gives pids as the parent's namespace has them; task_newtask, a
 * moment earlier, those of the initial one. */
SEC("tracepoint/task/task_newtask")
int fork_classic(struct trace_event_raw_task_newtask *ctx)
{
    bool is_thread = ctx->clone_flags & CLONE_THREAD;

    /* Threads are marked too, as the kernel counts what it skips of them. */
    if (is_thread && !has_witnesses)
        return 0;
    struct task_struct *child = bpf_task_from_pid(ctx->pid);
    if (!child) {
        __sync_fetch_and_add(&unseen, 1);
        return 0;
    }
    if ((!has_witnesses || is_first(WIRE_CLASSIC, WIRE_FORK, child, FORKED)) && !is_thread)
        fork_report(bpf_get_current_task_btf(), child);
    bpf_task_release(child);
    return 0;
}

static __always_inline int exit_report(struct task_struct *task)
{
    struct signal_struct *signal = task->signal;

    if (signal->live.counter)
        return 0; /* a thread; others live on */
    struct wire_cpu *cpu = cpu_find();
    struct wire_exit exit = {};
    if (!cpu || is_over_budget(cpu, WIRE_EXIT, cgroup_id_of(task, true), NULL))
        return 0;
    record_begin(cpu, &exit.process, WIRE_EXIT);
    process_fill(&exit.process, task, true);
    /* As kernel/exit.c, wait_task_zombie() */
    exit.status =
        signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
    record_end(cpu, &exit.process, WIRE_EXIT, sizeof(exit));
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_btf, struct task_struct *task)
{
    return exit_report(task);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_witness, struct task_struct *task)
{
    bpf_preempt_disable();
    if (!is_closed() && is_first(WIRE_BTF, WIRE_EXIT, task, EXITED))
        exit_report(task);
    bpf_preempt_enable();
    return 0;
}

SEC("tracepoint/sched/sched_process_exit")
int exit_classic(void *ctx)
{
    struct task_struct *task = bpf_get_current_task_btf();

    if (has_witnesses && !is_first(WIRE_CLASSIC, WIRE_EXIT, task, EXITED))
        return 0;
    return exit_report(task);
}

/* These two run for nothing but what they are for, yet cost other system calls 20 to 37 ns, and see
 * 64-bit processes only. */
SEC("tracepoint/syscalls/sys_exit_execve")
int failure_classic(struct trace_event_raw_sys_exit *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return is_failure(ctx->ret) ? call_report(ctx->ret, regs, false, CALL_64) : 0;
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int failure_at_classic(struct trace_event_raw_sys_exit *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return is_failure(ctx->ret) ? call_report(ctx->ret, regs, true, CALL_64) : 0;
}

/* Of any system call that has ended. */
static __always_inline int any_report(struct bpf_raw_tracepoint_args *ctx)
{
    long retval = ctx->args[1];

    if (!is_failure(retval))
        return 0;
    struct pt_regs *regs = (void *)ctx->args[0];
    long number = call_number(regs);

    if (number != EXECVE && number != EXECVEAT && number != EXECVE_32 && number != EXECVEAT_32 &&
        number != EXECVE_X32 && number != EXECVEAT_X32)
        return 0;
    bool compat = is_compat((void *)bpf_get_current_task());

    if (number == (compat ? EXECVE_32 : EXECVE))
        return call_report(retval, regs, false, compat ? CALL_32 : CALL_64);
    if (number == (compat ? EXECVEAT_32 : EXECVEAT))
        return call_report(retval, regs, true, compat ? CALL_32 : CALL_64);
    if (number == EXECVE_X32 || number == EXECVEAT_X32)
        return call_report(retval, regs, number == EXECVEAT_X32, CALL_X32);
    return 0;
}

/* Runs for every system call of the machine (60 to 90 ns each), those of 32-bit processes too. */
SEC("raw_tp/sys_exit")
int failure_raw(struct bpf_raw_tracepoint_args *ctx)
{
    return any_report(ctx);
}

/* The same where the kernel would let another task in meanwhile. */
SEC("raw_tp/sys_exit")
int failure_steady(struct bpf_raw_tracepoint_args *ctx)
{
    bpf_preempt_disable();
    any_report(ctx);
    bpf_preempt_enable();
    return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
