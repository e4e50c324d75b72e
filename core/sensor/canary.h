/* A trial at start: does the kernel report what happens on each CPU? There are kernels that attach
 * a program and then run it on one CPU only.
 *
 * A process is forked on each CPU that is online and that we may run on; there it fails to execute
 * something, executes a program and ends. What the kernel should have said of it is then awaited in
 * the sensor's records. One thread's. */
#ifndef PICKET_SENSOR_CANARY_H
#define PICKET_SENSOR_CANARY_H

#include "base/cleanup.h"
#include "sensor/sensor_bpf.h"

/* How long the processes may take, and then their records. ns */
#define CANARY_TIME 1000000000

struct canary_options {
    const char *program;     /* what is executed; with "/canary" behind it, what cannot be */
    const char *const *argv; /* its arguments */
    bool failures;           /* whether the sensor reports failed attempts */
};

struct canary;

/* Starts the processes and waits for their end: some milliseconds, CANARY_TIME at most. The
 * caller runs on each CPU in turn meanwhile, and has no child that another thread waits for in
 * general (waitpid(-1)). 0 or -ENOMEM. */
int canary_new(const struct sensor *sensor, const struct canary_options *options,
               struct canary **out);
void canary_free(struct canary *canary);
DEFINE_FREEP(struct canary, canary)

/* Looks at a record or a gap. A record of the trial's processes gives true: it is nobody else's. A
 * gap makes what is missing on its CPU unknown. */
bool canary_on_record(struct canary *canary, const struct record *record);
void canary_on_gap(struct canary *canary, const struct gap *gap);

/* True when every record has come, or CANARY_TIME is over. */
bool canary_is_over(const struct canary *canary);

/* What became of the trial on one CPU. */
enum canary_state {
    CANARY_NONE,    /* the CPU was not online */
    CANARY_UNTRIED, /* we may not run there, or the process did not end */
    CANARY_UNKNOWN, /* records of that CPU were lost meanwhile */
    CANARY_SEEN,
    CANARY_SILENT, /* not all came */
};

/* *MISSING is, when SILENT, a bit (1 << enum event_type) for each type of record that did not come
 * from there. */
enum canary_state canary_state(const struct canary *canary, unsigned cpu, unsigned *missing);

#endif
