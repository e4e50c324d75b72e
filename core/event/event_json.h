/* Events as JSON, out and in: the schema of alerts, recordings and replay (docs/events.md).
 *
 * Lossless for what a kernel can produce: a text that is not UTF-8 is written with U+FFFD for each
 * bad byte and, beside it, its bytes in base64 under "raw" of the same process object, which wins
 * when read back. */
#ifndef PICKET_EVENT_EVENT_JSON_H
#define PICKET_EVENT_EVENT_JSON_H

#include "base/arena.h"
#include "base/json.h"
#include "event/event.h"

/* Ancestors are written until they take this many bytes; how many were left out then stands in
 * `ancestors_omitted`. An attacker chooses the texts of his processes: without an end to it he
 * could make each of his events too long to be delivered. */
#define EVENT_ANCESTORS_MAX (256U << 10)

/* The event as one JSON object, without what names it among others: an alert says where it is from.
 */
void event_put_json(struct json_writer *json, const struct event *event);

/* The same with its `host` and, where it has one, its `origin`: all that somebody elsewhere needs
 * to have of it what a rule here has, and the same alert ids. */
void event_put_line(struct json_writer *json, const struct event *event);

/* The event with at most so many ancestors, and its host where that is not this machine. */
void event_put_json_within(struct json_writer *json, const struct event *event, unsigned ancestors);

/* Why an event could not be read. */
struct event_failure {
    unsigned column; /* 1-based in the text; 0: unknown */
    char reason[256];
    /* A key that no field has, which was passed over ("" when none): the first such. */
    char unknown[64];
};

/* Reads an event from JSON text. Texts live in ARENA; *root (released by the caller with
 * json_decref after the event) holds meta. null stands for "has not". Unknown keys are passed
 * over. cmdline, argc and cmdline.length are derived from argv where they are not given.
 *
 * An alert (it has a `rule`) is read as its event, which is from the alert's host; alerts about the
 * same event that do not say its origin get one that is the same. -EINVAL with *failure, -ENODATA:
 * an alert that has no event, -ENOMEM. */
int event_read_json(struct text t, struct arena *arena, struct event *out, json_t **root,
                    struct event_failure *failure);

/* The same from what was parsed, which must stay as long as the event. */
int event_read_tree(const json_t *root, struct arena *arena, struct event *out,
                    struct event_failure *failure);

#endif
