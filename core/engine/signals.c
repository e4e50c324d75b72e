#include "engine/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ours(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    return set;
}

int signals_open(void)
{
    sigset_t set = ours();

    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? -errno : fd;
}

void signals_release(void)
{
    sigset_t set = ours();

    sigdelset(&set, SIGUSR1); /* which would end us */
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

enum signal_wish signals_next(int fd)
{
    struct signalfd_siginfo info;

    if (read(fd, &info, sizeof info) != sizeof info)
        return SIGNAL_NONE;
    return info.ssi_signo == SIGUSR1 ? SIGNAL_STATUS : SIGNAL_STOP;
}
