/* What a host's process says to its engine, from any of its threads. Without an engine there is
 * nobody to answer to: whatever cannot be sent ends the process. */
#ifndef PICKET_HOST_HOST_LINK_H
#define PICKET_HOST_HOST_LINK_H

#include <pthread.h>

#include "plugin/plugin_info.h"
#include "plugin/protocol.h"

struct host_link {
    pthread_mutex_t lock; /* of `out`: plugins and libraries have threads that log */
    struct buffer out;    /* frames; host_link_send() empties it */
    char *last_error;     /* what the plugin logged as such */
    /* The process ends by exit(): a tool that looks for leaks does so there. Else there is nothing
     * to tidy but memory. */
    bool tidies;
};

_Noreturn void host_link_leave(const struct host_link *link, int status);

/* Sends what is in `out`, the lock held. */
void host_link_send(struct host_link *link);

/* A frame of one line. */
void host_link_say(struct host_link *link, enum frame_type type, uint32_t level, struct text text);

/* The first frame: what the plugin's table says. */
void host_link_hello(struct host_link *link, const struct plugin_info *info);

/* The plugin cannot be used: why. */
_Noreturn void host_link_fail(struct host_link *link, const char *reason);

/* A plugin's text as far as it is sent on; NULL is empty. */
struct text host_link_text(const char *text);

/* picket_host.log() */
void host_link_log(struct host_link *link, int level, const char *text);

#endif
