/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The record of the tutorial's execsnoop that picket began from: the baseline of the overhead. */
#ifndef PICKET_BENCH_SEED_H
#define PICKET_BENCH_SEED_H

struct seed_event {
    int pid, ppid, uid, retval;
    _Bool is_exit;
    char comm[16];
};

#endif
