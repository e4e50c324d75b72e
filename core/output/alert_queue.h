/* Alerts waiting for one output, or to be journalled: a ring bounded in number and in bytes. An
 * alert is encoded once and shared by the queues of all outputs. A queue has no lock: its owner's
 * guards it. */
#ifndef PICKET_OUTPUT_ALERT_QUEUE_H
#define PICKET_OUTPUT_ALERT_QUEUE_H

#include "base/buffer.h"
#include "plugin/alert_frame.h"

/* An alert as the protocol has it, with a count of its holders. */
struct queued_alert;

/* -EMSGSIZE beyond DELIVERY_ALERT_MAX, -ENOMEM. The result is held once. */
int queued_alert_new(const struct delivery_alert *alert, struct queued_alert **out);
struct queued_alert *queued_alert_hold(struct queued_alert *alert);
void queued_alert_drop(struct queued_alert *alert); /* NULL is fine */

/* Its place among all, and the outputs it is for, a bit an output: the holder's to set while there
 * is one. */
struct alert_place {
    int64_t seq;     /* 0: none */
    uint64_t number; /* keeping.h */
    uint64_t route;
    uint64_t accounts;
    bool is_news;
    bool is_event;
};
struct alert_place *queued_alert_place(struct queued_alert *alert);

struct text queued_alert_bytes(const struct queued_alert *alert);
const char *queued_alert_id(const struct queued_alert *alert);

struct alert_queue {
    struct queued_alert **slots;
    size_t slot_count; /* the bound in number */
    size_t head, count;
    size_t bytes, bytes_max;
};

int alert_queue_init(struct alert_queue *queue, size_t count_max, size_t bytes_max);
void alert_queue_deinit(struct alert_queue *queue); /* drops what is in it */

/* An empty queue has room for any alert. Events leave the last eighth of it to alerts. */
bool alert_queue_has_room(const struct alert_queue *queue, const struct queued_alert *alert);
void alert_queue_push(struct alert_queue *queue, struct queued_alert *alert); /* holds it */

/* The INDEXth from the front, borrowed: it stays until popped. */
struct queued_alert *alert_queue_at(const struct alert_queue *queue, size_t index);

/* Takes the first out; the caller drops it. */
struct queued_alert *alert_queue_pop(struct alert_queue *queue);

#endif
