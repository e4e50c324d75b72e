/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What every record says of its process. */
#ifndef PICKET_PROCESS_H
#define PICKET_PROCESS_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "wire.h"

/* A member of a task that the verifier knows (TRUSTED, a plain load), or of one that is a mere
 * number to it, as bpf_get_current_task() gives it. */
#define READ(pointer, member) (trusted ? (pointer)->member : BPF_CORE_READ(pointer, member))

static __always_inline __u32 tty_of(struct signal_struct *signal, const bool trusted)
{
    struct tty_struct *tty = READ(signal, tty);

    if (!tty)
        return 0;
    struct tty_driver *driver = READ(tty, driver);
    return READ(driver, major) << 20 | (READ(driver, minor_start) + READ(tty, index));
}

/* As the initial namespace has it. */
static __always_inline __u32 number_of(struct pid *pid, const bool trusted)
{
    return READ(pid, numbers[0].nr);
}

/* A set of capabilities, whose members have had several names. */
#define READ_CAPABILITIES(cred, member) \
    read_capabilities((const void *)(cred) + bpf_core_field_offset(struct cred, member), trusted)

static __always_inline __u64 read_capabilities(const void *set, const bool trusted)
{
    __u64 bits = 0;

    if (trusted)
        return *(const __u64 *)set;
    bpf_probe_read_kernel(&bits, sizeof(bits), set);
    return bits;
}

static __always_inline void credentials_fill(struct wire_credentials *credentials,
                                             const struct cred *cred, const bool trusted)
{
    credentials->uid = READ(cred, uid.val);
    credentials->euid = READ(cred, euid.val);
    credentials->suid = READ(cred, suid.val);
    credentials->gid = READ(cred, gid.val);
    credentials->egid = READ(cred, egid.val);
    credentials->sgid = READ(cred, sgid.val);
    credentials->securebits = READ(cred, securebits);
    credentials->effective = READ_CAPABILITIES(cred, cap_effective);
    credentials->permitted = READ_CAPABILITIES(cred, cap_permitted);
    credentials->inheritable = READ_CAPABILITIES(cred, cap_inheritable);
    credentials->ambient = READ_CAPABILITIES(cred, cap_ambient);
}

static __always_inline void comm_fill(char comm[16], struct task_struct *task, const bool trusted)
{
    const __u64 *words = (void *)task + bpf_core_field_offset(struct task_struct, comm);

    if (trusted) {
        ((__u64 *)comm)[0] = words[0];
        ((__u64 *)comm)[1] = words[1];
    } else {
        bpf_probe_read_kernel(comm, 16, words);
    }
}

static __always_inline __u64 cgroup_id_of(struct task_struct *task, const bool trusted)
{
    struct css_set *cgroups = READ(task, cgroups);
    struct cgroup *cgroup = READ(cgroups, dfl_cgrp);
    struct kernfs_node *node = READ(cgroup, kn);

    return READ(node, id);
}

static __always_inline void process_fill(struct wire_process *process, struct task_struct *task,
                                         const bool trusted)
{
    struct task_struct *leader = READ(task, group_leader);
    struct task_struct *parent = READ(task, real_parent);
    struct task_struct *parent_leader = READ(parent, group_leader);
    struct signal_struct *signal = READ(task, signal);

    process->tgid = READ(task, tgid);
    process->start = READ(leader, start_boottime);
    process->parent_tgid = READ(parent, tgid);
    process->parent_start = READ(parent_leader, start_boottime);
    process->cgroup_id = cgroup_id_of(task, trusted);
    process->pgid = number_of(READ(signal, pids[PIDTYPE_PGID]), trusted);
    process->sid = number_of(READ(signal, pids[PIDTYPE_SID]), trusted);
    process->tty = tty_of(signal, trusted);
    process->flags = 0;
    credentials_fill(&process->credentials, READ(task, cred), trusted);
    if (bpf_core_field_exists(task->loginuid)) {
        process->credentials.loginuid = READ(task, loginuid.val);
        process->credentials.session = READ(task, sessionid);
    } else {
        process->flags = WIRE_NO_AUDIT;
    }
    /* That of the leader: it is the process's name, a thread may have one of its own. */
    comm_fill(process->comm, leader, trusted);
}

#endif
