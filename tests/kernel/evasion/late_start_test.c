/* The engine is started when the process already runs. What /proc said of it then is what is known
 * of it; everything it does from then on is seen. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

static int gate[2]; /* opens when the sensor is there */

static void gate_wait(void)
{
    char byte;

    close(gate[1]);
    while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
        continue;
}

static int trick_waits(void *start)
{
    gate_wait();
    execv("/no/such/program", (char *const *)just_witness);
    pid_t pid = fork();

    if (pid == 0)
        _exit(trick_execve(start));
    waitpid(pid, NULL, 0);
    _exit(0);
}

static void test_process_from_before(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    assert_int_equal(pipe(gate), 0);
    stage_stop();
    struct act act = stage_begin(trick_waits, &start);

    stage_start();
    close(gate[0]);
    close(gate[1]);
    stage_end(&act, &said);
    const struct sighting *event = stage_assert_true(&said);
    const struct sighting *failed = stage_find(EVENT_EXEC_FAILED, act.pid, 0);
    const struct sighting *ended = stage_find(EVENT_EXIT, act.pid, 0);

    assert_int_equal(event->ancestors[0]->pid, act.pid);
    assert_int_equal(event->ancestors[1]->pid, getpid());
    assert_true(text_contains(event->ancestors[0]->exe, TEXT("late_start")));
    /* Whoever failed is known from /proc, and its end is told. */
    assert_non_null(failed);
    stage_assert_text(failed->process.filename, "/no/such/program");
    assert_true(text_contains(failed->process.exe, TEXT("late_start")));
    assert_int_equal(failed->ancestors[0]->pid, getpid());
    assert_int_equal(ended->record.self.start, failed->record.self.start);
}

/* It was started before, its parent is gone before, and it executes: the true parent cannot be
 * known any more, the rest is. */
static int trick_orphan_waits(void *start)
{
    if (fork() > 0)
        _exit(0);
    gate_wait();
    return trick_execve(start);
}

static void test_orphan_from_before(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;

    assert_int_equal(pipe(gate), 0);
    stage_stop();
    struct act act = stage_begin(trick_orphan_waits, &start);

    waitpid(act.pid, NULL, 0);
    act.pid = 0; /* unseen altogether */
    stage_start();
    close(gate[0]);
    close(gate[1]);
    stage_end(&act, &said);
    const struct sighting *event = stage_assert_true(&said);

    assert_int_equal(event->ancestors[0]->pid, said.truth.ppid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_from_before),
        cmocka_unit_test(test_orphan_from_before),
    };

    return STAGE_RUN("late_start", tests);
}
