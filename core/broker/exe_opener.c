#include "broker/exe_opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "broker/broker.h"
#include "broker/system_calls.h"

enum { OPERATION_OPEN };
enum { ARGUMENT_PID, ARGUMENT_DEVICE, ARGUMENT_INODE, ARGUMENT_CTIME };

struct exe_opener {
    struct broker broker;
};

/* The opener's own, once it is forked. */
struct opener_service {
    int proc;
};

/* Requests, and what the C library does by itself. */
static const struct call_rule calls[] = {
    {"recvfrom recv sendmsg close fstat fstat64 exit_group rt_sigreturn restart_syscall"},
    {"openat", {CALL_READING(2)}},
    {"newfstatat", {CALL_BITS(3, AT_EMPTY_PATH, AT_EMPTY_PATH)}}, /* as fstat */
    /* saying what went wrong: the C library, and sanitizers, which ask two things more */
    {"write", {{0, SCMP_CMP_EQ, STDERR_FILENO}}},
    {"sigaltstack gettid"},
};

static int confine(void *context)
{
    return system_calls_allow(calls, sizeof calls / sizeof *calls);
}

/* Some file systems (btrfs, some layers of overlayfs) tell stat(2) another device than their
 * superblock's: there, a file of that inode number which was last changed in that very moment is
 * the one. */
static bool is_wanted(const struct stat *file, const int64_t *wanted)
{
    const uint64_t device = (uint64_t)wanted[ARGUMENT_DEVICE];
    int64_t ctime = file->st_ctim.tv_sec * NS_PER_S + file->st_ctim.tv_nsec;

    return S_ISREG(file->st_mode) && file->st_ino == (uint64_t)wanted[ARGUMENT_INODE] &&
           ((major(file->st_dev) == device >> 20 && minor(file->st_dev) == (device & 0xfffff)) ||
            ctime == wanted[ARGUMENT_CTIME]);
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    const struct opener_service *service = context;
    const int64_t *wanted = request->arguments;
    struct stat file;
    char path[32];

    if (request->operation != OPERATION_OPEN || wanted[ARGUMENT_PID] <= 0)
        return -EINVAL;
    snprintf(path, sizeof path, "%lld/exe", (long long)wanted[ARGUMENT_PID]);
    int fd = openat(service->proc, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    if (fstat(fd, &file) < 0 || !is_wanted(&file, wanted)) {
        close(fd);
        return -ESTALE;
    }
    out->files[out->file_count++] = fd;
    return 0;
}

static int start(uid_t uid, gid_t gid, struct broker *broker)
{
    CLEANUP(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct opener_service service = {.proc = proc};

    if (proc < 0)
        return -errno;
    return broker_start(broker,
                        &(struct broker_service){
                            .name = "picket-opener",
                            .rights = {.uid = uid,
                                       .gid = gid,
                                       .kept = RIGHT(CAP_SYS_PTRACE) | RIGHT(CAP_DAC_READ_SEARCH)},
                            .files = &service.proc,
                            .file_count = 1,
                            .confine = confine,
                            .answer = answer,
                            .context = &service});
}

int exe_opener_new(uid_t uid, gid_t gid, struct exe_opener **out)
{
    struct exe_opener *opener = calloc(1, sizeof *opener);

    if (!opener)
        return -ENOMEM;
    int r = start(uid, gid, &opener->broker);

    if (r < 0) {
        free(opener);
        return r;
    }
    *out = opener;
    return 0;
}

void exe_opener_free(struct exe_opener *opener)
{
    if (!opener)
        return;
    broker_deinit(&opener->broker);
    free(opener);
}

bool exe_opener_is_gone(const struct exe_opener *opener)
{
    struct pollfd dead = {.fd = opener->broker.pidfd, .events = POLLIN};

    return poll(&dead, 1, 0) == 1;
}

int exe_opener_open(struct exe_opener *opener, const struct exe_wanted *wanted, int *out)
{
    const struct broker_request request = {
        .operation = OPERATION_OPEN,
        .arguments = {[ARGUMENT_PID] = wanted->pid,
                      [ARGUMENT_DEVICE] = (int64_t)wanted->device,
                      [ARGUMENT_INODE] = (int64_t)wanted->inode,
                      [ARGUMENT_CTIME] = wanted->ctime},
    };
    struct broker_answer answer;
    int r = broker_call(&opener->broker, &request, EXE_OPENER_TIME, &answer);

    if (r == 0)
        *out = answer.files[0];
    return r;
}
