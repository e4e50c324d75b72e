/* A farm of hard links: one file, a hundred names. */
#include <stdio.h>
#include <unistd.h>

#include "stage.h"

#define LINKS 100

static void test_every_tenth(void **state)
{
    char name[32];
    struct testimony said;
    int64_t inode = 0;

    for (int i = 0; i < LINKS; i++) {
        snprintf(name, sizeof name, "hard-%d", i);
        assert_int_equal(link(stage_witness(), stage_path(name)), 0);
    }
    for (int i = 0; i < LINKS; i += 10) {
        snprintf(name, sizeof name, "/hard-%d", i);
        struct start start = {stage_path(name + 1), just_witness};

        stage_play(trick_execve, &start, &said);
        const struct process *process = &stage_assert_true(&said)->process;

        assert_true(text_ends(process->exe, text_from(name)));
        assert_int_equal(process->exe_nlink, LINKS + 1);
        assert_true(inode == 0 || inode == process->exe_inode);
        inode = process->exe_inode;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_tenth)};

    return STAGE_RUN("hard_links", tests);
}
