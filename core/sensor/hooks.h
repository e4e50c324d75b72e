/* Where the kernel side is attached. Below Linux 7.0 these are tp_btf programs. From 7.0 on, where
 * the kernel may skip those, classic tracepoints as well, which it skips for other reasons: an
 * event is missed only when both are skipped at once (bpf/witness.h). The ids of classic
 * tracepoints are read from tracefs (one mounted for us alone, at no place, when that is possible).
 */
#ifndef PICKET_SENSOR_HOOKS_H
#define PICKET_SENSOR_HOOKS_H

#include "base/buffer.h"
#include "sensor/sensor_bpf.h"

struct exec_bpf;
struct bpf_link;
struct wire_witness;

/* Of execs, forks and exits; those of failures are the same with each. */
enum hooks_choice {
    HOOKS_BTF = 1 << 0,
    HOOKS_CLASSIC = 1 << 1,
    HOOKS_BOTH = 1 << 2,
};

#define HOOKS_MAX 8

struct hooks {
    struct bpf_link *links[HOOKS_MAX];
    unsigned count;
};

/* Chooses, before the load, which programs are loaded. */
void hooks_select(struct exec_bpf *skeleton, enum hooks_choice choice,
                  enum sensor_failures failures);

/* Attaches what was loaded. -errno, and *why says what failed. */
int hooks_attach(struct hooks *hooks, const struct exec_bpf *skeleton, struct buffer *why);
void hooks_detach(struct hooks *hooks);

/* Events for which the kernel skipped a program because of what else was going on on that CPU. */
struct hooks_skips {
    uint64_t missed;    /* by all programs there are: nobody saw them. At most by so many */
    uint64_t witnessed; /* by one of two */
};

/* WITNESSES: the map of that name, one for each of CPUS; NULL when there are none. */
struct hooks_skips hooks_count_skips(const struct exec_bpf *skeleton,
                                     const struct wire_witness *witnesses, unsigned cpus);

#endif
