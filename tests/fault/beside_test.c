/* A healthy output, alone and beside four hostile ones: what it is given arrives when it would
 * have. How much later exactly is `./dev bench hostile`'s to measure, on a quiet machine. */
#include "rig.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define ALERTS   300
#define INTERVAL (3 * NS_PER_MS)
#define DEADLINE NS_PER_S /* of the one that blocks: who waits for it is late by that */

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static int time_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t deliver_one(struct rig *rig)
{
    const struct timespec pause = {.tv_nsec = NS_PER_MS / 20};
    int64_t begin = clock_monotonic();

    rig_push(rig, 1, true);
    while (rig_counters(rig, 0).delivered < rig->pushed)
        nanosleep(&pause, NULL);
    return clock_monotonic() - begin;
}

/* The time that 99 of 100 alerts took at most. */
static int64_t measure(struct rig *rig, const char *what)
{
    static int64_t taken[ALERTS];

    for (unsigned i = 0; i < ALERTS; i++) {
        taken[i] = deliver_one(rig);
        const struct timespec rest = {.tv_nsec = taken[i] < INTERVAL ? INTERVAL - taken[i] : 0};

        nanosleep(&rest, NULL);
    }
    qsort(taken, ALERTS, sizeof *taken, time_compare);
    int64_t p50 = taken[ALERTS / 2], p99 = taken[ALERTS * 99 / 100];

    print_message("%s: p50 %.2f ms, p99 %.2f ms\n", what, (double)p50 / NS_PER_MS,
                  (double)p99 / NS_PER_MS);
    return p99;
}

static void hostile_outputs_do_not_delay_another(void **state)
{
    struct rig *rig = *state;
    static const char *const outputs[] = {"json,path=@/healthy.jsonl",
                                          RIG_HOSTILE ",name=blocks,mode=sleep,deadline=1s",
                                          RIG_HOSTILE ",name=crashes,mode=abort_tenth",
                                          RIG_HOSTILE ",name=eats,mode=hoard,memory=64MiB",
                                          RIG_HOSTILE ",name=writes,mode=descriptors"};

    rig_start(rig, outputs, 1);
    int64_t alone = measure(rig, "alone");

    rig_stop(rig);
    rig_start(rig, outputs, 5);
    rig->pushed = 0;
    int64_t beside = measure(rig, "beside four hostile ones");

    assert_true(alone < DEADLINE / 2);
    assert_true(beside < DEADLINE / 2);
    /* They did what they are for. */
    assert_true(rig_counters(rig, 1).hangs + rig_counters(rig, 1).queued > 0);
    assert_true(rig_counters(rig, 2).crashes > 0);
    assert_true(rig_counters(rig, 3).delivered > 0);
    assert_true(rig_counters(rig, 4).garbage > 0);
    assert_int_equal(ALERTS, rig_counters(rig, 0).delivered);
    assert_int_equal(0, rig_counters(rig, 0).restarts);
    rig_expect_sum(rig, 0);
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hostile_outputs_do_not_delay_another, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
