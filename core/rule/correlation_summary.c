#include "rule/correlation_summary.h"

#include "base/clock.h"
#include "rule/condition.h"

/* A condition is cut behind so many bytes. */
#define CONDITION_SHOWN ((size_t)400)

static void put_timespan(struct buffer *out, int64_t timespan)
{
    static const struct {
        int64_t length;
        char name;
    } units[] = {{86400 * NS_PER_S, 'd'}, {3600 * NS_PER_S, 'h'}, {60 * NS_PER_S, 'm'}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (timespan % units[i].length)
            continue;
        buffer_put_int(out, timespan / units[i].length);
        buffer_put_char(out, units[i].name);
        return;
    }
    buffer_put_int(out, timespan / NS_PER_S);
    buffer_put_char(out, 's');
}

/* Those of ORDER in turn, or (NULL) of the first COUNT members. */
static void put_names(struct buffer *out, const struct correlation *correlation,
                      const size_t *order, size_t count)
{
    const char *between = order ? ", then " : ", ";

    for (size_t i = 0; i < count && i < CORRELATION_SUMMARY_NAMED_MAX; i++) {
        size_t member = order ? order[i] : i;

        buffer_put_string(out, i ? between : "");
        buffer_put_printable(out, correlation->members[member].rule->id);
    }
    if (count > CORRELATION_SUMMARY_NAMED_MAX)
        buffer_printf(out, " and %zu more", count - CORRELATION_SUMMARY_NAMED_MAX);
}

static void put_condition(struct buffer *out, const struct correlation *correlation,
                          const struct condition *condition, size_t end)
{
    const char *between = condition->kind == CONDITION_ALL ? " and " : " or ";

    if (out->len > end)
        return;
    if (condition->kind == CONDITION_NAME) {
        buffer_put_printable(out, correlation->members[condition->name].rule->id);
        return;
    }
    buffer_put_string(out, condition->kind == CONDITION_NOT ? "not " : "(");
    for (const struct condition *part = condition->first; part; part = part->next) {
        buffer_put_string(out, part == condition->first ? "" : between);
        put_condition(out, correlation, part, end);
    }
    buffer_put_string(out, condition->kind == CONDITION_NOT ? "" : ")");
}

static void put_temporal(struct buffer *out, const struct correlation *correlation)
{
    size_t count = correlation->member_count;

    if (correlation->condition) {
        size_t end = out->len + CONDITION_SHOWN;

        put_condition(out, correlation, correlation->condition, end);
        buffer_put_string(out, out->len > end ? " ..." : "");
        return;
    }
    if (correlation->needed < count)
        buffer_printf(out, "%zu of ", correlation->needed);
    else if (count > 1)
        buffer_put_string(out, "all of ");
    put_names(out, correlation, NULL, count);
}

/* The fields as the first rule has them. */
static void put_values(struct buffer *out, const struct correlation *correlation)
{
    const struct correlation_member *member = &correlation->members[0];

    for (size_t i = 0; i < correlation->value_count; i++) {
        const struct correlation_source *source = &member->values[i];

        buffer_put_string(out, i ? " and " : " of ");
        if (source->key >= 0)
            buffer_put_printable(out, member->rule->correlation->keys[source->key]);
        else
            field_ref_put(out, &source->ref);
    }
}

static void put_count(struct buffer *out, const struct correlation *correlation)
{
    bool of_values = correlation->type == CORRELATION_VALUE_COUNT;

    buffer_printf(out, "%zu %s%s", correlation->needed, of_values ? "different value" : "event",
                  text_plural(correlation->needed));
    put_values(out, correlation);
    buffer_put_string(out, " from ");
    put_names(out, correlation, NULL, correlation->member_count);
}

static void put_bound(struct buffer *out, enum field_type type, double value)
{
    if (type == TYPE_TIME)
        value_put(out, &(struct value){.type = type, .number = (int64_t)value});
    else if (type == TYPE_DURATION)
        buffer_printf(out, "%.15gs", value / (double)NS_PER_S);
    else
        buffer_printf(out, "%.15g", value);
}

static void put_measure(struct buffer *out, const struct correlation *correlation)
{
    static const char *const operators[] = {
        [CORRELATION_GT] = ">",   [CORRELATION_GTE] = ">=", [CORRELATION_LT] = "<",
        [CORRELATION_LTE] = "<=", [CORRELATION_EQ] = "=",   [CORRELATION_NEQ] = "!=",
    };

    if (correlation->type == CORRELATION_VALUE_PERCENTILE)
        buffer_printf(out, "percentile %g", correlation->percentile);
    else
        buffer_put_string(out, "that");
    put_values(out, correlation);
    for (size_t i = 0; i < correlation->bound_count; i++) {
        buffer_printf(out, "%s %s ", i ? " and" : "", operators[correlation->bounds[i].op]);
        put_bound(out, correlation->value_type, correlation->bounds[i].value);
    }
    buffer_put_string(out, " from ");
    put_names(out, correlation, NULL, correlation->member_count);
}

static void put_what(struct buffer *out, const struct correlation *correlation)
{
    switch (correlation->type) {
    case CORRELATION_EVENT_COUNT:
    case CORRELATION_VALUE_COUNT:
        put_count(out, correlation);
        break;
    case CORRELATION_TEMPORAL:
        put_temporal(out, correlation);
        break;
    case CORRELATION_TEMPORAL_ORDERED:
        put_names(out, correlation, correlation->order, correlation->order_count);
        break;
    default:
        put_measure(out, correlation);
        break;
    }
}

void correlation_summary_put(struct buffer *out, const struct correlation *correlation)
{
    buffer_printf(out, "%s: ", correlation_type_name(correlation->type));
    put_what(out, correlation);
    buffer_put_string(out, " within ");
    put_timespan(out, correlation->timespan);
    for (size_t i = 0; i < correlation->key_count; i++) {
        buffer_put_string(out, i == 0 ? ", by " : i + 1 < correlation->key_count ? ", " : " and ");
        buffer_put_printable(out, correlation->keys[i]);
    }
}

void correlation_summary_put_feeds(struct buffer *out, const struct rule *rule)
{
    for (size_t i = 0; i < rule->feed_count && i < CORRELATION_SUMMARY_NAMED_MAX; i++) {
        buffer_put_string(out, i ? ", " : "");
        buffer_put_printable(out, rule->feeds[i].rule->id);
    }
    if (rule->feed_count > CORRELATION_SUMMARY_NAMED_MAX)
        buffer_printf(out, " and %zu more", rule->feed_count - CORRELATION_SUMMARY_NAMED_MAX);
}
