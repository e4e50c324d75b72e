/* An alert as a syslog message, in one of two forms: `bsd` is what syslog(3) sends and what every
 * listener reads; RFC 5424 has the alert's main fields as structured data. Neither has a process
 * id: what a plugin knows as its own says nothing outside its namespace. */
#ifndef PICKET_PLUGIN_SYSLOG_MESSAGE_H
#define PICKET_PLUGIN_SYSLOG_MESSAGE_H

#include "../text_buffer/text_buffer.h"
#include "picket/plugin.h"

enum message_form {
    MESSAGE_BSD,        /* for the machine's own daemon */
    MESSAGE_BSD_REMOTE, /* the same with the machine's name, RFC 3164 */
    MESSAGE_RFC5424
};

enum message_content {
    MESSAGE_SHORT, /* the alert's message, cut at 6000 bytes */
    MESSAGE_WHOLE  /* the alert, as the output's format has it */
};

struct message_style {
    const struct picket_host *host;
    const char *tag;
    int facility; /* LOG_AUTH, ... */
    enum message_form form;
};

void message_put(struct text_buffer *out, const struct message_style *style,
                 const struct picket_alert *alert, enum message_content content);

#endif
