/* A child that is given to somebody else: CLONE_PARENT makes it a child of its creator's parent,
 * and after a double fork that is init. Its ancestry still leads over who made it. */
#include <linux/sched.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

/* Makes a child that is the caller's sibling. */
static pid_t fork_sibling(void)
{
    struct clone_args args = {.flags = CLONE_PARENT};

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* This process makes a child, that makes its own sibling, which is then executed here. */
static int trick_sibling(void *start)
{
    pid_t child = fork();

    if (child == 0)
        _exit(fork_sibling() == 0 ? trick_execve(start) : 0);
    while (wait(NULL) > 0)
        continue;
    _exit(0);
}

/* The kernel's parent is another than who made it. */
static void assert_made_elsewhere(const struct sighting *event)
{
    assert_true(event->ancestor_count > 1);
    assert_int_not_equal(event->ancestors[0]->pid, event->process.ppid);
    stage_assert_text(event->ancestors[0]->exe, event->ancestors[1]->exe.ptr);
}

static void test_sibling(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_sibling, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_made_elsewhere(event);
    assert_int_equal(event->ancestors[1]->pid, said.truth.ppid); /* what the kernel says */
}

/* What failed in it failed in the image of its creator. */
static int trick_sibling_fails(void *start)
{
    pid_t child = fork();

    if (child == 0 && fork_sibling() == 0) {
        execv("/no/such/file", (char *const *)just_witness);
        _exit(trick_execve(start));
    }
    if (child == 0)
        _exit(0);
    while (wait(NULL) > 0)
        continue;
    _exit(0);
}

static void test_image_of_the_creator(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_sibling_fails, &start, &said);
    stage_assert_true(&said);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, said.truth.pid, 0);

    assert_non_null(failed);
    assert_true(failed->ancestor_count > 1);
    assert_int_equal(failed->ancestors[1]->pid, failed->process.ppid);
}

/* Two forks and init is the parent; a sibling then is init's child from the beginning. */
static int trick_washed(void *start)
{
    pid_t parent = getpid();

    if (fork() > 0)
        _exit(0);
    while (getppid() == parent)
        usleep(1000);
    if (fork_sibling() > 0)
        _exit(0);
    return trick_execve(start);
}

static void test_washed_by_init(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_washed, &start, &said);
    const struct sighting *event = stage_assert_true(&said);
    bool found = false;

    assert_made_elsewhere(event);
    for (size_t i = 0; i < event->ancestor_count; i++)
        found |= event->ancestors[i]->pid == getpid();
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sibling),
        cmocka_unit_test(test_image_of_the_creator),
        cmocka_unit_test(test_washed_by_init),
    };

    return STAGE_RUN("clone_parent", tests);
}
