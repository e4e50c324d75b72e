/* Rings as the kernel writes them, in memory of our own. */
#include "sensor/ring_set.h"

#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire.h"

#define CPUS      3
#define RING_SIZE 4096

static struct ring_set set;
static struct wire_cpu cpus[CPUS];
static unsigned long consumers[CPUS], producers[CPUS];
static char datas[CPUS][2 * RING_SIZE]; /* the same twice */
static uint64_t sequences[CPUS];

/* What was handed over. */
static struct wire_header handed[1024];
static size_t handed_count;
static struct gap gaps[1024];
static size_t gap_count;
static uint64_t missing; /* sum of the gaps */

static int setup(void **state)
{
    set = (struct ring_set){.count = CPUS, .cpus = cpus};
    set.rings = calloc(CPUS, sizeof *set.rings);
    set.heads = calloc(CPUS, sizeof *set.heads);
    set.places = calloc(CPUS, sizeof *set.places);
    memset(cpus, 0, sizeof cpus);
    memset(consumers, 0, sizeof consumers);
    memset(producers, 0, sizeof producers);
    memset(sequences, 0, sizeof sequences);
    for (int i = 0; i < CPUS; i++)
        set.rings[i] = (struct bpf_ring){.fd = -1,
                                         .consumer = &consumers[i],
                                         .producer = &producers[i],
                                         .data = datas[i],
                                         .size = RING_SIZE};
    handed_count = gap_count = missing = 0;
    return 0;
}

static int teardown(void **state)
{
    free(set.rings);
    free(set.heads);
    free(set.places);
    return 0;
}

static void write_bytes(int cpu, const void *bytes, size_t len)
{
    size_t at = producers[cpu] % RING_SIZE;
    size_t front = len < RING_SIZE - at ? len : RING_SIZE - at;

    memcpy(datas[cpu] + at, bytes, front);
    memcpy(datas[cpu], (const char *)bytes + front, len - front);
    memcpy(datas[cpu] + RING_SIZE, datas[cpu], RING_SIZE);
    producers[cpu] += len;
}

/* What begins an entry of the ring. */
struct entry {
    uint32_t bits, page;
};

static bool has_room(int cpu, size_t len)
{
    return producers[cpu] - consumers[cpu] + len <= RING_SIZE;
}

/* A record of that time with EXTRA bytes behind its header; false when the ring is full, and then
 * its number is lost. */
static bool write_record(int cpu, int64_t time, uint32_t extra)
{
    static const char filler[RING_SIZE];
    struct wire_header header = {
        .cpu = (uint32_t)cpu, .sequence = sequences[cpu]++, .time = (uint64_t)time};
    struct entry entry = {.bits = (uint32_t)(sizeof header + extra)};
    size_t padding = -(size_t)entry.bits % 8;

    cpus[cpu].sequence = sequences[cpu];
    cpus[cpu].emitted[WIRE_EXEC] = sequences[cpu];
    if (!has_room(cpu, sizeof entry + entry.bits + padding))
        return false;
    write_bytes(cpu, &entry, sizeof entry);
    write_bytes(cpu, &header, sizeof header);
    write_bytes(cpu, filler, extra + padding);
    return true;
}

/* At every moment every number is accounted for. */
static void assert_account(void)
{
    assert_int_equal(ring_set_seen(&set), handed_count + set.gaps);
    assert_int_equal(set.gaps, missing);
}

static void hand(void *context, const void *bytes, size_t len)
{
    assert_true(len >= sizeof(struct wire_header));
    memcpy(&handed[handed_count++ % 1024], bytes, sizeof(struct wire_header));
    assert_account();
}

static void hand_gap(void *context, const struct gap *gap)
{
    assert_true(gap->count > 0);
    assert_true(gap->from <= gap->until);
    gaps[gap_count++ % 1024] = *gap;
    missing += gap->count;
    assert_account();
}

static const struct ring_set_reader reader = {hand, hand_gap, NULL};

static void assert_in_order(size_t count)
{
    assert_int_equal(handed_count, count);
    for (size_t i = 1; i < handed_count; i++)
        assert_true(handed[i - 1].time <= handed[i].time);
}

static void test_merge(void **state)
{
    for (int64_t time = 1; time <= 60; time++)
        assert_true(write_record((int)(time * 7 / 3 % CPUS), time, 0));
    assert_true(ring_set_pending(&set));
    assert_int_equal(ring_set_read(&set, &reader), 60);
    assert_in_order(60);
    assert_false(ring_set_pending(&set));
    assert_int_equal(set.gaps, 0);
}

/* Nothing is handed over from which a CPU may still be behind. */
static void test_horizon(void **state)
{
    write_record(0, 100, 0);
    write_record(0, 300, 0);
    write_record(1, 150, 0);
    cpus[2].busy = 200;
    assert_true(ring_set_busy(&set));
    assert_int_equal(ring_set_read(&set, &reader), 2);
    write_record(2, 200, 0);
    cpus[2].busy = 0;
    assert_int_equal(ring_set_read(&set, &reader), 2);
    assert_in_order(4);
    assert_int_equal(handed[2].cpu, 2);
}

/* A CPU that has not yet said from when its record is holds up everything. */
static void test_stamping(void **state)
{
    write_record(0, 100, 0);
    cpus[1].busy = WIRE_STAMPING;
    assert_int_equal(ring_set_read(&set, &reader), 0);
    cpus[1].busy = 0;
    assert_int_equal(ring_set_read(&set, &reader), 1);
}

static void test_too_young(void **state)
{
    int64_t future = clock_boottime() + 3600 * NS_PER_S;

    write_record(0, 1, 0);
    write_record(1, future, 0);
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_true(ring_set_pending(&set));
    assert_int_equal(ring_set_flush(&set, &reader), 1);
    assert_in_order(2);
}

/* Round the end of the ring many times, with every length. */
static void test_wrap(void **state)
{
    size_t written = 0;

    for (int64_t time = 1; time <= 900; time++) {
        written += write_record(0, time, (uint32_t)(time % 97));
        written += write_record(1, time, (uint32_t)(time % 1013));
        ring_set_read(&set, &reader);
    }
    assert_int_equal(written, 1800);
    assert_int_equal(handed_count, 1800);
    assert_int_equal(set.gaps, 0);
}

static void test_gaps_are_what_was_lost(void **state)
{
    uint64_t lost = 0;

    for (int64_t time = 1; time <= 500; time++) {
        lost += !write_record((int)(time % 2), time, 100);
        if (time % 90 == 0)
            ring_set_read(&set, &reader);
    }
    assert_true(lost > 0);
    ring_set_flush(&set, &reader);
    assert_int_equal(handed_count + lost, 500);
    assert_int_equal(set.gaps, lost);
    assert_int_equal(missing, lost);
    assert_int_equal(ring_set_seen(&set), 500);
}

/* A gap has its place right before the record that shows it, and says between which it lies. */
static void test_a_gap_has_its_place(void **state)
{
    write_record(0, 10, 0);
    write_record(1, 20, 0);
    sequences[0] += 3;
    write_record(0, 40, 0);
    write_record(1, 50, 0);
    assert_int_equal(ring_set_read(&set, &reader), 4);
    assert_in_order(4);
    assert_int_equal(gap_count, 1);
    assert_int_equal(gaps[0].cpu, 0);
    assert_int_equal(gaps[0].from, 10);
    assert_int_equal(gaps[0].until, 40);
    assert_int_equal(gaps[0].count, 3);
    assert_false(gaps[0].late);
}

/* A CPU that is quiet after a loss has no record that would show it: its counts do, once all that
 * came before has been read; and what is in the making then is not missed. */
static void test_a_loss_at_the_end_is_seen(void **state)
{
    int64_t before = clock_boottime();

    write_record(0, 10, 0);
    cpus[0].emitted[WIRE_FORK] += 2;
    sequences[0] += 2;
    cpus[0].sequence = sequences[0] + 1;
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_int_equal(gap_count, 1);
    assert_int_equal(gaps[0].from, 10);
    assert_true(gaps[0].until >= before);
    assert_int_equal(gaps[0].count, 2);
    cpus[0].emitted[WIRE_FORK] = 0;
    write_record(0, 30, 0);
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_int_equal(gap_count, 1);
}

/* Not while there is something in the ring that is not due. */
static void test_a_loss_behind_a_young_record_waits(void **state)
{
    write_record(0, clock_boottime() + 3600 * NS_PER_S, 0);
    cpus[0].sequence = cpus[0].emitted[WIRE_EXEC] = sequences[0] += 5;
    assert_int_equal(ring_set_read(&set, &reader), 0);
    assert_int_equal(gap_count, 0);
    assert_int_equal(ring_set_flush(&set, &reader), 1);
    assert_int_equal(missing, 5);
}

static void test_a_late_cpu(void **state)
{
    set.places[2].late = true;
    set.rings[2].consumer = NULL; /* nothing comes from there */
    cpus[2].sequence = cpus[2].emitted[WIRE_EXIT] = 7;
    write_record(0, 10, 0);
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_int_equal(gap_count, 1);
    assert_int_equal(gaps[0].cpu, 2);
    assert_int_equal(gaps[0].count, 7);
    assert_true(gaps[0].late);
    assert_int_equal(ring_set_read(&set, &reader), 0);
    assert_int_equal(gap_count, 1);
}

/* The kernel side learns how much room there is again. */
static void test_bytes_read_are_told(void **state)
{
    struct entry none = {.bits = RING_SIZE};

    for (int64_t time = 1; time <= 10; time++)
        write_record(0, time, (uint32_t)time);
    ring_set_read(&set, &reader);
    assert_int_equal(cpus[0].read_bytes, producers[0]);
    write_bytes(0, &none, sizeof none);
    write_record(0, 11, 0);
    ring_set_read(&set, &reader);
    assert_int_equal(cpus[0].read_bytes, producers[0]);
}

/* Entries that were given up are passed over; one that is no record is missed. */
static void test_other_entries(void **state)
{
    struct {
        struct entry entry;
        char bytes[16];
    } discarded = {.entry = {.bits = BPF_RINGBUF_DISCARD_BIT | 16}};
    struct {
        struct entry entry;
        char bytes[8];
    } tiny = {.entry = {.bits = 4}};

    write_bytes(0, &discarded, sizeof discarded);
    write_record(0, 5, 0);
    write_bytes(0, &tiny, sizeof tiny);
    sequences[0]++; /* it had a number */
    write_record(0, 6, 0);
    assert_int_equal(ring_set_read(&set, &reader), 2);
    assert_in_order(2);
    assert_int_equal(set.gaps, 1);
}

/* An entry that is still being written is not there yet, and nothing behind it. */
static void test_unfinished_entry(void **state)
{
    uint32_t *bits = (uint32_t *)&datas[0][producers[0]];

    write_record(0, 5, 0);
    write_record(0, 6, 0);
    *bits |= BPF_RINGBUF_BUSY_BIT;
    assert_int_equal(ring_set_read(&set, &reader), 0);
    assert_int_equal(set.gaps, 0);
    *bits &= ~BPF_RINGBUF_BUSY_BIT;
    assert_int_equal(ring_set_read(&set, &reader), 2);
    assert_in_order(2);
    assert_int_equal(set.gaps, 0);
}

/* A number given out already, or not yet, belongs to no record: it is neither handed over nor does
 * it upset the count. */
static void test_impossible_number(void **state)
{
    write_record(0, 1, 0);
    sequences[0] = 0;
    write_record(0, 2, 0);
    sequences[0] = 77777;
    write_record(0, 3, 0);
    sequences[0] = 3;
    write_record(0, 4, 0);
    assert_int_equal(ring_set_flush(&set, &reader), 2);
    assert_int_equal(handed[0].time, 1);
    assert_int_equal(handed[1].time, 4);
    assert_int_equal(set.gaps, 2);
}

/* A length that cannot be gives up the rest of the ring, not the reader; what was in there is
 * missed, to the record. */
static void test_impossible_length(void **state)
{
    struct entry none = {.bits = RING_SIZE};

    write_record(0, 1, 0);
    write_bytes(0, &none, sizeof none);
    sequences[0]++;
    write_record(0, 2, 0);
    write_record(0, 3, 0);
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_false(ring_set_pending(&set));
    write_record(0, 4, 0);
    assert_int_equal(ring_set_read(&set, &reader), 1);
    assert_int_equal(set.gaps, 3);
    write_bytes(0, &none, sizeof none);
    cpus[0].sequence = cpus[0].emitted[WIRE_EXEC] = ++sequences[0];
    assert_int_equal(ring_set_flush(&set, &reader), 0);
    assert_int_equal(set.gaps, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_horizon, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamping, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_young, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gaps_are_what_was_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_gap_has_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_loss_at_the_end_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_loss_behind_a_young_record_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_late_cpu, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_read_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unfinished_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_impossible_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_impossible_length, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
