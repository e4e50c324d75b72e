/* The id of an alert: a ULID, 26 characters that sort by time.
 *
 * It is derived, not drawn: the same event and the same rule always give the same id, so a receiver
 * that gets an alert twice can drop the second. Its first ten characters are the event's time in
 * milliseconds, the others a hash of the event's origin (boot, CPU, sequence number; or the line
 * of a file) and the rule's id. */
#ifndef PICKET_ALERT_ALERT_ID_H
#define PICKET_ALERT_ALERT_ID_H

#include "base/text.h"

#define ALERT_ID_LEN 26

struct alert_id {
    char text[ALERT_ID_LEN + 1];
};

/* TIME in ns since 1970. */
struct alert_id alert_id_make(int64_t time, const uint64_t origin[static 3], struct text rule_id);

#endif
