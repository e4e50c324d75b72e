/* A program that is not executed but loaded: the dynamic loader is a program, and takes another one
 * as its argument. What runs is the loader, so exe is; the rest is in the arguments. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

/* The loader of this very program. */
static bool loader_find(char path[static 4096])
{
    CLEANUP(fclosep) FILE *maps = fopen("/proc/self/maps", "re");
    char line[8192];

    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%*s %*s %*s %*s %*s %4095s", path) == 1 && strstr(path, "/ld-"))
            return true;
    return false;
}

static void test_loader(void **state)
{
    char loader[4096];
    const char *argv[] = {"ls", "/bin/true", "-x", NULL};
    struct start start = {loader, argv};
    pid_t pid;

    if (!loader_find(loader))
        stage_skip("this program has no loader of glibc's");
    assert_int_equal(stage_play_mute(trick_execve, &start, &pid), 0);
    const struct sighting *event = stage_find(EVENT_EXEC, pid, 0);

    assert_non_null(event);
    assert_true(text_ends(event->process.exe, text_from(loader)));
    stage_assert_text(stage_argument(event, 0), "ls");
    stage_assert_text(stage_argument(event, 1), "/bin/true");
    stage_assert_text(stage_argument(event, 2), "-x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loader)};

    return STAGE_RUN("loader", tests);
}
