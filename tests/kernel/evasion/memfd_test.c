/* A program that never was on a disk, under a name that looks as if. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

static int trick_memfd(void *fd)
{
    return fexecve(*(int *)fd, (char *const *)just_witness, environ);
}

static void check(const char *name, const char *exe)
{
    CLEANUP(closep) int memfd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct testimony said;

    scene_copy(stage_witness(), memfd);
    assert_int_equal(fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
    stage_play(trick_memfd, &memfd, &said);
    const struct process *process = &stage_assert_true(&said)->process;

    stage_assert_text(process->exe, exe);
    assert_true(process->exe_memfd && process->exe_deleted);
}

static void test_plain_name(void **state)
{
    check("x", "/memfd:x");
}

static void test_name_of_a_path(void **state)
{
    check("../usr/bin/ls", "/memfd:../usr/bin/ls");
}

static void test_no_name(void **state)
{
    check("", "/memfd:");
}

static void test_longest_name(void **state)
{
    char name[250], exe[300];

    memset(name, 'm', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(exe, sizeof exe, "/memfd:%s", name);
    check(name, exe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_name),
        cmocka_unit_test(test_name_of_a_path),
        cmocka_unit_test(test_no_name),
        cmocka_unit_test(test_longest_name),
    };

    return STAGE_RUN("memfd", tests);
}
