/* Storms of programs on all CPUs: what is seen and what is counted as lost is what was run,
 * exactly, at every moment. Other processes may run meanwhile; they are told apart, by a second
 * sensor where they are lost. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "scene.h"
#include "tally.h"

#define STORM    20000
#define ATTEMPTS "STORM_EVENTS" /* environment: attempts of a long storm */
#define STALL    (1 * NS_PER_S)
#define OVERFLOW 1000 /* programs: more than the least rings have room for */

/* Shared with the workers. */
static struct {
    uint64_t execs[TALLY_WORKERS]; /* done */
    uint64_t attempts;             /* wanted, of each */
    bool stop;
} * shared;

static int run_program(void)
{
    const char *argv[] = {"noop", NULL};
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the fastest */

    if (pid == 0) {
        execv(NOOP_PATH, (char *const *)argv);
        _exit(1);
    }
    int status;

    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 1;
}

static int work_a_share(int number)
{
    int r = 0;

    for (int i = 0; i < STORM / TALLY_WORKERS && r == 0; i++)
        r = run_program();
    return r;
}

static int work_until_stopped(int number)
{
    int r = 0;

    while (r == 0 && !__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
        r = run_program();
        __atomic_fetch_add(&shared->execs[number], 1, __ATOMIC_RELAXED);
    }
    return r;
}

static int work_in_vain(int number)
{
    const char *argv[] = {"missing", NULL};

    for (uint64_t i = 0; i < shared->attempts; i++)
        if (execv("/missing", (char *const *)argv) == 0 || errno != ENOENT)
            return 1;
    return 0;
}

/* Reads TALLY while the workers work. */
static void storm(pid_t *workers, struct tally *tally, int (*work)(int))
{
    struct pollfd poll_fd = {.fd = sensor_fd(tally->sensor), .events = POLLIN};

    workers_start(workers, work);
    for (int ended = 0; !workers_ended(workers, &ended);) {
        poll(&poll_fd, 1, 10);
        tally_read(tally);
    }
    tally->to = clock_boottime();
}

static void test_none_lost(void **state)
{
    pid_t workers[TALLY_WORKERS] = {0};
    struct tally tally;

    tally_open(&tally, workers, &(struct sensor_options){0});
    storm(workers, &tally, work_a_share);
    struct sensor_counters counters = tally_settle(&tally);

    assert_int_equal(tally.ours, STORM);
    assert_int_equal(sensor_count(counters.lost), 0);
}

/* A sensor that nobody reads until the storm is over, beside one that sees all: what the first has
 * not seen, it has counted. */
static struct sensor_counters storm_beside(const struct sensor_options *options)
{
    pid_t workers[TALLY_WORKERS] = {0};
    struct tally whole, small;

    tally_open(&whole, workers, &(struct sensor_options){0});
    tally_open(&small, workers, options);
    whole.from = small.from;
    storm(workers, &whole, work_a_share);
    small.to = whole.to;
    /* Room again, before anything else can be lost. */
    tally_read(&small);
    struct sensor_counters counters = tally_settle(&small);
    struct sensor_counters none = tally_settle(&whole);
    uint64_t execs = small.ours + small.others + counters.lost[EVENT_EXEC];

    assert_int_equal(whole.ours, STORM);
    assert_int_equal(sensor_count(none.lost) + sensor_count(none.folded), 0);
    assert_int_equal(execs + counters.folded[EVENT_EXEC], STORM + whole.others);
    assert_true(small.ours > 0);
    return counters;
}

static void test_loss_is_counted(void **state)
{
    struct sensor_counters counters = storm_beside(
        &(struct sensor_options){.ring_size = SENSOR_RING_LEAST, .without_budget = true});

    assert_true(counters.lost[EVENT_EXEC] > STORM / 2);
    assert_int_equal(sensor_count(counters.folded), 0);
}

static void test_folding_is_counted(void **state)
{
    struct sensor_counters counters =
        storm_beside(&(struct sensor_options){.ring_size = SENSOR_RING_LEAST});

    assert_true(counters.folded[EVENT_EXEC] > STORM / 2);
}

static uint64_t done(void)
{
    uint64_t execs = 0;

    for (int i = 0; i < TALLY_WORKERS; i++)
        execs += __atomic_load_n(&shared->execs[i], __ATOMIC_RELAXED);
    return execs;
}

/* All CPUs run programs for a second, LEAST of them at least, and nobody reads. */
static void stall(struct tally *tally, const struct sensor_options *options, uint64_t least)
{
    static pid_t workers[TALLY_WORKERS];
    int ended = 0;

    shared->stop = false;
    for (int i = 0; i < TALLY_WORKERS; i++)
        shared->execs[i] = 0;
    tally_open(tally, workers, options);
    tally_read(tally);
    workers_start(workers, work_until_stopped);
    for (int64_t end = clock_monotonic() + STALL; clock_monotonic() < end || done() < least;)
        usleep(10000);
    __atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
    while (!workers_ended(workers, &ended))
        usleep(1000);
    tally->to = clock_boottime();
    tally_read(tally);
}

static void test_a_stalled_reader_loses_nothing(void **state)
{
    struct tally tally;

    stall(&tally, &(struct sensor_options){0}, 1);
    struct sensor_counters counters = tally_settle(&tally);

    assert_int_equal(sensor_count(counters.lost) + sensor_count(counters.folded), 0);
    assert_int_equal(tally.gaps, 0);
    assert_int_equal(tally.ours, done());
}

static void test_a_stalled_reader_knows_what_it_lost(void **state)
{
    struct tally tally;

    stall(&tally, &(struct sensor_options){.ring_size = SENSOR_RING_LEAST, .without_budget = true},
          OVERFLOW);
    struct sensor_counters counters = tally_settle(&tally);

    assert_true(tally.gaps > 0);
    assert_int_equal(tally.missing, sensor_count(counters.lost));
    assert_true(tally.ours < done());
}

/* Far more than the rings hold, from all CPUs at once, as fast as records can be made: whether some
 * are lost or none, the account is in order at every batch. */
static void long_storm(const struct sensor_options *options)
{
    const char *wanted = getenv(ATTEMPTS);
    uint64_t attempts = wanted ? strtoull(wanted, NULL, 10) : 2000000;
    pid_t workers[TALLY_WORKERS] = {0};
    struct tally tally;

    shared->attempts = attempts / TALLY_WORKERS;
    tally_open(&tally, workers, options);
    storm(workers, &tally, work_in_vain);
    struct sensor_counters counters = tally_settle(&tally);

    assert_true(counters.emitted[EVENT_EXEC_FAILED] + counters.folded[EVENT_EXEC_FAILED] >=
                shared->attempts * TALLY_WORKERS);
    assert_true(tally.batches > 1);
    printf(
        "emitted %llu = received %llu + lost %llu, in %llu gaps; folded %llu; %llu batches, %llu "
        "ms\n",
        (unsigned long long)sensor_count(counters.emitted),
        (unsigned long long)sensor_count(counters.received),
        (unsigned long long)sensor_count(counters.lost), (unsigned long long)tally.gaps,
        (unsigned long long)sensor_count(counters.folded), (unsigned long long)tally.batches,
        (unsigned long long)(tally.to - tally.from) / NS_PER_MS);
}

static void test_a_long_storm_adds_up(void **state)
{
    long_storm(&(struct sensor_options){.failures = SENSOR_FAILURES_NATIVE});
}

static void test_a_long_storm_adds_up_in_small_rings(void **state)
{
    long_storm(&(struct sensor_options){.failures = SENSOR_FAILURES_NATIVE,
                                        .ring_size = SENSOR_RING_LEAST,
                                        .without_budget = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_lost),
        cmocka_unit_test(test_loss_is_counted),
        cmocka_unit_test(test_folding_is_counted),
        cmocka_unit_test(test_a_stalled_reader_loses_nothing),
        cmocka_unit_test(test_a_stalled_reader_knows_what_it_lost),
        cmocka_unit_test(test_a_long_storm_adds_up),
        cmocka_unit_test(test_a_long_storm_adds_up_in_small_rings),
    };
    int skipped = scene_skip();

    if (skipped)
        return skipped;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
