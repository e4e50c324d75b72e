/* A rule to begin with: one that matches a given event, with a test for it and one that it stays
 * quiet on, as a file of rules to be edited. */
#ifndef PICKET_RULE_SKELETON_H
#define PICKET_RULE_SKELETON_H

#include "event/event.h"

/* What is longer in an event is left out of its rule; a command line is cut in its test. */
#define SKELETON_TEXT_MAX ((size_t)1024)

/* Puts the rule as YAML in UTF-8. ID: the rule's; ptr NULL: one is made of the event's names.
 * -ENODATA: the event has neither of the names that a rule could go by. */
int skeleton_put(const struct event *event, struct text id, struct buffer *out);

#define SKELETON_EVENTS_MAX 8

/* The same for COUNT events, 2 to SKELETON_EVENTS_MAX, that come in this order: such a rule for
 * each, and a correlation of them, whose id ID is. -ENODATA of any of them; -ENOMEM. */
int skeleton_put_sequence(const struct event *events, size_t count, struct text id,
                          struct buffer *out);

#endif
