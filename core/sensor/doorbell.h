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

/* Above this many records a second the reader looks every DOORBELL_TICK ns and is not rung for. */
#define DOORBELL_BUSY_RATE 3000
#define DOORBELL_TICK      5000000

struct doorbell {
    int epoll; /* readable when it is time to read */
    int timer;
    struct bpf_ring bell;
    uint32_t *asleep; /* borrowed: the flag of the kernel side */
    bool ticking;
    int64_t since; /* of the rate; boot time, ns */
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
