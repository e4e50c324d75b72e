/* The last to run and the first to run, and from one CPU to the next while it executes. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "stage.h"

static int policy_take(int policy, int priority)
{
    return sched_setscheduler(0, policy, &(struct sched_param){.sched_priority = priority});
}

static int trick_idle(void *start)
{
    return policy_take(SCHED_IDLE, 0) < 0 ? -1 : trick_execve(start);
}

static int trick_fifo(void *start)
{
    return policy_take(SCHED_FIFO, 50) < 0 ? -1 : trick_execve(start);
}

/* From another thread, which the exec ends. */
static void *cpus_change(void *pid)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t one;

    for (long i = 0;; i++) {
        CPU_ZERO(&one);
        CPU_SET((size_t)(i % count), &one);
        if (sched_setaffinity(*(pid_t *)pid, sizeof one, &one) < 0)
            return NULL;
    }
}

static int trick_driven(void *start)
{
    static pid_t pid;
    pthread_t driver;

    pid = getpid();
    if (pthread_create(&driver, NULL, cpus_change, &pid) != 0)
        return -1;
    usleep(1000);
    return trick_execve(start);
}

static void check(int (*trick)(void *), int times)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    for (int i = 0; i < times; i++) {
        stage_play(trick, &start, &said);
        stage_assert_true(&said);
    }
}

static void test_idle(void **state)
{
    check(trick_idle, 5);
}

static void test_fifo(void **state)
{
    if (policy_take(SCHED_FIFO, 1) < 0)
        stage_skip("nobody may be a real-time process here");
    policy_take(SCHED_OTHER, 0);
    check(trick_fifo, 5);
}

static void test_driven_over_all_cpus(void **state)
{
    check(trick_driven, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_fifo),
        cmocka_unit_test(test_driven_over_all_cpus),
    };

    return STAGE_RUN("scheduling", tests);
}
