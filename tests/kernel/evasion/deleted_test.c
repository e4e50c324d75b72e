/* An executable that has no name any more, or never had one. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

static int trick_descriptor(void *fd)
{
    return fexecve(*(int *)fd, (char *const *)just_witness, environ);
}

static const struct process *play(int *fd)
{
    struct testimony said;

    stage_play(trick_descriptor, fd, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    assert_true(process->exe_deleted && !process->exe_memfd);
    assert_int_equal(process->exe_nlink, 0);
    return process;
}

static void test_unlinked(void **state)
{
    stage_witness_at("short-lived", 0755);
    CLEANUP(closep) int fd = open(stage_path("short-lived"), O_RDONLY | O_CLOEXEC);

    unlink(stage_path("short-lived"));
    assert_true(text_ends(play(&fd)->exe, TEXT("/short-lived")));
}

static void test_with_its_folder(void **state)
{
    mkdir(stage_path("folder"), 0755);
    stage_witness_at("folder/short-lived", 0755);
    CLEANUP(closep) int fd = open(stage_path("folder/short-lived"), O_RDONLY | O_CLOEXEC);

    unlink(stage_path("folder/short-lived"));
    rmdir(stage_path("folder"));
    assert_true(text_ends(play(&fd)->exe, TEXT("/folder/short-lived")));
}

static void test_never_named(void **state)
{
    char path[32];
    int made = open(stage_path(""), O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);

    if (made < 0)
        stage_skip("the file system of /tmp has no O_TMPFILE");
    scene_copy(stage_witness(), made);
    snprintf(path, sizeof path, "/proc/self/fd/%d", made);
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

    close(made);
    play(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unlinked),
        cmocka_unit_test(test_with_its_folder),
        cmocka_unit_test(test_never_named),
    };

    return STAGE_RUN("deleted", tests);
}
