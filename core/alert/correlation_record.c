#include "alert/correlation_record.h"

#include <stdlib.h>

#include "alert/correlation_match.h"
#include "alert/correlation_memory.h"
#include "base/cleanup.h"
#include "event/event_json.h"

/* Who, what, where, when. */
static const enum field_id abridged[] = {
    FIELD_HOST_NAME,  FIELD_TYPE, FIELD_TIME,     FIELD_PID,     FIELD_PPID,
    FIELD_START_TIME, FIELD_UID,  FIELD_USER,     FIELD_SESSION, FIELD_TTY,
    FIELD_COMM,       FIELD_EXE,  FIELD_FILENAME, FIELD_CMDLINE, FIELD_CWD,
};

static void put_field(struct json_writer *json, const struct value *value)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    if (value->type == TYPE_NUMBER) {
        json_int(json, value->number);
        return;
    }
    value_put(&text, value);
    json_text(json, text_clip(buffer_text(&text), CORRELATION_RECORD_TEXT_MAX));
    json->buffer->failed |= buffer_failed(&text);
}

static void put_abridged(struct json_writer *json, const struct event *event)
{
    json_begin(json, '{');
    for (size_t i = 0; i < sizeof abridged / sizeof *abridged; i++) {
        struct field_ref ref = {.field = &field_catalogue[abridged[i]]};
        struct value value;

        if (!event_value(event, &ref, &value) ||
            (ref.field->scope == SCOPE_HOST && event->host->is_here))
            continue;
        json_key(json, text_from(ref.field->name));
        put_field(json, &value);
    }
    json_key(json, TEXT("abridged"));
    json_bool(json, true);
    json_end(json, '}');
}

static void put_event(struct buffer *out, const struct event *event)
{
    struct json_writer json = {.buffer = out};

    buffer_clear(out);
    event_put_json_within(&json, event, CORRELATION_RECORD_ANCESTORS);
    if (out->len <= CORRELATION_RECORD_MAX)
        return;
    json = (struct json_writer){.buffer = out};
    buffer_clear(out);
    put_abridged(&json, event);
}

struct correlation_record *correlation_record_new(const struct event *event, struct buffer *scratch)
{
    put_event(scratch, event);
    if (buffer_failed(scratch))
        return NULL;
    struct correlation_record *record = malloc(sizeof *record + scratch->len);

    if (!record)
        return NULL;
    char *bytes = memcpy(record + 1, scratch->data, scratch->len);

    *record = (struct correlation_record){
        .references = 1,
        .bytes = correlation_memory_size(record),
        .event = {bytes, scratch->len},
    };
    return record;
}

struct correlation_record *correlation_record_hold(struct correlation_record *record)
{
    if (record)
        record->references++;
    return record;
}

void correlation_record_release(struct correlation_record *record)
{
    if (!record || --record->references > 0)
        return;
    if (record->is_match)
        correlation_match_release_parts((struct correlation_match *)record);
    free(record);
}
