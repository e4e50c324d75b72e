/* The rings of all CPUs, read as one stream in the order of time.
 *
 * Each ring is in order by itself, so records are merged where they lie, none is copied or held
 * elsewhere. What may be handed over is bounded by the *horizon*: no record below it can still
 * turn up. Each CPU says in shared memory when a record is in the making and from when it is
 * (struct wire_cpu, busy), so the horizon is exact even when a CPU is held up in the middle of
 * one; what the clocks of two CPUs and a store on its way may differ by is allowed for. */
#ifndef PICKET_SENSOR_RING_SET_H
#define PICKET_SENSOR_RING_SET_H

#include "sensor/perf_ring.h"

struct wire_cpu;

/* Records younger than this wait. ns */
#define RING_SET_SLACK 20000

/* What is read of a sample before it is decoded. */
struct ring_head {
    unsigned ring;
    int64_t time;
    uint64_t sequence;
};

struct ring_set {
    struct perf_ring *rings; /* by CPU */
    struct ring_head *heads; /* of the rings that have something, while reading */
    uint64_t *expected;      /* by CPU: the sequence number that should come next */
    unsigned count;
    const struct wire_cpu *cpus; /* borrowed, COUNT of them */
    int64_t horizon;
    uint64_t gaps; /* records not handed over, by their sequence numbers */
};

/* Opens a ring of SIZE bytes for each of COUNT CPUs. Errors as perf_ring_open(). */
int ring_set_open(struct ring_set *set, unsigned count, size_t size, const char **what);
void ring_set_deinit(struct ring_set *set);

typedef void ring_set_sample_fn(void *context, const void *bytes, size_t len);

/* Hands over every sample below the horizon, in the order of time. Returns how many. */
size_t ring_set_read(struct ring_set *set, ring_set_sample_fn *fn, void *context);

/* The same without a horizon, for when nothing more is written; then counts as gaps what is
 * missing at the end of each ring: then records given a number = handed over + gaps. */
size_t ring_set_flush(struct ring_set *set, ring_set_sample_fn *fn, void *context);

/* True when a ring has something, due or not. */
bool ring_set_pending(struct ring_set *set);

/* True while a CPU has a record in the making. */
bool ring_set_busy(const struct ring_set *set);

#endif
