/* Opening the sensor: what it says when it cannot, and that it needs nothing afterwards. */
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "scene.h"
#include "sensor/sensor_bpf.h"

#define NOBODY 65534

/* How a child gives up what the sensor needs. */
typedef int spoil_fn(void);

static int become_nobody(void)
{
    return setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ? -1 : 0;
}

static int hide_sys(void)
{
    return chroot("/usr") < 0 || chdir("/") < 0 ? -1 : 0; /* a root that has none */
}

/* Opens a sensor in a process spoilt by SPOIL: fails with ERROR, and a sentence that has WORDS. */
static void check_refusal(spoil_fn *spoil, int error, const char *words)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct sensor_options options = {.ring_size = (size_t)64 << 20};
        struct buffer why = {0};
        struct sensor *sensor = NULL;

        if (spoil() < 0)
            _exit(2);
        int r = sensor_open(&options, &why, &sensor);
        bool said = text_contains(buffer_text(&why), text_from(words));

        if (r != error || !said || sensor)
            fprintf(stderr, "%d: %s\n", r, buffer_string(&why));
        _exit(r == error && said && !sensor ? 0 : 1);
    }
    int status;

    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void test_not_root(void **state)
{
    check_refusal(become_nobody, -EPERM, "run as root, or with CAP_BPF and CAP_PERFMON");
}

static void test_no_types(void **state)
{
    check_refusal(hide_sys, -ENOENT, "mount sysfs on /sys");
}

static void on_record(void *context, const struct record *record)
{
    int64_t *wanted = context;

    if (record->type == EVENT_EXIT && record->self.pid == *wanted)
        *wanted = 0;
}

/* Reads until the exit of a child has been seen. */
static bool sees_a_child(struct sensor *sensor)
{
    struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};
    int64_t deadline = clock_monotonic() + 20 * NS_PER_S;
    int64_t wanted = fork();

    if (wanted == 0)
        _exit(0);
    waitpid((pid_t)wanted, NULL, 0);
    sensor_read(sensor, &(struct sensor_reader){.on_record = on_record, .context = &wanted});
    while (wanted != 0 && clock_monotonic() < deadline) {
        poll(&poll_fd, 1, 1000);
        sensor_read(sensor, &(struct sensor_reader){.on_record = on_record, .context = &wanted});
    }
    return wanted == 0;
}

/* Once open it works for nobody, without a capability or a way to get one. */
static void test_no_privileges_needed(void **state)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct sensor_options options = {.failures = SENSOR_FAILURES_NATIVE};
        struct sensor_counters counters;
        struct buffer why = {0};
        struct sensor *sensor;

        if (sensor_open(&options, &why, &sensor) < 0 || become_nobody() < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || !sees_a_child(sensor))
            _exit(1);
        sensor_flush(sensor,
                     &(struct sensor_reader){.on_record = on_record, .context = &(int64_t){0}});
        sensor_counters(sensor, &counters);
        if (counters.received[EVENT_EXIT] == 0 ||
            counters.emitted[EVENT_EXIT] != counters.received[EVENT_EXIT])
            _exit(2);
        sensor_close(sensor);
        _exit(0);
    }
    int status;

    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void on_long_record(void *context, const struct record *record)
{
    bool *seen = context;

    if (record->type == EVENT_EXEC && record->process.cmdline_length >= SENSOR_ARGV_MAX - 64 &&
        text_starts(record->process.cmdline, TEXT("long ")))
        *seen = true;
}

/* However small a ring is asked for, the longest record has room in it. */
static void test_smallest_ring(void **state)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    static char argument[SENSOR_ARGV_MAX - 8];
    const char *argv[] = {"long", argument, NULL};
    struct sensor *sensor;
    bool seen = false;

    memset(argument, 'x', sizeof argument - 1);
    assert_int_equal(sensor_open(&(struct sensor_options){.ring_size = 1}, &why, &sensor), 0);
    sensor_read(sensor, &(struct sensor_reader){.on_record = on_long_record, .context = &seen});
    pid_t pid = fork();

    if (pid == 0) {
        execv(NOOP_PATH, (char *const *)argv);
        _exit(1);
    }
    waitpid(pid, NULL, 0);
    sensor_flush(sensor, &(struct sensor_reader){.on_record = on_long_record, .context = &seen});
    assert_true(seen);
    sensor_close(sensor);
}

/* Takes the ring of CPU away from our only sensor. */
static bool ring_remove(uint32_t cpu)
{
    for (int fd = 3; fd < 256; fd++) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof info;

        if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
            info.type == BPF_MAP_TYPE_ARRAY_OF_MAPS && strcmp(info.name, "rings") == 0)
            return bpf_map_delete_elem(fd, &cpu) == 0;
    }
    return false;
}

static void child_ends_on(size_t cpu)
{
    pid_t pid = fork();

    if (pid == 0) {
        cpu_set_t cpus;

        CPU_ZERO(&cpus);
        CPU_SET(cpu, &cpus);
        _exit(sched_setaffinity(0, sizeof cpus, &cpus) < 0);
    }
    int status;

    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* A CPU that came after the open has neither ring nor bell. What happens there is lost, and
 * counted, but it does not take the wake-up from the others. */
static void test_cpu_without_rings(void **state)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor_counters counters;
    struct sensor *sensor;
    int64_t none = -1;

    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        skip();
    assert_int_equal(sensor_open(&(struct sensor_options){0}, &why, &sensor), 0);
    assert_true(ring_remove(1));
    struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};

    do
        sensor_read(sensor, &(struct sensor_reader){.on_record = on_record, .context = &none});
    while (poll(&poll_fd, 1, 10) > 0);
    child_ends_on(1);
    child_ends_on(0);
    assert_int_equal(poll(&poll_fd, 1, 20000), 1);
    sensor_flush(sensor, &(struct sensor_reader){.on_record = on_record, .context = &none});
    sensor_counters(sensor, &counters);
    assert_true(counters.lost[EVENT_EXIT] > 0);
    for (int type = 0; type < SENSOR_TYPES; type++)
        assert_int_equal(counters.emitted[type], counters.received[type] + counters.lost[type]);
    assert_int_equal(counters.refused + counters.starved + counters.discarded, 0);
    sensor_close(sensor);
}

/* While nothing happens, nothing wakes the reader. Others may run on this machine meanwhile, so a
 * wake-up is only wrong when neither it nor the one before brought a record. */
static void test_idle(void **state)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};
    struct sensor *sensor;
    size_t empty = 0, full = 0;

    assert_int_equal(sensor_open(&(struct sensor_options){0}, &why, &sensor), 0);
    struct pollfd poll_fd = {.fd = sensor_fd(sensor), .events = POLLIN};
    int64_t until = clock_monotonic() + NS_PER_S;
    int64_t none = -1;

    assert_true(sees_a_child(sensor));
    while (clock_monotonic() < until)
        if (poll(&poll_fd, 1, 100) > 0) {
            size_t read = sensor_read(
                sensor, &(struct sensor_reader){.on_record = on_record, .context = &none});

            full += read > 0;
            empty += read == 0;
        }
    assert_true(empty <= 5 + full);
    sensor_close(sensor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_root),
        cmocka_unit_test(test_no_types),
        cmocka_unit_test(test_no_privileges_needed),
        cmocka_unit_test(test_smallest_ring),
        cmocka_unit_test(test_cpu_without_rings),
        cmocka_unit_test(test_idle),
    };
    int skipped = scene_skip();

    return skipped ? skipped : cmocka_run_group_tests(tests, NULL, NULL);
}
