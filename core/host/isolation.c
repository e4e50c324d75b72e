#include "host/isolation.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "picket/plugin.h"

/* Not <sys/mount.h>: it and the kernel's header both have these before glibc 2.37. */
#define MOUNT_REC   16384
#define MOUNT_SLAVE (1 << 19)
#define PROC_FLAGS  14 /* no set-user-id, devices, programs */

static long mount_at(const char *what, const char *where, unsigned long flags, const char *data)
{
    return syscall(SYS_mount, what, where, what, flags, data);
}

static bool leave_mounts(void)
{
    /* As root of a chroot is no mount, it cannot be changed by itself. */
    return unshare(CLONE_NEWNS) == 0 && mount_at(NULL, "/", MOUNT_REC | MOUNT_SLAVE, NULL) == 0;
}

static bool restrict_files(bool programs)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID |
                                                (programs ? 0U : (unsigned)MOUNT_ATTR_RDONLY)};

    return syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes,
                   sizeof attributes) == 0;
}

/* Programs look at more of it than what is of processes. Before Linux 5.8 no /proc has options of
 * its own. */
static bool replace_proc(bool programs)
{
    const char *options = programs ? "hidepid=invisible" : "hidepid=invisible,subset=pid";

    return mount_at("proc", "/proc", PROC_FLAGS, options) == 0;
}

unsigned isolation_enter(uint32_t needs)
{
    bool programs = needs & PICKET_NEEDS_PROGRAMS;
    unsigned lacking = 0;

    if (!leave_mounts())
        lacking |= ISOLATION_FILES | ISOLATION_PROC;
    else if (!restrict_files(programs))
        lacking |= ISOLATION_FILES;
    if (!(lacking & ISOLATION_PROC) && !replace_proc(programs))
        lacking |= ISOLATION_PROC;
    if (unshare(CLONE_NEWIPC) < 0)
        lacking |= ISOLATION_IPC;
    if (!(needs & PICKET_NEEDS_NETWORK) && unshare(CLONE_NEWNET) < 0)
        lacking |= ISOLATION_NETWORK;
    return lacking;
}

void isolation_put(unsigned set, struct buffer *out)
{
    static const char *const names[] = {"processes", "files", "/proc", "shared memory", "network"};
    const char *comma = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(set >> i & 1))
            continue;
        buffer_printf(out, "%s%s", comma, names[i]);
        comma = ", ";
    }
}
