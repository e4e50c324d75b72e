/* One CPU's perf ring: the kernel writes records, we take them from where they lie.
 *
 * The layout is that of linux/perf_event.h: a control page, then a power of two of data pages in
 * which the kernel's head and our tail run round. What has been taken is given back by moving the
 * tail; until then the kernel cannot overwrite it. */
#ifndef PICKET_SENSOR_PERF_RING_H
#define PICKET_SENSOR_PERF_RING_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct perf_ring {
    int fd; /* -1: the CPU is not there, or offline; then the ring is always empty */
    struct perf_event_mmap_page *page;
    char *data;
    size_t size;         /* of the data, in bytes */
    uint64_t head, tail; /* head: as last looked at */
    char *bounce;        /* where a record is put together that goes round the end */
    /* The sample at the tail, as perf_ring_peek() found it. */
    const char *sample;
    size_t sample_len;
    size_t entry_len; /* what it takes in the ring */
};

/* When the kernel wakes who polls the fd. */
enum perf_ring_wakeup { PERF_RING_EACH_RECORD, PERF_RING_HALF_FULL };

/* Opens the ring of CPU with SIZE bytes of data (a power of two of pages). -errno; an offline CPU
 * is no error. -EPERM from the mmap (*what is then "mmap", else "perf_event_open"): over the limit
 * of locked memory. */
int perf_ring_open(struct perf_ring *ring, int cpu, size_t size, enum perf_ring_wakeup wakeup,
                   const char **what);
void perf_ring_deinit(struct perf_ring *ring);

/* Looks at what the kernel has written by now. True when there is something. */
bool perf_ring_refresh(struct perf_ring *ring);

/* Sets .sample and .sample_len to the next sample up to the head last looked at; false when there
 * is none. The bytes are misaligned and stay until the next perf_ring_advance(). */
bool perf_ring_peek(struct perf_ring *ring);

/* Gives the sample back to the kernel. */
void perf_ring_advance(struct perf_ring *ring);

/* Gives everything back unseen. */
void perf_ring_clear(struct perf_ring *ring);

#endif
