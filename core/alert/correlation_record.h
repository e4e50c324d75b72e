/* What is kept of an event that a correlation counts, or of another correlation's match: for the
 * alert to come. Never changed, and shared by all that hold it. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_RECORD_H
#define PICKET_ALERT_CORRELATION_RECORD_H

#include "base/buffer.h"
#include "event/event.h"

/* An event is kept with so many ancestors; and when its JSON is longer, in an abridged form, of
 * texts that are cut. Bytes. */
#define CORRELATION_RECORD_ANCESTORS 1
#define CORRELATION_RECORD_MAX       ((size_t)16 << 10)
#define CORRELATION_RECORD_TEXT_MAX  ((size_t)512)

struct correlation_record {
    unsigned references;
    bool is_match;     /* it begins a struct correlation_match */
    size_t bytes;      /* that it takes; of a match with all that it holds */
    struct text event; /* JSON; of an event */
};

/* Of EVENT, held once. SCRATCH is cleared and used. NULL: out of memory. */
struct correlation_record *correlation_record_new(const struct event *event,
                                                  struct buffer *scratch);

/* NULL is fine, and gives NULL. */
struct correlation_record *correlation_record_hold(struct correlation_record *record);
void correlation_record_release(struct correlation_record *record);

#endif
