/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel side: what is executed, tried, forked and ended, as records (wire.h) in perf rings.
 *
 * A success is taken at sched_process_exec: behind the point of no return, the arguments read from
 * the new memory, so that no racing thread can forge it and no way of starting a program avoids
 * it. A failure is taken where execve returns. Nothing is kept between two hooks, so there is
 * nothing to leak or to confuse.
 *
 * Each hook has two programs, of which the loader picks one: tp_btf below Linux 7.0; from 7.0,
 * where those can be preempted and a nested run is skipped silently, the classic tracepoint. */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "wire.h"

#ifndef __TARGET_ARCH_x86
#error "system call numbers and registers are those of x86"
#endif

#define CLONE_THREAD  0x00010000
#define PATH_MAX      4096
#define FILENAME_SIZE 4128 /* PATH_MAX behind the "/dev/fd/N/" that execveat puts before it */
#define INTERP_MAX    256  /* BINPRM_BUF_SIZE */
#define NAME_SIZE     256  /* NAME_MAX and a NUL */
#define STEPS_MAX     512  /* along one path: names and mounts */
#define NAMES_SIZE    8192 /* of those, in bytes */
#define ARGV_MAX      32768
#define ARGS_MAX      256  /* of a failure: each has to be fetched on its own */
#define ARG_SIZE      4096 /* of each of them */

#define TEXTS_SIZE (WIRE_RECORD_MAX - sizeof(struct wire_exec))
/* Whatever is put before argv begins below this, so that argv always has its room. */
#define TEXTS_HEAD (TEXTS_SIZE - ARGV_MAX - FILENAME_SIZE)

/* Set by the loader. */
const volatile __u32 argv_limit = ARGV_MAX;
const volatile bool has_rdonly_cast = false; /* the kernel has that function, from 6.2 */

/* The reader sets it before it sleeps; whoever finds it set clears it and rings. */
__u32 reader_asleep = 0;
/* Events on a CPU that is beyond the maps. */
__u64 unseen = 0;

struct {
    __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
} events SEC(".maps"), bells SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1); /* the loader makes it the number of CPUs */
    __type(key, __u32);
    __type(value, struct wire_cpu);
} cpus SEC(".maps");

/* Where a record with texts is put together. USED and FLAGS live here and not in registers: the
 * verifier does not follow what is in a map, so the turns of a loop look alike to it. In
 * registers the programs take more than its million steps. */
struct scratch {
    union {
        struct wire_exec exec;
        struct {
            __u8 before[sizeof(struct wire_exec) - sizeof(struct wire_exec_failed)];
            struct wire_exec_failed failed; /* ends where the texts begin */
        };
    };
    __u8 texts[TEXTS_SIZE];
    __u32 used;
    __u32 flags;
    struct {
        struct mount *mount;
        struct dentry *root; /* of the mount */
        struct dentry *dentry;
    } walk; /* where path_put() has got to */
};

/* An array with an element a CPU: the value of a per-CPU array may not exceed 32 KiB. All hooks
 * run with preemption off and in process context, so they never meet in one element. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* as above */
    __type(key, __u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;
extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;

/* Begins a record: stamps it, and tells the reader that this CPU has one in the making. */
static __always_inline struct wire_cpu *record_begin(struct wire_process *process,
                                                     enum wire_type type)
{
    __u32 number = bpf_get_smp_processor_id();
    struct wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &number);

    if (!cpu) {
        __sync_fetch_and_add(&unseen, 1);
        return NULL;
    }
    *(volatile __u64 *)&cpu->busy = WIRE_STAMPING;
    process->header.time = bpf_ktime_get_boot_ns();
    *(volatile __u64 *)&cpu->busy = process->header.time;
    process->header.type = type;
    process->header.version = WIRE_VERSION;
    process->header.cpu = number;
    process->header.sequence = cpu->sequence++;
    return cpu;
}

static __always_inline void record_end(void *ctx, struct wire_cpu *cpu,
                                       struct wire_process *process, enum wire_type type,
                                       __u64 length)
{
    process->header.length = length;
    if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, process, length))
        cpu->lost[type]++;
    /* Atomic for its full barrier: the record must be in the ring before we look whether the
     * reader sleeps, as the reader says that it sleeps before it looks for records. */
    __sync_fetch_and_add(&cpu->emitted[type], 1);
    *(volatile __u64 *)&cpu->busy = 0;
    /* Nobody waits for a fork: what the child does will ring. */
    if (type != WIRE_FORK && *(volatile __u32 *)&reader_asleep) {
        __u64 bell = 1;

        reader_asleep = 0;
        if (bpf_perf_event_output(ctx, &bells, BPF_F_CURRENT_CPU, &bell, sizeof(bell)))
            reader_asleep = 1; /* this CPU has no bell: another one is to ring */
    }
}

/* A member of a task that the verifier knows (TRUSTED, a plain load), or of one that is a mere
 * number to it, as bpf_get_current_task() gives it. */
#define READ(pointer, member) (trusted ? (pointer)->member : BPF_CORE_READ(pointer, member))

static __always_inline __u32 tty_of(struct task_struct *task, const bool trusted)
{
    struct signal_struct *signal = READ(task, signal);
    struct tty_struct *tty = READ(signal, tty);

    if (!tty)
        return 0;
    struct tty_driver *driver = READ(tty, driver);
    return READ(driver, major) << 20 | (READ(driver, minor_start) + READ(tty, index));
}

static __always_inline void process_fill(struct wire_process *process, struct task_struct *task,
                                         const bool trusted)
{
    struct task_struct *leader = READ(task, group_leader);
    struct task_struct *parent = READ(task, real_parent);
    struct task_struct *parent_leader = READ(parent, group_leader);
    const struct cred *cred = READ(task, cred);
    struct css_set *cgroups = READ(task, cgroups);
    struct cgroup *cgroup = READ(cgroups, dfl_cgrp);
    struct kernfs_node *node = READ(cgroup, kn);

    process->tgid = READ(task, tgid);
    process->start = READ(leader, start_boottime);
    process->parent_tgid = READ(parent, tgid);
    process->parent_start = READ(parent_leader, start_boottime);
    process->cgroup_id = READ(node, id);
    process->uid = READ(cred, uid.val);
    process->euid = READ(cred, euid.val);
    process->gid = READ(cred, gid.val);
    process->egid = READ(cred, egid.val);
    process->tty = tty_of(task, trusted);
    process->flags = 0;
    if (bpf_core_field_exists(task->loginuid)) {
        process->loginuid = READ(task, loginuid.val);
        process->session = READ(task, sessionid);
    } else {
        process->flags = WIRE_NO_AUDIT;
    }
    /* That of the leader: it is the process's name, a thread may have one of its own. */
    bpf_probe_read_kernel(process->comm, sizeof(process->comm), &leader->comm);
}

static __always_inline struct scratch *scratch_find(void)
{
    __u32 number = bpf_get_smp_processor_id();

    return bpf_map_lookup_elem(&scratches, &number);
}

static __always_inline struct scratch *scratch_begin(void)
{
    struct scratch *s = scratch_find();

    if (!s) {
        __sync_fetch_and_add(&unseen, 1);
        return NULL;
    }
    s->used = 0;
    s->flags = 0;
    return s;
}

/* Puts a string of the kernel, its NUL included, and returns what that takes; 0: no room or no
 * string. */
static __always_inline __u32 string_put(struct scratch *s, const void *string, __u32 size)
{
    __u32 used = s->used;

    if (used > TEXTS_HEAD)
        return 0;
    long taken = bpf_probe_read_kernel_str(&s->texts[used], size, string);
    if (taken <= 0)
        return 0;
    s->used = used + taken;
    return taken;
}

/* True for the root of a namespace that processes live in. A tree that was unmounted has a root
 * too, but no namespace; one that is not mounted yet, or never (open_tree(2), fsmount(2)), has one
 * without a name, whose number is 0 before Linux 6.18. A mount of the kernel's own has an error for
 * a namespace, which reads as 0. */
static __always_inline bool is_mounted(struct mount *root)
{
    unsigned int number = 0;

    if (BPF_CORE_READ(root, mnt_ns))
        number = BPF_CORE_READ(root, mnt_ns, ns.inum);
    return number && number != MNT_NS_ANON_INO;
}

enum walk_state { WALK_ON, WALK_ROOT, WALK_CUT };

/* Puts the name of one dentry and goes to its parent, or from the root of a mount to where that is
 * mounted. A global function, and its state in the map, so that the verifier looks at it once and
 * not at each turn of each loop. */
__noinline int walk_step(void)
{
    struct scratch *s = scratch_find();

    if (!s)
        return WALK_CUT;
    struct dentry *dentry = s->walk.dentry;
    if (dentry == s->walk.root) {
        struct mount *mount = s->walk.mount;
        struct mount *below = BPF_CORE_READ(mount, mnt_parent);

        if (below == mount)
            return is_mounted(mount) ? WALK_ROOT : WALK_CUT;
        s->walk.dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        s->walk.mount = below;
        s->walk.root = BPF_CORE_READ(below, mnt.mnt_root);
        return WALK_ON;
    }
    struct dentry *parent;
    const unsigned char *name;
    if (has_rdonly_cast) { /* plain loads: that saves a fifth of the time an exec takes here */
        struct dentry *known = bpf_rdonly_cast(dentry, bpf_core_type_id_kernel(struct dentry));

        parent = known->d_parent;
        name = known->d_name.name;
    } else {
        parent = BPF_CORE_READ(dentry, d_parent);
        name = BPF_CORE_READ(dentry, d_name.name);
    }
    if (!string_put(s, name, NAME_SIZE) || parent == dentry)
        return WALK_CUT;
    s->walk.dentry = parent;
    return WALK_ON;
}

/* Puts the names from DENTRY up to the root of its mount namespace and returns what they take.
 * bpf_d_path() is not allowed at these hooks. */
static __always_inline __u32 path_put(struct scratch *s, struct vfsmount *mount,
                                      struct dentry *dentry, __u32 cut)
{
    __u32 begin = s->used;
    int state = WALK_ON;

    s->walk.mount = (void *)mount - bpf_core_field_offset(struct mount, mnt);
    s->walk.root = mount->mnt_root;
    s->walk.dentry = dentry;
    for (int i = 0; i < STEPS_MAX && state == WALK_ON && s->used - begin <= NAMES_SIZE; i++)
        state = walk_step();
    if (state != WALK_ROOT)
        s->flags |= cut;
    return s->used - begin;
}

/* A file of memfd_create(2) is in no folder: it is its own parent, on a mount it is not the root
 * of. */
static __always_inline bool is_memfd(struct dentry *dentry, struct vfsmount *mount)
{
    char name[8] = {};

    if (dentry->d_parent != dentry || mount->mnt_root == dentry)
        return false;
    bpf_probe_read_kernel(name, sizeof("memfd:") - 1, dentry->d_name.name);
    return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd' &&
           name[5] == ':';
}

static __always_inline void executable_put(struct scratch *s, struct file *file)
{
    struct wire_exec *exec = &s->exec;
    struct inode *inode = file->f_inode;
    struct dentry *dentry = file->f_path.dentry;
    struct vfsmount *mount = file->f_path.mnt;

    exec->inode = inode->i_ino;
    exec->mode = inode->i_mode;
    exec->nlink = inode->i_nlink;
    exec->device = inode->i_sb->s_dev;
    if (is_memfd(dentry, mount)) {
        s->flags |= WIRE_MEMFD;
        exec->exe_length = string_put(s, BPF_CORE_READ(dentry, d_name.name), NAME_SIZE);
    } else {
        exec->exe_length = path_put(s, mount, dentry, WIRE_EXE_CUT);
    }
}

static __always_inline void argv_put(struct scratch *s, struct mm_struct *mm)
{
    unsigned long start = mm->arg_start;
    __u64 length = mm->arg_end - start;
    __u32 used = s->used;
    __u32 size = length;

    s->exec.args_length = length;
    if (length > argv_limit) {
        s->flags |= WIRE_ARGV_CUT;
        size = argv_limit;
    }
    asm volatile("" : "+r"(size)); /* or clang drops the check that the verifier wants to see */
    if (size > ARGV_MAX || used > TEXTS_SIZE - ARGV_MAX)
        return;
    if (bpf_probe_read_user(&s->texts[used], size, (void *)start)) {
        s->flags |= WIRE_ARGV_FAULT;
        return;
    }
    s->exec.argv_length = size;
    s->used = used + size;
}

/* The classic tracepoint has no binprm, so there BINPRM is NULL: the interpreter is not known, and
 * argc is read where the new program will find it, at the top of its stack. */
static __always_inline void names_put(struct scratch *s, struct mm_struct *mm,
                                      struct linux_binprm *binprm, const void *filename)
{
    struct wire_exec *exec = &s->exec;

    exec->filename_length = string_put(s, filename, FILENAME_SIZE);
    if (exec->filename_length == 0 || exec->filename_length == FILENAME_SIZE)
        s->flags |= WIRE_FILENAME_CUT;
    if (binprm) {
        exec->argc = binprm->argc;
        if (binprm->interp != binprm->filename)
            exec->interpreter_length = string_put(s, binprm->interp, INTERP_MAX);
    } else if (bpf_probe_read_user(&exec->argc, sizeof(exec->argc), (void *)mm->start_stack)) {
        s->flags |= WIRE_NO_ARGC;
    }
}

/* How long a record is whose fixed part takes SIZE bytes. */
static __always_inline __u64 scratch_length(struct scratch *s, struct wire_cpu *cpu, __u64 size)
{
    __u64 length = size + s->used;

    if (s->flags & (WIRE_ARGV_FAULT | WIRE_FILENAME_CUT))
        cpu->faults++;
    asm volatile("" : "+r"(length)); /* as above */
    return length > size + TEXTS_SIZE ? size + TEXTS_SIZE : length;
}

static __always_inline int exec_report(void *ctx, struct task_struct *task,
                                       struct linux_binprm *binprm, const void *filename)
{
    struct scratch *s = scratch_begin();

    if (!s)
        return 0;
    struct wire_exec *exec = &s->exec;
    __builtin_memset(exec, 0, sizeof(*exec));
    struct wire_cpu *cpu = record_begin(&exec->process, WIRE_EXEC);
    if (!cpu)
        return 0;
    struct mm_struct *mm = task->mm;
    struct fs_struct *fs = task->fs;
    process_fill(&exec->process, task, true);
    names_put(s, mm, binprm, filename);
    executable_put(s, mm->exe_file);
    exec->cwd_length = path_put(s, fs->pwd.mnt, fs->pwd.dentry, WIRE_CWD_CUT);
    argv_put(s, mm);
    exec->process.flags |= s->flags;
    record_end(ctx, cpu, &exec->process, WIRE_EXEC, scratch_length(s, cpu, sizeof(*exec)));
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(exec_btf, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
    return exec_report(ctx, task, binprm, binprm->filename);
}

SEC("tracepoint/sched/sched_process_exec")
int exec_classic(struct trace_event_raw_sched_process_exec *ctx)
{
    const void *filename = (void *)ctx + (ctx->__data_loc_filename & 0xffff);

    return exec_report(ctx, bpf_get_current_task_btf(), NULL, filename);
}

static __always_inline int fork_report(void *ctx, struct task_struct *child)
{
    struct wire_fork fork = {};
    struct wire_cpu *cpu = record_begin(&fork.process, WIRE_FORK);

    if (!cpu)
        return 0;
    process_fill(&fork.process, child, true);
    record_end(ctx, cpu, &fork.process, WIRE_FORK, sizeof(fork));
    return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(fork_btf, struct task_struct *parent, struct task_struct *child)
{
    return child->pid == child->tgid ? fork_report(ctx, child) : 0;
}

/* The classic sched_process_fork gives pids as the parent's namespace has them; task_newtask, a
 * moment earlier, those of the initial one. */
SEC("tracepoint/task/task_newtask")
int fork_classic(struct trace_event_raw_task_newtask *ctx)
{
    if (ctx->clone_flags & CLONE_THREAD)
        return 0;
    struct task_struct *child = bpf_task_from_pid(ctx->pid);
    if (!child) {
        __sync_fetch_and_add(&unseen, 1);
        return 0;
    }
    fork_report(ctx, child);
    bpf_task_release(child);
    return 0;
}

static __always_inline int exit_report(void *ctx, struct task_struct *task)
{
    struct signal_struct *signal = task->signal;

    if (signal->live.counter)
        return 0; /* a thread; others live on */
    struct wire_exit exit = {};
    struct wire_cpu *cpu = record_begin(&exit.process, WIRE_EXIT);
    if (!cpu)
        return 0;
    process_fill(&exit.process, task, true);
    /* As kernel/exit.c, wait_task_zombie() */
    exit.status =
        signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : task->group_leader->exit_code;
    record_end(ctx, cpu, &exit.process, WIRE_EXIT, sizeof(exit));
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exit_btf, struct task_struct *task)
{
    return exit_report(ctx, task);
}

SEC("tracepoint/sched/sched_process_exit")
int exit_classic(void *ctx)
{
    return exit_report(ctx, bpf_get_current_task_btf());
}

/* How a failed execve was called. */
struct attempt {
    long retval;
    unsigned long filename, argv; /* user addresses */
    bool compat;                  /* by a process of 32 bits: so are the pointers in ARGV */
};

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
    long taken = bpf_probe_read_user_str(&s->texts[used], ARG_SIZE, (void *)arg);
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

    long taken = bpf_probe_read_user_str(s->texts, PATH_MAX, (void *)attempt->filename);
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

static __always_inline int failure_report(void *ctx, const struct attempt *attempt)
{
    struct scratch *s = scratch_begin();

    if (!s)
        return 0;
    struct wire_exec_failed *failed = &s->failed;
    __builtin_memset(failed, 0, sizeof(*failed));
    struct wire_cpu *cpu = record_begin(&failed->process, WIRE_EXEC_FAILED);
    if (!cpu)
        return 0;
    process_fill(&failed->process, (void *)bpf_get_current_task(), false);
    failed->retval = attempt->retval;
    attempt_put(s, attempt);
    failed->process.flags |= s->flags;
    record_end(ctx, cpu, &failed->process, WIRE_EXEC_FAILED,
               scratch_length(s, cpu, sizeof(*failed)));
    return 0;
}

static __always_inline int native_failure(void *ctx, long retval, struct pt_regs *regs, bool at)
{
    struct attempt attempt = {
        .retval = retval,
        .filename = at ? BPF_CORE_READ(regs, si) : BPF_CORE_READ(regs, di),
        .argv = at ? BPF_CORE_READ(regs, dx) : BPF_CORE_READ(regs, si),
    };

    return failure_report(ctx, &attempt);
}

static __always_inline int compat_failure(void *ctx, long retval, struct pt_regs *regs, bool at)
{
    struct attempt attempt = {
        .retval = retval,
        .filename = (__u32)(at ? BPF_CORE_READ(regs, cx) : BPF_CORE_READ(regs, bx)),
        .argv = (__u32)(at ? BPF_CORE_READ(regs, dx) : BPF_CORE_READ(regs, cx)),
        .compat = true,
    };

    return failure_report(ctx, &attempt);
}

/* This one runs for every system call of the machine (60 to 90 ns each), and sees those of 32-bit
 * processes too. */
SEC("raw_tp/sys_exit")
int failure_raw(struct bpf_raw_tracepoint_args *ctx)
{
    long retval = ctx->args[1];

    if (retval >= 0 || retval < -4095)
        return 0;
    struct pt_regs *regs = (void *)ctx->args[0];
    struct task_struct *task = (void *)bpf_get_current_task();
    long number = BPF_CORE_READ(regs, orig_ax);
    bool compat = BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;

    switch (number) {
    case 59:
        return compat ? 0 : native_failure(ctx, retval, regs, false);
    case 322:
        return compat ? 0 : native_failure(ctx, retval, regs, true);
    case 11:
        return compat ? compat_failure(ctx, retval, regs, false) : 0;
    case 358:
        return compat ? compat_failure(ctx, retval, regs, true) : 0;
    }
    return 0;
}

/* These two cost other system calls 20 to 37 ns, and see 64-bit processes only. */
SEC("tracepoint/syscalls/sys_exit_execve")
int failure_classic(struct trace_event_raw_sys_exit *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return ctx->ret < 0 ? native_failure(ctx, ctx->ret, regs, false) : 0;
}

SEC("tracepoint/syscalls/sys_exit_execveat")
int failure_at_classic(struct trace_event_raw_sys_exit *ctx)
{
    struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

    return ctx->ret < 0 ? native_failure(ctx, ctx->ret, regs, true) : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
