#include "host/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "broker/rights.h"
#include "broker/session.h"
#include "broker/system_calls.h"
#include "picket/plugin.h"

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

static int limit_memory(int64_t memory)
{
    int64_t now = data_now();

    if (now < 0)
        return -ENODATA;
    rlim_t most = (rlim_t)(now + memory);
    const struct rlimit data = {most, most};

    return setrlimit(RLIMIT_DATA, &data) < 0 ? -errno : 0;
}

/* What no limit of memory counts, the kernel's own, is bounded by how many there are. */
#define FILES_MAX 1024
#define TASKS_MAX 4096

static int limit_number(int resource, rlim_t most)
{
    struct rlimit limit;

    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
        return -errno;
    most = limit.rlim_max < most ? limit.rlim_max : most;
    limit = (struct rlimit){most, most};
    return setrlimit((__rlimit_resource_t)resource, &limit) < 0 ? -errno : 0;
}

/* Tasks are counted by user: the starter's own are not to be in the way. */
static int limit_numbers(bool is_chosen)
{
    int r = limit_number(RLIMIT_NOFILE, FILES_MAX);

    return r == 0 && is_chosen ? limit_number(RLIMIT_NPROC, TASKS_MAX) : r;
}

static int leave_group(pid_t parent)
{
    session_leave();
    /* Changing the user cleared it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* What no output needs, nor who starts them. Names this libseccomp or machine does not know are
 * passed over. */
static const char *const denied[] = {
    /* look into other processes, or reach into them */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease",
    "pidfd_getfd", "kcmp", "move_pages", "migrate_pages", "perf_event_open",
    /* weigh on others of the same user */
    "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity", "setpriority",
    "ioprio_set",
    /* take memory that no limit of the process counts, or what the machine has a number of */
    "memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open", "io_setup",
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

/* What only the launcher may, and hosts that need programs. */
static const char *const starting[] = {"execve", "execveat", "fork", "vfork"};

/* And those only where they have none but themselves to signal. */
static const char *const signalling[] = {"tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
                                         "pidfd_open", "pidfd_send_signal"};

/* Ways to become another user that the launcher does not need. */
static const char *const denied_to_launcher[] = {"setuid",   "setgid",   "setreuid",
                                                 "setregid", "setfsuid", "setfsgid"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int deny_names(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

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

/* Of ioctl and fcntl, whatever else they are given. */
#define REQUEST(of) SCMP_A1(SCMP_CMP_MASKED_EQ, CALL_LOW_WORD, of)

static int deny_arguments(scmp_filter_ctx filter, const struct denied_argument *rules, size_t count)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        unsigned compares = rules[i].compares[1].op ? 2 : 1;

        r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), rules[i].number, compares,
                                   rules[i].compares);
    }
    return r;
}

/* What nobody had thought of when the names above were chosen: as if the kernel were older, which C
 * libraries know to handle. A filter of its own, as the other one knows calls by name alone. */
static int deny_later_calls(void)
{
    int last = seccomp_syscall_resolve_name("set_mempolicy_home_node"); /* Linux 5.17 */

    if (last < 0)
        return 0;
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)last, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof instructions / sizeof *instructions, instructions};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

/* What neither a host nor the launcher may. */
static int deny_all_of_them(scmp_filter_ctx filter)
{
    const struct denied_argument rules[] = {
        {SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_NE, 0)}},
        {SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)}},
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, CALL_LOW_WORD, PR_SET_PTRACER)}},
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
    /* clone3 hides its flags from filters: the C library falls back to clone. */
    int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

    if (r == 0)
        r = deny_names(filter, denied, COUNT(denied));
    return r < 0 ? r : deny_arguments(filter, rules, COUNT(rules));
}

static int deny_programs(scmp_filter_ctx filter)
{
    /* Threads, not processes. */
    const struct denied_argument rule = {SCMP_SYS(clone),
                                         {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)}};
    int r = deny_names(filter, starting, COUNT(starting));

    return r < 0 ? r : deny_arguments(filter, &rule, 1);
}

static int deny_signals(scmp_filter_ctx filter)
{
    const scmp_datum_t self = (scmp_datum_t)getpid();
    const struct denied_argument rules[] = {
        {SCMP_SYS(kill), {SCMP_A0(SCMP_CMP_NE, self)}},
        {SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_NE, self)}},
    };
    int r = deny_names(filter, signalling, COUNT(signalling));

    return r < 0 ? r : deny_arguments(filter, rules, COUNT(rules));
}

/* All families of sockets but Unix, and IPv4, IPv6 and routes' Netlink (by which names are looked
 * up). */
static int deny_sockets(scmp_filter_ctx filter, bool network)
{
    const struct denied_argument but_unix = {SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_NE, AF_UNIX)}};
    const struct denied_argument later = {SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_GT, AF_NETLINK)}};
    const struct denied_argument but_routes = {
        SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, AF_NETLINK), SCMP_A2(SCMP_CMP_NE, NETLINK_ROUTE)}};
    int r = deny_arguments(filter, network ? &later : &but_unix, 1);

    if (network && r == 0)
        r = deny_arguments(filter, &but_routes, 1);

    for (scmp_datum_t family = 0; network && r == 0 && family < AF_NETLINK; family++) {
        const struct denied_argument rule = {SCMP_SYS(socket), {SCMP_A0(SCMP_CMP_EQ, family)}};

        if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
            r = deny_arguments(filter, &rule, 1);
    }
    return r;
}

static int deny_to_host(scmp_filter_ctx filter)
{
    const struct denied_argument rules[] = {
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, CALL_LOW_WORD, PR_SET_PDEATHSIG)}},
        {SCMP_SYS(prctl), {SCMP_A0(SCMP_CMP_MASKED_EQ, CALL_LOW_WORD, PR_SET_DUMPABLE)}},
        /* Memory the limit does not count: shared, and stacks that are mapped to grow. */
        {SCMP_SYS(mmap),
         {SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS)}},
        {SCMP_SYS(mmap), {SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_GROWSDOWN, MAP_GROWSDOWN)}},
    };

    return deny_arguments(filter, rules, COUNT(rules));
}

static int deny_what_is_not_needed(scmp_filter_ctx filter, const struct confinement *confinement)
{
    bool programs = confinement->needs & PICKET_NEEDS_PROGRAMS;
    int r = deny_sockets(filter, confinement->needs & PICKET_NEEDS_NETWORK);

    if (r == 0 && !programs)
        r = deny_programs(filter);
    if (r == 0 && !(programs && confinement->apart))
        r = deny_signals(filter);
    return r;
}

/* The rules of hosts are the launcher's, too: a filter is inherited. */
static int deny_to_launcher(scmp_filter_ctx filter, uid_t uid, gid_t gid)
{
    const struct denied_argument rules[] = {
        {SCMP_SYS(setresuid), {SCMP_A0(SCMP_CMP_NE, uid)}},
        {SCMP_SYS(setresuid), {SCMP_A1(SCMP_CMP_NE, uid)}},
        {SCMP_SYS(setresuid), {SCMP_A2(SCMP_CMP_NE, uid)}},
        {SCMP_SYS(setresgid), {SCMP_A0(SCMP_CMP_NE, gid)}},
        {SCMP_SYS(setresgid), {SCMP_A1(SCMP_CMP_NE, gid)}},
        {SCMP_SYS(setresgid), {SCMP_A2(SCMP_CMP_NE, gid)}},
        {SCMP_SYS(setgroups), {SCMP_A0(SCMP_CMP_NE, 0)}},
    };
    int r = deny_names(filter, denied_to_launcher, COUNT(denied_to_launcher));

    return r < 0 ? r : deny_arguments(filter, rules, COUNT(rules));
}

static void release(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

int confinement_enter(const struct confinement *confinement)
{
    CLEANUP(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (!filter)
        return -ENOMEM;
    volunteer_for_oom_killer(); /* before it hides from its own user */
    /* Launchers pass that on when they have it, and with it the choice of a user. */
    bool is_chosen = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0) == 1;
    int r = rights_reduce(&(struct rights){.uid = confinement->uid, .gid = confinement->gid});

    if (r == 0)
        r = leave_group(confinement->parent);
    if (r == 0)
        r = limit_memory(confinement->memory);
    if (r == 0)
        r = limit_numbers(is_chosen);
    if (r == 0)
        r = deny_later_calls();
    if (r == 0)
        r = deny_all_of_them(filter);
    if (r == 0)
        r = deny_to_host(filter);
    if (r == 0)
        r = deny_what_is_not_needed(filter, confinement);
    return r < 0 ? r : seccomp_load(filter);
}

int confinement_enter_launcher(uid_t uid, gid_t gid)
{
    CLEANUP(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int r = filter ? deny_all_of_them(filter) : -ENOMEM;

    if (r == 0)
        r = deny_to_launcher(filter, uid, gid);
    return r < 0 ? r : seccomp_load(filter);
}
