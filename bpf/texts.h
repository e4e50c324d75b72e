/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Where a record with texts is put together, and what puts them there. */
#ifndef PICKET_TEXTS_H
#define PICKET_TEXTS_H

#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "ring.h"
#include "wire.h"

#define PATH_MAX      4096
#define FILENAME_SIZE 4128 /* PATH_MAX behind the "/dev/fd/N/" that execveat puts before it */
#define INTERP_MAX    256  /* BINPRM_BUF_SIZE */
#define NAME_SIZE     256  /* NAME_MAX and a NUL */
#define NAMES_SIZE    8192 /* names along one path, in bytes */
#define CGROUP_SIZE   4096 /* as above, of a cgroup */
#define CGROUP_KEPT   512  /* of those: when they are fewer they are remembered */
#define ARGV_MAX      32768
#define ENV_MAX       8192
#define PIECE         4096 /* the smallest page */
#define WORDS_MAX     12   /* of a string that is copied by words */
#define BYTES_OF_1    0x0101010101010101ULL

/* All a record has room for behind its fixed part. Of an exec, argv always has its own, and the
 * environment takes what is left. */
#define TEXTS_SIZE (WIRE_RECORD_MAX - sizeof(struct wire_exec))
#define TEXTS_HEAD \
    (FILENAME_SIZE + INTERP_MAX + 2 * (NAMES_SIZE + NAME_SIZE) + CGROUP_SIZE + NAME_SIZE)
_Static_assert(TEXTS_HEAD + ARGV_MAX <= TEXTS_SIZE, "argv always has its room");

extern void *bpf_rdonly_cast(const void *object, __u32 btf_id) __ksym __weak;

/* Set by the loader: whether the kernel has that function, from 6.2. */
const volatile bool has_rdonly_cast = false;

/* A member of an object that the verifier does not know: a plain load where it can be told what
 * it is, a call of a helper where not. */
#define LOAD(type, pointer, member)                                                                \
    (has_rdonly_cast                                                                               \
         ? ((struct type *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(struct type)))->member \
         : BPF_CORE_READ((struct type *)(pointer), member))

/* USED and FLAGS live here and not in registers: the verifier does not follow what is in a map, so
 * the turns of a loop look alike to it. In registers the programs take more than its million
 * steps. */
struct scratch {
    __u32 used;
    __u32 flags;
    __u32 done; /* where pieces_read() has got to */
    struct {
        struct mount *mount;
        struct dentry *root; /* of the mount */
        struct dentry *dentry;
        struct kernfs_node *node;
    } walk; /* where a path has got to */
    struct {
        struct kernfs_node *node;
        __u64 id, time;
        __u64 length;
        char names[CGROUP_KEPT];
    } cgroup; /* the path last walked on this CPU */
    union {
        struct wire_exec exec;
        struct {
            __u8 before[sizeof(struct wire_exec) - sizeof(struct wire_exec_failed)];
            struct wire_exec_failed failed; /* ends where the texts begin */
        };
    };
    /* Bounds that add up to TEXTS_SIZE add up to more for the verifier. */
    __u8 texts[TEXTS_SIZE + ARGV_MAX + PIECE];
};

/* An array with an element a CPU: the value of a per-CPU array may not exceed 32 KiB. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1); /* the loader makes it the number of CPUs */
    __type(key, __u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *scratch_find(void)
{
    __u32 number = bpf_get_smp_processor_id();

    return bpf_map_lookup_elem(&scratches, &number);
}

/* How long a record is whose fixed part takes SIZE bytes. */
static __always_inline __u64 scratch_length(struct scratch *s, struct wire_cpu *cpu, __u64 size)
{
    __u64 length = size + s->used;

    if (s->flags & (WIRE_ARGV_FAULT | WIRE_FILENAME_CUT))
        cpu->faults++;
    asm volatile("" : "+r"(length)); /* or clang drops the check that the verifier wants to see */
    return length > size + TEXTS_SIZE ? size + TEXTS_SIZE : length;
}

/* Puts a string of the kernel, its NUL included, and returns what that takes; 0: no room or no
 * string. */
static __always_inline __u32 string_copy(struct scratch *s, const void *string, __u32 size)
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

/* The lowest bit that is set is the highest one of the first NUL in WORD. */
static __always_inline __u64 bytes_0(__u64 word)
{
    return (word - BYTES_OF_1) & ~word & BYTES_OF_1 << 7;
}

/* The same by words of eight bytes, which takes a fifth of the time: for a string that begins at a
 * multiple of eight, as most do, so that none of its words crosses a page; 0 as well when it is
 * longer than WORDS_MAX, or empty, as what cannot be read looks too. */
static __always_inline __u32 words_copy(struct scratch *s, const void *string)
{
    __u32 used = s->used;

    if ((unsigned long)string % 8 || used > TEXTS_HEAD)
        return 0;
    /* Any type that the verifier lets us read so many words of. */
    const __u64 *words = bpf_rdonly_cast(string, bpf_core_type_id_kernel(struct pt_regs));
    for (int i = 0; i < WORDS_MAX; i++) {
        __u64 word = words[i];
        __u64 ends = bytes_0(word);

        *(__u64 *)&s->texts[used + i * 8] = word;
        if (ends) {
            __u32 taken = i * 8 + ((((ends & -ends) - 1) & BYTES_OF_1) * BYTES_OF_1 >> 56);

            s->used = used + taken;
            return taken > 1 ? taken : 0;
        }
    }
    return 0;
}

static __always_inline __u32 string_put(struct scratch *s, const void *string, __u32 size)
{
    __u32 used = s->used;

    if (has_rdonly_cast) {
        __u32 taken = words_copy(s, string);

        if (taken)
            return taken;
        s->used = used;
    }
    return string_copy(s, string, size);
}

/* Reads SIZE bytes at FROM to where the texts are USED up to, page by page; returns how many could
 * be read. Those that could not are zeros. A global function, so that the verifier looks at it
 * once. */
__noinline int pieces_read(__u64 used, __u64 from, __u64 size)
{
    struct scratch *s = scratch_find();
    __u32 had = 0;

    if (!s || used > TEXTS_SIZE)
        return 0;
    s->done = 0;
    for (int i = 0; i <= ARGV_MAX / PIECE; i++) {
        __u64 done = s->done;
        __u64 piece = PIECE - ((from + done) & (PIECE - 1));

        if (done >= size || done > ARGV_MAX)
            break;
        if (piece > size - done)
            piece = size - done;
        __u64 at = used + done;
        asm volatile("" : "+r"(piece), "+r"(at)); /* as above; 6.1 forgets bounds it spills, too */
        if (piece > PIECE || at > TEXTS_SIZE + ARGV_MAX)
            break;
        if (!bpf_probe_read_user(&s->texts[at], piece, (void *)(from + done)))
            had += piece;
        s->done = done + piece;
    }
    return had;
}

/* Puts SIZE bytes of the process's own memory. Returns how many of them were there: what is paged
 * out cannot be had, and is zeros. Nothing is put when nothing was there. */
static __always_inline __u32 memory_put(struct scratch *s, __u64 from, __u64 size)
{
    __u64 used = s->used;
    __u32 had = size;

    asm volatile("" : "+r"(used), "+r"(size)); /* as above */
    if (used > TEXTS_SIZE || size > ARGV_MAX)
        return 0;
    if (bpf_probe_read_user(&s->texts[used], size, (void *)from))
        had = pieces_read(used, from, size);
    if (had)
        s->used = used + size;
    return had;
}

#endif
