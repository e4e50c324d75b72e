/* A program that the kernel itself starts (call_usermodehelper): nobody entered execve for it. Here
 * it is the release agent of a cgroup hierarchy made for the purpose, which is gone afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

static int line_write(int folder, const char *name, const char *line)
{
    CLEANUP(closep) int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, line, strlen(line)) < 0 ? -errno : 0;
}

/* A hierarchy without controllers, mounted nowhere. */
static int hierarchy_open(void)
{
    char name[64];
    CLEANUP(closep) int fs = fsopen("cgroup", FSOPEN_CLOEXEC);

    snprintf(name, sizeof name, "picket-%d", getpid());
    if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, "none", NULL, 0) < 0 ||
        fsconfig(fs, FSCONFIG_SET_STRING, "name", name, 0) < 0 ||
        fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -errno;
    int mounted = fsmount(fs, FSMOUNT_CLOEXEC, 0);

    return mounted < 0 ? -errno : mounted;
}

/* Enters the group and leaves it by ending: it was the last one there. */
static int trick_last_one(void *folder)
{
    char pid[32];

    snprintf(pid, sizeof pid, "%d", getpid());
    _exit(line_write(*(int *)folder, "cgroup.procs", pid) < 0);
}

/* Mounting again the hierarchy's super block counts its agent's path from the machine's root. */
static void test_release_agent(void **state)
{
    CLEANUP(closep) int hierarchy = hierarchy_open();
    pid_t pid;

    stage_skip_in_chroot();
    if (hierarchy < 0)
        stage_skip("the kernel makes no cgroup hierarchy of version 1: %s", strerror(-hierarchy));
    int r = line_write(hierarchy, "release_agent", stage_witness());

    if (r < 0)
        stage_skip("the kernel takes no release agent: %s", strerror(-r));
    assert_int_equal(mkdirat(hierarchy, "group", 0755), 0);
    CLEANUP(closep) int group = openat(hierarchy, "group", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(line_write(group, "notify_on_release", "1"), 0);
    assert_int_equal(stage_play_mute(trick_last_one, &group, &pid), 0);
    stage_until(EVENT_EXEC, 1);
    unlinkat(hierarchy, "group", AT_REMOVEDIR);
    size_t count;
    const struct sighting *event = stage_sightings(&count);

    while (event->record.type != EVENT_EXEC)
        event++;
    assert_true(text_ends(event->process.exe, text_from(stage_witness())));
    stage_assert_text(event->process.filename, stage_witness());
    stage_assert_text(stage_argument(event, 0), stage_witness());
    stage_assert_text(stage_argument(event, 1), "/group");
    assert_int_equal(event->process.uid, 0);
    /* A thread of the kernel made it: it has no executable. */
    assert_true(event->ancestor_count > 0 && event->ancestors[0]->pid != getpid());
    assert_false(field_set_has(&event->ancestors[0]->has, FIELD_EXE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release_agent)};

    return STAGE_RUN("kernel_helper", tests);
}
