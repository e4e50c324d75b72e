/* One event, as an argument names it: FILE:LINE (a file of events, plain or gzip), "-" (the first
 * line of standard input), or the JSON itself. An alert does as well: its event is meant. */
#ifndef PICKET_CLI_EVENT_ARGUMENT_H
#define PICKET_CLI_EVENT_ARGUMENT_H

#include "event/event_json.h"

struct event_argument {
    struct event event;
    struct arena arena;
    json_t *root;
};

void event_argument_deinit(struct event_argument *argument);

/* 0, or the exit status after saying what is wrong, VERB being who asks. *OUT is to be released
 * even then. */
int event_argument_read(const char *verb, const char *text, struct event_argument *out);

#endif
