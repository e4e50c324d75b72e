#include "alert/correlation_match.h"

#include "alert/correlation_memory.h"
#include "base/clock.h"

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
    if (match->count > match->part_count && index >= CORRELATION_SHOWN_FIRST) {
        if (index < match->count - (CORRELATION_SHOWN_MAX - CORRELATION_SHOWN_FIRST))
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

/* JSON has it as it is: a number, true or false. */
static bool is_bare(enum field_type type)
{
    return type == TYPE_NUMBER || type == TYPE_DURATION || type == TYPE_BOOL;
}

static void put_value(struct json_writer *json, const struct correlation_value *value)
{
    if (!value->text.ptr)
        json_raw(json, TEXT("null"));
    else if (is_bare(value->type))
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
    if (correlation_is_numeric(correlation_match_rule(match)->correlation->type))
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

/* How many there are of what is counted. */
static void put_counted(struct buffer *out, enum correlation_type type, uint64_t count)
{
    const char *what = type == CORRELATION_VALUE_COUNT        ? "different value"
                       : type == CORRELATION_TEMPORAL         ? "rule"
                       : type == CORRELATION_TEMPORAL_ORDERED ? "step"
                                                              : "event";

    buffer_printf(out, "%llu %s%s", (unsigned long long)count, what, text_plural(count));
}

static const char *name_of_value(enum correlation_type type)
{
    switch (type) {
    case CORRELATION_VALUE_AVG:
        return "average";
    case CORRELATION_VALUE_PERCENTILE:
        return "percentile";
    case CORRELATION_VALUE_MEDIAN:
        return "median";
    default:
        return "sum";
    }
}

/* As people read it: a duration in seconds, a time as such. */
static void put_measure(struct buffer *out, const struct correlation *correlation, double value)
{
    buffer_printf(out, ", %s ", name_of_value(correlation->type));
    if (correlation->value_type == TYPE_DURATION)
        buffer_printf(out, "%.15g s", value / (double)NS_PER_S);
    else if (correlation->value_type == TYPE_TIME && correlation->type != CORRELATION_VALUE_SUM)
        time_put(out, (int64_t)value);
    else
        buffer_printf(out, "%.15g", value);
}

void correlation_match_put_message(struct buffer *out, const struct correlation_match *match)
{
    const struct rule *rule = correlation_match_rule(match);
    const struct correlation *correlation = rule->correlation;
    int64_t tenths = (match->last - match->first) / (NS_PER_S / 10);

    buffer_put_printable(out, rule->title);
    buffer_put_string(out, ": ");
    put_counted(out, correlation->type, match->count);
    buffer_printf(out, " within %lld.%lld s", (long long)(tenths / 10), (long long)(tenths % 10));
    if (correlation_is_numeric(correlation->type))
        put_measure(out, correlation, match->value);
    for (size_t i = 0; i < correlation->key_count; i++) {
        buffer_put_string(out, ", ");
        buffer_put_printable(out, correlation->keys[i]);
        buffer_put_char(out, ' ');
        buffer_put_printable(out, match->values[i].text.ptr ? match->values[i].text : TEXT("-"));
    }
}
