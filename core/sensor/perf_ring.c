#include "sensor/perf_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The size of a ring entry is a 16-bit number. */
#define ENTRY_MAX 65536

/* A sample of PERF_SAMPLE_RAW: the header, the length of what follows, the bytes. */
#define SAMPLE_OFFSET (sizeof(struct perf_event_header) + sizeof(uint32_t))

static int open_output_event(int cpu, size_t size, enum perf_ring_wakeup wakeup)
{
    struct perf_event_attr attr = {
        .size = sizeof attr,
        .type = PERF_TYPE_SOFTWARE,
        .config = PERF_COUNT_SW_BPF_OUTPUT,
        .sample_type = PERF_SAMPLE_RAW,
        .sample_period = 1,
    };

    if (wakeup == PERF_RING_HALF_FULL) {
        attr.watermark = 1;
        attr.wakeup_watermark = (uint32_t)(size / 2);
    } else {
        attr.wakeup_events = 1;
    }
    long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

    return fd < 0 ? -errno : (int)fd;
}

static int map_ring(struct perf_ring *ring, size_t size)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = mmap(NULL, page_size + size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);

    if (memory == MAP_FAILED)
        return -errno;
    ring->page = memory;
    ring->data = (char *)memory + page_size;
    ring->size = size;
    return 0;
}

int perf_ring_open(struct perf_ring *ring, int cpu, size_t size, enum perf_ring_wakeup wakeup,
                   const char **what)
{
    int fd = open_output_event(cpu, size, wakeup);

    *ring = (struct perf_ring){.fd = fd < 0 ? -1 : fd};
    *what = "perf_event_open";
    if (fd == -ENODEV)
        return 0;
    if (fd < 0)
        return fd;
    *what = "mmap";
    int r = map_ring(ring, size);

    if (r == 0 && !(ring->bounce = malloc(ENTRY_MAX)))
        r = -ENOMEM;
    if (r == 0 && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0)
        r = -errno;
    if (r < 0)
        perf_ring_deinit(ring);
    return r;
}

void perf_ring_deinit(struct perf_ring *ring)
{
    free(ring->bounce);
    if (ring->page)
        munmap(ring->page, (size_t)(ring->data - (char *)ring->page) + ring->size);
    if (ring->fd >= 0)
        close(ring->fd);
    *ring = (struct perf_ring){.fd = -1};
}

bool perf_ring_refresh(struct perf_ring *ring)
{
    if (!ring->page)
        return false;
    ring->head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
    return ring->head != ring->tail;
}

/* LEN bytes at position AT; those that go round the end are put together in the bounce. */
static const char *find_bytes(struct perf_ring *ring, uint64_t at, size_t len)
{
    size_t offset = at & (ring->size - 1);
    size_t front = ring->size - offset;

    if (len <= front)
        return ring->data + offset;
    memcpy(ring->bounce, ring->data + offset, front);
    memcpy(ring->bounce + front, ring->data, len - front);
    return ring->bounce;
}

static void move_tail(struct perf_ring *ring, uint64_t tail)
{
    ring->tail = tail;
    ring->sample = NULL;
    __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

bool perf_ring_peek(struct perf_ring *ring)
{
    if (ring->sample)
        return true;
    while (ring->tail != ring->head) {
        struct perf_event_header header;
        uint32_t len;

        memcpy(&header, find_bytes(ring, ring->tail, sizeof header), sizeof header);
        if (header.size < sizeof header || header.size > ring->head - ring->tail) {
            move_tail(ring, ring->head); /* not as the kernel writes it: begin anew */
            return false;
        }
        if (header.type == PERF_RECORD_SAMPLE && header.size >= SAMPLE_OFFSET) {
            const char *entry = find_bytes(ring, ring->tail, header.size);

            memcpy(&len, entry + sizeof header, sizeof len);
            if (len <= header.size - SAMPLE_OFFSET) {
                ring->sample = entry + SAMPLE_OFFSET;
                ring->sample_len = len;
                ring->entry_len = header.size;
                return true;
            }
        }
        /* PERF_RECORD_LOST: the kernel side has counted it already. */
        move_tail(ring, ring->tail + header.size);
    }
    return false;
}

void perf_ring_advance(struct perf_ring *ring)
{
    move_tail(ring, ring->tail + ring->entry_len);
}

void perf_ring_clear(struct perf_ring *ring)
{
    if (perf_ring_refresh(ring))
        move_tail(ring, ring->head);
}
