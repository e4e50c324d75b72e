/* The rings of all CPUs, read as one stream in the order of time.
 *
 * Each ring is in order by itself, so records are merged where they lie, none is copied or held
 * elsewhere. What may be handed over is bounded by the *horizon*: no record below it can still
 * turn up. Each CPU says in shared memory when a record is in the making and from when it is
 * (struct wire_cpu, busy), so the horizon is exact even when a CPU is held up in the middle of
 * one; what the clocks of two CPUs and a store on its way may differ by is allowed for. */
#ifndef PICKET_SENSOR_RING_SET_H
#define PICKET_SENSOR_RING_SET_H

#include "sensor/bpf_ring.h"
#include "sensor/gap.h"

struct wire_cpu;

/* Records younger than this wait. ns */
#define RING_SET_SLACK 20000

/* What is read of a sample before it is decoded. */
struct ring_head {
    unsigned ring;
    int64_t time;
    uint64_t sequence;
};

/* How far a CPU's numbers have come. */
struct ring_place {
    uint64_t expected; /* the sequence number that should come next */
    uint64_t finished; /* as last looked at: every number below it is in the ring or lost */
    int64_t last;      /* boot time up to which nothing more is missing */
    bool late;         /* the CPU was not online at the open */
};

/* In bytes, powers of two of pages. */
struct ring_sizes {
    size_t online, offline;
};

struct ring_set {
    struct bpf_ring *rings;    /* by CPU */
    struct ring_head *heads;   /* of the rings that have something, while reading */
    struct ring_place *places; /* by CPU */
    unsigned count;
    struct wire_cpu *cpus; /* borrowed, COUNT of them; only their read_bytes is written */
    int64_t horizon;
    uint64_t gaps; /* records not handed over, by their sequence numbers */
};

/* Opens a ring for each of COUNT CPUs: the sizes are for one that is online now, and for one that
 * may come. Errors as bpf_ring_open(). */
int ring_set_open(struct ring_set *set, unsigned count, const struct ring_sizes *sizes,
                  const char **what);
void ring_set_deinit(struct ring_set *set);

/* What a read hands over: samples, and what is missing between them, each gap right before the
 * sample of its CPU that showed it, or at the end when none did. */
struct ring_set_reader {
    void (*on_sample)(void *context, const void *bytes, size_t len);
    void (*on_gap)(void *context, const struct gap *gap);
    void *context;
};

/* Hands over every sample below the horizon, in the order of time. Returns how many.
 *
 * At every moment, also while on_sample and on_gap run, exactly:
 *     ring_set_seen() = samples handed over + .gaps
 */
size_t ring_set_read(struct ring_set *set, const struct ring_set_reader *reader);

/* The same without a horizon, for when nothing more is written; then counts as gaps what is
 * missing at the end of each ring: then records given a number = handed over + gaps. */
size_t ring_set_flush(struct ring_set *set, const struct ring_set_reader *reader);

/* How many sequence numbers have been passed, on all CPUs. */
uint64_t ring_set_seen(const struct ring_set *set);

/* True when a ring has something, due or not. */
bool ring_set_pending(struct ring_set *set);

/* True while a CPU has a record in the making. */
bool ring_set_busy(const struct ring_set *set);

#endif
