/* Live events: the sensor, the process table, and the loop that waits for them and for signals. */
#ifndef PICKET_ENGINE_LIVE_H
#define PICKET_ENGINE_LIVE_H

#include "alert/internal_alert.h"
#include "alert/loss.h"
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
    int64_t ring; /* bytes of ring a CPU; 0: by the machine's memory */
    enum sensor_failures failures;
    const char *const *environment; /* names of the variables to capture; borrowed */
    size_t environment_count;
    const struct sensor_filter *filters; /* what is not to be captured; borrowed */
    size_t filter_count;
    const struct machine *machine; /* this one: where events are said to happen; borrowed */
    int signals;                   /* of signals_open(); borrowed */
    int bell; /* an event of it (EPOLLET) has on_batch called; -1: none; borrowed */
    void (*on_event)(void *context, const struct event *event); /* exec, exec_failed, exit */
    /* What was missed, where it is missing; BOOT names the machine's boot. NULL is fine. */
    void (*on_loss)(void *context, const struct loss *loss, uint64_t boot);
    /* Other alerts about the sensor itself. NULL is fine. */
    void (*on_internal)(void *context, const struct internal_alert *alert);
    /* After a batch of events, and when a while went by. Other than 0 ends the run with it. */
    int (*on_batch)(void *context);
    void (*on_status)(void *context, const struct live_counters *counters); /* SIGUSR2 */
    void (*on_reopen)(void *context); /* SIGUSR1; NULL is fine */
    void (*on_reload)(void *context); /* SIGHUP, of who can */
    void *context;
};

struct live;

/* Loads and attaches the sensor, reads /proc, tries the sensor on each CPU (sensor/canary.h) and
 * gives the calling thread, which is then to call live_run(), its priority: all that needs root. No
 * other thread may run yet. -errno after saying why. */
int live_new(const struct live_options *options, struct live **out);
void live_free(struct live *live);
DEFINE_FREEP(struct live, live)

/* Until a signal to stop; then the sensor is detached and what it had seen is still handed out, and
 * the signals are released. Losses are said as they happen. 0, what on_batch returned, or -errno
 * after saying why. */
int live_run(struct live *live);

/* Has events say exe.sha256 from now on, or (NULL) no more; by the thread of live_run(), or before
 * it. HASH is borrowed. */
void live_set_hash(struct live *live, struct exe_hash *hash);

void live_count(struct live *live, struct live_counters *out);

#endif
