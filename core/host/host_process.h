/* An output host as the engine holds it: a process, its socket, its standard error. Nothing here
 * blocks but for host_process_deinit(); when to kill is the supervisor's business. */
#ifndef PICKET_HOST_HOST_PROCESS_H
#define PICKET_HOST_HOST_PROCESS_H

#include <sys/types.h>

#include "host/launcher.h"
#include "plugin/protocol.h"

struct host_process {
    struct launcher *launcher; /* borrowed; whose host INDEX it is */
    size_t index;
    pid_t pid; /* 0: none */
    int pidfd; /* readable once it is dead; this and the others -1 without one */
    int socket;
    int errors; /* its standard error */
    struct frame_decoder decoder;
    struct buffer sending; /* frames the socket had no room for yet, from `sent` on */
    size_t sent;
    int files[64]; /* to go with the next byte; borrowed */
    size_t file_count;
};

#define HOST_PROCESS_NONE                       \
    (struct host_process)                       \
    {                                           \
        .pidfd = -1, .socket = -1, .errors = -1 \
    }

/* The host is killed when its launcher ends, or by host_process_deinit(). -errno: there is no host
 * then. */
int host_process_start(struct host_process *host, struct launcher *launcher, size_t index);

/* Sends what it can of `sending`. 0 also when some is left; -errno when nobody will read it. */
int host_process_send(struct host_process *host);
bool host_process_has_to_send(const struct host_process *host);

/* Reads once into the decoder: how many bytes, 0 at the end of the stream, -EAGAIN, -errno. */
ssize_t host_process_receive(struct host_process *host);

void host_process_kill(struct host_process *host);

/* 1 and how it ended, as waitpid() tells; 0 while it lives. */
int host_process_reap(struct host_process *host, int *status);

/* Kills a host that still lives, waits up to a second for its end, and closes everything. */
void host_process_deinit(struct host_process *host);

/* The plugin's shared object open for reading, or -errno. */
int host_process_open_module(const char *path);

/* "exit status 1", "signal 6 (Aborted)" */
void host_process_put_end(struct buffer *out, int status);

#endif
