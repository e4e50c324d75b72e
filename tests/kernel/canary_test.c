/* The trial at start: it hears every CPU, tells who is silent, and leaves nothing behind. */
#include "sensor/canary.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "scene.h"

#define BIT(type) (1U << EVENT_##type)

static struct sensor *sensor;
static struct canary *canary;
static unsigned claimed, cpus; /* records that were the trial's; CPUs that are online */

static void on_record(void *context, const struct record *record)
{
    claimed += canary_on_record(canary, record);
}

static void on_gap(void *context, const struct gap *gap)
{
    canary_on_gap(canary, gap);
}

static void begin(enum sensor_failures failures, const char *program, const char *const *argv,
                  bool tries_failures)
{
    struct sensor_options options = {.failures = failures};
    struct canary_options trial = {program, argv, tries_failures};
    struct buffer why = {0};

    if (sensor_open(&options, &why, &sensor) < 0)
        fail_msg("%s", buffer_string(&why));
    buffer_deinit(&why);
    claimed = cpus = 0;
    for (unsigned cpu = 0; cpu < sensor_cpu_count(sensor); cpu++)
        cpus += sensor_is_online(sensor, cpu);
    assert_int_equal(canary_new(sensor, &trial, &canary), 0);
}

static void read_once(void)
{
    sensor_read(sensor, &(struct sensor_reader){.on_record = on_record, .on_gap = on_gap});
}

static void await_end(void)
{
    struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};

    read_once();
    while (!canary_is_over(canary)) {
        poll(&poll_fd, 1, 10);
        read_once();
    }
}

static void end(void)
{
    canary_free(canary);
    sensor_close(sensor);
}

/* How many CPUs are in that state, and of the silent ones all miss the same. */
static unsigned count_cpus(enum canary_state state, unsigned wanted)
{
    unsigned count = 0, missing = 0;

    for (unsigned cpu = 0; cpu < sensor_cpu_count(sensor); cpu++) {
        if (canary_state(canary, cpu, &missing) != state)
            continue;
        count++;
        if (state == CANARY_SILENT)
            assert_int_equal(missing, wanted);
    }
    return count;
}

static const char *const noop[] = {"noop", NULL};

static void test_every_cpu_is_heard(void **state)
{
    cpu_set_t before, after;

    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    begin(SENSOR_FAILURES_NATIVE, NOOP_PATH, noop, true);
    assert_int_equal(sched_getaffinity(0, sizeof after, &after), 0);
    assert_true(CPU_EQUAL(&before, &after));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    await_end();
    assert_int_equal(count_cpus(CANARY_SEEN, 0), cpus);
    assert_int_equal(claimed, 4 * cpus); /* fork, failure, exec, exit */
    end();
}

static void test_a_silent_hook_is_told(void **state)
{
    begin(SENSOR_FAILURES_NONE, NOOP_PATH, noop, true);
    await_end();
    assert_int_equal(count_cpus(CANARY_SILENT, BIT(EXEC_FAILED)), cpus);
    /* What was lost is another matter. */
    canary_on_gap(canary, &(struct gap){.cpu = 0, .count = 1});
    assert_int_equal(count_cpus(CANARY_UNKNOWN, 0), 1);
    assert_int_equal(count_cpus(CANARY_SILENT, BIT(EXEC_FAILED)), cpus - 1);
    end();
}

static void test_a_program_that_cannot_be_run(void **state)
{
    begin(SENSOR_FAILURES_NATIVE, "/missing", noop, true);
    await_end();
    assert_int_equal(count_cpus(CANARY_SILENT, BIT(EXEC)), cpus);
    end();
}

/* One that does not end proves nothing, and is not left behind. */
static void test_a_program_that_does_not_end(void **state)
{
    static const char *const argv[] = {"sleep", "1000", NULL};

    begin(SENSOR_FAILURES_NONE, "/bin/sleep", argv, false);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    read_once();
    assert_true(canary_is_over(canary));
    assert_int_equal(count_cpus(CANARY_UNTRIED, 0), cpus);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cpu_is_heard),
        cmocka_unit_test(test_a_silent_hook_is_told),
        cmocka_unit_test(test_a_program_that_cannot_be_run),
        cmocka_unit_test(test_a_program_that_does_not_end),
    };
    int skipped = scene_skip();

    return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
