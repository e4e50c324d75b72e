/* Names that a process gives itself: argv[0] at the start, comm before and after it. None of them
 * is taken for the program. */
#include <sys/prctl.h>
#include <unistd.h>

#include "stage.h"

static void test_argv0(void **state)
{
    const char *argv[] = {"[kworker/0:1]", NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    stage_play(trick_execve, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    stage_assert_text(stage_argument(event, 0), "[kworker/0:1]");
    stage_assert_text(event->process.comm, "witness");
    assert_true(text_ends(event->process.exe, TEXT("/witness")));
}

static int trick_comm(void *start)
{
    prctl(PR_SET_NAME, "sshd");
    return trick_execve(start);
}

/* The exec gives it the program's again. */
static void test_comm_before(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick_comm, &start, &said);
    stage_assert_text(stage_assert_true(&said)->process.comm, "witness");
}

/* comm is the process's to choose, and the catalogue says so: its parent's exe is not. */
static void test_comm_after(void **state)
{
    const char *witness = stage_witness();
    const char *argv[] = {"actor", "name", witness, NULL};
    struct start start = {ACTOR_PATH, argv};
    struct testimony said;

    stage_play(trick_execve, &start, &said);
    const struct sighting *event = stage_assert_true(&said);
    const struct sighting *ended = stage_find(EVENT_EXIT, said.truth.ppid, 0);

    assert_int_equal(ended->record.exit_status, 0);
    stage_assert_text(ended->process.comm, "sshd");
    assert_true(text_ends(ended->process.exe, TEXT("/evasion_actor")));
    assert_true(text_ends(event->ancestors[0]->exe, TEXT("/evasion_actor")));
    stage_assert_text(stage_argument(ended, 0), "actor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_argv0),
        cmocka_unit_test(test_comm_before),
        cmocka_unit_test(test_comm_after),
    };

    return STAGE_RUN("forged_names", tests);
}
