#include "rule/correlation_explain.h"

#include "rule/correlation_summary.h"

/* Of so many ancestors the text shows the values; JSON has all. */
#define VALUES_SHOWN 8

/* What stands beneath a member's line. */
#define INDENT "         "

/* Its hits come from correlations, not from events. */
static bool is_inner(const struct correlation_member *member)
{
    return member->rule->correlation;
}

/* The explanation, of a member in place of its correlation. */
static bool turn_to(struct explanation *explanation, const struct correlation_member *member)
{
    explanation->rule = member->rule;
    return !is_inner(member) && explain_fires(explanation);
}

static bool takes_event(struct explanation *explanation)
{
    const struct rule *rule = explanation->rule;
    bool takes = false;

    for (size_t i = 0; i < rule->correlation->member_count && !takes; i++)
        takes = turn_to(explanation, &rule->correlation->members[i]);
    explanation->rule = rule;
    return takes;
}

/* Which groups an event that a member hits is in. */
struct groups {
    const struct correlation *correlation;
    const struct correlation_member *member;
    const struct process *ancestors[ANCESTOR_MAX]; /* that make one each, the nearest first */
    size_t count;
};

/* Puts a value. NULL: an ancestor has none, and makes a group by another key. */
typedef void put_value(struct explanation *explanation, const struct value *value, size_t index);

static bool read_ancestor(const struct groups *groups, size_t key, const struct process *ancestor,
                          struct value *out)
{
    const struct correlation_source *source = &groups->member->keys[key];

    return correlation_source_spreads(source) && process_value(ancestor, source->ref.field, out);
}

static bool is_group(const struct groups *groups, const struct process *ancestor)
{
    struct value value;

    for (size_t i = 0; i < groups->correlation->key_count; i++)
        if (read_ancestor(groups, i, ancestor, &value))
            return true;
    return false;
}

static bool is_same_group(const struct groups *groups, const struct process *a,
                          const struct process *b)
{
    for (size_t i = 0; i < groups->correlation->key_count; i++) {
        struct value of_a, of_b;
        bool has = read_ancestor(groups, i, a, &of_a);

        if (has != read_ancestor(groups, i, b, &of_b) || (has && !value_equal(&of_a, &of_b)))
            return false;
    }
    return true;
}

static void find_groups(struct groups *groups, const struct event *event)
{
    struct lineage lineage = lineage_of(event);
    const struct process *ancestor;

    while ((ancestor = lineage_next(&lineage))) {
        bool known = !is_group(groups, ancestor);

        for (size_t i = 0; i < groups->count && !known; i++)
            known = is_same_group(groups, groups->ancestors[i], ancestor);
        if (!known)
            groups->ancestors[groups->count++] = ancestor;
    }
}

/* Puts each value that the event has for KEY; false: it has none. */
static bool put_values(struct explanation *explanation, const struct groups *groups, size_t key,
                       put_value *put)
{
    const struct correlation_source *source = &groups->member->keys[key];
    struct value value;

    if (correlation_source_spreads(source)) {
        for (size_t i = 0; i < groups->count; i++)
            put(explanation,
                read_ancestor(groups, key, groups->ancestors[i], &value) ? &value : NULL, i);
        return groups->count;
    }
    if (!event_value(explanation->event, &source->ref, &value))
        return false;
    put(explanation, &value, 0);
    return true;
}

static void put_value_text(struct explanation *explanation, const struct value *value, size_t index)
{
    struct buffer *out = explanation->out, *scratch = &explanation->scratch;

    if (index >= VALUES_SHOWN) {
        buffer_put_string(out, index == VALUES_SHOWN ? ", ..." : "");
        return;
    }
    buffer_put_string(out, index ? ", " : " is ");
    if (!value) {
        buffer_put_string(out, "absent");
        return;
    }
    buffer_clear(scratch);
    evidence_put_value(&(struct evidence_item){.value = *value}, scratch);
    buffer_put_char(out, '"');
    buffer_put_printable(out, buffer_text(scratch));
    buffer_put_char(out, '"');
}

static void put_group_text(struct explanation *explanation, const struct correlation *correlation,
                           const struct correlation_member *member)
{
    struct groups groups = {.correlation = correlation, .member = member};
    struct buffer *out = explanation->out;

    find_groups(&groups, explanation->event);
    for (size_t i = 0; i < correlation->key_count; i++) {
        buffer_put_string(out, INDENT);
        buffer_put_printable(out, correlation->keys[i]);
        if (!put_values(explanation, &groups, i, put_value_text))
            buffer_put_string(out, " is absent");
        buffer_put_char(out, '\n');
    }
}

static void put_member_text(struct explanation *explanation, const struct correlation *correlation,
                            const struct correlation_member *member)
{
    bool holds = turn_to(explanation, member);

    explain_put_line(explanation, holds);
    if (is_inner(member))
        buffer_put_string(explanation->out, INDENT "it is a correlation itself\n");
    else if (!holds)
        explain_put_idle(explanation, INDENT);
    if (holds)
        put_group_text(explanation, correlation, member);
    else if (!is_inner(member))
        explain_put_stops(explanation);
}

void correlation_explain_put_text(struct explanation *explanation)
{
    const struct rule *rule = explanation->rule;
    struct buffer *out = explanation->out;
    bool takes = takes_event(explanation);

    explain_put_head(explanation, takes ? "takes this event" : "does not take this event", takes);
    buffer_put_string(out, "  ");
    correlation_summary_put(out, rule->correlation);
    buffer_put_string(out, "\n\n");
    explanation->indent = INDENT;
    for (size_t i = 0; i < rule->correlation->member_count; i++)
        put_member_text(explanation, rule->correlation, &rule->correlation->members[i]);
    explanation->rule = rule;
}

static void put_value_json(struct explanation *explanation, const struct value *value, size_t index)
{
    (void)index;
    if (!value) {
        json_raw(explanation->json, TEXT("null"));
        return;
    }
    buffer_clear(&explanation->scratch);
    evidence_put_value(&(struct evidence_item){.value = *value}, &explanation->scratch);
    json_text(explanation->json, buffer_text(&explanation->scratch));
    buffer_clear(&explanation->scratch);
}

static void put_group_json(struct explanation *explanation, const struct correlation *correlation,
                           const struct correlation_member *member)
{
    struct groups groups = {.correlation = correlation, .member = member};
    struct json_writer *json = explanation->json;

    find_groups(&groups, explanation->event);
    json_key(json, TEXT("group"));
    json_begin(json, '{');
    for (size_t i = 0; i < correlation->key_count; i++) {
        json_key(json, correlation->keys[i]);
        json_begin(json, '[');
        put_values(explanation, &groups, i, put_value_json);
        json_end(json, ']');
    }
    json_end(json, '}');
}

static void put_member_json(struct explanation *explanation, const struct correlation *correlation,
                            const struct correlation_member *member)
{
    struct json_writer *json = explanation->json;
    bool holds = turn_to(explanation, member);

    json_begin(json, '{');
    explain_put_id(explanation);
    json_key(json, TEXT("correlation"));
    json_bool(json, is_inner(member));
    json_key(json, TEXT("holds"));
    json_bool(json, holds);
    if (holds)
        put_group_json(explanation, correlation, member);
    else if (!is_inner(member))
        explain_put_stops_json(explanation);
    json_end(json, '}');
}

void correlation_explain_put_json(struct explanation *explanation)
{
    const struct rule *rule = explanation->rule;
    const struct correlation *correlation = rule->correlation;
    struct json_writer *json = explanation->json;

    json_key(json, TEXT("type"));
    json_text(json, text_from(correlation_type_name(correlation->type)));
    correlation_summary_put(&explanation->scratch, correlation);
    json_key(json, TEXT("summary"));
    json_text(json, buffer_text(&explanation->scratch));
    buffer_clear(&explanation->scratch);
    json_key(json, TEXT("event"));
    json_text(json, text_from(event_type_name(explanation->event->type)));
    json_key(json, TEXT("members"));
    json_begin(json, '[');
    for (size_t i = 0; i < correlation->member_count; i++)
        put_member_json(explanation, correlation, &correlation->members[i]);
    json_end(json, ']');
    explanation->rule = rule;
}
