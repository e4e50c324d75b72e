#include "sensor/ring_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "wire.h"

int ring_set_open(struct ring_set *set, unsigned count, size_t size, const char **what)
{
    *set = (struct ring_set){.count = count};
    *what = "memory";
    set->rings = calloc(count, sizeof *set->rings);
    set->heads = calloc(count, sizeof *set->heads);
    set->expected = calloc(count, sizeof *set->expected);
    if (!set->rings || !set->heads || !set->expected) {
        ring_set_deinit(set);
        return -ENOMEM;
    }
    for (unsigned cpu = 0; cpu < count; cpu++)
        set->rings[cpu].fd = -1;
    for (unsigned cpu = 0; cpu < count; cpu++) {
        int r = perf_ring_open(&set->rings[cpu], (int)cpu, size, PERF_RING_HALF_FULL, what);

        if (r < 0) {
            ring_set_deinit(set);
            return r;
        }
    }
    return 0;
}

void ring_set_deinit(struct ring_set *set)
{
    for (unsigned cpu = 0; set->rings && cpu < set->count; cpu++)
        perf_ring_deinit(&set->rings[cpu]);
    free(set->rings);
    free(set->heads);
    free(set->expected);
    *set = (struct ring_set){0};
}

/* True when the number is one that the ring may have next: behind the last, and given out. */
static bool fits_ring(const struct ring_set *set, unsigned ring, uint64_t sequence)
{
    return sequence >= set->expected[ring] &&
           sequence < __atomic_load_n(&set->cpus[ring].sequence, __ATOMIC_ACQUIRE);
}

/* Reads time and sequence of the ring's next record into *HEAD; false when it has none. Samples
 * that are no record are passed over: their numbers will be missed. */
static bool read_head(struct ring_set *set, unsigned ring, struct ring_head *head)
{
    struct wire_header header;

    while (perf_ring_peek(&set->rings[ring])) {
        if (set->rings[ring].sample_len >= sizeof header) {
            memcpy(&header, set->rings[ring].sample, sizeof header);
            *head = (struct ring_head){ring, (int64_t)header.time, header.sequence};
            if (fits_ring(set, ring, header.sequence))
                return true;
        }
        perf_ring_advance(&set->rings[ring]);
    }
    return false;
}

static int64_t find_horizon(const struct ring_set *set)
{
    int64_t horizon = clock_boottime() - RING_SET_SLACK;

    for (unsigned cpu = 0; cpu < set->count; cpu++) {
        uint64_t busy = __atomic_load_n(&set->cpus[cpu].busy, __ATOMIC_ACQUIRE);

        if (busy == WIRE_STAMPING)
            return set->horizon;
        if (busy != 0 && (int64_t)busy <= horizon)
            horizon = (int64_t)busy - 1;
    }
    return horizon > set->horizon ? horizon : set->horizon;
}

/* Puts the earliest of COUNT heads first; returns how far its ring may be read before another
 * one's turn comes. */
static int64_t order_heads(struct ring_head *heads, unsigned count)
{
    unsigned first = 0;
    int64_t second = INT64_MAX;

    for (unsigned i = 1; i < count; i++)
        if (heads[i].time < heads[first].time)
            first = i;
    struct ring_head earliest = heads[first];

    heads[first] = heads[0];
    heads[0] = earliest;
    for (unsigned i = 1; i < count; i++)
        if (heads[i].time < second)
            second = heads[i].time;
    return second;
}

static void hand_sample(struct ring_set *set, const struct ring_head *head, ring_set_sample_fn *fn,
                        void *context)
{
    struct perf_ring *ring = &set->rings[head->ring];

    set->gaps += head->sequence - set->expected[head->ring];
    set->expected[head->ring] = head->sequence + 1;
    fn(context, ring->sample, ring->sample_len);
    perf_ring_advance(ring);
}

static size_t merge(struct ring_set *set, int64_t horizon, ring_set_sample_fn *fn, void *context)
{
    struct ring_head *heads = set->heads;
    unsigned count = 0;
    size_t handed = 0;

    for (unsigned cpu = 0; cpu < set->count; cpu++)
        if (perf_ring_refresh(&set->rings[cpu]) && read_head(set, cpu, &heads[count]))
            count++;
    while (count > 0) {
        int64_t until = order_heads(heads, count);
        bool more = true;

        if (heads[0].time > horizon)
            break;
        while (more && heads[0].time <= until && heads[0].time <= horizon) {
            hand_sample(set, &heads[0], fn, context);
            handed++;
            more = read_head(set, heads[0].ring, &heads[0]);
        }
        if (!more)
            heads[0] = heads[--count];
    }
    return handed;
}

size_t ring_set_read(struct ring_set *set, ring_set_sample_fn *fn, void *context)
{
    set->horizon = find_horizon(set); /* before the rings are looked at */
    return merge(set, set->horizon, fn, context);
}

size_t ring_set_flush(struct ring_set *set, ring_set_sample_fn *fn, void *context)
{
    size_t handed = merge(set, INT64_MAX, fn, context);

    for (unsigned cpu = 0; cpu < set->count; cpu++) {
        uint64_t sequence = __atomic_load_n(&set->cpus[cpu].sequence, __ATOMIC_ACQUIRE);

        set->gaps += sequence - set->expected[cpu];
        set->expected[cpu] = sequence;
    }
    return handed;
}

bool ring_set_pending(struct ring_set *set)
{
    for (unsigned cpu = 0; cpu < set->count; cpu++)
        if (perf_ring_refresh(&set->rings[cpu]))
            return true;
    return false;
}

bool ring_set_busy(const struct ring_set *set)
{
    for (unsigned cpu = 0; cpu < set->count; cpu++)
        if (__atomic_load_n(&set->cpus[cpu].busy, __ATOMIC_ACQUIRE) != 0)
            return true;
    return false;
}
