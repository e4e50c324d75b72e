/* A bomb, with a fuse: each process makes two, six deep, and each of these executes a program.
 * Each is told, with who made it, in order. */
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define DEPTH 6

static int bomb(int depth)
{
    if (depth > 0)
        for (int i = 0; i < 2; i++)
            if (fork() == 0)
                return bomb(depth - 1);
    return execl(stage_witness(), "witness", NULL);
}

/* Nobody waits for anybody: most of them lose their parents. */
static int trick_bomb(void *argument)
{
    close(TRUTH_FD); /* there are more words than anyone listens to */
    return bomb(DEPTH);
}

static bool is_born(int64_t pid, int64_t start)
{
    const struct sighting *forked = stage_find(EVENT_FORK, pid, 0);

    return forked && forked->record.self.start == start;
}

static void test_bomb(void **state)
{
    const size_t processes = (2 << DEPTH) - 1;
    struct act act = stage_begin(trick_bomb, NULL);

    close(act.words);
    stage_until(EVENT_EXIT, processes);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    size_t count;
    const struct sighting *events = stage_sightings(&count);

    assert_int_equal(stage_count(EVENT_FORK), processes);
    assert_int_equal(stage_count(EVENT_EXEC), processes);
    assert_int_equal(stage_count(EVENT_EXIT), processes);
    for (size_t i = 0; i < count; i++) {
        const struct record *record = &events[i].record;
        const struct sighting *forked = stage_find(EVENT_FORK, record->self.pid, 0);

        assert_true(is_born(record->self.pid, record->self.start));
        assert_true(forked <= &events[i]);
        /* The line of those who made it, whether they live or not. */
        assert_true(events[i].ancestor_count > 0);
        assert_int_equal(events[i].ancestors[0]->pid, forked->record.parent.pid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bomb)};

    return STAGE_RUN("fork_bomb", tests);
}
