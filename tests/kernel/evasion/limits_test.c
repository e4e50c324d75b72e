/* Resources taken from the new program: the fewest descriptors, a stack for the arguments alone, no
 * memory to lock, no core, and the limits of the engine's own kind. */
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "stage.h"

static int trick_poor(void *start)
{
    static const struct {
        int resource;
        rlim_t limit;
    } limits[] = {
        {RLIMIT_NOFILE, TRUTH_FD + 1},
        {RLIMIT_STACK, 128 << 10},
        {RLIMIT_MEMLOCK, 0},
        {RLIMIT_CORE, 0},
        {RLIMIT_NPROC, 1},
        {RLIMIT_SIGPENDING, 0},
        {RLIMIT_MSGQUEUE, 0},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_AS, 32 << 20},
    };

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (setrlimit(limits[i].resource, &(struct rlimit){limits[i].limit, limits[i].limit}) < 0)
            return -1;
    return trick_execve(start);
}

static void test_poor(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_poor, &start, &said);
    stage_assert_true(&said);
}

/* It takes over a table of a thousand descriptors; the kernel is done with those it closes. */
static int trick_rich(void *start)
{
    for (int fd = 20; fd < 1000; fd++)
        dup3(1, fd, O_CLOEXEC);
    return trick_execve(start);
}

static void test_rich(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_rich, &start, &said);
    stage_assert_true(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_poor),
        cmocka_unit_test(test_rich),
    };

    return STAGE_RUN("limits", tests);
}
