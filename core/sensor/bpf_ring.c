#include "sensor/bpf_ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

/* Begins each sample in the ring; linux/bpf.h has its bits. */
struct entry_header {
    uint32_t len;
    uint32_t page; /* the kernel's own */
};

static size_t entry_size(size_t len)
{
    return (sizeof(struct entry_header) + len + 7) / 8 * 8;
}

/* Takes FD over. */
static int map_ring(struct bpf_ring *ring, int fd, size_t size, const char **what)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    *ring = (struct bpf_ring){.fd = fd, .size = size};
    *what = "mmap of a ring buffer";
    void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (memory != MAP_FAILED) {
        ring->consumer = memory;
        memory = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
    }
    if (memory == MAP_FAILED) {
        int r = -errno;

        bpf_ring_deinit(ring);
        return r;
    }
    ring->producer = memory;
    ring->data = (const char *)memory + page;
    return 0;
}

int bpf_ring_open(struct bpf_ring *ring, size_t size, const char **what)
{
    int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "picket_ring", 0, 0, (uint32_t)size, NULL);

    *ring = (struct bpf_ring){.fd = -1};
    *what = "making a ring buffer";
    return fd < 0 ? fd : map_ring(ring, fd, size, what);
}

int bpf_ring_map(struct bpf_ring *ring, int fd, size_t size, const char **what)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    *ring = (struct bpf_ring){.fd = -1};
    *what = "dup";
    return own < 0 ? -errno : map_ring(ring, own, size, what);
}

void bpf_ring_deinit(struct bpf_ring *ring)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (ring->producer)
        munmap((void *)ring->producer, page + 2 * ring->size);
    if (ring->consumer)
        munmap(ring->consumer, page);
    if (ring->fd >= 0)
        close(ring->fd);
    *ring = (struct bpf_ring){.fd = -1};
}

bool bpf_ring_refresh(struct bpf_ring *ring)
{
    if (!ring->consumer)
        return false;
    ring->head = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
    return ring->head != ring->tail;
}

static void move_tail(struct bpf_ring *ring, uint64_t tail)
{
    ring->tail = tail;
    ring->sample = NULL;
    __atomic_store_n(ring->consumer, tail, __ATOMIC_RELEASE);
}

/* Gives everything up to the head last looked at back. */
static void drop_rest(struct bpf_ring *ring)
{
    ring->taken += ring->head - ring->tail;
    move_tail(ring, ring->head);
}

bool bpf_ring_peek(struct bpf_ring *ring)
{
    if (ring->sample)
        return true;
    while (ring->tail != ring->head) {
        const char *entry = ring->data + (ring->tail & (ring->size - 1));
        uint32_t bits = __atomic_load_n((const uint32_t *)entry, __ATOMIC_ACQUIRE);
        size_t len = bits & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

        if (bits & BPF_RINGBUF_BUSY_BIT)
            return false;
        if (entry_size(len) > ring->head - ring->tail) {
            drop_rest(ring); /* not as the kernel writes it: begin anew */
            return false;
        }
        ring->sample = entry + sizeof(struct entry_header);
        ring->sample_len = len;
        ring->entry_len = entry_size(len);
        if (!(bits & BPF_RINGBUF_DISCARD_BIT))
            return true;
        bpf_ring_advance(ring);
    }
    return false;
}

void bpf_ring_advance(struct bpf_ring *ring)
{
    ring->taken += ring->entry_len;
    move_tail(ring, ring->tail + ring->entry_len);
}

void bpf_ring_clear(struct bpf_ring *ring)
{
    if (bpf_ring_refresh(ring))
        drop_rest(ring);
}
