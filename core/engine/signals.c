#include "engine/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Within this time of each other, they are one wish to end: timeout(1) and service managers signal
 * a process, and then all of its group. */
#define SAME_WISH_NS NS_PER_S

static int64_t released;
static bool can_reload;

/* nohup(1) has SIGHUP ignored, for what is to outlive its terminal. */
static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static sigset_t ours(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (can_reload || !is_ignored(SIGHUP)) /* what is blocked comes though it is ignored */
        sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return set;
}

void signals_hold_reload(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

int signals_open(bool reloads)
{
    can_reload = reloads;
    sigset_t set = ours();

    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

/* What is raised comes when this returns. */
static void on_repeated(int number)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec * NS_PER_S + now.tv_nsec - released < SAME_WISH_NS)
        return;
    signal(number, SIG_DFL);
    raise(number);
}

void signals_release(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set = ours();

    released = clock_monotonic();
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (sigismember(&set, stops[i]))
            signal(stops[i], on_repeated);
    if (can_reload)
        signal(SIGHUP, SIG_IGN); /* there is nothing to be read anew for */
    sigdelset(&set, SIGUSR1);    /* which, like the other, would end us */
    sigdelset(&set, SIGUSR2);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static enum signal_wish wish_of(const struct signalfd_siginfo *info)
{
    if (info->ssi_signo == SIGUSR1)
        return SIGNAL_REOPEN;
    if (info->ssi_signo == SIGUSR2)
        return SIGNAL_STATUS;
    if (info->ssi_signo != SIGHUP || !can_reload)
        return SIGNAL_STOP;
    if (info->ssi_code != SI_KERNEL)
        return SIGNAL_RELOAD;
    return is_ignored(SIGHUP) ? SIGNAL_NONE : SIGNAL_STOP;
}

enum signal_wish signals_next(int fd)
{
    struct signalfd_siginfo info;
    enum signal_wish wish = SIGNAL_NONE;

    while (wish == SIGNAL_NONE && read(fd, &info, sizeof info) == sizeof info)
        wish = wish_of(&info);
    return wish;
}
