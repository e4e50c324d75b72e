/* When the reader wakes.
 *
 * The wake-up is what capture costs (12 to 16 us each), so records do not wake anybody. A reader
 * with nothing to do says so in memory that the kernel side sees; the next record there rings,
 * once, through small rings of their own. While records come fast the reader does not say so: it
 * looks every few milliseconds, and nothing rings. An idle machine wakes nobody. */
#ifndef PICKET_SENSOR_DOORBELL_H
#define PICKET_SENSOR_DOORBELL_H

#include "sensor/ring_set.h"

/* Above this many records a second the reader looks every DOORBELL_TICK ns and is not rung for. */
#define DOORBELL_BUSY_RATE 3000
#define DOORBELL_TICK      10000000

struct doorbell {
    int epoll; /* readable when it is time to read */
    int timer;
    struct perf_ring *bells; /* by CPU */
    unsigned count;
    uint32_t *asleep; /* borrowed: the flag of the kernel side */
    bool ticking;
    int64_t since; /* of the rate; boot time, ns */
    uint64_t records;
};

/* Opens a bell for each CPU of SET and polls those and the rings. Errors as perf_ring_open(). */
int doorbell_open(struct doorbell *doorbell, const struct ring_set *set, uint32_t *asleep,
                  const char **what);
void doorbell_deinit(struct doorbell *doorbell);

/* Call when the epoll is readable, before the rings are read. */
void doorbell_answer(struct doorbell *doorbell);

/* Call when they have been read, RECORDS of them: sees to it that the epoll becomes readable when
 * it is time for the next read, at once when it is time now. */
void doorbell_wait(struct doorbell *doorbell, struct ring_set *set, size_t records);

#endif
