/* A farm of symbolic links: each leads to the next, and each has another name. */
#include <stdio.h>
#include <unistd.h>

#include "stage.h"

#define LINKS 39 /* the kernel follows 40 */

static void test_chain(void **state)
{
    char name[32], target[512];
    struct testimony said;

    snprintf(target, sizeof target, "%s", stage_witness());
    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "sshd-%d", i);
        assert_int_equal(symlink(target, stage_path(name)), 0);
        snprintf(target, sizeof target, "%s", name);
    }
    struct start start = {stage_path(name), just_witness};

    stage_play(trick_execve, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    stage_assert_text(event->process.filename, start.filename);
    assert_true(text_ends(event->process.exe, TEXT("/witness")));
    /* The kernel names it by the link, that is no secret. */
    stage_assert_text(event->process.comm, name);
}

/* By way of a folder that is a link as well. */
static void test_linked_folder(void **state)
{
    struct testimony said;

    assert_int_equal(symlink(".", stage_path("bin")), 0);
    struct start start = {stage_path("bin/bin/bin/witness"), just_witness};

    stage_play(trick_execve, &start, &said);
    assert_false(text_contains(stage_assert_true(&said)->process.exe, TEXT("/bin/")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_linked_folder),
    };

    return STAGE_RUN("symlinks", tests);
}
