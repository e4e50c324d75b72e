/* A root of one's own, made of nothing, in a user namespace of one's own: nothing of the machine's
 * file system is in sight. The path is true there; device, file system and mount namespace tell it
 * from the machine's. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage.h"

static int trick_pivot(void *start)
{
    const char *root = stage_path("root");

    if (trick_unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || trick_map_root() < 0 ||
        mount("none", root, "tmpfs", 0, NULL) < 0 || chdir(root) < 0 || mkdir("proc", 0755) < 0 ||
        mkdir("usr", 0755) < 0 || mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) < 0)
        return -1;
    int fd = open("usr/sshd", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

    scene_copy(stage_witness(), fd);
    close(fd);
    if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
        return -1;
    return trick_execve(start);
}

static void test_root_of_nothing(void **state)
{
    struct start start = {"/usr/sshd", just_witness};
    struct testimony said;
    struct stat st;

    stage_skip_in_chroot();
    mkdir(stage_path("root"), 0755);
    stage_play(trick_pivot, &start, &said);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    struct process expected = stage_expect(&said);

    assert_non_null(event);
    field_set_remove(&expected.has, FIELD_EXE); /* in a chroot the test's own root is before it */
    field_set_remove(&expected.has, FIELD_CWD);
    stage_assert_fields(&event->process, &expected);
    stage_assert_text(event->process.exe, "/usr/sshd");
    assert_false(event->process.exe_truncated);
    stat(stage_witness(), &st);
    assert_int_not_equal(event->process.exe_inode, st.st_ino);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_root_of_nothing)};

    return STAGE_RUN("pivot_root", tests);
}
