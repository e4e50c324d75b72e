/* After it was started, a program makes /proc show another command line and another executable.
 * The event is earlier, and what the engine knows of the process stays what it was: its children
 * have the true parent, its exit the true program. */
#include <string.h>

#include "stage.h"

static void check(const char *disguise)
{
    const char *witness = stage_witness();
    const char *argv[] = {"actor with a name that leaves much room", disguise, witness, NULL};
    struct start start = {ACTOR_PATH, argv};
    struct testimony said;

    stage_play(trick_execve, &start, &said);
    const struct sighting *event = stage_assert_true(&said);
    const struct sighting *ended = stage_find(EVENT_EXIT, said.truth.ppid, 0);

    assert_non_null(ended);
    if (ended->record.exit_status == 5 << 8)
        stage_skip("the kernel is built without CONFIG_CHECKPOINT_RESTORE");
    if (ended->record.exit_status != 0) /* the disguise did not work */
        fail_msg("%s: the actor ended with %lld", disguise, (long long)ended->record.exit_status);
    assert_true(text_ends(ended->process.exe, TEXT("/evasion_actor")));
    stage_assert_text(stage_argument(ended, 0), argv[0]);
    stage_assert_text(stage_argument(ended, 1), disguise);
    assert_true(text_ends(event->ancestors[0]->exe, TEXT("/evasion_actor")));
    assert_true(text_starts(event->ancestors[0]->cmdline, TEXT("actor with a name")));
}

static void test_arguments_overwritten(void **state)
{
    check("overwrite");
}

static void test_arguments_moved(void **state)
{
    check("move");
}

static void test_other_executable(void **state)
{
    check("exe");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_overwritten),
        cmocka_unit_test(test_arguments_moved),
        cmocka_unit_test(test_other_executable),
    };

    return STAGE_RUN("forged_proc", tests);
}
