/* A program in memory that is a file system: one for all, one of one's own, and one that nobody
 * ever mounted. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage.h"

static int copy_make(int folder)
{
    int fd = openat(folder, "dropped", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

    scene_copy(stage_witness(), fd);
    return close(fd);
}

static int trick_mounted(void *type)
{
    struct start start = {stage_path("memory/dropped"), just_witness};

    if (trick_unshare(CLONE_NEWNS) < 0 ||
        mount("none", stage_path("memory"), type, 0, "mode=0755") < 0)
        return -1;
    int folder = open(stage_path("memory"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return copy_make(folder) < 0 ? -1 : trick_execve(&start);
}

static const struct process *play(int (*trick)(void *), const char *type)
{
    struct testimony said;

    mkdir(stage_path("memory"), 0755);
    stage_play(trick, (void *)type, &said);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    struct process expected = stage_expect(&said);

    assert_non_null(event);
    field_set_remove(&expected.has, FIELD_EXE);
    field_set_remove(&expected.has, FIELD_EXE_TRUNCATED);
    field_set_remove(&expected.has, FIELD_EXE_FILESYSTEM);
    field_set_remove(&expected.has, FIELD_EXE_TMPFS);
    stage_assert_fields(&event->process, &expected);
    stage_assert_text(event->process.exe_filesystem, type);
    assert_true(event->process.exe_tmpfs);
    assert_true(text_ends(event->process.exe, TEXT("dropped")));
    return &event->process;
}

static void test_tmpfs(void **state)
{
    assert_false(play(trick_mounted, "tmpfs")->exe_truncated);
}

static void test_ramfs(void **state)
{
    assert_false(play(trick_mounted, "ramfs")->exe_truncated);
}

/* It is at no place: its path has no beginning, and is flagged. */
static int trick_unmounted(void *type)
{
    int fs = fsopen(type, FSOPEN_CLOEXEC);

    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    if (copy_make(mounted) < 0)
        return -1;
    return (int)syscall(SYS_execveat, mounted, "dropped", (char *const *)just_witness, environ, 0);
}

static void test_mounted_nowhere(void **state)
{
    const struct process *process = play(trick_unmounted, "tmpfs");

    assert_true(process->exe_truncated);
    stage_assert_text(process->exe, "dropped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tmpfs),
        cmocka_unit_test(test_ramfs),
        cmocka_unit_test(test_mounted_nowhere),
    };

    return STAGE_RUN("tmpfs", tests);
}
