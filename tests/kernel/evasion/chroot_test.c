/* A chroot in which everything has a trusted name. The event has the path from the root of the
 * mount namespace, not from where the process believes that to be. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage.h"

/* The witness needs a /proc to look at itself. */
static int trick_chroot(void *start)
{
    if (trick_unshare(CLONE_NEWNS) < 0 ||
        mount("/proc", stage_path("jail/proc"), NULL, MS_BIND | MS_REC, NULL) < 0)
        return -1;
    if (chroot(stage_path("jail")) < 0 || chdir("/") < 0)
        return -1;
    return trick_execve(start);
}

static void jail_make(void)
{
    static const char *const folders[] = {"jail", "jail/proc", "jail/usr", "jail/usr/bin"};

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        mkdir(stage_path(folders[i]), 0755);
    stage_witness_at("jail/usr/bin/ls", 0755);
}

static void test_trusted_name(void **state)
{
    struct start start = {"/usr/bin/ls", just_witness};
    struct testimony said;

    jail_make();
    stage_play(trick_chroot, &start, &said);
    stage_assert_text(text_from(said.truth.exe), "/usr/bin/ls"); /* what it believes itself */
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    struct process expected = stage_expect(&said);

    field_set_remove(&expected.has, FIELD_EXE);
    field_set_remove(&expected.has, FIELD_CWD);
    assert_non_null(event);
    stage_assert_fields(&event->process, &expected);
    assert_true(text_ends(event->process.exe, text_from(stage_path("jail/usr/bin/ls"))));
    assert_true(text_ends(event->process.cwd, text_from(stage_path("jail"))));
    assert_false(event->process.exe_truncated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trusted_name)};

    return STAGE_RUN("chroot", tests);
}
