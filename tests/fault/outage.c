#include "outage.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define SECONDS_DEFAULT 2
#define ALERTS_DEFAULT  2000
#define STEPS_A_SECOND  20

/* For what a server that answered has yet to write. */
#define PATIENCE (30 * NS_PER_S)

static unsigned setting(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);

    return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

unsigned outage_alerts(void)
{
    return setting("PICKET_ALERTS", ALERTS_DEFAULT);
}

static void sleep_until(int64_t time)
{
    const struct timespec until = {time / NS_PER_S, time % NS_PER_S};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void await_delivered(struct rig *rig, unsigned count)
{
    int64_t end = clock_monotonic() + PATIENCE;

    while (rig_counters(rig, 0).delivered < count) {
        assert_true(clock_monotonic() < end);
        usleep(200);
    }
}

/* COUNT alerts, evenly over that time. */
static void push_for(struct rig *rig, unsigned seconds, unsigned count)
{
    unsigned steps = seconds * STEPS_A_SECOND, first = rig->pushed;
    int64_t begin = clock_monotonic();

    for (unsigned i = 1; i <= steps; i++) {
        rig_push(rig, first + (unsigned)((uint64_t)count * i / steps) - rig->pushed, true);
        sleep_until(begin + i * (NS_PER_S / STEPS_A_SECOND));
    }
}

void outage_run(const struct outage *outage)
{
    unsigned seconds = setting("PICKET_OUTAGE", SECONDS_DEFAULT), alerts = outage_alerts();
    struct rig *rig = outage->rig;

    rig_push(rig, alerts / 5, true);
    await_delivered(rig, alerts / 10);
    outage->stop(outage->server);
    unsigned before = (unsigned)rig_counters(rig, 0).delivered;

    push_for(rig, seconds, alerts * 3 / 5);
    assert_true(rig_counters(rig, 0).delivered < rig->pushed);
    outage->start(outage->server);
    int64_t back = clock_monotonic();

    rig_push(rig, alerts - rig->pushed, true);
    rig_drain(rig);
    assert_int_equal(alerts, rig_counters(rig, 0).delivered);
    rig_expect_sum(rig, 0);
    print_message("%u alerts; away for %u s after %u; caught up in %.1f s\n", alerts, seconds,
                  before, (double)(clock_monotonic() - back) / NS_PER_S);
}

/* The number in LINE; 0: none. */
static unsigned number_in(struct text line, const char *before)
{
    const char *at = memmem(line.ptr, line.len, before, strlen(before));

    return at ? (unsigned)strtoul(at + strlen(before), NULL, 10) : 0;
}

/* The last number of those that came in order; how many came AGAIN. */
static unsigned count_lines(struct text rest, const char *before, unsigned *again)
{
    unsigned last = 0;

    *again = 0;
    while (rest.len) {
        struct text line = text_split(&rest, '\n');
        unsigned number = number_in(line, before);

        if (number == last + 1)
            last++;
        else if (number > last)
            fail_msg("alert %u came after %u", number, last);
        else
            *again += number > 0;
    }
    return last;
}

void outage_expect(const struct outage *outage, const char *name, const char *before)
{
    int64_t end = clock_monotonic() + PATIENCE;
    unsigned last, again;

    while ((last = count_lines(rig_read(outage->rig, name), before, &again)) < outage_alerts()) {
        if (clock_monotonic() > end)
            fail_msg("after %u no alert came", last);
        usleep(100000);
    }
    assert_int_equal(outage_alerts(), last);
    print_message("all %u came, in order, %u of them again\n", last, again);
}
