/* One of the kernel side's ring buffers (BPF_MAP_TYPE_RINGBUF): it writes records, we take them
 * from where they lie.
 *
 * The layout is that of kernel/bpf/ringbuf.c: a page with our position, one with the kernel's, then
 * a power of two of bytes, mapped twice in a row, so that no record is ever cut in two. What has
 * been taken is given back by moving our position; until then the kernel cannot overwrite it. */
#ifndef PICKET_SENSOR_BPF_RING_H
#define PICKET_SENSOR_BPF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_ring {
    int fd;                  /* of the map; -1: none */
    unsigned long *consumer; /* our position; NULL: there is no ring, it is always empty */
    const unsigned long *producer;
    const char *data;
    size_t size;         /* of the data, in bytes */
    uint64_t head, tail; /* head: as last looked at */
    uint64_t taken;      /* bytes of samples given back, their headers included */
    /* The sample at the tail, as bpf_ring_peek() found it. */
    const char *sample;
    size_t sample_len;
    size_t entry_len; /* what it takes in the ring */
};

/* Makes a ring of SIZE bytes, a power of two of pages. -errno; then nothing is to be released, and
 * *WHAT says what failed. */
int bpf_ring_open(struct bpf_ring *ring, size_t size, const char **what);

/* The same with a ring map that is there already; FD stays the caller's. */
int bpf_ring_map(struct bpf_ring *ring, int fd, size_t size, const char **what);

void bpf_ring_deinit(struct bpf_ring *ring);

/* Looks at what the kernel has written by now. True when there is something. */
bool bpf_ring_refresh(struct bpf_ring *ring);

/* Sets .sample and .sample_len to the next sample up to the head last looked at; false when there
 * is none, or it is still being written. The bytes stay until the next bpf_ring_advance(). */
bool bpf_ring_peek(struct bpf_ring *ring);

/* Gives the sample back to the kernel. */
void bpf_ring_advance(struct bpf_ring *ring);

/* Gives everything back unseen. */
void bpf_ring_clear(struct bpf_ring *ring);

#endif
