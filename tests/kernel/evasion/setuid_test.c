/* A setuid program: the event is of what the process became, not of who started it; and a memory
 * that its starter could have written to is not where the arguments are read from. */
#include <sys/prctl.h>
#include <unistd.h>

#include "stage.h"

#define SOME_UID 12345
#define SOME_GID 12346

static int trick_other_user(void *start)
{
    if (setgid(SOME_GID) < 0 || setuid(SOME_UID) < 0)
        return -1;
    return trick_execve(start);
}

static int trick_no_new_privs(void *start)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return trick_other_user(start);
}

static const struct process *play(int (*trick)(void *), const char *name, mode_t mode)
{
    stage_witness_at(name, mode);
    struct start start = {stage_path(name), just_witness};
    struct testimony said;

    stage_play(trick, &start, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    assert_int_equal(process->uid, SOME_UID);
    assert_int_equal(process->gid, SOME_GID);
    return process;
}

static void test_setuid(void **state)
{
    const struct process *process = play(trick_other_user, "setuid", 04755);

    assert_int_equal(process->euid, 0);
    assert_true(process->exe_setuid && !process->exe_setgid);
}

static void test_setgid(void **state)
{
    const struct process *process = play(trick_other_user, "setgid", 02755);

    assert_int_equal(process->egid, 0);
    assert_true(process->exe_setgid && !process->exe_setuid);
}

/* The bit is there and does nothing. */
static void test_setuid_without_effect(void **state)
{
    const struct process *process = play(trick_no_new_privs, "setuid", 04755);

    assert_int_equal(process->euid, SOME_UID);
    assert_true(process->exe_setuid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setuid),
        cmocka_unit_test(test_setgid),
        cmocka_unit_test(test_setuid_without_effect),
    };

    return STAGE_RUN("setuid", tests);
}
