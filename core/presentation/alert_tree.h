/* An alert's JSON as a tree: how a value is found in it. */
#ifndef PICKET_PRESENTATION_ALERT_TREE_H
#define PICKET_PRESENTATION_ALERT_TREE_H

#include "base/json.h"
#include "picket/plugin.h"

/* The value at a dotted PATH, "event.parent.comm", "rule.tags.0", or NULL. A name with a dot of its
 * own is found at the end of a path ("event.exe.mode": see docs/events.md). */
const json_t *alert_tree_find(const json_t *tree, struct text path);

/* The value that ALERT, whose JSON is TREE, has at PATH. An event's own are beneath `event` there,
 * as an alert has them. */
const json_t *alert_tree_of(const struct picket_alert *alert, const json_t *tree, struct text path);

/* The same where it is a text, else ptr NULL. */
struct text alert_tree_text(const json_t *tree, struct text path);

#endif
