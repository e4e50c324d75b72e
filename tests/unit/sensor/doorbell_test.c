/* When the reader is woken: a real epoll and timer; rings and bells in memory of our own. */
#include "sensor/doorbell.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

#define PAGE      4096
#define RING_SIZE ((size_t)PAGE)
#define RECORD    8 /* bytes; what is in them does not matter here */
#define LONG      20000
#define HANDOVERS 20000

static struct ring_set set;
static struct doorbell doorbell;
static uint32_t asleep;

static void *memory_make(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

/* As bpf_ring_open() makes it, so that bpf_ring_deinit() fits. */
static struct bpf_ring ring_make(void)
{
    char *memory = memory_make(PAGE + 2 * RING_SIZE);

    return (struct bpf_ring){.fd = -1,
                             .consumer = memory_make(PAGE),
                             .producer = (const unsigned long *)memory,
                             .data = memory + PAGE,
                             .size = RING_SIZE};
}

static void record_write(struct bpf_ring *ring)
{
    __atomic_fetch_add((unsigned long *)ring->producer, RECORD, __ATOMIC_SEQ_CST);
}

static int setup(void **state)
{
    const char *what;

    set = (struct ring_set){0};
    asleep = 0;
    if (doorbell_open(&doorbell, &asleep, &what) < 0)
        return -1;
    doorbell.bell = ring_make();
    set.rings = calloc(1, sizeof *set.rings);
    set.rings[0] = ring_make();
    set.count = 1;
    return 0;
}

static int teardown(void **state)
{
    doorbell_deinit(&doorbell);
    ring_set_deinit(&set);
    return 0;
}

/* True when the reader is woken within TIMEOUT ms. */
static bool is_woken(int timeout)
{
    struct epoll_event event;

    return epoll_wait(doorbell.epoll, &event, 1, timeout) == 1;
}

static uint32_t is_asleep(void)
{
    return __atomic_load_n(&asleep, __ATOMIC_SEQ_CST);
}

static void with_nothing_to_do_it_sleeps(void **state)
{
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(is_asleep(), 1);
    assert_false(is_woken(20));
}

/* The end of a program does not ring: it is looked for. */
static void after_records_it_looks_once_more(void **state)
{
    doorbell_wait(&doorbell, &set, 1);
    assert_int_equal(is_asleep(), 0);
    assert_true(is_woken(LONG));
    doorbell_answer(&doorbell);
    doorbell_wait(&doorbell, &set, 1);
    assert_int_equal(is_asleep(), 1);
    assert_false(is_woken(20));
}

static void while_a_look_brings_much_it_looks_on(void **state)
{
    for (int i = 0; i < 3; i++) {
        doorbell_wait(&doorbell, &set, DOORBELL_MORE);
        assert_int_equal(is_asleep(), 0);
        assert_true(is_woken(LONG));
        doorbell_answer(&doorbell);
    }
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(is_asleep(), 1);
}

/* Too young to be handed over: no bell would ring for it, so the timer must. */
static void with_something_left_it_looks_again(void **state)
{
    record_write(&set.rings[0]);
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(is_asleep(), 0);
    assert_true(is_woken(LONG));
    doorbell_answer(&doorbell);
    assert_false(is_woken(0));
    bpf_ring_clear(&set.rings[0]);
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(is_asleep(), 1);
    assert_false(is_woken(20));
}

static void while_records_come_fast_it_ticks(void **state)
{
    doorbell.since = clock_boottime() - NS_PER_S;
    doorbell_wait(&doorbell, &set, (size_t)1000 * DOORBELL_BUSY_RATE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(is_asleep(), 0);
        assert_true(is_woken(LONG));
        doorbell_answer(&doorbell);
        doorbell.since = clock_boottime() - NS_PER_S;
        doorbell_wait(&doorbell, &set, (size_t)1000 * DOORBELL_BUSY_RATE);
    }
    doorbell.since = clock_boottime() - NS_PER_S;
    doorbell_wait(&doorbell, &set, 0);
    doorbell_answer(&doorbell);
    assert_int_equal(is_asleep(), 1);
    assert_false(is_woken((int)(3 * (DOORBELL_TICK_MAX / NS_PER_MS))));
}

static void an_answer_takes_back_the_bell(void **state)
{
    record_write(&doorbell.bell);
    doorbell_answer(&doorbell);
    assert_int_equal(*doorbell.bell.consumer, RECORD);
    assert_false(bpf_ring_refresh(&doorbell.bell));
}

/* After a second with RECORDS. */
static int64_t tick_after(size_t records)
{
    doorbell.since = clock_boottime() - NS_PER_S;
    doorbell_wait(&doorbell, &set, records);
    doorbell_answer(&doorbell);
    return doorbell.tick;
}

/* The faster they come, the sooner it looks; it does not go back and forth between two ways. */
static void the_tick_follows_the_rate(void **state)
{
    assert_int_equal(tick_after(DOORBELL_BUSY_RATE - 100), 0);
    assert_int_equal(tick_after(DOORBELL_BUSY_RATE + 100), DOORBELL_TICK_MIN);
    assert_int_equal(tick_after(DOORBELL_BUSY_RATE + 100), 2 * DOORBELL_TICK_MIN);
    assert_int_equal(tick_after(DOORBELL_BUSY_RATE + 100), DOORBELL_TICK_MAX);
    int64_t tick = tick_after((size_t)100 * DOORBELL_BATCH);

    assert_true(tick > 9 * NS_PER_MS && tick < 12 * NS_PER_MS);
    assert_int_equal(tick_after(1000000), DOORBELL_TICK_MIN);
    assert_int_equal(tick_after(DOORBELL_CALM_RATE + 100), 2 * DOORBELL_TICK_MIN);
    assert_int_equal(tick_after(DOORBELL_CALM_RATE - 100), 0);
}

/* A handful at once is no storm. */
static void a_few_at_once_do_not_make_it_tick(void **state)
{
    doorbell_wait(&doorbell, &set, 1);
    doorbell_wait(&doorbell, &set, 30);
    assert_int_equal(doorbell.tick, 0);
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(is_asleep(), 1);
}

/* What the kernel side does: first the record, then the bell, if the reader sleeps. Each record
 * comes when the one before has been taken, and so just when the reader is about to sleep; none
 * comes after it that would ring in its place. */
static void *produce(void *argument)
{
    const int *bell = argument;
    const unsigned long *taken = set.rings[0].consumer;

    for (int i = 0; i < HANDOVERS; i++) {
        while (__atomic_load_n(taken, __ATOMIC_ACQUIRE) != (uint64_t)i * RECORD)
            sched_yield();
        for (int spin = 0; spin < i % 256; spin++)
            (void)is_asleep();
        record_write(&set.rings[0]);
        if (__atomic_exchange_n(&asleep, 0, __ATOMIC_SEQ_CST))
            eventfd_write(*bell, 1);
    }
    return NULL;
}

static void no_record_is_slept_through(void **state)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    pthread_t producer;

    assert_int_equal(epoll_ctl(doorbell.epoll, EPOLL_CTL_ADD, bell, &event), 0);
    doorbell_wait(&doorbell, &set, 0);
    assert_int_equal(pthread_create(&producer, NULL, produce, &bell), 0);
    while (set.rings[0].tail < (uint64_t)HANDOVERS * RECORD) {
        eventfd_t rung;

        assert_true(is_woken(LONG));
        eventfd_read(bell, &rung);
        doorbell_answer(&doorbell);
        bpf_ring_clear(&set.rings[0]);
        doorbell.since = clock_boottime(); /* it is never busy */
        doorbell_wait(&doorbell, &set, 0);
    }
    pthread_join(producer, NULL);
    close(bell);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(with_nothing_to_do_it_sleeps, setup, teardown),
        cmocka_unit_test_setup_teardown(after_records_it_looks_once_more, setup, teardown),
        cmocka_unit_test_setup_teardown(while_a_look_brings_much_it_looks_on, setup, teardown),
        cmocka_unit_test_setup_teardown(with_something_left_it_looks_again, setup, teardown),
        cmocka_unit_test_setup_teardown(while_records_come_fast_it_ticks, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_takes_back_the_bell, setup, teardown),
        cmocka_unit_test_setup_teardown(the_tick_follows_the_rate, setup, teardown),
        cmocka_unit_test_setup_teardown(a_few_at_once_do_not_make_it_tick, setup, teardown),
        cmocka_unit_test_setup_teardown(no_record_is_slept_through, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
