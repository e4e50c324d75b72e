/* A CPU that comes online after the sensor was opened is seen, and what is lost there is told
 * apart. It takes a CPU offline for a moment, so it does nothing but in a machine made for tests.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "scene.h"
#include "sensor/sensor_bpf.h"

#define CPU      1
#define ONLINE   "/sys/devices/system/cpu/cpu1/online"
#define CONSENT  "HOTPLUG" /* environment */
#define PROGRAMS 1000      /* more than the ring of a late CPU has room for */

/* What was seen on CPU and lost there. */
static struct {
    uint64_t execs, lost;
    bool elsewhere; /* something was lost on another CPU */
} seen;

static bool set_online(bool online)
{
    CLEANUP(closep) int fd = open(ONLINE, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && write(fd, online ? "1" : "0", 1) == 1;
}

static void on_record(void *context, const struct record *record)
{
    seen.execs += record->type == EVENT_EXEC && record->cpu == CPU;
}

static void on_gap(void *context, const struct gap *gap)
{
    seen.elsewhere |= gap->cpu != CPU || !gap->late;
    seen.lost += gap->count;
}

static const struct sensor_reader reader = {.on_record = on_record, .on_gap = on_gap};

/* Runs COUNT programs on CPU. */
static void run_there(unsigned count)
{
    const char *argv[] = {"noop", NULL};
    cpu_set_t cpus;
    int status;

    CPU_ZERO(&cpus);
    CPU_SET(CPU, &cpus);
    for (unsigned i = 0; i < count; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            if (sched_setaffinity(0, sizeof cpus, &cpus) == 0)
                execv(NOOP_PATH, (char *const *)argv);
            _exit(1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void test_a_cpu_that_comes_later(void **state)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor_options options = {.without_budget = true};
    struct sensor_counters counters;
    struct sensor *sensor;

    assert_true(set_online(false));
    int r = sensor_open(&options, &why, &sensor);

    assert_true(set_online(true));
    assert_int_equal(r, 0);
    assert_false(sensor_is_online(sensor, CPU));
    assert_true(sensor_is_online(sensor, 0));
    struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};

    sensor_read(sensor, &reader);
    run_there(1);
    assert_int_equal(poll(&poll_fd, 1, 20000), 1); /* it rings as others do */
    for (int i = 0; i < 2000 && seen.execs == 0; i++) {
        usleep(10000);
        sensor_read(sensor, &reader);
    }
    assert_int_equal(seen.execs, 1);
    assert_int_equal(seen.lost, 0);
    run_there(PROGRAMS);
    sensor_flush(sensor, &reader);
    sensor_counters(sensor, &counters);
    assert_true(seen.lost > 0 && !seen.elsewhere);
    assert_int_equal(seen.lost, sensor_count(counters.lost));
    assert_int_equal(sensor_count(counters.emitted), sensor_count(counters.received) + seen.lost);
    sensor_close(sensor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_cpu_that_comes_later)};
    int skipped = scene_skip();

    if (skipped)
        return skipped;
    if (!getenv(CONSENT) || access(ONLINE, W_OK) < 0) {
        fprintf(stderr, "skipped: takes a CPU offline, only in a machine for tests\n");
        return SCENE_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
