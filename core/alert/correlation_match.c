#include "alert/correlation_match.h"

#include "alert/correlation_memory.h"
#include "base/clock.h"

/* Of what is shown, so many are the first ones. */
#define FRONT (CORRELATION_SHOWN_MAX / 2)

struct correlation_match *correlation_match_new(const struct rule *const *of,
                                                const struct correlation_value *values,
                                                size_t count)
{
    size_t key_count = (*of)->correlation->key_count;
    struct correlation_match *match =
        calloc(1, sizeof *match + correlation_value_room(values, key_count));

    if (!match)
        return NULL;
    match->record = (struct correlation_record){.references = 1, .is_match = true};
    match->record.bytes = correlation_memory_size(match);
    match->of = of;
    match->count = count;
    match->part_count = count < CORRELATION_SHOWN_MAX ? count : CORRELATION_SHOWN_MAX;
    correlation_value_copy(values, key_count, match->values, (char *)(match + 1));
    return match;
}

void correlation_match_set(struct correlation_match *match, size_t index,
                           const struct correlation_part *part)
{
    size_t bytes = part->record ? part->record->bytes : 0;

    if (index == 0)
        match->first = part->time;
    if (index + 1 == match->count)
        match->last = part->time;
    if (match->count > match->part_count && index >= FRONT) {
        if (index < match->count - (CORRELATION_SHOWN_MAX - FRONT))
            return;
        index -= match->count - match->part_count;
    }
    match->parts[index] = *part;
    if (match->record.bytes + bytes > CORRELATION_MATCH_MAX) {
        match->parts[index].record = NULL;
        return;
    }
    match->record.bytes += bytes;
    correlation_record_hold(part->record);
}

void correlation_match_release_parts(struct correlation_match *match)
{
    for (size_t i = 0; i < match->part_count; i++)
        correlation_record_release(match->parts[i].record);
}

static void put_count(struct json_writer *json, struct text key, uint64_t count)
{
    json_key(json, key);
    json_int(json, (int64_t)count);
}

static void put_value(struct json_writer *json, const struct correlation_value *value)
{
    if (!value->text.ptr)
        json_raw(json, TEXT("null"));
    else if (value->bare)
        json_raw(json, value->text);
    else
        json_text(json, value->text);
}

static void put_group(struct json_writer *json, const struct correlation_match *match)
{
    const struct correlation *correlation = correlation_match_rule(match)->correlation;

    json_key(json, TEXT("group"));
    json_begin(json, '{');
    for (size_t i = 0; i < correlation->key_count; i++) {
        json_key(json, correlation->keys[i]);
        put_value(json, &match->values[i]);
    }
    json_end(json, '}');
}

static bool has_value(const struct correlation_match *match)
{
    switch (correlation_match_rule(match)->correlation->type) {
    case CORRELATION_VALUE_SUM:
    case CORRELATION_VALUE_AVG:
    case CORRELATION_VALUE_PERCENTILE:
    case CORRELATION_VALUE_MEDIAN:
        return true;
    default:
        return false;
    }
}

static void put_number(struct json_writer *json, struct text key, double value)
{
    char digits[32];
    /* A sum of doubles may be no number that JSON has. */
    int len = snprintf(digits, sizeof digits, value - value == 0 ? "%.15g" : "null", value);

    json_key(json, key);
    json_raw(json, (struct text){digits, (size_t)len});
}

static void put_parts(struct json_writer *json, const struct correlation_match *match);

static void put_part(struct json_writer *json, const struct correlation_match *match,
                     const struct correlation_part *part)
{
    const struct rule *rule =
        correlation_match_rule(match)->correlation->members[part->member].rule;

    json_begin(json, '{');
    json_key(json, TEXT("rule"));
    json_text(json, rule->id);
    json_key(json, TEXT("title"));
    json_text(json, rule->title);
    json_key(json, TEXT("time"));
    json_time(json, part->time);
    if (part->record && part->record->is_match) {
        put_parts(json, (const struct correlation_match *)part->record);
    } else if (part->record) {
        json_key(json, TEXT("event"));
        json_raw(json, part->record->event);
    }
    json_end(json, '}');
}

/* The depth is that of a chain, which the loader bounds. */
static void put_parts(struct json_writer *json, const struct correlation_match *match)
{
    put_group(json, match);
    put_count(json, TEXT("count"), match->count);
    put_count(json, TEXT("omitted"), match->count - match->part_count);
    if (has_value(match))
        put_number(json, TEXT("value"), match->value);
    json_key(json, TEXT("events"));
    json_begin(json, '[');
    for (size_t i = 0; i < match->part_count; i++)
        put_part(json, match, &match->parts[i]);
    json_end(json, ']');
}

void correlation_match_put_json(struct json_writer *json, const struct correlation_match *match)
{
    const struct correlation *correlation = correlation_match_rule(match)->correlation;

    json_key(json, TEXT("correlation"));
    json_begin(json, '{');
    json_key(json, TEXT("type"));
    json_text(json, text_from(correlation_type_name(correlation->type)));
    put_count(json, TEXT("timespan"), (uint64_t)(correlation->timespan / NS_PER_S));
    put_parts(json, match);
    json_end(json, '}');
}

static const char *what_is_counted(enum correlation_type type)
{
    switch (type) {
    case CORRELATION_VALUE_COUNT:
        return "different values";
    case CORRELATION_TEMPORAL:
        return "rules";
    case CORRELATION_TEMPORAL_ORDERED:
        return "steps";
    default:
        return "events";
    }
}

void correlation_match_put_message(struct buffer *out, const struct correlation_match *match)
{
    const struct rule *rule = correlation_match_rule(match);
    const struct correlation *correlation = rule->correlation;
    int64_t tenths = (match->last - match->first) / (NS_PER_S / 10);

    buffer_put_printable(out, rule->title);
    buffer_printf(out, ": %llu %s within %lld.%lld s", (unsigned long long)match->count,
                  match->count == 1 && correlation->type == CORRELATION_EVENT_COUNT
                      ? "event"
                      : what_is_counted(correlation->type),
                  (long long)(tenths / 10), (long long)(tenths % 10));
    if (has_value(match))
        buffer_printf(out, ", together %g", match->value);
    for (size_t i = 0; i < correlation->key_count; i++) {
        buffer_put_string(out, ", ");
        buffer_put_printable(out, correlation->keys[i]);
        buffer_put_char(out, ' ');
        buffer_put_printable(out, match->values[i].text.ptr ? match->values[i].text : TEXT("-"));
    }
}
