/* Alerts as the body of a request, in the form that a receiver wants. */
#ifndef PICKET_PLUGIN_REQUEST_BODY_H
#define PICKET_PLUGIN_REQUEST_BODY_H

#include "../text_buffer/text_buffer.h"
#include "picket/plugin.h"

/* In the order of the option's choices. */
enum service {
    SERVICE_PLAIN,
    SERVICE_SLACK,
    SERVICE_MATTERMOST,
    SERVICE_TEAMS,
    SERVICE_PAGERDUTY,
    SERVICE_ALERTMANAGER,
    SERVICE_COUNT
};

/* How the alerts of a plain request stand in it, in the order of the option's choices. */
enum arrangement { ARRANGEMENT_ARRAY, ARRANGEMENT_LINES, ARRANGEMENT_SINGLE, ARRANGEMENT_COUNT };

struct request_form {
    enum service service;
    enum arrangement arrangement;
    bool lines;        /* the alerts' texts are lines, not objects */
    const char *token; /* PagerDuty's routing key; may be NULL elsewhere */
};

/* The most alerts one request of that form has. */
size_t request_body_most(const struct request_form *form);

/* The type of a body. */
const char *request_body_type(const struct request_form *form);

/* Puts alerts, COUNT at most and one at least, into BODY, which is cleared before. How
 * many; 0 when out of memory. Within a callback, for the host's sake. */
size_t request_body_put(const struct request_form *form, const struct picket_host *host,
                        const struct picket_alert *const *alerts, size_t count,
                        struct text_buffer *body);

#endif
