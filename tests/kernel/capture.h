/* A sensor on the running kernel, and the records it gave of our own processes. */
#ifndef PICKET_TESTS_KERNEL_CAPTURE_H
#define PICKET_TESTS_KERNEL_CAPTURE_H

#include "base/arena.h"
#include "event/record.h"
#include "sensor/sensor_bpf.h"
#include "truth.h"

struct capture {
    struct sensor *sensor;
    struct arena arena;
    struct record *records; /* of descendants of this process, in the order given */
    size_t count, size;
    int64_t *tracked; /* pids */
    size_t tracked_count, tracked_size;
    int64_t last_time;
    bool disordered; /* a record was older than one before it */
    bool classic; /* the sensor has classic tracepoints alone, which do not tell the interpreter */
};

/* The variables that records have when the options name none: so that a truth can tell them. */
extern const char *const capture_environment[];

/* Ends the whole program when it cannot: then nothing here can be tested. */
void capture_open(struct capture *capture, const struct sensor_options *options);
void capture_close(struct capture *capture);

/* Forgets the records so far. */
void capture_clear(struct capture *capture);

/* Reads until the exit of PID has been seen. Fails the test after some seconds. */
void capture_until_exit(struct capture *capture, int64_t pid);

/* The Nth record (from 0) of that type and process, or NULL. */
const struct record *capture_find(const struct capture *capture, enum event_type type, int64_t pid,
                                  unsigned n);

/* What a process of ours should look like in a record; texts live in the capture's arena. Without
 * what only an exec has. */
struct process capture_expect(struct capture *capture, const struct truth *truth);

/* Adds what an exec has, for the ARGC arguments at ARGV. */
void capture_expect_exec(struct capture *capture, const struct truth *truth, const char *filename,
                         const char *const *argv, struct process *expected);
void capture_expect_argv(struct capture *capture, const char *const *argv,
                         struct process *expected);

/* Compares every field, and which fields there are. Fails with the field's name and both values. */
void assert_process(const struct process *seen, const struct process *expected);

/* Compares both identities, to the clock tick that /proc has. */
void assert_identities(const struct record *record, const struct truth *truth);

#endif
