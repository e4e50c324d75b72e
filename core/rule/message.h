/* What an alert says: a text with fields in it, `%{parent} started %{cmdline}`; `%%` is a percent
 * sign. A message is immutable and lives in the arena it was compiled into. */
#ifndef PICKET_RULE_MESSAGE_H
#define PICKET_RULE_MESSAGE_H

#include "base/arena.h"
#include "base/yaml.h"
#include "event/event.h"

struct message;

/* Compiles the scalar NODE. Mistakes (an unknown field, a `%` that begins nothing) are diagnosed
 * at their places and leave *OUT untouched. 0 even then, or -ENOMEM. */
int message_compile(const struct yaml_node *node, struct arena *arena, struct diag_list *diags,
                    const struct message **out);

/* The message of a rule that has none, by what the rule is on. */
const struct message *message_default(enum event_type on);

/* Whether it says that field, of whichever process. */
bool message_asks(const struct message *message, enum field_id id);

/* STATE (base/digest.h) with all that the message says added to it. */
uint64_t message_digest(const struct message *message, uint64_t state);

/* Puts the message for EVENT: printable whatever the event holds, a value it has not as "-". */
void message_put(const struct message *message, const struct event *event, struct buffer *out);

#endif
