#include "sensor/doorbell.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

/* How long the rate is measured over. */
#define RATE_WINDOW (10 * NS_PER_MS)

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

static void set_timer(struct doorbell *doorbell, int64_t first, int64_t then)
{
    struct itimerspec spec = {.it_value.tv_nsec = first, .it_interval.tv_nsec = then};

    timerfd_settime(doorbell->timer, 0, &spec, NULL);
    doorbell->ticking = then != 0;
}

void doorbell_answer(struct doorbell *doorbell)
{
    uint64_t expirations;

    /* Nothing to read: the bell woke us. */
    if (read(doorbell->timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
        doorbell->ticking = false;
    bpf_ring_clear(&doorbell->bell);
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
