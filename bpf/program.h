/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the record of an exec says of the program, and of what it was given. */
#ifndef PICKET_PROGRAM_H
#define PICKET_PROGRAM_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "path.h"
#include "texts.h"
#include "wire.h"

#define OVERLAYFS_SUPER_MAGIC 0x794c7630 /* linux/magic.h */
#define S_IFMT                0170000
#define S_IFSOCK              0140000
#define S_IFBLK               0060000
#define S_IFCHR               0020000
#define NS_PER_S              1000000000LL
#define CTIME_NSEC            0x7fffffff /* the bit above says whether somebody asked */

/* Set by the loader. */
const volatile __u32 argv_limit = ARGV_MAX;
const volatile __u32 env_limit = 0; /* 0: not asked for */

static __always_inline void times_fill(struct wire_exec *exec, struct inode *inode)
{
    struct inode___6_10 *inode_6_10 = (void *)inode;
    struct inode___6_5 *inode_6_5 = (void *)inode;

    if (bpf_core_field_exists(inode->i_mtime_sec))
        exec->mtime = inode->i_mtime_sec * NS_PER_S + inode->i_mtime_nsec;
    else if (bpf_core_field_exists(inode_6_10->__i_mtime))
        exec->mtime = BPF_CORE_READ(inode_6_10, __i_mtime.tv_sec) * NS_PER_S +
                      BPF_CORE_READ(inode_6_10, __i_mtime.tv_nsec);
    else
        exec->mtime = BPF_CORE_READ(inode_6_5, i_mtime.tv_sec) * NS_PER_S +
                      BPF_CORE_READ(inode_6_5, i_mtime.tv_nsec);
    if (bpf_core_field_exists(inode->i_ctime_sec))
        exec->ctime = inode->i_ctime_sec * NS_PER_S + (inode->i_ctime_nsec & CTIME_NSEC);
    else if (bpf_core_field_exists(inode_6_10->__i_ctime))
        exec->ctime = BPF_CORE_READ(inode_6_10, __i_ctime.tv_sec) * NS_PER_S +
                      (BPF_CORE_READ(inode_6_10, __i_ctime.tv_nsec) & CTIME_NSEC);
    else
        exec->ctime = BPF_CORE_READ(inode_6_5, i_ctime.tv_sec) * NS_PER_S +
                      BPF_CORE_READ(inode_6_5, i_ctime.tv_nsec);
}

/* True when an overlay has the file from its upper layer: struct ovl_inode, whose type is a
 * module's, has the dentry there right behind its struct inode. */
static __always_inline bool is_upper(struct inode *inode)
{
    const void *upper = NULL;

    if (inode->i_sb->s_magic != OVERLAYFS_SUPER_MAGIC)
        return false;
    bpf_probe_read_kernel(&upper, sizeof(upper),
                          (const void *)inode + bpf_core_type_size(struct inode));
    return upper;
}

static __always_inline void inode_fill(struct wire_exec *exec, struct inode *inode)
{
    struct super_block *super = inode->i_sb;

    exec->inode = inode->i_ino;
    exec->size = inode->i_size;
    exec->device = super->s_dev;
    exec->mode = inode->i_mode;
    exec->nlink = inode->i_nlink;
    exec->owner = inode->i_uid.val;
    exec->group = inode->i_gid.val;
    times_fill(exec, inode);
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

/* By words where that can be done, as words_copy(). One of them may cross a page, and then reads as
 * 0 if the next one is not there. */
static __always_inline void filesystem_fill(char out[16], const char *name)
{
    if (has_rdonly_cast) {
        const __u64 *words = bpf_rdonly_cast(name, bpf_core_type_id_kernel(struct pt_regs));
        __u64 first = words[0], ends = bytes_0(first);

        if (first && ends) {
            ((__u64 *)out)[0] = first & ((ends & -ends) - 1);
            return;
        }
    }
    bpf_probe_read_kernel_str(out, 16, name);
}

static __always_inline void executable_put(struct scratch *s, struct file *file)
{
    struct wire_exec *exec = &s->exec;
    struct dentry *dentry = file->f_path.dentry;
    struct vfsmount *mount = file->f_path.mnt;

    filesystem_fill(exec->filesystem, file->f_inode->i_sb->s_type->name);
    if (is_upper(file->f_inode))
        s->flags |= WIRE_UPPER;
    if (is_memfd(dentry, mount)) {
        s->flags |= WIRE_MEMFD;
        exec->exe_length = string_put(s, dentry->d_name.name, NAME_SIZE);
    } else {
        exec->exe_length = path_put(s, mount, dentry, WIRE_EXE_CUT);
    }
}

/* The innermost pid namespace, and the process's number in it. */
static __always_inline void pid_fill(struct wire_exec *exec, struct task_struct *task)
{
    __u32 level = task->thread_pid->level;
    struct pid_namespace *namespace = NULL;

    if (level == 0) {
        exec->vpid = task->thread_pid->numbers[0].nr;
        exec->namespaces.pid = task->thread_pid->numbers[0].ns->ns.inum;
        return;
    }
    /* As a mere number: what the verifier knows it does not let us index, up to 6.1. */
    const void *upid = BPF_CORE_READ(task, thread_pid);
    upid += bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid);
    bpf_probe_read_kernel(&exec->vpid, sizeof(exec->vpid),
                          upid + bpf_core_field_offset(struct upid, nr));
    bpf_probe_read_kernel(&namespace, sizeof(namespace),
                          upid + bpf_core_field_offset(struct upid, ns));
    exec->namespaces.pid = BPF_CORE_READ(namespace, ns.inum);
}

static __always_inline void namespaces_fill(struct wire_namespaces *namespaces,
                                            struct task_struct *task)
{
    struct nsproxy *proxy = task->nsproxy;

    namespaces->cgroup = proxy->cgroup_ns->ns.inum;
    namespaces->ipc = proxy->ipc_ns->ns.inum;
    namespaces->mnt = proxy->mnt_ns->ns.inum;
    namespaces->net = proxy->net_ns->ns.inum;
    namespaces->user = task->cred->user_ns->ns.inum;
    namespaces->uts = proxy->uts_ns->ns.inum;
}

static __always_inline void stdio_fill(struct wire_stdio *stdio, struct file *file)
{
    struct inode *inode = LOAD(file, file, f_inode);

    stdio->mode = LOAD(inode, inode, i_mode);
    __u32 type = stdio->mode & S_IFMT;
    if (type == S_IFCHR || type == S_IFBLK)
        stdio->device = LOAD(inode, inode, i_rdev);
    if (type == S_IFSOCK) {
        struct socket *socket = LOAD(file, file, private_data); /* NULL: opened with O_PATH */

        stdio->family = BPF_CORE_READ(socket, sk, __sk_common.skc_family);
    }
}

/* The table of descriptors is the process's alone by now, and has room for 64 at least: in FILES
 * itself unless there were more. */
static __always_inline void descriptors_fill(struct wire_exec *exec, struct files_struct *files)
{
    struct file **table = files->fdt->fd;
    struct file *three[3] = {};

    if ((void *)table == (void *)files + bpf_core_field_offset(struct files_struct, fd_array)) {
        three[0] = files->fd_array[0];
        three[1] = files->fd_array[1];
        three[2] = files->fd_array[2];
    } else {
        bpf_probe_read_kernel(three, sizeof(three), table);
    }
    if (three[0])
        stdio_fill(&exec->stdio[0], three[0]);
    if (three[1] == three[0])
        exec->stdio[1] = exec->stdio[0];
    else if (three[1])
        stdio_fill(&exec->stdio[1], three[1]);
    if (three[2] == three[1])
        exec->stdio[2] = exec->stdio[1];
    else if (three[2])
        stdio_fill(&exec->stdio[2], three[2]);
}

/* The classic tracepoint has no binprm, so there BINPRM is NULL: the interpreter is not known, and
 * argc is read where the new program will find it, at the top of its stack. */
static __always_inline void names_put(struct scratch *s, struct mm_struct *mm,
                                      struct linux_binprm *binprm, const void *filename)
{
    struct wire_exec *exec = &s->exec;

    exec->filename_length =
        binprm ? string_put(s, filename, FILENAME_SIZE) : string_copy(s, filename, FILENAME_SIZE);
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

/* The arguments whole, or three quarters of what is to be taken from their beginning and the rest
 * from their end. */
static __always_inline void argv_put(struct scratch *s, struct mm_struct *mm)
{
    unsigned long start = mm->arg_start, end = mm->arg_end;
    __u64 length = end - start;
    __u32 used = s->used, head = length, tail = 0, had;

    s->exec.args_length = length;
    if (length > argv_limit) {
        tail = argv_limit / 4;
        head = argv_limit - tail;
        s->flags |= WIRE_ARGV_CUT;
    }
    had = memory_put(s, start, head);
    s->exec.argv_length = s->used - used;
    used = s->used;
    if (tail)
        had += memory_put(s, end - tail, tail);
    s->exec.argv_tail_length = s->used - used;
    if (had != head + tail)
        s->flags |= WIRE_ARGV_FAULT;
}

static __always_inline void environment_put(struct scratch *s, struct mm_struct *mm)
{
    unsigned long start = mm->env_start;
    __u64 length = mm->env_end - start;
    __u32 used = s->used, size = length;

    s->exec.env_total = length;
    if (env_limit == 0) {
        s->flags |= WIRE_NO_ENV;
        return;
    }
    if (length > env_limit)
        size = env_limit;
    if (size > TEXTS_SIZE - used)
        size = TEXTS_SIZE - used;
    if (size < length)
        s->flags |= WIRE_ENV_CUT;
    if (memory_put(s, start, size) != size)
        s->flags |= WIRE_ENV_FAULT;
    s->exec.env_length = s->used - used;
}

#endif
