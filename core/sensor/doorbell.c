#include "sensor/doorbell.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

/* How long the rate is measured over. */
#define RATE_WINDOW (10 * NS_PER_MS)

static int add_poll(struct doorbell *doorbell, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (fd < 0)
        return 0;
    return epoll_ctl(doorbell->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int open_bells(struct doorbell *doorbell, const struct ring_set *set, const char **what)
{
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    int r = add_poll(doorbell, doorbell->timer);

    for (unsigned cpu = 0; r == 0 && cpu < set->count; cpu++) {
        r = perf_ring_open(&doorbell->bells[cpu], (int)cpu, size, PERF_RING_EACH_RECORD, what);
        doorbell->count = cpu + 1;
        if (r == 0)
            r = add_poll(doorbell, doorbell->bells[cpu].fd);
        if (r == 0)
            r = add_poll(doorbell, set->rings[cpu].fd);
    }
    return r;
}

int doorbell_open(struct doorbell *doorbell, const struct ring_set *set, uint32_t *asleep,
                  const char **what)
{
    *doorbell = (struct doorbell){
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
        .bells = calloc(set->count, sizeof *doorbell->bells),
        .asleep = asleep,
    };
    *what = "epoll";
    int r = doorbell->epoll < 0 || doorbell->timer < 0 || !doorbell->bells
                ? -errno
                : open_bells(doorbell, set, what);

    if (r < 0)
        doorbell_deinit(doorbell);
    return r;
}

void doorbell_deinit(struct doorbell *doorbell)
{
    for (unsigned cpu = 0; cpu < doorbell->count; cpu++)
        perf_ring_deinit(&doorbell->bells[cpu]);
    free(doorbell->bells);
    if (doorbell->timer >= 0)
        close(doorbell->timer);
    if (doorbell->epoll >= 0)
        close(doorbell->epoll);
    *doorbell = (struct doorbell){.epoll = -1, .timer = -1};
}

static void set_timer(struct doorbell *doorbell, int64_t first, int64_t then)
{
    struct itimerspec spec = {.it_value.tv_nsec = first, .it_interval.tv_nsec = then};

    timerfd_settime(doorbell->timer, 0, &spec, NULL);
    doorbell->ticking = then != 0;
}

void doorbell_answer(struct doorbell *doorbell)
{
    uint64_t expirations;

    /* Nothing to read: a bell or a ring woke us. */
    if (read(doorbell->timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        doorbell->ticking = false;
    for (unsigned cpu = 0; cpu < doorbell->count; cpu++)
        perf_ring_clear(&doorbell->bells[cpu]);
}

/* True while records come fast. */
static bool is_busy(struct doorbell *doorbell, size_t records)
{
    int64_t now = clock_boottime();
    int64_t elapsed = now - doorbell->since;

    doorbell->records += records;
    if (elapsed < RATE_WINDOW)
        return doorbell->ticking;
    bool busy = doorbell->records * NS_PER_S / (uint64_t)elapsed > DOORBELL_BUSY_RATE;

    doorbell->since = now;
    doorbell->records = 0;
    return busy;
}

void doorbell_wait(struct doorbell *doorbell, struct ring_set *set, size_t records)
{
    if (is_busy(doorbell, records)) {
        if (!doorbell->ticking)
            set_timer(doorbell, DOORBELL_TICK, DOORBELL_TICK);
        return;
    }
    if (doorbell->ticking)
        set_timer(doorbell, 0, 0);
    /* First say that we sleep, then look once more; the kernel side first puts its record in the
     * ring, then looks whether we sleep. So one of the two sees the other. */
    __atomic_exchange_n(doorbell->asleep, 1, __ATOMIC_SEQ_CST); /* a full barrier */
    if (ring_set_pending(set)) {
        __atomic_store_n(doorbell->asleep, 0, __ATOMIC_SEQ_CST);
        set_timer(doorbell, RING_SET_SLACK, 0);
    }
}
