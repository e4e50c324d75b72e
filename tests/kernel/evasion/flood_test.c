/* A flood of programs from one cgroup, so that what another one does is lost in it. The reader is
 * held up meanwhile: it reads nothing until all is over. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define RING   (256UL << 10)
#define STORM  400 /* two rings full, and over before a stalled budget has filled up again */
#define GROUPS 2

static int hierarchy = -1;
static char groups[GROUPS][64];

/* The v2 hierarchy, mounted at no place, with two cgroups for us. */
static void groups_make(void)
{
    int fs = fsopen("cgroup2", FSOPEN_CLOEXEC);

    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    hierarchy = fsmount(fs, FSMOUNT_CLOEXEC, 0);
    close(fs);
    for (int i = 0; i < GROUPS; i++) {
        snprintf(groups[i], sizeof groups[i], "picket-flood-%d-%d", getpid(), i);
        if (mkdirat(hierarchy, groups[i], 0755) < 0)
            stage_skip("no cgroup can be made");
    }
}

static int groups_remove(void **state)
{
    for (int i = 0; i < GROUPS; i++)
        unlinkat(hierarchy, groups[i], AT_REMOVEDIR);
    close(hierarchy);
    return 0;
}

static int group_enter(const char *group)
{
    char path[128];

    snprintf(path, sizeof path, "%s/cgroup.procs", group);
    int fd = openat(hierarchy, path, O_WRONLY | O_CLOEXEC);

    return dprintf(fd, "%d", getpid()) < 0 ? -1 : close(fd);
}

/* All on one CPU: there is a ring for each. */
static int cpu_enter(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    return sched_setaffinity(0, sizeof first, &first);
}

static int program_run(const char *filename)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): the fastest */

    if (pid == 0) {
        execl(filename, filename, NULL);
        _exit(1);
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* The flood; at its end one program that was not there before, and one in the other cgroup. */
static int trick_flood(void *start)
{
    const char *other = stage_path("other");

    if (cpu_enter() < 0 || group_enter(groups[0]) < 0)
        return -1;
    for (int i = 0; i < STORM; i++)
        if (program_run(NOOP_PATH) < 0)
            return -1;
    if (program_run(other) < 0 || group_enter(groups[1]) < 0)
        return -1;
    return trick_execve(start);
}

static void noop_copy(const char *name)
{
    int fd = open(stage_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    scene_copy(NOOP_PATH, fd);
    close(fd);
}

static size_t count_of(const char *end)
{
    size_t count, found = 0;
    const struct sighting *events = stage_sightings(&count);

    for (size_t i = 0; i < count; i++)
        found +=
            events[i].record.type == EVENT_EXEC && text_ends(events[i].process.exe, text_from(end));
    return found;
}

static void test_drowned(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;
    struct sensor_counters counters;

    stage_stop();
    stage_start_with(&(struct sensor_options){.ring_size = RING});
    noop_copy("other");
    groups_make();
    stage_play(trick_flood, &start, &said);
    stage_counters(&counters);
    /* What the others did is there, whole; of the flood there is the beginning, and the number. */
    stage_assert_true(&said);
    assert_int_equal(count_of("/other"), 1);
    size_t seen = count_of("/kernel_noop");

    assert_true(seen > 0 && seen < STORM);
    assert_int_equal(sensor_count(counters.lost), 0);
    /* Others on the machine may have had their share. */
    assert_true(seen + counters.folded[EVENT_EXEC] >= STORM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_drowned, groups_remove)};

    return STAGE_RUN("flood", tests);
}
