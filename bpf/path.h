/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The names along a path, from its end to the root of its mount namespace or of its hierarchy of
 * cgroups. bpf_d_path() is not allowed at our hooks. */
#ifndef PICKET_PATH_H
#define PICKET_PATH_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "texts.h"
#include "wire.h"

#define STEPS_MAX        512 /* along one path: names and mounts */
#define STEPS_FAST       16
#define CGROUP_STEPS_MAX 128
#define CGROUP_MEMORY    1000000000ULL /* ns that its path is remembered */

enum walk_state { WALK_ON, WALK_ROOT, WALK_CUT };

/* True for the root of a namespace that processes live in. A tree that was unmounted has a root
 * too, but no namespace; one that is not mounted yet, or never (open_tree(2), fsmount(2)), has one
 * without a name, whose number is 0 before Linux 6.18. A mount of the kernel's own has an error for
 * a namespace, which reads as 0. */
static __always_inline bool is_mounted(struct mount *root)
{
    struct mnt_namespace *namespace = LOAD(mount, root, mnt_ns);
    unsigned int number = 0;

    if (namespace)
        number = LOAD(mnt_namespace, namespace, ns.inum);
    return number && number != MNT_NS_ANON_INO;
}

/* Puts the name of one dentry and goes to its parent, or from the root of a mount to where that is
 * mounted. */
static __always_inline int walk_on(struct scratch *s)
{
    struct dentry *dentry = s->walk.dentry;

    if (dentry == s->walk.root) {
        struct mount *mount = s->walk.mount;
        struct mount *below = LOAD(mount, mount, mnt_parent);

        if (below == mount)
            return is_mounted(mount) ? WALK_ROOT : WALK_CUT;
        s->walk.dentry = LOAD(mount, mount, mnt_mountpoint);
        s->walk.mount = below;
        s->walk.root = LOAD(mount, below, mnt.mnt_root);
        return WALK_ON;
    }
    struct dentry *parent = LOAD(dentry, dentry, d_parent);
    const unsigned char *name = LOAD(dentry, dentry, d_name.name);
    if (!string_put(s, name, NAME_SIZE) || parent == dentry)
        return WALK_CUT;
    s->walk.dentry = parent;
    return WALK_ON;
}

/* A global function, and its state in the map, so that the verifier looks at it once and not at
 * each turn of each loop. */
__noinline int walk_step(void)
{
    struct scratch *s = scratch_find();

    return s ? walk_on(s) : WALK_CUT;
}

/* The first steps, which are all of most paths, without the calls. */
__noinline int walk_begin(void)
{
    struct scratch *s = scratch_find();
    int state = WALK_ON;

    if (!s)
        return WALK_CUT;
    for (int i = 0; i < STEPS_FAST && state == WALK_ON; i++)
        state = walk_on(s);
    return state;
}

/* Puts the names from DENTRY up to the root and returns what they take. */
static __always_inline __u32 path_put(struct scratch *s, struct vfsmount *mount,
                                      struct dentry *dentry, __u32 cut)
{
    __u32 begin = s->used;

    s->walk.mount = (void *)mount - bpf_core_field_offset(struct mount, mnt);
    s->walk.root = mount->mnt_root;
    s->walk.dentry = dentry;
    int state = walk_begin();
    for (int i = 0; i < STEPS_MAX && state == WALK_ON && s->used - begin < NAMES_SIZE; i++)
        state = walk_step();
    if (state != WALK_ROOT)
        s->flags |= cut;
    return s->used - begin;
}

static __always_inline struct kernfs_node *node_parent(struct kernfs_node *node)
{
    if (bpf_core_field_exists(node->__parent))
        return LOAD(kernfs_node, node, __parent);
    return BPF_CORE_READ((struct kernfs_node___6_14 *)node, parent);
}

static __always_inline int cgroup_on(struct scratch *s)
{
    struct kernfs_node *node = s->walk.node;
    struct kernfs_node *parent = node_parent(node);

    if (!parent)
        return WALK_ROOT;
    if (!string_put(s, LOAD(kernfs_node, node, name), NAME_SIZE))
        return WALK_CUT;
    s->walk.node = parent;
    return WALK_ON;
}

/* As walk_step() and walk_begin(), in a hierarchy of cgroups. */
__noinline int cgroup_step(void)
{
    struct scratch *s = scratch_find();

    return s ? cgroup_on(s) : WALK_CUT;
}

__noinline int cgroup_begin(void)
{
    struct scratch *s = scratch_find();
    int state = WALK_ON;

    if (!s)
        return WALK_CUT;
    for (int i = 0; i < STEPS_FAST && state == WALK_ON; i++)
        state = cgroup_on(s);
    return state;
}

/* Where CGROUPS is in the hierarchy of the controller with NUMBER. */
static __always_inline struct kernfs_node *controller_node(struct css_set *cgroups, __u64 number)
{
    struct cgroup_subsys_state **states =
        (void *)cgroups + bpf_core_field_offset(struct css_set, subsys);

    return states[number]->cgroup->kn;
}

#define TRY_CONTROLLER(name)                                                               \
    if (bpf_core_enum_value_exists(enum cgroup_subsys_id, name)) {                         \
        node = controller_node(cgroups, bpf_core_enum_value(enum cgroup_subsys_id, name)); \
        if (node_parent(node))                                                             \
            return node;                                                                   \
    }

/* The place in the v2 hierarchy; where that is its root, a deeper one in a v1 hierarchy, as
 * containers have when v1 is still in use. */
static __always_inline struct kernfs_node *cgroup_node(struct css_set *cgroups)
{
    struct kernfs_node *unified = cgroups->dfl_cgrp->kn, *node;

    if (node_parent(unified))
        return unified;
    TRY_CONTROLLER(memory_cgrp_id)
    TRY_CONTROLLER(pids_cgrp_id)
    TRY_CONTROLLER(cpu_cgrp_id)
    return unified;
}

static __always_inline __u32 cgroup_walk(struct scratch *s, struct kernfs_node *node)
{
    __u32 begin = s->used;

    s->walk.node = node;
    int state = cgroup_begin();
    for (int i = 0; i < CGROUP_STEPS_MAX && state == WALK_ON && s->used - begin < CGROUP_SIZE; i++)
        state = cgroup_step();
    if (state != WALK_ROOT)
        s->flags |= WIRE_CGROUP_CUT;
    return s->used - begin;
}

/* Copies the names at FROM to where TO is, when they may be remembered. */
static __always_inline bool names_copy(void *to, const void *from, __u64 length)
{
    asm volatile("" : "+r"(length)); /* or clang drops the check that the verifier wants to see */
    return length <= CGROUP_KEPT && !bpf_probe_read_kernel(to, length, from);
}

/* Puts the path of the cgroup at TIME, walked or as it was when last walked. An id is never given
 * again, and a cgroup is never moved; but in a v1 hierarchy it may be renamed. */
static __always_inline __u32 cgroup_put(struct scratch *s, struct css_set *cgroups, __u64 time)
{
    struct kernfs_node *node = cgroup_node(cgroups);
    __u64 id = node->id;
    __u32 begin = s->used;

    if (begin > TEXTS_HEAD)
        return 0;
    if (s->cgroup.node == node && s->cgroup.id == id && time - s->cgroup.time < CGROUP_MEMORY &&
        names_copy(&s->texts[begin], s->cgroup.names, s->cgroup.length)) {
        s->used = begin + s->cgroup.length;
        return s->cgroup.length;
    }
    __u32 length = cgroup_walk(s, node);
    bool kept =
        !(s->flags & WIRE_CGROUP_CUT) && names_copy(s->cgroup.names, &s->texts[begin], length);
    s->cgroup.node = kept ? node : NULL;
    s->cgroup.id = id;
    s->cgroup.time = time;
    s->cgroup.length = length;
    return length;
}

#endif
