#include "output/alert_queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct queued_alert {
    atomic_uint holders;
    size_t len;
    struct alert_place place;
    const char *id;
    char bytes[];
};

int queued_alert_new(const struct delivery_alert *alert, struct queued_alert **out)
{
    struct buffer bytes = {0};
    size_t len = alert->id.len + alert->host.len + alert->rule.len + alert->title.len +
                 alert->message.len + alert->json.len;

    if (len > DELIVERY_ALERT_MAX)
        return -EMSGSIZE;
    /* The struct stands before the bytes it describes: one allocation an alert. */
    char *room = buffer_reserve(&bytes, sizeof(struct queued_alert) + len + 64);

    if (room)
        bytes.len = sizeof(struct queued_alert);
    alert_frame_put(&bytes, alert);
    if (buffer_failed(&bytes) || bytes.len > FRAME_ENGINE_MAX - 64) {
        int r = buffer_failed(&bytes) ? -ENOMEM : -EMSGSIZE;

        buffer_deinit(&bytes);
        return r;
    }
    struct queued_alert *made = (struct queued_alert *)bytes.data;

    atomic_init(&made->holders, 1);
    made->len = bytes.len - sizeof *made;
    made->id = made->bytes + ALERT_FRAME_ID;
    made->place = (struct alert_place){.accounts = alert->accounts,
                                       .is_news = alert->is_news,
                                       .is_event = alert->kind == PICKET_KIND_EVENT};
    *out = made;
    return 0;
}

struct queued_alert *queued_alert_hold(struct queued_alert *alert)
{
    atomic_fetch_add_explicit(&alert->holders, 1, memory_order_relaxed);
    return alert;
}

void queued_alert_drop(struct queued_alert *alert)
{
    if (alert && atomic_fetch_sub_explicit(&alert->holders, 1, memory_order_acq_rel) == 1)
        free(alert);
}

struct alert_place *queued_alert_place(struct queued_alert *alert)
{
    return &alert->place;
}

struct text queued_alert_bytes(const struct queued_alert *alert)
{
    return (struct text){alert->bytes, alert->len};
}

const char *queued_alert_id(const struct queued_alert *alert)
{
    return alert->id;
}

int alert_queue_init(struct alert_queue *queue, size_t count_max, size_t bytes_max)
{
    *queue = (struct alert_queue){.slot_count = count_max, .bytes_max = bytes_max};
    queue->slots = calloc(count_max, sizeof(struct queued_alert *));
    return queue->slots ? 0 : -ENOMEM;
}

void alert_queue_deinit(struct alert_queue *queue)
{
    while (queue->count)
        queued_alert_drop(alert_queue_pop(queue));
    free(queue->slots);
    *queue = (struct alert_queue){0};
}

bool alert_queue_has_room(const struct alert_queue *queue, const struct queued_alert *alert)
{
    size_t slots = queue->slot_count, bytes = queue->bytes_max;

    if (alert->place.is_event) {
        slots -= slots / 8;
        bytes -= bytes / 8;
    }
    return queue->count == 0 || (queue->count < slots && queue->bytes + alert->len <= bytes);
}

void alert_queue_push(struct alert_queue *queue, struct queued_alert *alert)
{
    queue->slots[(queue->head + queue->count) % queue->slot_count] = queued_alert_hold(alert);
    queue->count++;
    queue->bytes += alert->len;
}

struct queued_alert *alert_queue_at(const struct alert_queue *queue, size_t index)
{
    return queue->slots[(queue->head + index) % queue->slot_count];
}

struct queued_alert *alert_queue_pop(struct alert_queue *queue)
{
    struct queued_alert *alert = queue->slots[queue->head];

    queue->head = (queue->head + 1) % queue->slot_count;
    queue->count--;
    queue->bytes -= alert->len;
    return alert;
}
