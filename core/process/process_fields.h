/* Fields of a process that come and go together, and how they are taken from one that says more. */
#ifndef PICKET_PROCESS_PROCESS_FIELDS_H
#define PICKET_PROCESS_PROCESS_FIELDS_H

#include "event/event.h"

extern const struct field_set process_fields_every;

/* What execve was asked for, whether or not it came to that; and all the others. */
extern const struct field_set process_fields_attempt, process_fields_but_attempt;

/* What of an exec is not kept whole, but for the event: see ENTRY_TEXT_MAX. */
extern const struct field_set process_fields_shown;

/* What a successful exec replaces. */
extern const struct field_set process_fields_image;

/* What the process is in, as far as only an exec's record says it. */
extern const struct field_set process_fields_cgroup;

void process_fields_forget(struct process *process, const struct field_set *fields);

/* Takes from FROM what it has among FIELDS; texts are borrowed, but where INTO says the same
 * already it keeps its own. */
void process_fields_take(struct process *into, const struct process *from,
                         const struct field_set *fields);

/* The same of one text. */
void process_fields_take_text(struct process *into, enum field_id id, struct text said);

/* The next text among *LEFT, and which field it is; *LEFT then lacks it. It begins as what PROCESS
 * has. NULL at the end. */
struct text *process_fields_next_text(struct process *process, struct field_set *left,
                                      enum field_id *id);

#endif
