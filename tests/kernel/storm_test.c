/* 20,000 programs on all CPUs: what is seen and what is counted as lost is what was run, exactly.
 * Other processes may run meanwhile; they are told apart, by a second sensor where they are lost.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "scene.h"
#include "sensor/sensor_bpf.h"

#define STORM   20000
#define WORKERS 2

/* What a sensor gave: our execs and those of others in the time of the storm. */
struct tally {
    struct sensor *sensor;
    const pid_t *workers;
    uint64_t ours, others;
    int64_t from, to, last;
    bool disordered;
};

static void on_record(void *context, const struct record *record)
{
    struct tally *tally = context;
    bool ours = false;

    tally->disordered |= record->boot_time < tally->last;
    tally->last = record->boot_time;
    if (record->type != EVENT_EXEC || record->boot_time < tally->from ||
        record->boot_time > tally->to)
        return;
    for (int i = 0; i < WORKERS; i++)
        ours |= record->parent.pid == tally->workers[i];
    if (ours)
        tally->ours++;
    else
        tally->others++;
}

static void tally_open(struct tally *tally, const pid_t *workers, size_t ring_size)
{
    struct buffer why = {0};
    struct sensor_options options = {.ring_size = ring_size};

    *tally = (struct tally){.workers = workers, .to = INT64_MAX};
    if (sensor_open(&options, &why, &tally->sensor) < 0)
        fail_msg("%s", buffer_string(&why));
    buffer_deinit(&why);
    tally->from = clock_boottime();
}

static void worker_run(int number)
{
    const char *argv[] = {"noop", NULL};
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET((size_t)number % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    for (int i = 0; i < STORM / WORKERS; i++) {
        pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the fastest */

        if (pid == 0) {
            execv(NOOP_PATH, (char *const *)argv);
            _exit(1);
        }
        int status;

        if (waitpid(pid, &status, 0) != pid || status != 0)
            _exit(1);
    }
    _exit(0);
}

/* Reads TALLY while the workers work. */
static void storm(pid_t *workers, struct tally *tally)
{
    struct pollfd poll_fd = {.fd = sensor_fd(tally->sensor), .events = POLLIN};

    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0)
            worker_run(i);
    }
    for (int ended = 0; ended < WORKERS;) {
        int status;

        poll(&poll_fd, 1, 10);
        sensor_read(tally->sensor, on_record, tally);
        while (ended < WORKERS && waitpid(workers[ended], &status, WNOHANG) == workers[ended]) {
            assert_int_equal(status, 0);
            ended++;
        }
    }
    tally->to = clock_boottime();
}

static uint64_t sum(const uint64_t *counts)
{
    return counts[0] + counts[1] + counts[2] + counts[3];
}

static struct sensor_counters settle(struct tally *tally)
{
    struct sensor_counters counters;

    sensor_flush(tally->sensor, on_record, tally);
    sensor_counters(tally->sensor, &counters);
    for (int type = 0; type < SENSOR_TYPES; type++)
        assert_int_equal(counters.emitted[type], counters.received[type] + counters.lost[type]);
    assert_int_equal(counters.gaps, sum(counters.lost));
    assert_int_equal(counters.refused, 0);
    assert_int_equal(counters.discarded, 0);
    assert_int_equal(counters.unseen, 0);
    assert_int_equal(counters.recursion_misses, 0);
    assert_false(tally->disordered);
    sensor_close(tally->sensor);
    return counters;
}

static void test_none_lost(void **state)
{
    pid_t workers[WORKERS] = {0};
    struct tally tally;

    tally_open(&tally, workers, 0);
    storm(workers, &tally);
    struct sensor_counters counters = settle(&tally);

    assert_int_equal(tally.ours, STORM);
    assert_int_equal(sum(counters.lost), 0);
}

/* A sensor with small rings that nobody reads until the storm is over, beside one that sees all. */
static void test_loss_is_counted(void **state)
{
    pid_t workers[WORKERS] = {0};
    struct tally whole, small;

    tally_open(&whole, workers, 0);
    tally_open(&small, workers, SENSOR_RING_LEAST);
    whole.from = small.from;
    storm(workers, &whole);
    small.to = whole.to;
    /* Room again, before anything else can be lost. */
    sensor_read(small.sensor, on_record, &small);
    struct sensor_counters lost = settle(&small);
    struct sensor_counters none = settle(&whole);

    assert_int_equal(whole.ours, STORM);
    assert_int_equal(sum(none.lost), 0);
    assert_true(small.ours > 0 && lost.lost[EVENT_EXEC] > STORM / 2);
    assert_int_equal(small.ours + small.others + lost.lost[EVENT_EXEC], STORM + whole.others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_lost),
        cmocka_unit_test(test_loss_is_counted),
    };
    int skipped = scene_skip();

    return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
