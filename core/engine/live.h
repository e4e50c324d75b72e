/* Live events: the sensor, the process table, and the loop that waits for them and for signals. */
#ifndef PICKET_ENGINE_LIVE_H
#define PICKET_ENGINE_LIVE_H

#include "base/cleanup.h"
#include "process/process_table.h"
#include "sensor/sensor_bpf.h"

struct live_counters {
    int64_t elapsed; /* ns since live_new() */
    struct sensor_counters sensor;
    struct process_table_counters processes;
    uint64_t unapplied; /* records that the process table had no memory for, or that name nothing */
};

struct live_options {
    int64_t ring;  /* bytes of ring a CPU; 0: by the machine's memory */
    bool failures; /* capture failed execs too */
    int signals;   /* of signals_open(); borrowed */
    void (*on_event)(void *context, const struct event *event); /* exec, exec_failed, exit */
    /* After a batch of events, and when a while went by. Other than 0 ends the run with it. */
    int (*on_batch)(void *context);
    void (*on_status)(void *context, const struct live_counters *counters); /* SIGUSR1 */
    void *context;
};

struct live;

/* Loads and attaches the sensor, then reads /proc. -errno after saying why. */
int live_new(const struct live_options *options, struct live **out);
void live_free(struct live *live);
DEFINE_FREEP(struct live, live)

/* Until a signal to stop; then the sensor is detached and what it had seen is still handed out, and
 * the signals are released. Losses are said as they happen. 0, what on_batch returned, or -errno
 * after saying why. */
int live_run(struct live *live);

void live_count(struct live *live, struct live_counters *out);

#endif
