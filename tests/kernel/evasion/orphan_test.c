/* A parent that exits first. The kernel gives the child to init, or to whoever asked to be that
 * (PR_SET_CHILD_SUBREAPER); picket keeps the one that forked it. */
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

static void name_take(const char *name)
{
    prctl(PR_SET_NAME, name);
}

/* Waits until the kernel has given us to another. */
static void parent_outlive(pid_t parent)
{
    while (getppid() == parent)
        usleep(500);
}

static int trick_double_fork(void *start)
{
    pid_t parent = getpid();

    name_take("first");
    if (fork() > 0)
        _exit(0);
    parent_outlive(parent);
    parent = getpid();
    name_take("second");
    if (fork() > 0)
        _exit(0);
    parent_outlive(parent);
    return trick_execve(start);
}

static void assert_line(const struct sighting *event, int64_t above)
{
    assert_true(event->ancestor_count > 2);
    stage_assert_text(event->ancestors[0]->comm, "second");
    stage_assert_text(event->ancestors[1]->comm, "first");
    assert_int_equal(event->ancestors[2]->pid, above);
}

static void test_double_fork(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_double_fork, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_line(event, getpid());
    /* ppid is what the kernel says by now. */
    assert_int_equal(event->process.ppid, said.truth.ppid);
    assert_int_not_equal(event->process.ppid, event->ancestors[0]->pid);
}

static int trick_below_reaper(void *start)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return -1;
    if (fork() == 0)
        _exit(trick_double_fork(start));
    while (wait(NULL) > 0)
        continue;
    _exit(0);
}

static void test_subreaper(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_below_reaper, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_line(event, said.truth.ppid); /* it was the first one's parent as well */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_fork),
        cmocka_unit_test(test_subreaper),
    };

    return STAGE_RUN("orphan", tests);
}
