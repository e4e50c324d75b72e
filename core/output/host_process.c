#include "output/host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "output/host.h"

#define END_TIME 1000 /* milliseconds for the kernel to end what was killed */

int host_process_open_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 ? -errno : fd;
}

/* What a plugin may need of the engine's environment; the rest is none of its business. */
static bool is_passed_on(const char *variable)
{
    static const char *const names[] = {"LANG=", "LC_", "TZ=", "TERM=", "NO_COLOR=", "COLORTERM="};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_starts(text_from(variable), text_from(names[i])))
            return true;
    return false;
}

static char **make_environment(struct arena *arena)
{
    size_t count = 0, kept = 0;

    while (environ[count])
        count++;
    char **environment = arena_array(arena, count + 1, sizeof *environment);

    for (size_t i = 0; environment && i < count; i++)
        if (is_passed_on(environ[i]))
            environment[kept++] = environ[i];
    return environment;
}

static char **make_arguments(const struct host_launch *launch, struct arena *arena)
{
    char *const arguments[] = {arena_string(arena, "picket"),
                               arena_string(arena, OUTPUT_HOST_VERB),
                               arena_string(arena, launch->name),
                               arena_string(arena, launch->path),
                               arena_printf(arena, "%u", launch->uid),
                               arena_printf(arena, "%u", launch->gid),
                               arena_printf(arena, "%lld", (long long)launch->memory),
                               arena_printf(arena, "%d", getpid())};
    size_t count = sizeof arguments / sizeof *arguments;
    char **copy = arena_array(arena, count + 1, sizeof *copy);

    for (size_t i = 0; i < count; i++)
        if (!arguments[i])
            return NULL;
    if (copy)
        memcpy(copy, arguments, sizeof arguments);
    return copy;
}

/* The child's ends, above any number it will be given them as. */
struct ends {
    int socket, errors, module;
};

static int set_actions(posix_spawn_file_actions_t *actions, const struct ends *ends)
{
    int r = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);

    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, STDIN_FILENO, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->errors, STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->socket, OUTPUT_HOST_SOCKET);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, ends->module, OUTPUT_HOST_MODULE);
    return r;
}

static void destroy_actions(posix_spawn_file_actions_t *actions)
{
    posix_spawn_file_actions_destroy(actions);
}

static void destroy_attributes(posix_spawnattr_t *attributes)
{
    posix_spawnattr_destroy(attributes);
}

static int spawn(const struct ends *ends, const struct host_launch *launch, pid_t *pid)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(destroy_actions) posix_spawn_file_actions_t actions;
    CLEANUP(destroy_attributes) posix_spawnattr_t attributes;
    char **arguments = make_arguments(launch, &arena);
    char **environment = make_environment(&arena);
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (!arguments || !environment)
        return -ENOMEM;
    int r = set_actions(&actions, ends);

    if (r == 0)
        r = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
    return -r;
}

/* Takes *FD to a number no action of the child writes over. */
static int lift(int *fd)
{
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, OUTPUT_HOST_MODULE + 1);

    if (lifted < 0)
        return -errno;
    close(*fd);
    *fd = lifted;
    return 0;
}

static int start(struct host_process *host, const struct host_launch *launch)
{
    CLEANUP(closep) int theirs = -1;
    CLEANUP(closep) int said = -1;
    CLEANUP(closep) int module = fcntl(launch->module, F_DUPFD_CLOEXEC, OUTPUT_HOST_MODULE + 1);
    int pair[2];

    if (module < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    host->socket = pair[0];
    theirs = pair[1];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -errno;
    host->errors = pair[0];
    said = pair[1];
    if (fcntl(host->socket, F_SETFL, O_NONBLOCK) < 0 ||
        fcntl(host->errors, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    int r = lift(&theirs);

    if (r == 0)
        r = lift(&said);
    if (r == 0)
        r = spawn(&(struct ends){theirs, said, module}, launch, &host->pid);
    if (r < 0)
        return r;
    host->pidfd = pidfd_open(host->pid, 0);
    return host->pidfd < 0 ? -errno : 0;
}

int host_process_start(struct host_process *host, const struct host_launch *launch)
{
    *host = HOST_PROCESS_NONE;
    host->decoder.limit = FRAME_HOST_MAX;
    int r = start(host, launch);

    if (r < 0)
        host_process_deinit(host);
    return r;
}

bool host_process_has_to_send(const struct host_process *host)
{
    return host->sent < host->sending.len;
}

static ssize_t send_some(struct host_process *host)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof host->files)];
    } control = {.bytes = {0}};
    struct iovec from = {host->sending.data + host->sent, host->sending.len - host->sent};
    struct msghdr message = {.msg_iov = &from, .msg_iovlen = 1};
    size_t len = host->file_count * sizeof *host->files;

    if (len) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(len);
        /* CMSG_FIRSTHDR() of a control buffer known to be large enough. */
        struct cmsghdr *files = &control.align;

        files->cmsg_level = SOL_SOCKET;
        files->cmsg_type = SCM_RIGHTS;
        files->cmsg_len = CMSG_LEN(len);
        memcpy(CMSG_DATA(files), host->files, len);
    }
    return sendmsg(host->socket, &message, MSG_NOSIGNAL);
}

int host_process_send(struct host_process *host)
{
    if (buffer_failed(&host->sending))
        return -ENOMEM;
    while (host_process_has_to_send(host)) {
        ssize_t sent = send_some(host);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return errno == EAGAIN ? 0 : -errno;
        host->sent += (size_t)sent;
        host->file_count = 0;
    }
    buffer_clear(&host->sending);
    host->sent = 0;
    return 0;
}

ssize_t host_process_receive(struct host_process *host)
{
    size_t len;
    char *room = frame_decoder_room(&host->decoder, &len);

    if (!room)
        return -ENOMEM;
    ssize_t got = read(host->socket, room, len);

    if (got < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    frame_decoder_filled(&host->decoder, (size_t)got);
    return got;
}

void host_process_kill(struct host_process *host)
{
    /* Fails for the dead alone: the caller sees them by their pidfd. Until they are reaped their
     * pid is nobody else's. */
    if (host->pidfd >= 0)
        pidfd_send_signal(host->pidfd, SIGKILL, NULL, 0);
    else if (host->pid)
        kill(host->pid, SIGKILL);
}

int host_process_reap(struct host_process *host, int *status)
{
    pid_t pid = host->pid ? waitpid(host->pid, status, WNOHANG) : 0;

    if (pid == 0)
        return 0;
    if (pid < 0) /* reaped by somebody else: how it ended is not to be known */
        *status = 0;
    host->pid = 0;
    return 1;
}

/* Without a pidfd the host has only just been started: nothing can hold up its end. */
static void await_end(struct host_process *host)
{
    struct pollfd dead = {.fd = host->pidfd, .events = POLLIN};
    int status;

    if (host->pidfd >= 0)
        poll(&dead, 1, END_TIME);
    else
        waitpid(host->pid, &status, 0);
    host_process_reap(host, &status);
}

void host_process_deinit(struct host_process *host)
{
    host_process_kill(host);
    if (host->pid)
        await_end(host);
    closep(&host->pidfd);
    closep(&host->socket);
    closep(&host->errors);
    frame_decoder_deinit(&host->decoder);
    buffer_deinit(&host->sending);
    *host = HOST_PROCESS_NONE;
}

void host_process_put_end(struct buffer *out, int status)
{
    if (WIFSIGNALED(status))
        buffer_printf(out, "signal %d (%s)", WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
    else
        buffer_printf(out, "exit status %d", WEXITSTATUS(status));
}
