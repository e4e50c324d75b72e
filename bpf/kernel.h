/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types as far as exec.bpf.c reads them: a member's place is looked up in the running
 * kernel's BTF when the programs are loaded (CO-RE), so only names and types count here, not
 * order or size. Kept by hand, under the kernel's own names; from include/linux/ of 5.8 to 7.1. */
#ifndef PICKET_KERNEL_H
#define PICKET_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

/* bpf_tracing.h and bpf_helpers.h expect them. */
typedef __u32 u32;
typedef __u64 u64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
    const unsigned char *name;
};
struct super_block {
    __u32 s_dev;
};
struct inode {
    unsigned short i_mode;
    unsigned int i_nlink;
    unsigned long i_ino;
    struct super_block *i_sb;
};
struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};
struct vfsmount {
    struct dentry *mnt_root;
};
struct ns_common {
    unsigned int inum;
};
struct mnt_namespace {
    struct ns_common ns;
};
#define MNT_NS_ANON_INO 0xEFFFFFF7U /* linux/nsfs.h */
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    struct mnt_namespace *mnt_ns;
};
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};
struct file {
    struct path f_path;
    struct inode *f_inode;
};
struct fs_struct {
    struct path pwd;
};
struct mm_struct {
    unsigned long arg_start, arg_end, start_stack;
    struct file *exe_file;
};

typedef struct {
    unsigned int val;
} kuid_t;
typedef struct {
    unsigned int val;
} kgid_t;
struct cred {
    kuid_t uid, euid;
    kgid_t gid, egid;
};

struct tty_driver {
    int major, minor_start;
};
struct tty_struct {
    int index;
    struct tty_driver *driver;
};
typedef struct {
    int counter;
} atomic_t;
struct signal_struct {
    atomic_t live;
    int group_exit_code;
    unsigned int flags;
    struct tty_struct *tty;
};
#define SIGNAL_GROUP_EXIT 0x00000004 /* linux/sched/signal.h */

struct kernfs_node {
    __u64 id;
};
struct cgroup {
    struct kernfs_node *kn;
};
struct css_set {
    struct cgroup *dfl_cgrp;
};

struct thread_info {
    __u32 status;
};
#define TS_COMPAT 0x0002 /* x86: the system call is one of 32 bits; asm/thread_info.h */

struct task_struct {
    struct thread_info thread_info;
    int pid, tgid, exit_code;
    __u64 start_boottime;
    struct task_struct *real_parent, *group_leader;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct signal_struct *signal;
    struct mm_struct *mm;
    struct css_set *cgroups;
    kuid_t loginuid;
    unsigned int sessionid;
};
struct linux_binprm {
    int argc;
    const char *filename, *interp;
};

struct pt_regs {
    unsigned long di, si, dx, bx, cx, orig_ax;
};

/* What the classic tracepoints hand over. */
struct trace_event_raw_sched_process_exec {
    __u32 __data_loc_filename;
};
struct trace_event_raw_task_newtask {
    int pid;
    unsigned long clone_flags;
};
struct trace_event_raw_sys_exit {
    long ret;
};

#pragma clang attribute pop

#endif
