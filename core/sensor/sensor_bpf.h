/* Events from the running kernel, by BPF.
 *
 * Opening needs root, or CAP_BPF and CAP_PERFMON (from Linux 7.0 CAP_DAC_READ_SEARCH as well);
 * afterwards none of them is needed.
 * One thread at a time. */
#ifndef PICKET_SENSOR_SENSOR_BPF_H
#define PICKET_SENSOR_SENSOR_BPF_H

#include "base/buffer.h"
#include "event/record.h"
#include "sensor/filters.h"
#include "sensor/gap.h"

/* Types of records, as enum event_type has them. */
#define SENSOR_TYPES 4

/* A ring smaller than a record would lose every such record for good. */
#define SENSOR_RING_LEAST       ((size_t)128 << 10)
#define SENSOR_RING_MOST        ((size_t)1 << 30)
#define SENSOR_RING_DEFAULT_MIN ((size_t)16 << 20)
#define SENSOR_RING_DEFAULT_MAX ((size_t)64 << 20)
/* Whatever the above say, all rings together take at most this part of the memory. */
#define SENSOR_RING_PART 32

#define SENSOR_ARGV_MAX 32768
#define SENSOR_ENV_MAX  8192 /* bytes from the beginning of the environment */

/* Which failed execs are reported. */
enum sensor_failures {
    SENSOR_FAILURES_NONE,
    SENSOR_FAILURES_NATIVE, /* of 64-bit processes; costs each system call 20 to 37 ns. Before
                               Linux 5.15 it is as _ALL */
    SENSOR_FAILURES_ALL,    /* 60 to 90 ns */
};

struct sensor_options {
    /* Bytes a CPU for records, made a power of two of pages, SENSOR_RING_LEAST to _MOST.
     * 0: a thousandth of the memory shared out, from SENSOR_RING_DEFAULT_MIN to _MAX: room for
     * what a CPU can make in a second. */
    size_t ring_size;
    uint32_t argv_limit; /* bytes of argv taken; 0: SENSOR_ARGV_MAX, which is also the most */
    enum sensor_failures failures;
    bool without_budget; /* nothing is folded: who floods takes the room of all */
    bool classic; /* classic tracepoints alone, as tests want them; there is no interpreter then */
    const struct sensor_filter *filters; /* what is excluded; needed until the open is done */
    size_t filter_count;
    /* Names of environment variables, as struct record_scratch has them, which borrows them. With
     * none the kernel side takes no environment. */
    const char *const *environment;
    size_t environment_count;
};

/* Of all types together, exactly: at every moment, also within a sensor_reader's functions,
 *     seen = received + refused + starved + gaps
 * and after sensor_flush()
 *     emitted = seen = received + refused + starved + lost + discarded
 * Before that, what is still in the rings is WAITING and in no other, and .discarded is the least
 * that it can be: a loss is counted by the kernel side before its gap is seen here. */
struct sensor_counters {
    uint64_t emitted[SENSOR_TYPES];  /* records the kernel side made */
    uint64_t lost[SENSOR_TYPES];     /* of those: the ring was full */
    uint64_t received[SENSOR_TYPES]; /* of those: handed over */
    uint64_t refused;                /* of those: came, but did not decode */
    uint64_t starved;                /* of those: came, but there was no memory to decode them */
    uint64_t discarded;              /* of those: were in a ring, but not to be recognized */
    uint64_t waiting;                /* of those: not looked at yet */
    uint64_t seen;                   /* sequence numbers passed */
    uint64_t gaps;                   /* of those: missing, and handed to on_gap */
    uint64_t filtered[SENSOR_TYPES]; /* events that a filter excluded */
    uint64_t folded[SENSOR_TYPES];   /* events not made records: over the budget of their cgroup */
    uint64_t faults;                 /* records whose arguments or filename could not be read */
    uint64_t unseen;                 /* events of which no record could be made */
    uint64_t recursion_misses;       /* events that the kernel kept from all our programs */
    uint64_t witnessed;              /* events that it kept from one of two; the other saw them */
};

/* Of all types. */
uint64_t sensor_count(const uint64_t counts[SENSOR_TYPES]);

struct sensor;

/* Loads, attaches. -errno, and WHY says in a sentence what is the matter and what to do. */
int sensor_open(const struct sensor_options *options, struct buffer *why, struct sensor **out);

/* Detaches and forgets what was not read. NULL is fine. */
void sensor_close(struct sensor *sensor);

/* Readable (epoll, level) when it is time for sensor_read(). The sensor's. */
int sensor_fd(const struct sensor *sensor);

/* Whom a read hands to. RECORD and what it borrows last until the function returns; so does GAP. A
 * gap comes right before the record of its CPU that showed it, or at the end of a read when none
 * did; on_gap may be NULL. */
struct sensor_reader {
    void (*on_record)(void *context, const struct record *record);
    void (*on_gap)(void *context, const struct gap *gap);
    void *context;
};

/* Hands over all records that are due, in the order of time over all CPUs: a child's never before
 * its fork's. Never waits. Call it once after the open, then whenever the fd is readable: it
 * is what arms the fd. Returns how many records. */
size_t sensor_read(struct sensor *sensor, const struct sensor_reader *reader);

/* Detaches and hands over all that is left. Waits for records in the making, a second at most. */
size_t sensor_flush(struct sensor *sensor, const struct sensor_reader *reader);

/* Whether CPU was online at the open. */
bool sensor_is_online(const struct sensor *sensor, unsigned cpu);

/* CPUs that the machine may ever have: their numbers are below it. */
unsigned sensor_cpu_count(const struct sensor *sensor);

/* A moment's view: no lock is taken, so sums may be off by what is happening meanwhile. */
void sensor_counters(const struct sensor *sensor, struct sensor_counters *out);

#endif
