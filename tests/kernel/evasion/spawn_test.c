/* The other ways to a new process: vfork, posix_spawn, clone3, and into another cgroup at once. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

static int trick_vfork(void *argument)
{
    struct start *start = argument;

    scene_vfork(start->filename, start->argv);
}

static int trick_posix_spawn(void *argument)
{
    struct start *start = argument;
    pid_t pid;

    if (posix_spawn(&pid, start->filename, NULL, NULL, (char *const *)start->argv, environ) != 0)
        return -1;
    waitpid(pid, NULL, 0);
    _exit(0);
}

static int clone3_execve(struct clone_args *args, void *start)
{
    pid_t pid = (pid_t)syscall(SYS_clone3, args, sizeof *args);

    if (pid == 0)
        _exit(trick_execve(start));
    if (pid < 0)
        return -1;
    waitpid(pid, NULL, __WALL);
    _exit(0);
}

/* No signal at its end: wait(2) has to ask for it. */
static int trick_clone3(void *start)
{
    struct clone_args args = {.flags = CLONE_UNTRACED | CLONE_FILES | CLONE_FS};

    return clone3_execve(&args, start);
}

static char group[64];

/* The v2 hierarchy, mounted at no place. */
static int hierarchy_open(void)
{
    int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    close(fs);
    return mounted;
}

static int trick_into_cgroup(void *start)
{
    int folder = openat(hierarchy_open(), group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (unsigned)folder};

    return clone3_execve(&args, start);
}

static void check(int (*trick)(void *))
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    stage_play(trick, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_int_equal(event->ancestors[0]->pid, said.truth.ppid);
    assert_int_equal(event->ancestors[1]->pid, getpid());
    assert_non_null(stage_find(EVENT_FORK, said.truth.pid, 0));
}

static void test_vfork(void **state)
{
    check(trick_vfork);
}

static void test_posix_spawn(void **state)
{
    check(trick_posix_spawn);
}

static void test_clone3(void **state)
{
    check(trick_clone3);
}

static int group_remove(void **state)
{
    int hierarchy = hierarchy_open();

    unlinkat(hierarchy, group, AT_REMOVEDIR);
    return close(hierarchy);
}

static void test_clone3_into_cgroup(void **state)
{
    int hierarchy = hierarchy_open();
    struct stat st;

    snprintf(group, sizeof group, "picket-spawn-%d", getpid());
    if (mkdirat(hierarchy, group, 0755) < 0)
        stage_skip("no cgroup can be made");
    fstatat(hierarchy, group, &st, 0);
    close(hierarchy);
    check(trick_into_cgroup);
    size_t count;
    const struct sighting *events = stage_sightings(&count);

    for (size_t i = 0; i < count; i++)
        if (events[i].record.type == EVENT_EXEC)
            assert_int_equal(events[i].record.process.cgroup_id, st.st_ino);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vfork),
        cmocka_unit_test(test_posix_spawn),
        cmocka_unit_test(test_clone3),
        cmocka_unit_test_teardown(test_clone3_into_cgroup, group_remove),
    };

    return STAGE_RUN("spawn", tests);
}
