/* Another file is mounted over a trusted path, as anybody can in a user namespace of his own. The
 * path is true there, so that is what the event has: what it is not is the machine's file, and
 * device, inode, owner, age and mount namespace say so. */
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

#define LINKS 30

static int trick_mount_over(void *start)
{
    struct start *program = start;

    if (trick_unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || trick_map_root() < 0 ||
        mount(stage_witness(), program->filename, NULL, MS_BIND, NULL) < 0)
        return -1;
    return trick_execve(start);
}

static void test_over_a_trusted_file(void **state)
{
    struct start start = {stage_path("trusted"), just_witness};
    struct testimony said;
    struct stat trusted, witness;

    stage_witness_at("trusted", 0755);
    stat(start.filename, &trusted);
    stat(stage_witness(), &witness);
    stage_play(trick_mount_over, &start, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    assert_true(text_ends(process->exe, TEXT("/trusted")));
    assert_int_equal(process->exe_inode, witness.st_ino);
    assert_int_not_equal(process->exe_inode, trusted.st_ino);
}

/* The scene is mounted in itself, and again in what is there then. */
static int trick_chain(void *start)
{
    char path[512];

    if (trick_unshare(CLONE_NEWNS) < 0)
        return -1;
    snprintf(path, sizeof path, "%s", stage_path(""));
    for (int i = 0; i < LINKS; i++) {
        snprintf(path + strlen(path), sizeof path - strlen(path), "/in");
        if (mount(stage_path(""), path, NULL, MS_BIND, NULL) < 0)
            return -1;
    }
    snprintf(path + strlen(path), sizeof path - strlen(path), "/witness");
    return execv(path, (char *const *)start);
}

static void test_mounts_in_mounts(void **state)
{
    struct testimony said;

    mkdir(stage_path("in"), 0755);
    stage_play(trick_chain, (void *)just_witness, &said);
    assert_true(text_ends(stage_assert_true(&said)->process.exe, TEXT("/in/in/in/in/witness")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_a_trusted_file),
        cmocka_unit_test(test_mounts_in_mounts),
    };

    return STAGE_RUN("bind_mount", tests);
}
