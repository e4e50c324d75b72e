#include "sensor/doorbell.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

/* What the rate is measured over: this time while records come fast; else this many records, so
 * that a few at once do not look like many. */
#define RATE_WINDOW  (20 * NS_PER_MS)
#define RATE_RECORDS 48

static int add_poll(struct doorbell *doorbell, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(doorbell->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int doorbell_open(struct doorbell *doorbell, uint32_t *asleep, const char **what)
{
    *doorbell = (struct doorbell){
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
        .bell.fd = -1,
        .asleep = asleep,
    };
    *what = "epoll";
    int r = doorbell->epoll < 0 || doorbell->timer < 0 ? -errno : 0;

    if (r == 0)
        r = add_poll(doorbell, doorbell->timer);
    if (r < 0)
        doorbell_deinit(doorbell);
    return r;
}

int doorbell_hang(struct doorbell *doorbell, int fd, size_t size, const char **what)
{
    int r = bpf_ring_map(&doorbell->bell, fd, size, what);

    return r < 0 ? r : add_poll(doorbell, doorbell->bell.fd);
}

void doorbell_deinit(struct doorbell *doorbell)
{
    bpf_ring_deinit(&doorbell->bell);
    if (doorbell->timer >= 0)
        close(doorbell->timer);
    if (doorbell->epoll >= 0)
        close(doorbell->epoll);
    *doorbell = (struct doorbell){.epoll = -1, .timer = -1, .bell.fd = -1};
}

/* 0: never. */
static void set_timer(struct doorbell *doorbell, int64_t delay)
{
    struct itimerspec spec = {.it_value.tv_nsec = delay};

    if (delay || doorbell->timed)
        timerfd_settime(doorbell->timer, 0, &spec, NULL);
    doorbell->timed = delay != 0;
}

void doorbell_answer(struct doorbell *doorbell)
{
    uint64_t expirations;

    if (read(doorbell->timer, &expirations, sizeof expirations) > 0)
        doorbell->timed = false;
    bpf_ring_clear(&doorbell->bell);
}

static int64_t choose_tick(const struct doorbell *doorbell, uint64_t rate)
{
    if (rate < (doorbell->tick ? DOORBELL_CALM_RATE : DOORBELL_BUSY_RATE))
        return 0;
    int64_t tick = DOORBELL_BATCH * NS_PER_S / (int64_t)rate;
    int64_t most = doorbell->tick ? 2 * doorbell->tick : DOORBELL_TICK_MIN;

    if (most > DOORBELL_TICK_MAX)
        most = DOORBELL_TICK_MAX;
    if (tick > most)
        tick = most;
    return tick > DOORBELL_TICK_MIN ? tick : DOORBELL_TICK_MIN;
}

static void measure_rate(struct doorbell *doorbell, size_t records)
{
    int64_t now = clock_boottime();
    int64_t elapsed = now - doorbell->since;

    doorbell->records += records;
    if (doorbell->tick ? elapsed < RATE_WINDOW : doorbell->records < RATE_RECORDS)
        return;
    doorbell->tick = choose_tick(doorbell, doorbell->records * NS_PER_S / (uint64_t)(elapsed + 1));
    doorbell->since = now;
    doorbell->records = 0;
}

void doorbell_wait(struct doorbell *doorbell, struct ring_set *set, size_t records)
{
    measure_rate(doorbell, records);
    doorbell->resting =
        !doorbell->tick && records >= (doorbell->resting ? (size_t)DOORBELL_MORE : 1);
    set_timer(doorbell, doorbell->resting ? DOORBELL_REST : doorbell->tick);
    if (doorbell->resting || doorbell->tick)
        return;
    /* First say that we sleep, then look once more; the kernel side first puts its record in the
     * ring, then looks whether we sleep. So one of the two sees the other. */
    __atomic_exchange_n(doorbell->asleep, 1, __ATOMIC_SEQ_CST); /* a full barrier */
    if (ring_set_pending(set)) {
        __atomic_store_n(doorbell->asleep, 0, __ATOMIC_SEQ_CST);
        set_timer(doorbell, RING_SET_SLACK);
    }
}
