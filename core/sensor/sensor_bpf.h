/* Events from the running kernel, by BPF.
 *
 * Opening needs root, or CAP_BPF, CAP_PERFMON and, for rings above the limit of locked memory,
 * CAP_IPC_LOCK (from Linux 7.0 CAP_DAC_READ_SEARCH as well); afterwards none of them is needed.
 * One thread at a time. */
#ifndef PICKET_SENSOR_SENSOR_BPF_H
#define PICKET_SENSOR_SENSOR_BPF_H

#include "base/buffer.h"
#include "event/record.h"

/* Types of records, as enum event_type has them. */
#define SENSOR_TYPES 4

/* A ring smaller than a record would lose every such record for good. */
#define SENSOR_RING_LEAST       ((size_t)128 << 10)
#define SENSOR_RING_DEFAULT_MIN ((size_t)8 << 20)
#define SENSOR_RING_DEFAULT_MAX ((size_t)64 << 20)

#define SENSOR_ARGV_MAX 32768

struct sensor_options {
    /* Bytes a CPU for records, made a power of two of pages and SENSOR_RING_LEAST at least.
     * 0: a thousandth of the memory shared out, from SENSOR_RING_DEFAULT_MIN to _MAX. */
    size_t ring_size;
    uint32_t argv_limit; /* bytes of argv taken; 0: SENSOR_ARGV_MAX, which is also the most */
    bool failures;       /* failed attempts too; costs each system call 60 to 90 ns */
    bool classic; /* classic tracepoints below Linux 7.0 as well; there is no interpreter then */
};

/* Of all types together, after sensor_flush(), exactly:
 *     emitted = received + refused + lost + discarded
 * Before that, what is still in the rings is in none of the four, and .gaps and .discarded are the
 * least that they can be. */
struct sensor_counters {
    uint64_t emitted[SENSOR_TYPES];  /* records the kernel side made */
    uint64_t lost[SENSOR_TYPES];     /* of those: the ring was full */
    uint64_t received[SENSOR_TYPES]; /* of those: handed over */
    uint64_t refused;                /* of those: came, but did not decode */
    uint64_t discarded;              /* of those: were in a ring, but not to be recognized */
    uint64_t gaps;                   /* lost + discarded, found by sequence numbers */
    uint64_t faults;                 /* records whose arguments or filename could not be read */
    uint64_t unseen;                 /* events of which no record could be made */
    uint64_t recursion_misses;       /* events for which the kernel skipped a program */
};

struct sensor;

/* Loads, attaches. -errno, and WHY says in a sentence what is the matter and what to do. */
int sensor_open(const struct sensor_options *options, struct buffer *why, struct sensor **out);

/* Detaches and forgets what was not read. NULL is fine. */
void sensor_close(struct sensor *sensor);

/* Readable (epoll, level) when it is time for sensor_read(). The sensor's. */
int sensor_fd(const struct sensor *sensor);

/* RECORD and what it borrows last until the function returns. */
typedef void sensor_record_fn(void *context, const struct record *record);

/* Hands over all records that are due, in the order of time over all CPUs: a child's never before
 * its fork's. Never waits. Call it once after the open, then whenever the fd is readable: it
 * is what arms the fd. Returns how many. */
size_t sensor_read(struct sensor *sensor, sensor_record_fn *fn, void *context);

/* Detaches and hands over all that is left. Waits for records in the making, a second at most. */
size_t sensor_flush(struct sensor *sensor, sensor_record_fn *fn, void *context);

/* A moment's view: no lock is taken, so sums may be off by what is happening meanwhile. */
void sensor_counters(const struct sensor *sensor, struct sensor_counters *out);

#endif
