/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What differs from one kind of machine to another: numbers of system calls, where their arguments
 * are, and how a process of 32 bits is known. Little endian machines only. */
#ifndef PICKET_MACHINE_H
#define PICKET_MACHINE_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* How a system call was made: by 64-bit code, by 32-bit code, by 32-bit code of an x86 that has
 * 64-bit registers (x32). */
enum call_kind { CALL_64, CALL_32, CALL_X32 };

#if defined(__TARGET_ARCH_x86)

#define X32 0x40000000 /* __X32_SYSCALL_BIT; asm/unistd.h */

enum {
    EXECVE = 59,
    EXECVEAT = 322,
    EXECVE_32 = 11,
    EXECVEAT_32 = 358,
    EXECVE_X32 = X32 | 520,
    EXECVEAT_X32 = X32 | 545,
};

#define TS_COMPAT 0x0002 /* the system call is one of 32 bits; asm/thread_info.h */

static __always_inline bool is_compat(struct task_struct *task)
{
    return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}

static __always_inline long call_number(struct pt_regs *regs)
{
    return BPF_CORE_READ(regs, orig_ax);
}

/* Argument INDEX, below 3, of the system call that REGS has made. */
static __always_inline unsigned long call_argument(struct pt_regs *regs, int index,
                                                   enum call_kind kind)
{
    bool compat = kind == CALL_32;

    if (index == 0)
        return compat ? (__u32)BPF_CORE_READ(regs, bx) : BPF_CORE_READ(regs, di);
    if (index == 1)
        return compat ? (__u32)BPF_CORE_READ(regs, cx) : BPF_CORE_READ(regs, si);
    return compat ? (__u32)BPF_CORE_READ(regs, dx) : BPF_CORE_READ(regs, dx);
}

#elif defined(__TARGET_ARCH_arm64)

enum {
    EXECVE = 221,
    EXECVEAT = 281,
    EXECVE_32 = 11,
    EXECVEAT_32 = 387,
    EXECVE_X32 = -2, /* there is no such thing; and -1 is no system call */
    EXECVEAT_X32 = -3,
};

#define TIF_32BIT 22 /* asm/thread_info.h */

static __always_inline bool is_compat(struct task_struct *task)
{
    return BPF_CORE_READ(task, thread_info.flags) & 1UL << TIF_32BIT;
}

static __always_inline long call_number(struct pt_regs *regs)
{
    return BPF_CORE_READ(regs, syscallno);
}

/* As above. The result has taken the first one's register. */
static __always_inline unsigned long call_argument(struct pt_regs *regs, int index,
                                                   enum call_kind kind)
{
    unsigned long argument = 0;

    if (index == 0)
        argument = BPF_CORE_READ(regs, orig_x0);
    else if (index == 1)
        argument = BPF_CORE_READ(regs, regs[1]);
    else
        argument = BPF_CORE_READ(regs, regs[2]);
    return kind == CALL_32 ? (__u32)argument : argument;
}

#else
#error "not ported to this machine"
#endif

#endif
