/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What the user excludes: by cgroup (its id in the v2 hierarchy, without the cgroups below it), by
 * real uid, by executable. The loader fills the maps and freezes them before it attaches anything,
 * and says in has_... which of them to look at. */
#ifndef PICKET_FILTER_H
#define PICKET_FILTER_H

#include "kernel.h"

#include <bpf/bpf_helpers.h>

#include "wire.h"

const volatile bool has_cgroup_filter = false;
const volatile bool has_user_filter = false;
const volatile bool has_file_filter = false;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1); /* the loader makes it what is needed; below as well */
    __type(key, __u64);
    __type(value, __u8);
} filter_cgroups SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u8);
} filter_users SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct wire_file);
    __type(value, __u8);
} filter_files SEC(".maps");

/* Whether what the process does is excluded. */
static __always_inline bool is_process_filtered(const struct wire_process *process)
{
    if (has_cgroup_filter && bpf_map_lookup_elem(&filter_cgroups, &process->cgroup_id))
        return true;
    return has_user_filter && bpf_map_lookup_elem(&filter_users, &process->credentials.uid);
}

static __always_inline bool is_exec_filtered(const struct wire_exec *exec)
{
    struct wire_file file = {.inode = exec->inode, .ctime = exec->ctime, .device = exec->device};

    if (is_process_filtered(&exec->process))
        return true;
    return has_file_filter && bpf_map_lookup_elem(&filter_files, &file);
}

#endif
