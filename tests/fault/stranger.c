#include "stranger.h"

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define TICK     (10 * NS_PER_MS)
#define PATIENCE (60 * NS_PER_S)

_Noreturn void stranger_sleep(void)
{
    for (;;)
        pause();
}

pid_t stranger_start(void)
{
    int numbers[2];
    pid_t pid = 0;

    assert_int_equal(0, pipe2(numbers, O_CLOEXEC));
    pid_t maker = fork();

    if (maker == 0) {
        pid = fork();
        if (pid == 0)
            stranger_sleep();
        _exit(write(numbers[1], &pid, sizeof pid) < 0);
    }
    assert_int_equal(sizeof pid, read(numbers[0], &pid, sizeof pid));
    assert_int_equal(maker, waitpid(maker, NULL, 0));
    close(numbers[0]);
    close(numbers[1]);
    return pid;
}

static int64_t look(pid_t pid, char *state)
{
    char path[64], line[1024];
    unsigned long long ticks = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    CLEANUP(fclosep) FILE *file = fopen(path, "re");

    *state = '-';
    if (!file || !fgets(line, sizeof line, file))
        return 0;
    const char *rest = strrchr(line, ')') + 2;

    *state = *rest;
    for (int i = 0; i < 17; i++)
        rest += strcspn(rest, " ") + 1;
    /* A first thread that has ended is no ended process, while there are others. */
    if (*state == 'Z' && strtoul(rest, NULL, 10) > 1)
        *state = 'X';
    for (int i = 0; i < 2; i++)
        rest += strcspn(rest, " ") + 1;
    ticks = strtoull(rest, NULL, 10);
    return (int64_t)ticks * TICK;
}

int64_t stranger_began(pid_t pid)
{
    char state;

    return look(pid, &state);
}

bool stranger_is(pid_t pid, const char *states)
{
    char state;

    look(pid, &state);
    return strchr(states, state) != NULL;
}

void stranger_await(pid_t pid, const char *states)
{
    int64_t end = clock_monotonic() + PATIENCE;

    while (!stranger_is(pid, states)) {
        assert_true(clock_monotonic() < end);
        usleep(1000);
    }
}
