#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct run {
    const struct program *program;
    pid_t pid;
    int input;   /* -1: all written, or nobody reads it */
    int failure; /* an errno comes here if it cannot be started */
    int ended;   /* signalfd */
    size_t written;
    long long due;
};

static long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void close_once(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A timer outlives exec: where a host may not signal other processes, for want of a pid namespace,
 * that is what ends a program that takes too long. */
static void limit_time(int64_t timeout)
{
    const struct itimerval timer = {
        .it_value = {timeout / 1000000000, timeout % 1000000000 / 1000 + 1}};

    setitimer(ITIMER_REAL, &timer, NULL);
}

static void restore_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGHUP,  SIGINT,  SIGQUIT,
                                  SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
    sigset_t none;

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct program *program, int input, int failure)
{
    int error;

    setpgid(0, 0);
    restore_signals();
    if (dup2(input, STDIN_FILENO) == STDIN_FILENO) {
        limit_time(program->timeout);
        execve(program->arguments[0], (char *const *)program->arguments, program->environment);
    }
    error = errno;
    (void)!write(failure, &error, sizeof error);
    _exit(127);
}

/* 0 or an errno. */
static int start(struct run *run)
{
    int input[2], failure[2];

    if (pipe2(input, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(failure, O_CLOEXEC) < 0) {
        int r = errno;

        close(input[0]);
        close(input[1]);
        return r;
    }
    run->pid = fork();
    int r = run->pid < 0 ? errno : 0;

    if (run->pid == 0)
        become(run->program, input[0], failure[1]);
    if (run->pid > 0)
        setpgid(run->pid, run->pid); /* whoever of the two is first */
    close(input[0]);
    close(failure[1]);
    run->input = input[1];
    run->failure = failure[0];
    fcntl(run->input, F_SETFL, O_NONBLOCK);
    return r;
}

static void feed(struct run *run)
{
    const struct program *program = run->program;
    ssize_t r = write(run->input, program->input + run->written, program->input_len - run->written);

    if (r > 0)
        run->written += (size_t)r;
    if ((r < 0 && errno != EAGAIN) || run->written == program->input_len)
        close_once(&run->input);
}

static void empty(int signals)
{
    struct signalfd_siginfo info;

    while (read(signals, &info, sizeof info) > 0)
        continue;
}

static bool is_over(struct run *run, int *status)
{
    empty(run->ended);
    return waitpid(run->pid, status, WNOHANG) == run->pid;
}

/* Whether it ended by itself in time. */
static bool attend(struct run *run, int *status)
{
    long long left;

    while (!is_over(run, status)) {
        struct pollfd ready[] = {{.fd = run->ended, .events = POLLIN},
                                 {.fd = run->input, .events = POLLOUT}};

        left = run->due - now_ns();
        if (left <= 0)
            return false;
        const struct timespec most = {left / 1000000000, left % 1000000000};

        ppoll(ready, 2, &most, NULL);
        if (ready[1].revents)
            feed(run);
    }
    return true;
}

static void read_outcome(const struct run *run, int status, struct program_outcome *outcome)
{
    if (read(run->failure, &outcome->status, sizeof outcome->status) ==
        (ssize_t)sizeof outcome->status) {
        outcome->end = PROGRAM_FAILED;
    } else if (WIFEXITED(status)) {
        outcome->end = PROGRAM_EXITED;
        outcome->status = WEXITSTATUS(status);
    } else {
        outcome->status = WTERMSIG(status);
        outcome->end = outcome->status == SIGALRM ? PROGRAM_LATE : PROGRAM_KILLED;
    }
}

static void wait_for(struct run *run, struct program_outcome *outcome)
{
    int status = 0;

    if (attend(run, &status)) {
        read_outcome(run, status, outcome);
        return;
    }
    outcome->end = PROGRAM_LATE;
    kill(-run->pid, SIGKILL);
    waitpid(run->pid, &status, 0);
}

void program_run(const struct program *program, struct program_outcome *outcome)
{
    struct run run = {.program = program, .input = -1, .failure = -1};
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    run.ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    run.due = now_ns() + program->timeout;
    int r = run.ended < 0 ? errno : start(&run);

    if (r == 0)
        wait_for(&run, outcome);
    else
        *outcome = (struct program_outcome){.end = PROGRAM_FAILED, .status = r};
    close_once(&run.input);
    close_once(&run.failure);
    close_once(&run.ended);
}
