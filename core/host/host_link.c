#include "host/host_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/host.h"

/* The longest text of a log line, or of a reason. */
#define SAID_MAX 4096

_Noreturn void host_link_leave(const struct host_link *link, int status)
{
    if (link->tidies)
        exit(status);
    _exit(status);
}

void host_link_send(struct host_link *link)
{
    struct text rest = buffer_text(&link->out);

    if (buffer_failed(&link->out))
        host_link_leave(link, EXIT_FAILURE);
    while (rest.len) {
        ssize_t sent = send(OUTPUT_HOST_SOCKET, rest.ptr, rest.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            host_link_leave(link, EXIT_FAILURE);
        rest.ptr += sent;
        rest.len -= (size_t)sent;
    }
    buffer_clear(&link->out);
}

void host_link_say(struct host_link *link, enum frame_type type, uint32_t level, struct text text)
{
    const struct log_line line = {.level = level, .text = text};

    pthread_mutex_lock(&link->lock);
    log_line_put(&line, type, &link->out);
    host_link_send(link);
    pthread_mutex_unlock(&link->lock);
}

void host_link_hello(struct host_link *link, const struct plugin_info *info)
{
    pthread_mutex_lock(&link->lock);
    size_t begin = frame_begin(&link->out, FRAME_HELLO);

    plugin_info_put(info, &link->out);
    frame_end(&link->out, begin);
    host_link_send(link);
    pthread_mutex_unlock(&link->lock);
}

_Noreturn void host_link_fail(struct host_link *link, const char *reason)
{
    host_link_say(link, FRAME_FAILED, PICKET_LOG_ERROR, host_link_text(reason));
    host_link_leave(link, EXIT_FAILURE);
}

struct text host_link_text(const char *text)
{
    return (struct text){text, text ? strnlen(text, SAID_MAX) : 0};
}

void host_link_log(struct host_link *link, int level, const char *text)
{
    struct text line = host_link_text(text);

    if (level < PICKET_LOG_ERROR || level > PICKET_LOG_DEBUG)
        level = PICKET_LOG_INFO;
    if (level == PICKET_LOG_ERROR) {
        pthread_mutex_lock(&link->lock);
        free(link->last_error);
        link->last_error = line.ptr ? strndup(line.ptr, line.len) : NULL;
        pthread_mutex_unlock(&link->lock);
    }
    host_link_say(link, FRAME_LOG, (uint32_t)level, line);
}
