/* Where the kernel side is attached. Below Linux 7.0 these are tp_btf programs; from 7.0, where
 * such programs can be preempted and a nested run is skipped silently, classic tracepoints, whose
 * ids are read from tracefs (one mounted for us alone, at no place, when that is possible). */
#ifndef PICKET_SENSOR_HOOKS_H
#define PICKET_SENSOR_HOOKS_H

#include "base/buffer.h"

struct exec_bpf;
struct bpf_link;

#define HOOKS_MAX 8

struct hooks {
    struct bpf_link *links[HOOKS_MAX];
    unsigned count;
};

/* Chooses, before the load, which programs are loaded. */
void hooks_select(struct exec_bpf *skeleton, bool classic, bool failures);

/* Attaches what was loaded. -errno, and *why says what failed. */
int hooks_attach(struct hooks *hooks, const struct exec_bpf *skeleton, struct buffer *why);
void hooks_detach(struct hooks *hooks);

/* How often the kernel skipped a program because it was running already on that CPU. */
uint64_t hooks_recursion_misses(const struct exec_bpf *skeleton);

#endif
