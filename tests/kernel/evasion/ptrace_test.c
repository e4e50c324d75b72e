/* A traced process: its tracer may change the arguments of execve at the entry, and all of the new
 * program's memory at the first stop behind it. What the event has is what the kernel started. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage.h"

static int child_traced(void *start)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        return -1;
    kill(getpid(), SIGSTOP);
    return trick_execve(start);
}

/* The tracer writes over ARGUMENT, which is at the same place in both, where it stops. */
static char argument[32] = "list my files";

static void argument_poke(pid_t pid)
{
    long words[4] = {0};

    memcpy(words, "steal /etc/shadow", 18);
    for (int i = 0; i < 4; i++)
        ptrace(PTRACE_POKEDATA, pid, (long *)(void *)argument + i, words[i]);
}

/* Lets it go on from stop to stop, the first of which is the entry of execve. */
static int trick_traced(void *start)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(child_traced(start));
    waitpid(pid, &status, 0);
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    waitpid(pid, &status, 0);
    argument_poke(pid);
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
        ptrace(PTRACE_CONT, pid, NULL, NULL);
    _exit(0);
}

static void test_changed_at_the_entry(void **state)
{
    const char *argv[] = {"witness", argument, NULL};
    struct start start = {stage_witness(), argv};
    struct testimony said;

    stage_play(trick_traced, &start, &said);
    stage_assert_text(stage_argument(stage_assert_true(&said), 1), "steal /etc/shadow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changed_at_the_entry)};

    return STAGE_RUN("ptrace", tests);
}
