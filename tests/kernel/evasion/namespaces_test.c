/* A process that counts itself as 1 and calls itself root, in pid and user namespaces of its own,
 * nested three deep. The event has it as the machine does. */
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define SOME_UID 12345

/* Each level is entered by a child. */
static int level_enter(int levels, void *start)
{
    if (levels == 0)
        return trick_execve(start);
    if (trick_unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0 || trick_map_root() < 0)
        return -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(level_enter(levels - 1, start));
    waitpid(pid, NULL, 0);
    _exit(0);
}

static int trick_nested(void *start)
{
    return level_enter(3, start);
}

static void test_nested(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_skip_in_chroot();
    stage_play(trick_nested, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_int_equal(event->ancestor_count > 4, 1);
    assert_int_equal(event->ancestors[3]->pid, getpid());
}

/* In there it has become root; out here it is nobody special. */
static int trick_false_root(void *start)
{
    if (setgid(SOME_UID) < 0 || setuid(SOME_UID) < 0 || unshare(CLONE_NEWUSER) < 0)
        return -1;
    return trick_execve(start);
}

static void test_false_root(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_skip_in_chroot();
    stage_play(trick_false_root, &start, &said);
    struct truth *truth = &said.truth;

    /* Nobody, and nobody's, is what it sees of ids that are none there. */
    truth->uid = truth->euid = truth->suid = truth->gid = truth->egid = truth->sgid = SOME_UID;
    truth->exe_uid = truth->exe_gid = 0;
    stage_assert_true(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_false_root),
    };

    return STAGE_RUN("namespaces", tests);
}
