#include "broker/responder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>

#include "base/clock.h"
#include "base/text.h"
#include "broker/broker.h"
#include "broker/rate_limit.h"
#include "broker/system_calls.h"

#define MINUTE (60 * NS_PER_S)

/* proc_pid_stat(5) counts in these. */
#define TICK_NS (NS_PER_S / 100)

/* Of the processes above one that are looked at for the engine. */
#define GENERATIONS_MAX 64

/* The operation is an enum responder_action. */
enum {
    ARGUMENT_PID,
    ARGUMENT_START,
    ARGUMENT_UNTIL /* when nobody waits for the answer any more, and was told that it failed */
};

struct responder {
    struct broker broker;
};

/* The responder's own, once it is forked. */
struct responder_service {
    int proc;
    pid_t engine;
    struct rate_limit signals;
};

/* Requests, looking, and what the C library does by itself. */
static const struct call_rule calls[] = {
    {"recvfrom recv sendmsg close exit_group rt_sigreturn restart_syscall"},
    {"pidfd_open read poll ppoll ppoll_time64 clock_gettime clock_gettime64"},
    {"openat", {CALL_READING(2)}},
    /* saying what went wrong: the C library, and sanitizers, which ask two things more */
    {"write", {{0, SCMP_CMP_EQ, STDERR_FILENO}}},
    {"sigaltstack gettid"},
    /* only for who may signal at all */
    {"pidfd_send_signal", {{1, SCMP_CMP_EQ, SIGSTOP}, {2, SCMP_CMP_EQ, 0}}},
    {"pidfd_send_signal", {{1, SCMP_CMP_EQ, SIGKILL}, {2, SCMP_CMP_EQ, 0}}},
};

#define CALL_COUNT     (sizeof calls / sizeof *calls)
#define SIGNALLING     2 /* the last so many */
#define WITHOUT_SIGNAL (CALL_COUNT - SIGNALLING)

static int confine(void *context)
{
    const struct responder_service *service = context;

    return system_calls_allow(calls, service->signals.limit ? CALL_COUNT : WITHOUT_SIGNAL);
}

/* What /proc says of a process. */
struct look {
    int64_t parent, flags, ticks;
};

/* The name in parentheses may hold any byte: the last one ends it. */
static int parse_stat(struct text line, struct look *out)
{
    enum { STATE, PARENT, FLAGS = 6, START = 19, COUNT };
    const char *close = line.len ? memrchr(line.ptr, ')', line.len) : NULL;
    struct text words[COUNT];

    if (!close)
        return -EPROTO;
    struct text rest = {close + 1, (size_t)(line.ptr + line.len - close - 1)};

    text_split(&rest, ' ');
    for (size_t i = 0; i < COUNT; i++)
        words[i] = text_split(&rest, ' ');
    if (text_to_int(words[PARENT], &out->parent) < 0 ||
        text_to_int(words[FLAGS], &out->flags) < 0 || text_to_int(words[START], &out->ticks) < 0)
        return -EPROTO;
    return 0;
}

static int look_at(const struct responder_service *service, int64_t pid, struct look *out)
{
    char path[32], line[1024];

    snprintf(path, sizeof path, "%lld/stat", (long long)pid);
    CLEANUP(closep) int fd = openat(service->proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, line, sizeof line);

    if (got < 0)
        return -errno;
    return parse_stat((struct text){line, (size_t)got}, out);
}

/* The kernel cuts the time down to a tick; the event's may be off by the slack. */
static bool is_target(const struct look *look, int64_t start)
{
    int64_t first, last;

    if (__builtin_sub_overflow(start, RESPONDER_SLACK, &first) ||
        __builtin_add_overflow(start, RESPONDER_SLACK, &last))
        return false;
    return look->ticks >= first / TICK_NS && look->ticks <= last / TICK_NS;
}

/* Whether it descends from the engine: hosts, brokers, and what they have started. */
static bool is_own(const struct responder_service *service, int64_t pid, struct look look)
{
    if (pid == service->engine)
        return true;
    for (unsigned i = 0; i < GENERATIONS_MAX && look.parent > 1; i++) {
        if (look.parent == service->engine)
            return true;
        if (look_at(service, look.parent, &look) < 0)
            return false;
    }
    return false;
}

static bool has_ended(int pidfd)
{
    struct pollfd process = {.fd = pidfd, .events = POLLIN};

    return poll(&process, 1, 0) != 0;
}

/* Who may be signalled as PIDFD: RESPONDER_DONE, or why not; -errno. */
static int judge(const struct responder_service *service, int pidfd, const int64_t *arguments)
{
    struct look look = {0};
    int r = look_at(service, arguments[ARGUMENT_PID], &look);

    /* Alive now, it was there all the while, and what was read is its own. */
    if (has_ended(pidfd))
        return RESPONDER_GONE;
    if (r < 0)
        return r == -ENOENT ? -EACCES : r;
    if (!is_target(&look, arguments[ARGUMENT_START]))
        return RESPONDER_OTHER;
    if (look.flags & 0x00200000) /* PF_KTHREAD */
        return RESPONDER_KERNEL;
    return is_own(service, arguments[ARGUMENT_PID], look) ? RESPONDER_OWN : RESPONDER_DONE;
}

static int give_signal(struct responder_service *service, int pidfd, uint32_t action, int64_t until)
{
    int64_t now = clock_monotonic();

    if (action == RESPONDER_LOOK)
        return RESPONDER_DONE;
    if (now >= until)
        return -ETIMEDOUT;
    if (!rate_limit_allows(&service->signals, now))
        return RESPONDER_LIMIT;
    if (pidfd_send_signal(pidfd, action == RESPONDER_STOP ? SIGSTOP : SIGKILL, NULL, 0) < 0)
        return errno == ESRCH ? RESPONDER_GONE : -errno;
    rate_limit_count(&service->signals, now);
    return RESPONDER_DONE;
}

static int answer(void *context, const struct broker_request *request, struct broker_answer *out)
{
    struct responder_service *service = context;
    int64_t pid = request->arguments[ARGUMENT_PID];

    if (request->operation > RESPONDER_KILL || pid <= 0 || pid > INT32_MAX)
        return -EINVAL;
    out->value = RESPONDER_INIT;
    if (pid == 1)
        return 0;
    CLEANUP(closep) int pidfd = pidfd_open((pid_t)pid, 0);

    if (pidfd < 0 && errno != ESRCH && errno != EINVAL && errno != ENOENT)
        return -errno;
    /* Of a number that is a thread's the kernel says EINVAL or, later, ENOENT. */
    int r = pidfd >= 0       ? judge(service, pidfd, request->arguments)
            : errno == ESRCH ? RESPONDER_GONE
                             : RESPONDER_OTHER;

    if (r == RESPONDER_DONE)
        r = give_signal(service, pidfd, request->operation, request->arguments[ARGUMENT_UNTIL]);
    out->value = r;
    return r < 0 ? r : 0;
}

static int start(const struct responder_options *options, struct responder_service *service,
                 struct broker *broker)
{
    const uint64_t kill = options->limit ? RIGHT(CAP_KILL) : 0;

    return broker_start(
        broker,
        &(struct broker_service){.name = "picket-respond",
                                 .rights = {.uid = options->uid, .gid = options->gid, .kept = kill},
                                 .files = &service->proc,
                                 .file_count = 1,
                                 .confine = confine,
                                 .answer = answer,
                                 .context = service});
}

static int fork_off(const struct responder_options *options, struct broker *broker)
{
    CLEANUP(closep) int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct responder_service service = {.proc = proc, .engine = getpid()};

    if (proc < 0)
        return -errno;
    int r = rate_limit_init(&service.signals, options->limit, MINUTE);

    if (r == 0)
        r = start(options, &service, broker);
    rate_limit_deinit(&service.signals);
    return r;
}

int responder_new(const struct responder_options *options, struct responder **out)
{
    struct responder *responder = calloc(1, sizeof *responder);
    int r = responder ? fork_off(options, &responder->broker) : -ENOMEM;

    if (r < 0) {
        free(responder);
        return r;
    }
    *out = responder;
    return 0;
}

void responder_free(struct responder *responder)
{
    if (!responder)
        return;
    broker_deinit(&responder->broker);
    free(responder);
}

int responder_act(struct responder *responder, enum responder_action action,
                  const struct responder_target *target, enum responder_result *out)
{
    const struct broker_request request = {
        .operation = action,
        .arguments = {[ARGUMENT_PID] = target->pid,
                      [ARGUMENT_START] = target->start,
                      [ARGUMENT_UNTIL] = clock_monotonic() + RESPONDER_TIME * NS_PER_MS}};
    struct broker_answer answer;
    int r = broker_call(&responder->broker, &request, RESPONDER_TIME, &answer);

    if (r == 0)
        *out = (enum responder_result)answer.value;
    return r;
}
