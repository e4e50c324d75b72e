#include "engine/priority.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

int priority_raise(void)
{
    struct sched_attr attr = {.size = sizeof attr};

    if (syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0) < 0)
        return -errno;
    if (attr.sched_policy != SCHED_NORMAL || attr.sched_nice != 0)
        return 0;
    attr = (struct sched_attr){
        .size = sizeof attr,
        .sched_policy = SCHED_NORMAL,
        .sched_nice = PRIORITY_NICE,
        .sched_runtime = PRIORITY_SLICE,
    };
    return syscall(SYS_sched_setattr, 0, &attr, 0) < 0 ? -errno : 0;
}
