#include "cli/alert_drawing.h"

#include "cli/alert_listing.h"
#include "cli/lineage.h"
#include "presentation/alert_tree.h"
#include "rule/rule.h"

static void put_headline(const struct drawing *drawing, const json_t *alert)
{
    struct text word = drawing_text_at(alert, "rule.severity"),
                title = drawing_text_at(alert, "rule.title");
    enum severity severity;

    drawing_look(drawing,
                 severity_parse(word, &severity) == 0 ? severity_colour(severity) : DRAWING_BOLD);
    drawing_text(drawing, word);
    drawing_look(drawing, DRAWING_END);
    buffer_put_string(drawing->out, "  ");
    drawing_look(drawing, DRAWING_BOLD);
    drawing_text(drawing, drawing_text_at(alert, "rule.id"));
    drawing_look(drawing, DRAWING_END);
    if (title.len) {
        buffer_put_string(drawing->out, "  ");
        drawing_text(drawing, title);
    }
    drawing_end_line(drawing);
    drawing_text(drawing, drawing_text_at(alert, "message"));
    drawing_end_line(drawing);
}

static void put_folded(const struct drawing *drawing, const json_t *alert)
{
    const json_t *count = alert_tree_find(alert, TEXT("folded.count"));

    if (!json_is_integer(count))
        return;
    drawing_label(drawing, 1, TEXT("folded"));
    buffer_put_int(drawing->out, json_integer_value(count));
    buffer_put_string(drawing->out, " more like it since ");
    drawing_time(drawing, drawing_text_at(alert, "folded.since"));
    drawing_end_line(drawing);
}

static void put_facts(const struct drawing *drawing, const json_t *alert)
{
    drawing_end_line(drawing);
    drawing_member(drawing, 1, "alert", drawing_text_at(alert, "id"));
    drawing_label(drawing, 1, TEXT("time"));
    drawing_time(drawing, drawing_text_at(alert, "time"));
    drawing_end_line(drawing);
    put_folded(drawing, alert);
    drawing_member(drawing, 1, "host", drawing_text_at(alert, "host.name"));
    drawing_member(drawing, 1, "kernel", drawing_text_at(alert, "host.kernel"));
    drawing_member(drawing, 1, "matched at", drawing_text_at(alert, "engine.name"));
    drawing_path(drawing, 1, alert, "host.filters", "not seen");
    drawing_path(drawing, 1, alert, "rule.tags", "tags");
    drawing_member(drawing, 1, "about", drawing_text_at(alert, "rule.description"));
    drawing_member(drawing, 1, "author", drawing_text_at(alert, "rule.author"));
    drawing_path(drawing, 1, alert, "rule.references", "see");
    drawing_path(drawing, 1, alert, "rule.false_positives", "may be");
}

/* `exe startswith "/tmp/": "/tmp/x"  rules/origin.yaml:3:21` */
static void put_reason(const struct drawing *drawing, const json_t *reason)
{
    struct text operator= drawing_text_at(reason, "operator"),
                value = drawing_text_at(reason, "value");

    drawing_indent(drawing, 1);
    drawing_text(drawing, drawing_text_at(reason, "field"));
    buffer_put_char(drawing->out, ' ');
    drawing_text(drawing, operator.ptr ? operator : TEXT("matches"));
    buffer_put_char(drawing->out, ' ');
    drawing_text(drawing, drawing_text_at(reason, "pattern"));
    drawing_look(drawing, DRAWING_DIM);
    buffer_put_string(drawing->out, "  ");
    drawing_text(drawing, drawing_text_at(reason, "at"));
    drawing_look(drawing, DRAWING_END);
    drawing_end_line(drawing);
    drawing_indent(drawing, 3);
    if (value.ptr)
        drawing_text(drawing, value);
    else
        buffer_put_string(drawing->out, "it is not there");
    drawing_end_line(drawing);
}

static void put_reasons(const struct drawing *drawing, const json_t *alert)
{
    const json_t *reasons = json_object_get(alert, "matched"), *reason;
    size_t i;

    if (json_array_size(reasons) == 0)
        return;
    drawing_heading(drawing, "Why");
    json_array_foreach(reasons, i, reason) put_reason(drawing, reason);
    if (json_is_true(json_object_get(alert, "matched_truncated"))) {
        drawing_indent(drawing, 1);
        buffer_put_string(drawing->out, "… and more\n");
    }
}

static void put_step(const struct drawing *drawing, const json_t *step, size_t depth);

static void put_steps(const struct drawing *drawing, const json_t *whole, size_t depth)
{
    const json_t *steps = json_object_get(whole, "events"), *step;
    json_int_t omitted = json_integer_value(json_object_get(whole, "omitted"));
    size_t i, count = json_array_size(steps);

    json_array_foreach(steps, i, step)
    {
        /* Those that are not there are of the middle. */
        if (omitted > 0 && i == count / 2) {
            drawing_indent(drawing, depth);
            buffer_printf(drawing->out, "… %lld more\n", (long long)omitted);
        }
        put_step(drawing, step, depth);
    }
}

static void put_group(const struct drawing *drawing, const json_t *whole)
{
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(whole, "group"), key, value)
    {
        buffer_put_string(drawing->out, ", ");
        drawing_text(drawing, text_from(key));
        buffer_put_char(drawing->out, ' ');
        drawing_plain(drawing, value);
    }
}

static void put_count(const struct drawing *drawing, const json_t *whole)
{
    const json_t *count = json_object_get(whole, "count");

    if (json_is_integer(count))
        buffer_printf(drawing->out, "%lld in all", (long long)json_integer_value(count));
    put_group(drawing, whole);
}

/* Its time, rule, title and, where that is another, machine; and what happened beneath it. */
static void put_step(const struct drawing *drawing, const json_t *step, size_t depth)
{
    const json_t *event = json_object_get(step, "event");
    struct text title = drawing_text_at(step, "title");
    struct text machine = drawing_text_at(step, "event.host.name");

    drawing_indent(drawing, depth);
    drawing_time(drawing, drawing_text_at(step, "time"));
    buffer_put_string(drawing->out, "  ");
    drawing_look(drawing, DRAWING_BOLD);
    drawing_text(drawing, drawing_text_at(step, "rule"));
    drawing_look(drawing, DRAWING_END);
    if (title.len) {
        buffer_put_string(drawing->out, "  ");
        drawing_text(drawing, title);
    }
    if (machine.len) {
        buffer_put_string(drawing->out, "  on ");
        drawing_text(drawing, machine);
    }
    drawing_end_line(drawing);
    if (json_is_object(event)) {
        lineage_put_process(drawing, event, depth + 2, true);
    } else if (json_object_get(step, "events")) {
        drawing_indent(drawing, depth + 1);
        put_count(drawing, step);
        drawing_end_line(drawing);
        put_steps(drawing, step, depth + 1);
    }
}

static void put_correlation(const struct drawing *drawing, const json_t *alert)
{
    const json_t *correlation = json_object_get(alert, "correlation");
    const json_t *timespan = json_object_get(correlation, "timespan");
    const json_t *value = json_object_get(correlation, "value");

    if (!json_is_object(correlation))
        return;
    drawing_heading(drawing, "What led to it");
    drawing_indent(drawing, 1);
    drawing_text(drawing, drawing_text_at(correlation, "type"));
    if (json_is_integer(timespan))
        buffer_printf(drawing->out, " within %lld s", (long long)json_integer_value(timespan));
    buffer_put_string(drawing->out, ": ");
    put_count(drawing, correlation);
    if (drawing_is_plain(value)) {
        buffer_put_string(drawing->out, ", value ");
        drawing_plain(drawing, value);
    }
    drawing_end_line(drawing);
    put_steps(drawing, correlation, 1);
}

void alert_drawing_put(const struct drawing *drawing, const json_t *alert)
{
    const json_t *detail = json_object_get(alert, "detail");

    put_headline(drawing, alert);
    put_facts(drawing, alert);
    put_reasons(drawing, alert);
    put_correlation(drawing, alert);
    lineage_put(drawing, json_object_get(alert, "event"));
    if (json_is_object(detail)) {
        drawing_heading(drawing, "Detail");
        drawing_tree(drawing, 1, detail);
    }
}
