/* While a task is within bpf(2) the kernel runs no program of a classic tracepoint on that CPU, and
 * one of the lowest priority may be kept there for long. So the trickster has one that does nothing
 * else, and runs his programs on its CPU. */
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define PROGRAMS 300
#define PAUSE    200       /* us, in which the other one gets into bpf(2) */
#define VALUE    (1 << 18) /* bytes, so that it is there for long */

/* Both are on the same CPU. */
static int cpu_enter(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    return sched_setaffinity(0, sizeof first, &first);
}

static int map_make(void)
{
    union bpf_attr attr = {
        .map_type = BPF_MAP_TYPE_ARRAY,
        .key_size = sizeof(uint32_t),
        .value_size = VALUE,
        .max_entries = 1,
    };

    /* Below Linux 5.11 it is the limit for a map. */
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
    return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

_Noreturn static void map_update(int map)
{
    static char value[VALUE];
    uint32_t key = 0;
    union bpf_attr attr = {
        .map_fd = (uint32_t)map,
        .key = (uintptr_t)&key,
        .value = (uintptr_t)value,
    };

    if (cpu_enter() == 0 && sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) == 0)
        while (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof attr) == 0)
            continue;
    _exit(1);
}

static int trick_programs(void *argument)
{
    if (cpu_enter() < 0)
        return -1;
    for (int i = 0; i < PROGRAMS; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            execl(NOOP_PATH, "noop", NULL);
            _exit(1);
        }
        if (pid < 0 || waitpid(pid, NULL, 0) != pid)
            return -1;
        usleep(PAUSE);
    }
    _exit(0);
}

static void test_programs(void **state)
{
    struct sensor_counters counters;
    pid_t pid;

    if (stage_has_classic_alone())
        return;
    int map = map_make();

    if (map < 0)
        stage_skip("bpf(2) makes no map");
    pid_t busy = fork();

    if (busy == 0)
        map_update(map);
    stage_until(EVENT_FORK, 1); /* his, lest it is counted with the others */
    int status = stage_play_mute(trick_programs, NULL, &pid);

    int end;

    assert_int_equal(kill(busy, SIGKILL), 0);
    assert_int_equal(waitpid(busy, &end, 0), busy);
    assert_true(WIFSIGNALED(end)); /* until now it did what it should */
    close(map);
    stage_counters(&counters);
    print_message("%llu events were missed by one of two programs\n",
                  (unsigned long long)counters.witnessed);
    assert_int_equal(status, 0);
    assert_int_equal(stage_count(EVENT_EXEC), PROGRAMS);
    assert_int_equal(stage_count(EVENT_FORK), PROGRAMS + 1);
    assert_int_equal(stage_count(EVENT_EXIT), PROGRAMS + 1);
    assert_int_equal(counters.recursion_misses, 0);
    assert_int_equal(counters.unseen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_programs)};

    return STAGE_RUN("bpf_syscall", tests);
}
