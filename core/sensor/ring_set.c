#include "sensor/ring_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "wire.h"

/* A CPU that the machine does not have yet has no folder; one that cannot be taken offline, as the
 * first often is, has no file there. */
static bool is_online(unsigned cpu)
{
    char path[64];
    int len = snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%u", cpu);

    if (access(path, F_OK) < 0)
        return false;
    snprintf(path + len, sizeof path - (size_t)len, "/online");
    CLEANUP(fclosep) FILE *file = fopen(path, "re");

    return !file || fgetc(file) != '0';
}

int ring_set_open(struct ring_set *set, unsigned count, const struct ring_sizes *sizes,
                  const char **what)
{
    *set = (struct ring_set){.count = count};
    *what = "memory";
    set->rings = calloc(count, sizeof *set->rings);
    set->heads = calloc(count, sizeof *set->heads);
    set->places = calloc(count, sizeof *set->places);
    if (!set->rings || !set->heads || !set->places) {
        ring_set_deinit(set);
        return -ENOMEM;
    }
    for (unsigned cpu = 0; cpu < count; cpu++) {
        set->rings[cpu].fd = -1;
        set->places[cpu].last = clock_boottime();
    }
    for (unsigned cpu = 0; cpu < count; cpu++) {
        set->places[cpu].late = !is_online(cpu);
        size_t size = set->places[cpu].late ? sizes->offline : sizes->online;
        int r = bpf_ring_open(&set->rings[cpu], size, what);

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
        bpf_ring_deinit(&set->rings[cpu]);
    free(set->rings);
    free(set->heads);
    free(set->places);
    *set = (struct ring_set){0};
}

/* True when the number is one that the ring may have next: behind the last, and given out. */
static bool fits_ring(const struct ring_set *set, unsigned ring, uint64_t sequence)
{
    return sequence >= set->places[ring].expected &&
           sequence < __atomic_load_n(&set->cpus[ring].sequence, __ATOMIC_ACQUIRE);
}

/* Tells the kernel side how much room there is. */
static void tell_taken(struct ring_set *set, unsigned ring)
{
    __atomic_store_n(&set->cpus[ring].read_bytes, set->rings[ring].taken, __ATOMIC_RELAXED);
}

static void take_sample(struct ring_set *set, unsigned ring)
{
    bpf_ring_advance(&set->rings[ring]);
    tell_taken(set, ring);
}

/* Reads time and sequence of the ring's next record into *HEAD; false when it has none. Samples
 * that are no record are passed over: their numbers will be missed. */
static bool read_head(struct ring_set *set, unsigned ring, struct ring_head *head)
{
    struct wire_header header;

    while (bpf_ring_peek(&set->rings[ring])) {
        if (set->rings[ring].sample_len >= sizeof header) {
            memcpy(&header, set->rings[ring].sample, sizeof header);
            *head = (struct ring_head){ring, (int64_t)header.time, header.sequence};
            if (fits_ring(set, ring, header.sequence))
                return true;
        }
        take_sample(set, ring);
    }
    tell_taken(set, ring);
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

/* What is missing on CPU below NUMBER, as is known at UNTIL. */
static void hand_gap(struct ring_set *set, unsigned cpu, uint64_t number, int64_t until,
                     const struct ring_set_reader *reader)
{
    struct ring_place *place = &set->places[cpu];
    struct gap gap = {
        .cpu = cpu,
        .late = place->late,
        .from = place->last,
        .until = until > place->last ? until : place->last,
        .count = number - place->expected,
    };

    place->expected = number;
    place->last = gap.until;
    set->gaps += gap.count;
    reader->on_gap(reader->context, &gap);
}

static void hand_sample(struct ring_set *set, const struct ring_head *head,
                        const struct ring_set_reader *reader)
{
    struct bpf_ring *ring = &set->rings[head->ring];
    struct ring_place *place = &set->places[head->ring];

    if (head->sequence > place->expected)
        hand_gap(set, head->ring, head->sequence, head->time, reader);
    place->expected = head->sequence + 1;
    place->last = head->time;
    reader->on_sample(reader->context, ring->sample, ring->sample_len);
    take_sample(set, head->ring);
}

/* How many records the CPU is done with. The kernel side counts one when it is in the ring or lost
 * for good, so what is below and not in the ring at a later look is lost. */
static uint64_t count_finished(const struct wire_cpu *cpu)
{
    uint64_t finished = 0;

    for (int type = 0; type < WIRE_TYPES; type++)
        finished += __atomic_load_n(&cpu->emitted[type], __ATOMIC_ACQUIRE);
    uint64_t given = __atomic_load_n(&cpu->sequence, __ATOMIC_ACQUIRE);

    return finished < given ? finished : given;
}

static bool is_drained(const struct bpf_ring *ring)
{
    return ring->head == ring->tail;
}

/* A CPU that goes quiet after a loss shows it by its counts alone. */
static void hand_last_gaps(struct ring_set *set, int64_t until,
                           const struct ring_set_reader *reader)
{
    for (unsigned cpu = 0; cpu < set->count; cpu++)
        if (set->places[cpu].finished > set->places[cpu].expected && is_drained(&set->rings[cpu]))
            hand_gap(set, cpu, set->places[cpu].finished, until, reader);
}

static size_t merge(struct ring_set *set, int64_t horizon, const struct ring_set_reader *reader)
{
    struct ring_head *heads = set->heads;
    unsigned count = 0;
    size_t handed = 0;

    for (unsigned cpu = 0; cpu < set->count; cpu++) {
        set->places[cpu].finished = count_finished(&set->cpus[cpu]);
        if (bpf_ring_refresh(&set->rings[cpu]) && read_head(set, cpu, &heads[count]))
            count++;
    }
    int64_t looked = clock_boottime();

    while (count > 0) {
        int64_t until = order_heads(heads, count);
        bool more = true;

        if (heads[0].time > horizon)
            break;
        while (more && heads[0].time <= until && heads[0].time <= horizon) {
            hand_sample(set, &heads[0], reader);
            handed++;
            more = read_head(set, heads[0].ring, &heads[0]);
        }
        if (!more)
            heads[0] = heads[--count];
    }
    hand_last_gaps(set, looked, reader);
    return handed;
}

size_t ring_set_read(struct ring_set *set, const struct ring_set_reader *reader)
{
    set->horizon = find_horizon(set); /* before the rings are looked at */
    return merge(set, set->horizon, reader);
}

size_t ring_set_flush(struct ring_set *set, const struct ring_set_reader *reader)
{
    size_t handed = merge(set, INT64_MAX, reader);
    int64_t now = clock_boottime();

    for (unsigned cpu = 0; cpu < set->count; cpu++) {
        uint64_t given = __atomic_load_n(&set->cpus[cpu].sequence, __ATOMIC_ACQUIRE);

        if (given > set->places[cpu].expected)
            hand_gap(set, cpu, given, now, reader);
    }
    return handed;
}

uint64_t ring_set_seen(const struct ring_set *set)
{
    uint64_t seen = 0;

    for (unsigned cpu = 0; cpu < set->count; cpu++)
        seen += set->places[cpu].expected;
    return seen;
}

bool ring_set_pending(struct ring_set *set)
{
    for (unsigned cpu = 0; cpu < set->count; cpu++)
        if (bpf_ring_refresh(&set->rings[cpu]))
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
