/* A program that is started by its descriptor alone: execveat with an empty path, and fexecve by
 * way of /proc. The entry of execve shows no path at all. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

static int trick_descriptor(void *fd)
{
    return (int)syscall(SYS_execveat, *(int *)fd, "", (char *const *)just_witness, environ,
                        AT_EMPTY_PATH);
}

/* O_PATH: not even opened for reading. */
static void test_empty_path(void **state)
{
    CLEANUP(closep) int fd = open(stage_witness(), O_PATH | O_CLOEXEC);
    struct testimony said;
    char name[32];

    stage_play(trick_descriptor, &fd, &said);
    const struct sighting *event = stage_assert_true(&said);

    snprintf(name, sizeof name, "/dev/fd/%d", fd);
    stage_assert_text(event->process.filename, name);
    assert_true(text_ends(event->process.exe, TEXT("/witness")));
}

static int trick_proc(void *fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", *(int *)fd);
    return execv(path, (char *const *)just_witness);
}

static void test_proc_self_fd(void **state)
{
    CLEANUP(closep) int fd = open(stage_witness(), O_RDONLY | O_CLOEXEC);
    struct testimony said;

    stage_play(trick_proc, &fd, &said);
    assert_true(text_ends(stage_assert_true(&said)->process.exe, TEXT("/witness")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_path),
        cmocka_unit_test(test_proc_self_fd),
    };

    return STAGE_RUN("empty_path", tests);
}
