/* Root turns off what it can of tracing, short of ending the engine: the switch of the trace
 * buffer, the events and ftrace itself. None of that is what the sensor hangs on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

/* Each is put back, also when the test dies. */
static const struct {
    const char *name;
    const char *off;
} switches[] = {{"tracing_on", "0"},
                {"events/sched/enable", "0"},
                {"events/task/enable", "0"},
                {"events/syscalls/enable", "0"}};

#define SWITCHES (sizeof switches / sizeof switches[0])

static int tracefs = -1;
static char before[SWITCHES][8];

static int switch_set(size_t i, const char *value)
{
    int fd = openat(tracefs, switches[i].name, O_WRONLY | O_CLOEXEC);
    ssize_t len = write(fd, value, strlen(value));

    close(fd);
    return len < 0 ? -errno : 0;
}

static void switch_read(size_t i)
{
    int fd = openat(tracefs, switches[i].name, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, before[i], sizeof before[i] - 1);

    before[i][len > 0 ? len : 0] = '\0';
    close(fd);
}

/* Only a plain 0 or 1 is put back: X is "some of them", and then nothing was touched. */
static bool is_plain(size_t i)
{
    return before[i][0] == '0' || before[i][0] == '1';
}

static void restore(void)
{
    for (size_t i = 0; i < SWITCHES; i++)
        if (is_plain(i))
            switch_set(i, before[i]);
}

/* A process that puts them back when this one is gone or asks for it. */
static pid_t guard_begin(int gate[2])
{
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    pid_t pid = fork();
    char byte;

    if (pid == 0) {
        close(gate[1]);
        signal(SIGINT, SIG_IGN);
        while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
            continue;
        restore();
        _exit(0);
    }
    close(gate[0]);
    return pid;
}

static void test_switches(void **state)
{
    struct start start = {stage_witness(), just_witness};
    struct testimony said;
    int gate[2], fs = fsopen("tracefs", FSOPEN_CLOEXEC);

    if (fs < 0)
        stage_skip("the kernel has no tracefs");
    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    tracefs = fsmount(fs, FSMOUNT_CLOEXEC, 0);
    close(fs);
    for (size_t i = 0; i < SWITCHES; i++)
        switch_read(i);
    pid_t guard = guard_begin(gate);

    for (size_t i = 0; i < SWITCHES; i++)
        if (is_plain(i))
            switch_set(i, switches[i].off);
    stage_play(trick_execve, &start, &said);
    close(gate[1]);
    waitpid(guard, NULL, 0);
    close(tracefs);
    stage_assert_true(&said);
    assert_non_null(stage_find(EVENT_FORK, said.truth.pid, 0));
    assert_non_null(stage_find(EVENT_EXIT, said.truth.pid, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_switches)};

    return STAGE_RUN("tracing_off", tests);
}
