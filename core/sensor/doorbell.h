/* When the reader wakes.
 *
 * The wake-up is what capture costs (12 to 16 us each), so records do not wake anybody. A reader
 * with nothing to do says so in memory that the kernel side sees; the next record there rings,
 * once, through a small ring of its own. While records come fast the reader does not say so: it
 * looks every few milliseconds, and the kernel side rings for each half of a ring that it has
 * written only. An idle machine wakes nobody. */
#ifndef PICKET_SENSOR_DOORBELL_H
#define PICKET_SENSOR_DOORBELL_H

#include "sensor/ring_set.h"

/* From DOORBELL_BUSY_RATE records a second on, and until there are fewer than DOORBELL_CALM_RATE,
 * the reader is not rung for: it looks when DOORBELL_BATCH records should have come, after
 * DOORBELL_TICK_MIN to _MAX ns, the least at first. docs/performance.md says why. */
#define DOORBELL_BUSY_RATE 1500
#define DOORBELL_CALM_RATE 1000
#define DOORBELL_BATCH     96
#define DOORBELL_TICK_MIN  5000000
#define DOORBELL_TICK_MAX  20000000

/* When it was rung for, the reader looks once more after DOORBELL_REST ns before it sleeps, so that
 * the end of a short program does not ring again; and on, as long as a look brings DOORBELL_MORE
 * records. */
#define DOORBELL_REST 1000000
#define DOORBELL_MORE 4

struct doorbell {
    int epoll; /* readable when it is time to read */
    int timer;
    struct bpf_ring bell;
    uint32_t *asleep; /* borrowed: the flag of the kernel side */
    bool resting;     /* the next look is that after a rest */
    bool timed;       /* the timer is set */
    int64_t tick;     /* ns until the next look while records come fast; 0: they do not */
    int64_t since;    /* of the rate; boot time, ns */
    uint64_t records;
};

/* -errno, and *WHAT says what failed. */
int doorbell_open(struct doorbell *doorbell, uint32_t *asleep, const char **what);

/* Listens to the kernel side's bell, a ring map of SIZE bytes at FD, which stays the caller's.
 * Errors as bpf_ring_map(). */
int doorbell_hang(struct doorbell *doorbell, int fd, size_t size, const char **what);
void doorbell_deinit(struct doorbell *doorbell);

/* Call when the epoll is readable, before the rings are read. */
void doorbell_answer(struct doorbell *doorbell);

/* Call when they have been read, RECORDS of them: sees to it that the epoll becomes readable when
 * it is time for the next read, at once when it is time now. */
void doorbell_wait(struct doorbell *doorbell, struct ring_set *set, size_t records);

#endif
