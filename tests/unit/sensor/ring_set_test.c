/* Rings as the kernel writes them, in memory of our own. */
#include "sensor/ring_set.h"

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
static struct perf_event_mmap_page pages[CPUS];
static char datas[CPUS][RING_SIZE];
static uint64_t sequences[CPUS];

/* What was handed over. */
static struct wire_header handed[1024];
static size_t handed_count;

static int setup(void **state)
{
    set = (struct ring_set){.count = CPUS, .cpus = cpus};
    set.rings = calloc(CPUS, sizeof *set.rings);
    set.heads = calloc(CPUS, sizeof *set.heads);
    set.expected = calloc(CPUS, sizeof *set.expected);
    memset(cpus, 0, sizeof cpus);
    memset(pages, 0, sizeof pages);
    memset(sequences, 0, sizeof sequences);
    for (int i = 0; i < CPUS; i++)
        set.rings[i] = (struct perf_ring){.fd = -1,
                                          .page = &pages[i],
                                          .data = datas[i],
                                          .size = RING_SIZE,
                                          .bounce = malloc(65536)};
    handed_count = 0;
    return 0;
}

static int teardown(void **state)
{
    for (int i = 0; i < CPUS; i++)
        free(set.rings[i].bounce);
    free(set.rings);
    free(set.heads);
    free(set.expected);
    return 0;
}

static void write_bytes(int cpu, const void *bytes, size_t len)
{
    char copy[RING_SIZE];

    memcpy(copy, bytes, len);
    for (size_t i = 0; i < len; i++)
        datas[cpu][(pages[cpu].data_head + i) % RING_SIZE] = copy[i];
    pages[cpu].data_head += len;
}

static bool has_room(int cpu, size_t len)
{
    return pages[cpu].data_head - pages[cpu].data_tail + len <= RING_SIZE;
}

/* A record of that time with EXTRA bytes behind its header; false when the ring is full, and then
 * its number is lost. */
static bool write_record(int cpu, int64_t time, uint32_t extra)
{
    static const char filler[RING_SIZE];
    struct wire_header header = {
        .cpu = (uint32_t)cpu, .sequence = sequences[cpu]++, .time = (uint64_t)time};
    uint32_t len = (uint32_t)((sizeof header + extra + 4 + 7) / 8 * 8 - 4);
    struct perf_event_header entry = {.type = PERF_RECORD_SAMPLE,
                                      .size = (uint16_t)(sizeof entry + sizeof len + len)};

    cpus[cpu].sequence = sequences[cpu];
    if (!has_room(cpu, entry.size))
        return false;
    write_bytes(cpu, &entry, sizeof entry);
    write_bytes(cpu, &len, sizeof len);
    write_bytes(cpu, &header, sizeof header);
    write_bytes(cpu, filler, len - sizeof header);
    return true;
}

static void hand(void *context, const void *bytes, size_t len)
{
    assert_true(len >= sizeof(struct wire_header));
    memcpy(&handed[handed_count++ % 1024], bytes, sizeof(struct wire_header));
}

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
    assert_int_equal(ring_set_read(&set, hand, NULL), 60);
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
    assert_int_equal(ring_set_read(&set, hand, NULL), 2);
    write_record(2, 200, 0);
    cpus[2].busy = 0;
    assert_int_equal(ring_set_read(&set, hand, NULL), 2);
    assert_in_order(4);
    assert_int_equal(handed[2].cpu, 2);
}

/* A CPU that has not yet said from when its record is holds up everything. */
static void test_stamping(void **state)
{
    write_record(0, 100, 0);
    cpus[1].busy = WIRE_STAMPING;
    assert_int_equal(ring_set_read(&set, hand, NULL), 0);
    cpus[1].busy = 0;
    assert_int_equal(ring_set_read(&set, hand, NULL), 1);
}

static void test_too_young(void **state)
{
    int64_t future = clock_boottime() + 3600 * NS_PER_S;

    write_record(0, 1, 0);
    write_record(1, future, 0);
    assert_int_equal(ring_set_read(&set, hand, NULL), 1);
    assert_true(ring_set_pending(&set));
    assert_int_equal(ring_set_flush(&set, hand, NULL), 1);
    assert_in_order(2);
}

/* Round the end of the ring many times, with every length. */
static void test_wrap(void **state)
{
    size_t written = 0;

    for (int64_t time = 1; time <= 900; time++) {
        written += write_record(0, time, (uint32_t)(time % 97));
        written += write_record(1, time, (uint32_t)(time % 1013));
        ring_set_read(&set, hand, NULL);
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
            ring_set_read(&set, hand, NULL);
    }
    assert_true(lost > 0);
    ring_set_flush(&set, hand, NULL);
    assert_int_equal(handed_count + lost, 500);
    assert_int_equal(set.gaps, lost);
}

/* Entries of other kinds are passed over; one that is no record is missed. */
static void test_other_entries(void **state)
{
    struct {
        struct perf_event_header header;
        uint64_t id, lost;
    } lost = {{.type = PERF_RECORD_LOST, .size = sizeof lost}, 1, 2};
    struct {
        struct perf_event_header header;
        uint32_t len;
        char bytes[4];
    } tiny = {{.type = PERF_RECORD_SAMPLE, .size = sizeof tiny}, 4, ""};

    write_bytes(0, &lost, sizeof lost);
    write_record(0, 5, 0);
    write_bytes(0, &tiny, sizeof tiny);
    sequences[0]++; /* it had a number */
    write_record(0, 6, 0);
    assert_int_equal(ring_set_read(&set, hand, NULL), 2);
    assert_in_order(2);
    assert_int_equal(set.gaps, 1);
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
    assert_int_equal(ring_set_flush(&set, hand, NULL), 2);
    assert_int_equal(handed[0].time, 1);
    assert_int_equal(handed[1].time, 4);
    assert_int_equal(set.gaps, 2);
}

/* A length that cannot be gives up the rest of the ring, not the reader; what was in there is
 * missed, to the record. */
static void test_impossible_length(void **state)
{
    struct perf_event_header none = {.type = PERF_RECORD_SAMPLE, .size = 0};

    write_record(0, 1, 0);
    write_bytes(0, &none, sizeof none);
    sequences[0]++;
    write_record(0, 2, 0);
    write_record(0, 3, 0);
    assert_int_equal(ring_set_read(&set, hand, NULL), 1);
    assert_false(ring_set_pending(&set));
    write_record(0, 4, 0);
    assert_int_equal(ring_set_read(&set, hand, NULL), 1);
    assert_int_equal(set.gaps, 3);
    write_bytes(0, &none, sizeof none);
    cpus[0].sequence = ++sequences[0];
    assert_int_equal(ring_set_flush(&set, hand, NULL), 0);
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
        cmocka_unit_test_setup_teardown(test_other_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_impossible_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_impossible_length, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
