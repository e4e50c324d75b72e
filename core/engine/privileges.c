#include "engine/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/account.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "broker/rights.h"
#include "broker/system_calls.h"

#define NOBODY 65534

struct privileges privileges_default(void)
{
    struct account found;

    if (account_find("picket", &found) < 0 && account_find("nobody", &found) < 0)
        return (struct privileges){NOBODY, NOBODY};
    return (struct privileges){found.uid, found.gid};
}

int privileges_find(const char *user, struct privileges *out, struct buffer *why)
{
    struct account found;

    if (account_find(user, &found) < 0) {
        buffer_printf(why, "there is no user '%s' in /etc/passwd", user);
        return -EINVAL;
    }
    if (found.uid == 0) {
        buffer_printf(why, "'%s' is root: the engine is to run as somebody who may do nothing else",
                      user);
        return -EINVAL;
    }
    *out = (struct privileges){found.uid, found.gid};
    return 0;
}

/* Of ioctl and fcntl. */
#define REQUEST(of)                     \
    {                                   \
        CALL_BITS(1, CALL_LOW_WORD, of) \
    }

/* What an engine at work does, and the C library on its behalf. */
static const struct call_rule allowed[] = {
    /* what is open already: hosts, brokers, the sensor, the clock, standard error, a recording */
    {"read readv pread64 write writev pwrite64 lseek _llseek sendmsg sendto send recvmsg recvfrom "
     "recv close fsync fdatasync"},
    {"fcntl fcntl64", REQUEST(F_GETFD)},
    {"fcntl fcntl64", REQUEST(F_SETFD)},
    {"fcntl fcntl64", REQUEST(F_GETFL)},
    {"fcntl fcntl64", REQUEST(F_DUPFD_CLOEXEC)},
    /* the journal: SQLite's locks, and the length of its files; who opens them is another process
     */
    {"fcntl fcntl64", REQUEST(F_GETLK)},
    {"fcntl fcntl64", REQUEST(F_SETLK)},
    {"ftruncate ftruncate64"},
    {"ioctl", REQUEST(TCGETS)},
    {"ioctl", REQUEST(FIONREAD)},
    /* waiting for it */
    {"poll ppoll ppoll_time64 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 "
     "timerfd_create timerfd_settime timerfd_settime64"},
    /* reading: /proc, user names, rules, time zones */
    {"open", {CALL_READING(1)}},
    {"openat", {CALL_READING(2)}},
    {"stat lstat fstat newfstatat stat64 lstat64 fstat64 fstatat64 statx statfs statfs64 fstatfs "
     "fstatfs64 access faccessat faccessat2 readlink readlinkat getdents64 getcwd fadvise64"},
    /* noticing that rules changed, and taking time to read them: who calls may only become nicer */
    {"inotify_init1 inotify_add_watch"},
    {"setpriority", {{0, SCMP_CMP_EQ, PRIO_PROCESS}, {1, SCMP_CMP_EQ, 0}}},
    /* memory; executable, too: compiled regular expressions */
    {"brk mmap mmap2 munmap mremap mprotect madvise"},
    /* threads, not processes */
    {"clone", {CALL_BITS(0, CLONE_THREAD, CLONE_THREAD)}},
    {"futex futex_time64 set_robust_list rseq gettid sched_yield sched_getaffinity membarrier exit "
     "exit_group"},
    {"prctl", {CALL_BITS(0, CALL_LOW_WORD, PR_SET_NAME)}},
    /* signals to itself; to its own thread alone, which abort() does, see filter_calls() */
    {"rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack "
     "restart_syscall"},
    /* how brokers ended */
    {"wait4 waitid waitpid"},
    /* time, chance, what machine this is and who it is itself */
    {"clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep "
     "clock_nanosleep_time64 nanosleep gettimeofday time getrandom uname sysinfo getcpu getrusage "
     "getpid getppid getuid geteuid getgid getegid getrlimit ugetrlimit"},
    {"prlimit64", {{0, SCMP_CMP_EQ, 0}, {2, SCMP_CMP_EQ, 0}}},
    /* the sensor: its counts, and its end */
    {"bpf", {CALL_BITS(0, CALL_LOW_WORD, BPF_OBJ_GET_INFO_BY_FD)}},
    {"ioctl", REQUEST(PERF_EVENT_IOC_DISABLE)},
};

#define ALLOWED_COUNT (sizeof allowed / sizeof *allowed)

static int filter_calls(void)
{
    struct call_rule rules[ALLOWED_COUNT + 1];

    memcpy(rules, allowed, sizeof allowed);
    rules[ALLOWED_COUNT] = (struct call_rule){"tgkill", {{0, SCMP_CMP_EQ, (scmp_datum_t)getpid()}}};
    return system_calls_allow(rules, ALLOWED_COUNT + 1);
}

/* What came with the program's start is not close-on-exec, and all of our own is. */
static int close_inherited(void)
{
    CLEANUP(closedirp) DIR *dir = opendir("/proc/self/fd");

    if (!dir)
        return -errno;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t fd;

        if (text_to_int(text_from(entry->d_name), &fd) < 0 || fd <= STDERR_FILENO)
            continue;
        int flags = fcntl((int)fd, F_GETFD);

        if (flags >= 0 && !(flags & FD_CLOEXEC))
            close((int)fd);
    }
    return 0;
}

int privileges_drop(const struct privileges *privileges)
{
    int r = close_inherited();

    if (r == 0)
        r = rights_reduce(&(struct rights){.uid = privileges->uid, .gid = privileges->gid});
    if (r == 0 && geteuid() == 0)
        log_warning("running on as root, without its capabilities: CAP_SETUID and CAP_SETGID, to "
                    "become another user, are missing");
    if (r == 0) {
        umask(077);
        r = filter_calls();
    }
    if (r < 0)
        log_error("the privileges of the start cannot be given up: %s", strerror(-r));
    return r;
}
