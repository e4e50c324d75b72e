#include "tally.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void on_record(void *context, const struct record *record)
{
    struct tally *tally = context;
    bool ours = false;

    tally->records++;
    tally->disordered |= record->boot_time < tally->last;
    tally->last = record->boot_time;
    if (record->type != EVENT_EXEC || record->boot_time < tally->from ||
        record->boot_time > tally->to)
        return;
    for (int i = 0; i < TALLY_WORKERS; i++)
        ours |= record->parent.pid == tally->workers[i];
    if (ours)
        tally->ours++;
    else
        tally->others++;
}

static void on_gap(void *context, const struct gap *gap)
{
    struct tally *tally = context;

    assert_true(gap->count > 0);
    assert_true(gap->from <= gap->until && gap->until <= clock_boottime());
    assert_false(gap->late);
    tally->missing += gap->count;
    tally->gaps++;
}

void tally_open(struct tally *tally, const pid_t *workers, const struct sensor_options *options)
{
    struct buffer why = {0};

    *tally = (struct tally){.workers = workers, .to = INT64_MAX};
    if (sensor_open(options, &why, &tally->sensor) < 0)
        fail_msg("%s", buffer_string(&why));
    buffer_deinit(&why);
    tally->from = clock_boottime();
}

static struct sensor_counters assert_account(const struct tally *tally)
{
    struct sensor_counters counters;

    sensor_counters(tally->sensor, &counters);
    assert_int_equal(counters.seen,
                     tally->records + counters.refused + counters.starved + tally->missing);
    assert_int_equal(sensor_count(counters.received), tally->records);
    assert_int_equal(counters.gaps, tally->missing);
    return counters;
}

void tally_read(struct tally *tally)
{
    sensor_read(tally->sensor, &(struct sensor_reader){on_record, on_gap, tally});
    tally->batches++;
    assert_account(tally);
}

struct sensor_counters tally_settle(struct tally *tally)
{
    sensor_flush(tally->sensor, &(struct sensor_reader){on_record, on_gap, tally});
    struct sensor_counters counters = assert_account(tally);

    for (int type = 0; type < SENSOR_TYPES; type++)
        assert_int_equal(counters.emitted[type], counters.received[type] + counters.lost[type]);
    assert_int_equal(counters.seen, sensor_count(counters.emitted));
    assert_int_equal(counters.waiting, 0);
    assert_int_equal(counters.gaps, sensor_count(counters.lost));
    assert_int_equal(counters.refused + counters.starved, 0);
    assert_int_equal(counters.discarded, 0);
    assert_int_equal(counters.unseen, 0);
    assert_int_equal(counters.recursion_misses, 0);
    assert_false(tally->disordered);
    sensor_close(tally->sensor);
    return counters;
}

void workers_start(pid_t *workers, int (*work)(int number))
{
    for (int i = 0; i < TALLY_WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            cpu_set_t cpus;

            CPU_ZERO(&cpus);
            CPU_SET((size_t)i % (size_t)sysconf(_SC_NPROCESSORS_ONLN), &cpus);
            sched_setaffinity(0, sizeof cpus, &cpus);
            _exit(work(i));
        }
    }
}

bool workers_ended(pid_t *workers, int *ended)
{
    int status;

    while (*ended < TALLY_WORKERS &&
           waitpid(workers[*ended], &status, WNOHANG) == workers[*ended]) {
        assert_int_equal(status, 0);
        ++*ended;
    }
    return *ended == TALLY_WORKERS;
}
