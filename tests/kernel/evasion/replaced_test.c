/* A harmless file takes the executable's place while it is started, or right after. Which file ran
 * is told by its inode: the witness's /proc/self/exe has it as well. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stage.h"

#define SWAPS 40

/* Runs until its process executes something else. */
static void *files_swap(void *paths)
{
    const char *const *path = paths;

    while (syscall(SYS_renameat2, AT_FDCWD, path[0], AT_FDCWD, path[1], RENAME_EXCHANGE) == 0)
        continue;
    return NULL;
}

static int trick_swap(void *paths)
{
    const char *const *path = paths;
    pthread_t swapper;

    if (pthread_create(&swapper, NULL, files_swap, paths) != 0)
        return -1;
    usleep(1000);
    return execv(path[0], (char *const *)just_witness);
}

static int64_t inode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (int64_t)st.st_ino;
}

/* At the event the file had either of the two names; all else is of the one that ran. */
static void test_swapped_while_started(void **state)
{
    const char *paths[] = {"swap-A", "swap-B"};
    int64_t inodes[2];

    for (int i = 0; i < 2; i++) {
        stage_witness_at(paths[i], 0755);
        inodes[i] = inode_of(stage_path(paths[i]));
    }
    assert_int_equal(chdir(stage_path("")), 0);
    for (int i = 0; i < SWAPS; i++) {
        struct testimony said;

        stage_play(trick_swap, paths, &said);
        const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
        struct process expected = stage_expect(&said);

        field_set_remove(&expected.has, FIELD_EXE);
        assert_non_null(event);
        stage_assert_fields(&event->process, &expected);
        assert_true(event->process.exe_inode == inodes[0] || event->process.exe_inode == inodes[1]);
        assert_true(text_ends(event->process.exe, TEXT("/swap-A")) ||
                    text_ends(event->process.exe, TEXT("/swap-B")));
    }
    assert_int_equal(chdir("/"), 0);
}

/* What runs goes on being told as what it was, also in its exit and for its children. */
static int trick_replaced(void *start)
{
    struct start *program = start;

    if (fork() > 0)
        _exit(0);
    return trick_execve(program);
}

static void test_renamed_over(void **state)
{
    const char *argv[] = {"evil", NULL};
    struct start start = {stage_path("evil"), argv};
    struct testimony said;

    stage_witness_at("evil", 0755);
    stage_witness_at("harmless", 0755);
    int64_t evil = inode_of(start.filename);
    struct act act = stage_begin(trick_replaced, &start);

    assert_int_equal(rename(stage_path("harmless"), stage_path("evil")), 0);
    stage_end(&act, &said);
    const struct sighting *event = stage_find(EVENT_EXEC, said.truth.pid, 0);
    const struct sighting *ended = stage_find(EVENT_EXIT, said.truth.pid, 0);

    /* The rename may come before the exec: then it is the other, and the event says so. */
    assert_non_null(event);
    assert_int_equal(event->process.exe_inode, said.truth.exe_inode);
    assert_int_equal(ended->process.exe_inode, said.truth.exe_inode);
    assert_int_not_equal(inode_of(stage_path("evil")), evil);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swapped_while_started),
        cmocka_unit_test(test_renamed_over),
    };

    return STAGE_RUN("replaced", tests);
}
