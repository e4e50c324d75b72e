/* A sensor whose account is kept: at every batch, seen = received + refused + starved + gaps, to
 * the unit. */
#ifndef PICKET_TESTS_KERNEL_TALLY_H
#define PICKET_TESTS_KERNEL_TALLY_H

#include <sys/types.h>

#include "sensor/sensor_bpf.h"

#define TALLY_WORKERS 2

/* What a sensor gave: the execs of our workers and those of others between FROM and TO. */
struct tally {
    struct sensor *sensor;
    const pid_t *workers; /* TALLY_WORKERS of them */
    uint64_t ours, others;
    uint64_t records, batches;
    uint64_t missing, gaps; /* sum of the gaps, and how many there were */
    int64_t from, to, last;
    bool disordered;
};

void tally_open(struct tally *tally, const pid_t *workers, const struct sensor_options *options);

/* Reads once, and asserts that the account is in order. */
void tally_read(struct tally *tally);

/* Reads what is left, asserts that emitted = received + refused + lost + discarded, and that every
 * gap was handed over; closes. */
struct sensor_counters tally_settle(struct tally *tally);

/* Starts WORK(number) in TALLY_WORKERS processes, each on a CPU of its own where there are enough.
 * They end with its result. */
void workers_start(pid_t *workers, int (*work)(int number));

/* Whether all have ended, fine; fails when one has not done so well. To be asked until it is true.
 */
bool workers_ended(pid_t *workers, int *ended);

#endif
