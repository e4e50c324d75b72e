/* A pseudo-terminal for tests, also where no devpts is mounted: then one of our own, mounted
 * nowhere. */
#ifndef PICKET_TESTS_TERMINAL_H
#define PICKET_TESTS_TERMINAL_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* 0 and both ends, or -1. */
static inline int terminal_open(int *leader, int *follower)
{
    int unlocked = 0, mount = -1;

    *follower = -1;
    *leader = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (*leader < 0) {
        int fs = fsopen("devpts", FSOPEN_CLOEXEC);

        if (fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) == 0 &&
            fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
            mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        *leader = openat(mount, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        close(mount);
        close(fs);
    }
    if (*leader < 0 || ioctl(*leader, TIOCSPTLCK, &unlocked) < 0)
        return -1;
    *follower = ioctl(*leader, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return *follower < 0 ? -1 : 0;
}

#endif
