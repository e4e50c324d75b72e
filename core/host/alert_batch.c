#include "host/alert_batch.h"

#include <errno.h>

#include "base/json.h"
#include "plugin/alert_frame.h"
#include "plugin/settings.h"
#include "presentation/alert_tree.h"

struct alert_entry {
    struct picket_alert alert;
    json_t *tree; /* NULL until asked for, and when it is no JSON */
    bool parsed;
};

static void forget(struct alert_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        json_decref(batch->entries[i].tree);
    batch->count = 0;
}

void alert_batch_deinit(struct alert_batch *batch)
{
    forget(batch);
    arena_deinit(&batch->arena);
}

static struct picket_alert shown(const struct delivery_alert *alert)
{
    return (struct picket_alert){.size = sizeof(struct picket_alert),
                                 .id = alert->id.ptr,
                                 .time = alert->time,
                                 .host = alert->host.ptr,
                                 .rule = alert->rule.ptr,
                                 .title = alert->title.ptr,
                                 .message = alert->message.ptr,
                                 .json = alert->json.ptr,
                                 .json_len = alert->json.len,
                                 .severity = alert->severity,
                                 .kind = alert->kind};
}

static int present(struct alert_batch *batch)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < batch->count; i++) {
        struct alert_entry *entry = &batch->entries[i];

        r = presentation_apply(batch->presentation, &entry->alert, &batch->arena, &entry->tree);
        entry->parsed = entry->tree;
    }
    return r;
}

int alert_batch_read(struct alert_batch *batch, struct text payload)
{
    struct payload rest = {.rest = payload};

    forget(batch);
    arena_clear(&batch->arena);
    batch->number = payload_i64(&rest);
    size_t count = payload_u32(&rest);

    if (rest.failed || count == 0 || count > SETTINGS_BATCH_MAX)
        return -EPROTO;
    batch->entries = arena_array(&batch->arena, count, sizeof *batch->entries);
    batch->alerts = arena_array(&batch->arena, count, sizeof(void *));
    if (!batch->entries || !batch->alerts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct delivery_alert alert;

        if (alert_frame_read(&rest, &alert) < 0)
            return -EPROTO;
        batch->entries[i] = (struct alert_entry){.alert = shown(&alert)};
        batch->alerts[i] = &batch->entries[i].alert;
        batch->count++;
    }
    return payload_complete(&rest) ? present(batch) : -EPROTO;
}

static struct alert_entry *find_entry(const struct alert_batch *batch,
                                      const struct picket_alert *alert)
{
    for (size_t i = 0; i < batch->count; i++)
        if (batch->alerts[i] == alert)
            return &batch->entries[i];
    return NULL;
}

static const json_t *entry_tree(struct alert_entry *entry)
{
    struct text json = {entry->alert.json, entry->alert.json_len};
    struct json_failure failure;

    if (!entry->parsed) {
        entry->parsed = true;
        if (json_parse(json, &entry->tree, &failure) < 0)
            entry->tree = NULL;
    }
    return entry->tree;
}

static const char *as_text(const json_t *value, struct arena *arena)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};

    if (!value || json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return json_string_value(value);
    if (json_tree(&json, value) < 0)
        return NULL;
    return arena_text(arena, buffer_text(&out)).ptr;
}

const char *alert_batch_value(struct alert_batch *batch, const struct picket_alert *alert,
                              const char *path)
{
    struct alert_entry *entry = find_entry(batch, alert);
    const json_t *tree = entry ? entry_tree(entry) : NULL;

    return as_text(alert_tree_of(alert, tree, text_from(path)), &batch->arena);
}
