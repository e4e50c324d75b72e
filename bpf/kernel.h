/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The kernel's types as far as the programs read them: a member's place is looked up in the running
 * kernel's BTF when the programs are loaded (CO-RE), so only names and types count here, not
 * order or size. What comes behind "___" in a name is ours: another version's layout of the type
 * of that name. Kept by hand, under the kernel's own names; from include/linux/ of 5.10 to 7.3. */
#ifndef PICKET_KERNEL_H
#define PICKET_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

/* bpf_tracing.h and bpf_helpers.h expect them. */
typedef __u32 u32;
typedef __u64 u64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    unsigned int val;
} kuid_t;
typedef struct {
    unsigned int val;
} kgid_t;
typedef struct {
    int counter;
} atomic_t;
struct timespec64 {
    __s64 tv_sec;
    long tv_nsec;
};

struct qstr {
    const unsigned char *name;
};
struct file_system_type {
    const char *name;
};
struct super_block {
    __u32 s_dev;
    unsigned long s_magic;
    struct file_system_type *s_type;
};
struct inode {
    unsigned short i_mode;
    unsigned int i_nlink;
    kuid_t i_uid;
    kgid_t i_gid;
    __u32 i_rdev;
    unsigned long i_ino;
    long long i_size;
    struct super_block *i_sb;
    __s64 i_mtime_sec, i_ctime_sec;
    __u32 i_mtime_nsec, i_ctime_nsec;
};
struct inode___6_10 { /* ctime's from 6.6, mtime's from 6.7 */
    struct timespec64 __i_mtime, __i_ctime;
};
struct inode___6_5 {
    struct timespec64 i_mtime, i_ctime;
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
    void *private_data;
};
struct sock_common {
    unsigned short skc_family;
};
struct sock {
    struct sock_common __sk_common;
};
struct socket {
    struct sock *sk;
};
struct fdtable {
    struct file **fd;
};
struct files_struct {
    struct fdtable *fdt;
    struct file *fd_array[3]; /* has more */
};
struct fs_struct {
    struct path pwd;
};
struct mm_struct {
    unsigned long arg_start, arg_end, env_start, env_end, start_stack;
    struct file *exe_file;
};

struct uts_namespace {
    struct ns_common ns;
};
struct ipc_namespace {
    struct ns_common ns;
};
struct pid_namespace {
    struct ns_common ns;
};
struct user_namespace {
    struct ns_common ns;
};
struct cgroup_namespace {
    struct ns_common ns;
};
struct net {
    struct ns_common ns;
};
struct nsproxy {
    struct uts_namespace *uts_ns;
    struct ipc_namespace *ipc_ns;
    struct mnt_namespace *mnt_ns;
    struct net *net_ns;
    struct cgroup_namespace *cgroup_ns;
};
struct upid {
    int nr;
    struct pid_namespace *ns;
};
struct pid {
    unsigned int level;
    struct upid numbers[1];
};
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

/* Bit N for capability N; two halves in an array before 6.3, which is the same in memory. */
typedef struct {
    __u64 val;
} kernel_cap_t;
struct cred {
    kuid_t uid, euid, suid;
    kgid_t gid, egid, sgid;
    unsigned int securebits;
    kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_ambient;
    struct user_namespace *user_ns;
};

struct tty_driver {
    int major, minor_start;
};
struct tty_struct {
    int index;
    struct tty_driver *driver;
};
struct signal_struct {
    atomic_t live;
    int group_exit_code;
    unsigned int flags;
    struct pid *pids[PIDTYPE_MAX];
    struct tty_struct *tty;
};
#define SIGNAL_GROUP_EXIT 0x00000004 /* linux/sched/signal.h */

struct kernfs_node {
    __u64 id;
    const char *name;
    struct kernfs_node *__parent;
};
struct kernfs_node___6_14 {
    struct kernfs_node *parent;
};
struct cgroup {
    struct kernfs_node *kn;
};
struct cgroup_subsys_state {
    struct cgroup *cgroup;
};
struct css_set {
    struct cgroup_subsys_state *subsys[1];
    struct cgroup *dfl_cgrp;
};
enum cgroup_subsys_id { memory_cgrp_id, pids_cgrp_id, cpu_cgrp_id }; /* values: the kernel's BTF */

struct thread_info {
#if defined(__TARGET_ARCH_x86)
    __u32 status;
#else
    unsigned long flags;
#endif
};
struct task_struct {
    struct thread_info thread_info;
    int pid, tgid, exit_code;
    __u64 self_exec_id;
    __u64 start_boottime;
    struct task_struct *real_parent, *group_leader;
    struct pid *thread_pid;
    const struct cred *cred;
    char comm[16];
    struct fs_struct *fs;
    struct files_struct *files;
    struct nsproxy *nsproxy;
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

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
    unsigned long di, si, dx, bx, cx, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
    __u64 regs[31];
    __u64 orig_x0;
    __s32 syscallno;
};
#endif

/* What the classic tracepoints hand over. */
struct trace_event_raw_sched_process_exec {
    __u32 __data_loc_filename;
};
struct trace_event_raw_task_newtask {
    int pid;
    unsigned long clone_flags;
};
struct trace_event_raw_sys_exit {
    long id, ret;
};

#pragma clang attribute pop

#endif
