#include "broker/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "broker/session.h"

#define START_TIME 10000 /* ms */
#define END_TIME   1000

/* What goes back, beside the descriptors. */
struct reply {
    uint32_t serial;
    int32_t result;
    int64_t value;
};

/* Room for descriptors beside a message. */
union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(BROKER_FILES * sizeof(int))];
};

static void close_files(struct broker_answer *answer)
{
    while (answer->file_count)
        close(answer->files[--answer->file_count]);
}

static bool send_reply(int socket, const struct reply *reply, const struct broker_answer *answer)
{
    union control control = {.bytes = {0}};
    struct iovec from = {(void *)reply, sizeof *reply};
    struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};
    size_t len = answer->file_count * sizeof *answer->files;
    ssize_t sent;

    if (len) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(len);
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(&control.align), answer->files, len);
    }
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

/* False: the engine is gone. */
static bool answer_request(int socket, const struct broker_service *service,
                           const struct broker_request *request)
{
    struct broker_answer answer = {0};
    struct reply reply = {.serial = request->serial};

    reply.result = service->answer(service->context, request, &answer);
    reply.value = answer.value;
    bool sent = send_reply(socket, &reply, &answer);

    if (!sent && errno != EPIPE && answer.file_count) {
        /* Too many descriptors are under way already. */
        reply.result = -errno;
        sent = send_reply(socket, &reply, &(struct broker_answer){0});
    }
    close_files(&answer);
    return sent;
}

_Noreturn static void serve(int socket, const struct broker_service *service)
{
    struct broker_request request;

    for (;;) {
        ssize_t got = recv(socket, &request, sizeof request, MSG_TRUNC);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            _exit(EXIT_SUCCESS);
        if (got != sizeof request) {
            const struct reply refusal = {.result = -EBADMSG};

            if (!send_reply(socket, &refusal, &(struct broker_answer){0}))
                _exit(EXIT_SUCCESS);
        } else if (!answer_request(socket, service, &request)) {
            _exit(EXIT_SUCCESS);
        }
    }
}

/* The lowest of the service's descriptors, and of SOCKET, from FIRST on; ~0U: none. */
static unsigned next_kept(const struct broker_service *service, int socket, unsigned first)
{
    unsigned lowest = (unsigned)socket >= first ? (unsigned)socket : ~0U;

    for (size_t i = 0; i < service->file_count; i++) {
        unsigned fd = (unsigned)service->files[i]; /* -1, none, is above all */

        if (fd >= first && fd < lowest)
            lowest = fd;
    }
    return lowest;
}

static void close_others(const struct broker_service *service, int socket)
{
    unsigned first = STDERR_FILENO + 1;

    while (first < ~0U) {
        unsigned kept = next_kept(service, socket, first);

        if (kept > first)
            close_range(first, kept - 1, 0);
        first = kept == ~0U ? kept : kept + 1;
    }
}

static int settle_descriptors(int socket, const struct broker_service *service)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* closed with the others */

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        return -errno;
    close_others(service, socket);
    return 0;
}

/* PARENT is 0 in a pid namespace of its own: the parent is nobody there. */
static int settle(int socket, const struct broker_service *service, pid_t parent, int64_t *told)
{
    int r = settle_descriptors(socket, service);
    sigset_t none;

    session_leave();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (r == 0 && service->prepare)
        *told = service->prepare(service->context, parent == 0);
    if (r == 0)
        r = rights_reduce(&service->rights);
    if (r < 0)
        return r;
    prctl(PR_SET_NAME, service->name, 0, 0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    return getppid() == parent ? service->confine(service->context) : -ESRCH;
}

_Noreturn static void run(int socket, const struct broker_service *service, pid_t parent)
{
    struct reply ready = {0};

    ready.result = settle(socket, service, parent, &ready.value);
    if (!send_reply(socket, &ready, &(struct broker_answer){0}) || ready.result < 0)
        _exit(EXIT_FAILURE);
    serve(socket, service);
}

static void take_files(struct msghdr *message, struct broker_answer *out)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        out->file_count = (part->cmsg_len - CMSG_LEN(0)) / sizeof *out->files;
        memcpy(out->files, CMSG_DATA(part), out->file_count * sizeof *out->files);
    }
}

/* One reply. The broker is the engine's own: it is not asked whether it keeps to its format. */
static int receive_reply(int socket, struct reply *reply, struct broker_answer *out)
{
    union control control;
    struct iovec into = {reply, sizeof *reply};
    struct msghdr message = {.msg_iov = &into,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             /* not all of it: with its padding there is room for one more */
                             .msg_controllen = CMSG_LEN(sizeof out->files)};
    ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

    *out = (struct broker_answer){0};
    if (got < 0)
        return errno == EINTR ? -EAGAIN : errno == ECONNRESET ? -EPIPE : -errno;
    if (got != sizeof *reply)
        return -EPIPE;
    take_files(&message, out);
    out->value = reply->value;
    if (message.msg_flags & MSG_CTRUNC) {
        close_files(out);
        reply->result = -EMFILE;
    }
    return 0;
}

/* The answer to the request SERIAL; those to earlier ones nobody waits for any more. */
static int await_reply(struct broker *broker, uint32_t serial, int timeout,
                       struct broker_answer *out)
{
    int64_t deadline = clock_monotonic() + timeout * NS_PER_MS;
    struct reply reply;

    for (;;) {
        int64_t left = (deadline - clock_monotonic() + NS_PER_MS - 1) / NS_PER_MS;
        struct pollfd ready = {.fd = broker->socket, .events = POLLIN};

        if (poll(&ready, 1, left > 0 ? (int)left : 0) == 0)
            return -ETIMEDOUT;
        int r = receive_reply(broker->socket, &reply, out);

        if (r == -EAGAIN)
            continue;
        if (r < 0)
            return r;
        broker->answered = reply.serial;
        if (reply.serial == serial)
            return reply.result;
        close_files(out);
    }
}

static int hello(struct broker *broker)
{
    struct broker_answer ready = {0};

    broker->pidfd = pidfd_open(broker->pid, 0);
    int r = broker->pidfd < 0 ? -errno : await_reply(broker, 0, START_TIME, &ready);

    if (r == 0)
        broker->told = ready.value;
    return r;
}

/* Has the next child be the first of a pid namespace: a descriptor to come back by, or -1. */
static int leave_pids(void)
{
    int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

    if (own >= 0 && unshare(CLONE_NEWPID) < 0) {
        close(own);
        return -1;
    }
    return own;
}

/* Without coming back there would be no further child, nor a thread. */
static int return_to_pids(int own)
{
    int r = own >= 0 && setns(own, CLONE_NEWPID) < 0 ? -errno : 0;

    closep(&own);
    return r;
}

int broker_start(struct broker *broker, const struct broker_service *service)
{
    pid_t parent = getpid();
    int pair[2];

    *broker = BROKER_NONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    broker->socket = pair[0];
    int own = service->own_pids ? leave_pids() : -1;
    pid_t pid = fork();

    if (pid == 0)
        run(pair[1], service, own < 0 ? parent : 0);
    int r = pid < 0 ? -errno : 0;
    int back = return_to_pids(own);

    close(pair[1]);
    if (r == 0) {
        broker->pid = pid;
        r = back < 0 ? back : hello(broker);
    }
    if (r < 0)
        broker_deinit(broker);
    return r;
}

/* It ends of itself when its socket does. One that is held up in a system call is left behind: it
 * ends when that does. */
void broker_deinit(struct broker *broker)
{
    struct pollfd dead = {.fd = broker->pidfd, .events = POLLIN};

    closep(&broker->socket);
    if (broker->pidfd >= 0)
        poll(&dead, 1, END_TIME);
    if (broker->pid) /* without a pidfd it has only just been started: nothing holds it up */
        waitpid(broker->pid, NULL, broker->pidfd >= 0 ? WNOHANG : 0);
    closep(&broker->pidfd);
    *broker = BROKER_NONE;
}

/* Clears away answers that came too late. */
static int catch_up(struct broker *broker)
{
    struct broker_answer late;
    struct reply reply;

    while (broker->answered != broker->serial) {
        int r = receive_reply(broker->socket, &reply, &late);

        if (r < 0)
            return r == -EAGAIN ? -EBUSY : r;
        broker->answered = reply.serial;
        close_files(&late);
    }
    return 0;
}

int broker_call(struct broker *broker, const struct broker_request *request, int timeout,
                struct broker_answer *out)
{
    struct broker_request numbered = *request;
    int r = catch_up(broker);

    if (r < 0)
        return r;
    numbered.serial = broker->serial + 1;
    if (send(broker->socket, &numbered, sizeof numbered, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return errno == ECONNRESET ? -EPIPE : -errno;
    broker->serial = numbered.serial;
    return await_reply(broker, numbered.serial, timeout, out);
}
