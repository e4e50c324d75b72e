/* Events from a file: one JSON object a line, gzip or plain, or standard input.
 *
 * A line that is no event is told to the caller once, with its number, and the next one is read:
 * one bad line costs itself alone. */
#ifndef PICKET_SENSOR_REPLAY_H
#define PICKET_SENSOR_REPLAY_H

#include "base/cleanup.h"
#include "event/event_json.h"

/* A longer line is refused, unread, as one mistake. */
#define REPLAY_LINE_MAX (16U << 20)

struct replay;

/* PATH "-" is standard input. Returns -errno of the open. */
int replay_open(const char *path, struct replay **out);
void replay_free(struct replay *replay);
DEFINE_FREEP(struct replay, replay)

enum replay_result {
    REPLAY_EVENT,   /* *event is set, until the next call; failure->unknown may be */
    REPLAY_PASSED,  /* an alert about no event, as those about picket itself */
    REPLAY_REFUSED, /* failure->reason says why this line is none */
    REPLAY_END,
    REPLAY_BROKEN, /* the file cannot be read on; failure->reason says why */
};

enum replay_result replay_next(struct replay *replay, struct event *event,
                               struct event_failure *failure);

/* The number of the line last returned, from 1. */
uint64_t replay_line(const struct replay *replay);

/* That line as it stands in the file, until the next call; cut when it was refused for its length.
 */
struct text replay_text(const struct replay *replay);

#endif
