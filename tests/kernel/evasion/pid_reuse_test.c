/* The same number for one process after the other: a pid names nobody for long, a pid and its start
 * do. The reuse is forced: clone3 gives the child the number it is told to (set_tid). */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

#define LIVES 20

static pid_t fork_with(pid_t number)
{
    struct clone_args args = {.exit_signal = SIGCHLD,
                              .set_tid = number ? (unsigned long)&number : 0,
                              .set_tid_size = number ? 1 : 0};

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

/* One life: a child that outlives it and fails to execute, then its own program. */
static int life_live(const char *program, const char *name)
{
    const char *argv[] = {"witness", name, NULL};
    pid_t parent = getpid();

    if (fork() == 0) {
        while (getppid() == parent)
            usleep(200);
        execv(name, (char *const *)argv);
        _exit(0);
    }
    return execv(program, (char *const *)argv);
}

/* Its number is free as soon as it was waited for. Somebody else on this machine may be quicker:
 * then another number is used from there on. */
static int trick_lives(void *program)
{
    pid_t number = 0;
    char name[16];

    close(TRUTH_FD);
    for (int i = 0; i < LIVES; i++) {
        snprintf(name, sizeof name, "life-%d", i);
        pid_t pid = fork_with(number);

        if (pid < 0 && errno == EEXIST)
            pid = fork_with(0);
        if (pid == 0)
            _exit(life_live(program, name));
        if (pid < 0)
            _exit(1);
        number = pid;
        waitpid(pid, NULL, 0);
    }
    _exit(0);
}

/* Nobody has the start of another with his number, and each is the parent of its own child. */
static void check_life(int number, const struct sighting *event)
{
    char name[16];
    size_t count, children = 0;
    const struct sighting *events = stage_sightings(&count);

    snprintf(name, sizeof name, "life-%d", number);
    stage_assert_text(stage_argument(event, 1), name);
    for (size_t i = 0; i < count; i++) {
        const struct sighting *other = &events[i];

        if (other != event && other->record.type == EVENT_EXEC)
            assert_true(other->record.self.start != event->record.self.start);
        if (other->record.type != EVENT_EXEC_FAILED || !text_is(other->process.filename, name))
            continue;
        children++;
        assert_true(other->ancestor_count > 0);
        assert_int_equal(other->ancestors[0]->start_time, event->process.start_time);
        stage_assert_text(other->ancestors[0]->comm, "witness");
    }
    assert_int_equal(children, 1);
}

static void test_lives(void **state)
{
    char *program = strdup(stage_witness());
    size_t count, lives = 0, reused = 0;
    pid_t pid;
    int status = stage_play_mute(trick_lives, program, &pid);

    free(program);
    if (WEXITSTATUS(status) == 1)
        stage_skip("the kernel gives nobody the number he wants (set_tid)");
    stage_until(EVENT_EXEC_FAILED, LIVES);
    const struct sighting *events = stage_sightings(&count);

    for (size_t i = 0, last = 0; i < count; i++) {
        if (events[i].record.type != EVENT_EXEC)
            continue;
        reused += lives > 0 && events[i].record.self.pid == events[last].record.self.pid;
        last = i;
        check_life((int)lives++, &events[i]);
    }
    assert_int_equal(lives, LIVES);
    assert_true(reused > LIVES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lives)};

    return STAGE_RUN("pid_reuse", tests);
}
