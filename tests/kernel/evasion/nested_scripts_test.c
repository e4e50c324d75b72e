/* Scripts whose interpreter is a script, as deep as the kernel goes. What runs is the last of them;
 * what was asked for is the first. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#define LEVELS 4 /* a fifth is ELOOP */

static void script_make(const char *name, const char *interpreter, const char *argument)
{
    CLEANUP(closep) int fd = open(stage_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);

    assert_true(dprintf(fd, "#!%s %s\n", interpreter, argument) > 0);
    assert_int_equal(fchmod(fd, 0755), 0);
}

static void test_scripts_of_scripts(void **state)
{
    char name[32] = "witness", next[32], path[256];
    const char *argv[] = {"ignored", "-x", NULL};
    struct testimony said;

    for (int i = 0; i < LEVELS; i++) {
        snprintf(next, sizeof next, "script-%d", i);
        snprintf(path, sizeof path, "%s", stage_path(name));
        script_make(next, path, "of its own");
        snprintf(name, sizeof name, "%s", next);
    }
    struct start start = {stage_path(name), argv};

    stage_play(trick_execve, &start, &said);
    const struct sighting *event = stage_assert_true(&said);

    stage_assert_text(event->process.filename, stage_path("script-3"));
    assert_true(text_ends(event->process.exe, TEXT("/witness")));
    stage_assert_text(stage_argument(event, 1), "of its own");
    /* The interpreter, then of each script its argument and its path; argv[0] is gone. */
    assert_int_equal(event->process.argc, 2 * LEVELS + 2);
    stage_assert_text(stage_argument(event, 2 * LEVELS), stage_path("script-3"));
    stage_assert_text(stage_argument(event, 2 * LEVELS + 1), "-x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scripts_of_scripts)};

    return STAGE_RUN("nested_scripts", tests);
}
