/* The event that a record tells of, once it is known which process it is of. */
#ifndef PICKET_PROCESS_PROCESS_EVENT_H
#define PICKET_PROCESS_PROCESS_EVENT_H

#include "event/record.h"

/* OFFSET is the wall clock's from boot time, ns. *out borrows PROCESS. */
void process_event_make(const struct record *record, const struct process *process, int64_t offset,
                        struct event *out);

#endif
