/* The events of a rule's tests: maps of field values, made events. */
#ifndef PICKET_RULE_TEST_EVENT_H
#define PICKET_RULE_TEST_EVENT_H

#include "rule/compiler.h"

/* Reads `tests`, a list of `alerts: {...}` and `quiet: {...}`, for RULE: an event that
 * names no type is of the one that RULE is on. What has a mistake is diagnosed and left out. */
void test_events_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                      struct rule *rule);

#endif
