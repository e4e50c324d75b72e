#include "output/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"

static void cap_freep(cap_t *caps)
{
    if (*caps)
        cap_free(*caps);
}

static int drop_bounding_set(void)
{
    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
        if (cap_drop_bound(cap) < 0)
            return -errno;
    return 0;
}

static int become(uid_t uid, gid_t gid)
{
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    /* A kernel that lets us return has not done what it said. */
    return setresuid(0, 0, 0) == 0 ? -EPERM : 0;
}

static int drop_privileges(const struct confinement *confinement)
{
    CLEANUP(cap_freep) cap_t none = cap_init();
    int r = 0;

    if (!none)
        return -errno;
    if (geteuid() == 0) {
        r = drop_bounding_set();
        if (r == 0)
            r = become(confinement->uid, confinement->gid);
    }
    if (r < 0)
        return r;
    if (cap_reset_ambient() < 0 || cap_set_proc(none) < 0)
        return -errno;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* Private memory in use, in bytes: what RLIMIT_DATA counts. */
static int64_t data_now(void)
{
    CLEANUP(fclosep) FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    int64_t kib;

    while (status && fgets(line, sizeof line, status)) {
        struct text value = text_from(line);

        if (!text_is(text_split(&value, ':'), "VmData"))
            continue;
        value = text_trim(value);
        if (text_to_int(text_split(&value, ' '), &kib) == 0)
            return kib * 1024;
    }
    return -1;
}

/* What the memory limit does not count, threads and files in memory, may still use up the machine:
 * then it is this process that goes, not what is being watched. */
static void volunteer_for_oom_killer(void)
{
    CLEANUP(fclosep) FILE *score = fopen("/proc/self/oom_score_adj", "we");

    if (score)
        fputs("1000", score);
}

static int limit_resources(int64_t memory)
{
    const struct rlimit none = {0, 0};
    int64_t now = data_now();

    if (setrlimit(RLIMIT_CORE, &none) < 0)
        return -errno;
    if (now < 0)
        return -ENODATA;
    rlim_t most = (rlim_t)(now + memory);
    const struct rlimit data = {most, most};

    return setrlimit(RLIMIT_DATA, &data) < 0 ? -errno : 0;
}

static int leave_group(pid_t parent)
{
    static const int ignored[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                  SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};

    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    setsid();
    /* Changing the user cleared both of these: they come after it. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* What no output needs. Names this libseccomp or machine does not know are passed over. */
static const char *const denied[] = {
    /* look into other processes, or reach into them */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "kcmp", "move_pages", "migrate_pages",
    "perf_event_open",
    /* start programs or processes */
    "execve", "execveat", "fork", "vfork",
    /* signal, and weigh on, others of the same user */
    "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sched_setscheduler", "sched_setparam",
    "sched_setattr", "sched_setaffinity", "setpriority", "ioprio_set",
    /* take memory that no limit of the process counts */
    "memfd_create", "memfd_secret", "shmget",
    /* the kernel's larger doors */
    "bpf", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl",
    "add_key", "request_key", "fanotify_init", "open_by_handle_at", "personality", "modify_ldt",
    "vm86", "vm86old", "iopl", "ioperm", "lookup_dcookie", "syslog", "acct", "quotactl",
    "quotactl_fd", "nfsservctl", "vhangup", "uselib",
    /* mounts and namespaces */
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "setns", "unshare",
    /* the machine */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "create_module",
    "delete_module", "reboot", "swapon", "swapoff", "settimeofday", "stime", "clock_settime",
    "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "sethostname",
    "setdomainname"};

static int deny_names(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
        int number = seccomp_syscall_resolve_name(denied[i]);

        if (number == __NR_SCMP_ERROR)
            continue;
        int r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 0, NULL);

        if (r < 0 && r != -EDOM)
            return r;
    }
    return 0;
}

struct denied_argument {
    int number;
    struct scmp_arg_cmp compares[2]; /* both, or the first alone */
};

/* The kernel reads these arguments as 32 bits: so must the filter, or upper bits pass it by. */
#define LOW_WORD 0xffffffffU

/* Of ioctl and fcntl, whatever else they are given. */
#define REQUEST(of) SCMP_A1(SCMP_CMP_MASKED_EQ, LOW_WORD, of)

static int deny_arguments(scmp_filter_ctx filter)
{
    const scmp_datum_t self = (scmp_datum_t)getpid();
    const struct denied_argument rules[] = {
        {SCMP_SYS(kill), {SCMP_A0(SCMP_CMP_NE, self)}},
        {SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_NE, self)}},
        {SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_NE, 0)}},
        /* Threads, not processes. clone3 hides its flags from filters: the C library falls back. */
        {SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)}},
        {SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)}},
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_WORD, PR_SET_PDEATHSIG)}},
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_WORD, PR_SET_DUMPABLE)}},
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, LOW_WORD, PR_SET_PTRACER)}},
        /* Memory the limit does not count: shared, and stacks that are mapped to grow. */
        {SCMP_SYS(mmap),
         {SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS)}},
        {SCMP_SYS(mmap), {SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_GROWSDOWN, MAP_GROWSDOWN)}},
        /* Typing into the terminal that an output prints on. */
        {SCMP_SYS(ioctl), {REQUEST(TIOCSTI)}},
        {SCMP_SYS(ioctl), {REQUEST(TIOCLINUX)}},
        {SCMP_SYS(ioctl), {REQUEST(TIOCSCTTY)}},
        /* Having the kernel send a signal, any, to any process when a descriptor becomes ready. A
         * terminal picks its foreground group by itself. */
        {SCMP_SYS(fcntl), {REQUEST(F_SETOWN)}},
        {SCMP_SYS(fcntl), {REQUEST(F_SETOWN_EX)}},
        {SCMP_SYS(fcntl), {REQUEST(F_SETSIG)}},
        {SCMP_SYS(fcntl), {REQUEST(F_SETFL), SCMP_A2(SCMP_CMP_MASKED_EQ, O_ASYNC, O_ASYNC)}},
        {SCMP_SYS(ioctl), {REQUEST(FIOSETOWN)}},
        {SCMP_SYS(ioctl), {REQUEST(SIOCSPGRP)}},
        {SCMP_SYS(ioctl), {REQUEST(FIOASYNC)}},
    };
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    for (size_t i = 0; r == 0 && i < sizeof rules / sizeof *rules; i++) {
        unsigned count = rules[i].compares[1].op ? 2 : 1;

        r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), rules[i].number, count,
                                   rules[i].compares);
    }
    return r;
}

static int filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (!filter)
        return -ENOMEM;
    int r = deny_names(filter);

    if (r == 0)
        r = deny_arguments(filter);
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}

int confinement_enter(const struct confinement *confinement)
{
    volunteer_for_oom_killer(); /* root alone may, once changing the user has hidden the process */
    int r = drop_privileges(confinement);

    if (r == 0)
        r = leave_group(confinement->parent);
    if (r == 0)
        r = limit_resources(confinement->memory);
    return r < 0 ? r : filter_calls();
}
