#include "host/host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define END_TIME 1000 /* milliseconds for the kernel to end what was killed */

int host_process_open_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status = {0};

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    return S_ISDIR(status.st_mode) ? -EISDIR : -ENOEXEC;
}

int host_process_start(struct host_process *host, struct launcher *launcher, size_t index)
{
    struct host_ends ends;

    *host = HOST_PROCESS_NONE;
    int r = launcher_start_host(launcher, index, &ends);

    if (r < 0)
        return r;
    host->launcher = launcher;
    host->index = index;
    host->pid = ends.pid;
    host->pidfd = ends.pidfd;
    host->socket = ends.socket;
    host->errors = ends.errors;
    host->decoder.limit = FRAME_HOST_MAX;
    return 0;
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
    if (host->pid)
        launcher_kill_host(host->launcher, host->index);
}

int host_process_reap(struct host_process *host, int *status)
{
    int r = host->pid ? launcher_reap_host(host->launcher, host->index, status) : -EAGAIN;

    if (r == -EAGAIN)
        return 0;
    if (r < 0) /* how it ended is not to be known */
        *status = 0;
    host->pid = 0;
    return 1;
}

static void await_end(struct host_process *host)
{
    struct pollfd dead = {.fd = host->pidfd, .events = POLLIN};
    int status;

    poll(&dead, 1, END_TIME);
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
