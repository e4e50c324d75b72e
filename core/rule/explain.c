#include "rule/explain.h"

#include "rule/correlation_explain.h"
#include "rule/correlation_summary.h"

/* A key with more values shows those that hold alone. */
#define VALUES_SHOWN 8

/* Where what a value saw begins, if the line is not that long already. */
#define SEEN_COLUMN 48

/* A value is cut behind so many bytes; JSON has more of it. */
#define SEEN_MAX ((size_t)60)

#define RESET "\033[0m"
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define GREEN "\033[32m"

static bool holds(const struct explanation *explanation, const struct outline *part)
{
    return matcher_holds(explanation->matcher, explanation->event, part->expression);
}

bool explain_fires(struct explanation *explanation)
{
    const struct rule *rule = explanation->rule;

    matcher_begin(explanation->matcher);
    return rule->enabled && rule->on == explanation->event->type &&
           holds(explanation, rule->outline);
}

/* What stops a rule: a part that does not hold, or one beneath a NOT that does; NAMED is the
 * nearest above it that has a name of its own, or the filter that it is in. */
typedef void put_stop(struct explanation *explanation, const struct outline *part,
                      const struct outline *named);

static bool is_key(const struct outline *part)
{
    return part->role == OUTLINE_KEY || part->role == OUTLINE_LIST;
}

/* PART is not what it has to be. What is but a whole of others is looked into. */
static void find_stops(struct explanation *explanation, const struct outline *part,
                       const struct outline *named, put_stop *put)
{
    bool is_true = holds(explanation, part);
    bool is_whole = part->kind == (is_true ? OUTLINE_ANY : OUTLINE_ALL);

    if (part->role != OUTLINE_PLAIN && !is_key(part) && !(named && named->role == OUTLINE_FILTER))
        named = part;
    if (part->kind != OUTLINE_NOT && (is_key(part) || (!is_whole && part->count != 1))) {
        put(explanation, part, named);
        return;
    }
    for (size_t i = 0; i < part->count; i++)
        if (part->kind == OUTLINE_NOT || holds(explanation, part->items[i]) == is_true)
            find_stops(explanation, part->items[i], named, put);
}

static void put_colour(struct explanation *explanation, const char *colour)
{
    if (explanation->colour)
        buffer_put_string(explanation->out, colour);
}

static void put_truth(struct explanation *explanation, bool is_true)
{
    put_colour(explanation, is_true ? GREEN : RED);
    buffer_put_string(explanation->out, is_true ? "true " : "false");
    put_colour(explanation, RESET);
}

static void put_place(struct explanation *explanation, struct mark mark)
{
    put_colour(explanation, DIM);
    buffer_put_string(explanation->out, "  ");
    mark_put(explanation->out, mark);
    put_colour(explanation, RESET);
}

static size_t characters(const struct buffer *out, size_t begin)
{
    size_t count = 0;

    for (size_t i = begin; i < out->len; i++)
        count += ((unsigned char)out->data[i] & 0xc0) != 0x80;
    return count;
}

/* `comm is "bash"`, `container.id is absent` */
static void put_seen(struct explanation *explanation, const struct evidence_item *item)
{
    struct buffer *out = explanation->out;

    if (!item->predicate) {
        buffer_put_string(out, "the same for every event");
        return;
    }
    evidence_put_field(item, out);
    if (!item->has_value) {
        buffer_put_string(out, " is absent");
        return;
    }
    buffer_clear(&explanation->scratch);
    evidence_put_value(item, &explanation->scratch);
    struct text shown = text_clip(buffer_text(&explanation->scratch), SEEN_MAX);

    buffer_put_string(out, " is \"");
    buffer_put_printable(out, shown);
    buffer_put_string(out, shown.len < explanation->scratch.len ? "...\"" : "\"");
}

/* The first VALUE of a key: all of them look at the same field. */
static const struct outline *first_value(const struct outline *part)
{
    while (part->kind != OUTLINE_VALUE && part->count)
        part = part->items[0];
    return part;
}

struct line {
    const struct outline *part;
    unsigned depth;
    bool negated; /* "not" goes before its name */
};

static void put_line(struct explanation *explanation, const struct line *line)
{
    struct buffer *out = explanation->out;
    const struct outline *part = line->part;
    bool is_true = holds(explanation, part) != line->negated;
    struct evidence_item item;

    put_truth(explanation, is_true);
    size_t begin = out->len;

    buffer_put_string(out, "  ");
    for (unsigned i = 0; i < line->depth; i++)
        buffer_put_string(out, "  ");
    buffer_put_string(out, line->negated ? "not " : "");
    outline_put_label(part, out);
    size_t width = sizeof "false" - 1 + characters(out, begin);

    if (part->role == OUTLINE_KEY) {
        for (buffer_put_string(out, "  "), width += 2; width < SEEN_COLUMN; width++)
            buffer_put_char(out, ' ');
        evidence_see(explanation->matcher, explanation->event, first_value(part), &item);
        put_seen(explanation, &item);
    }
    put_place(explanation, part->mark);
    buffer_put_char(out, '\n');
}

static void put_tree(struct explanation *explanation, const struct outline *part, unsigned depth);

static void put_items(struct explanation *explanation, const struct outline *part, unsigned depth)
{
    for (size_t i = 0; i < part->count; i++) {
        const struct outline *item = part->items[i];
        bool is_value = item->kind == OUTLINE_VALUE;

        if (!is_key(part) || part->count <= VALUES_SHOWN || !is_value || holds(explanation, item))
            put_tree(explanation, item, depth);
    }
}

/* A whole without a name in one of its kind is but the way it was put together. */
static bool is_seam(const struct outline *part, unsigned depth)
{
    return part->kind == OUTLINE_ALL && part->role == OUTLINE_PLAIN && depth == 0;
}

static void put_tree(struct explanation *explanation, const struct outline *part, unsigned depth)
{
    struct line line = {part, depth, false};

    if (is_seam(part, depth)) {
        put_items(explanation, part, 0);
        return;
    }
    while (line.part->kind == OUTLINE_NOT) {
        line.part = line.part->items[0];
        line.negated = !line.negated;
    }
    put_line(explanation, &line);
    if (line.part->role == OUTLINE_KEY && line.part->count == 1)
        line.part = line.part->items[0]; /* the list was named with the key */
    put_items(explanation, line.part, depth + 1);
}

static void put_stop_text(struct explanation *explanation, const struct outline *part,
                          const struct outline *named)
{
    struct buffer *out = explanation->out;
    struct evidence_item item;

    buffer_put_string(out, explanation->indent);
    if (named && named != part) {
        outline_put_name(named, out);
        buffer_put_string(out, ": ");
    }
    outline_put_label(part, out);
    if (part->role == OUTLINE_KEY) {
        buffer_put_string(out, "  ");
        evidence_see(explanation->matcher, explanation->event, first_value(part), &item);
        put_seen(explanation, &item);
    }
    put_place(explanation, part->mark);
    buffer_put_char(out, '\n');
}

/* That a rule's hits go elsewhere. */
static void put_feeds(struct explanation *explanation)
{
    struct buffer *out = explanation->out;
    const struct rule *rule = explanation->rule;

    if (rule->feed_count) {
        buffer_put_string(out, "  it feeds ");
        correlation_summary_put_feeds(out, rule);
        buffer_put_char(out, '\n');
    }
    if (rule->silent)
        buffer_put_string(out, "  it raises no alert of its own\n");
}

void explain_put_idle(struct explanation *explanation, const char *indent)
{
    struct buffer *out = explanation->out;
    const struct rule *rule = explanation->rule;

    if (rule->enabled)
        return;
    buffer_put_string(out, indent);
    if (rule->silencer) {
        buffer_put_string(out, "it is part of ");
        buffer_put_printable(out, rule->silencer->id);
        buffer_put_string(out, ", which is not enabled\n");
    } else {
        buffer_put_string(out, "it is not enabled\n");
    }
}

void explain_put_head(struct explanation *explanation, const char *verdict, bool good)
{
    struct buffer *out = explanation->out;
    const struct rule *rule = explanation->rule;

    buffer_put_string(out, rule->correlation ? "correlation '" : "rule '");
    buffer_put_printable(out, rule->id);
    buffer_put_string(out, "' ");
    put_colour(explanation, good ? GREEN : RED);
    buffer_put_string(out, verdict);
    put_colour(explanation, RESET);
    put_place(explanation, rule->mark);
    buffer_put_char(out, '\n');
    explain_put_idle(explanation, "  ");
    put_feeds(explanation);
}

static void put_refusal(struct explanation *explanation)
{
    const struct rule *rule = explanation->rule;
    enum event_type type = explanation->event->type;

    if (rule->on != type)
        buffer_printf(explanation->out, "%sit is on %s, and this is: %s\n", explanation->indent,
                      event_type_name(rule->on), event_type_name(type));
}

void explain_put_line(struct explanation *explanation, bool good)
{
    const struct rule *rule = explanation->rule;

    put_truth(explanation, good);
    buffer_put_string(explanation->out, "  ");
    buffer_put_printable(explanation->out, rule->id);
    put_place(explanation, rule->mark);
    buffer_put_char(explanation->out, '\n');
}

void explain_put_stops(struct explanation *explanation)
{
    put_refusal(explanation);
    if (!holds(explanation, explanation->rule->outline))
        find_stops(explanation, explanation->rule->outline, NULL, put_stop_text);
}

void explain_put_text(struct explanation *explanation)
{
    const struct outline *outline = explanation->rule->outline;

    if (explanation->rule->correlation) {
        correlation_explain_put_text(explanation);
        return;
    }
    bool fires = explain_fires(explanation);
    const char *verdict = explanation->rule->silent ? (fires ? "holds" : "does not hold")
                          : fires                   ? "fires"
                                                    : "does not fire";

    explain_put_head(explanation, verdict, fires);
    explanation->indent = "  ";
    put_refusal(explanation);
    if (!holds(explanation, outline)) {
        buffer_put_string(explanation->out, "stopped by\n");
        find_stops(explanation, outline, NULL, put_stop_text);
    }
    buffer_put_char(explanation->out, '\n');
    put_tree(explanation, outline, 0);
}

static void put_text(struct json_writer *json, struct text key, struct buffer *scratch)
{
    json_key(json, key);
    json_text(json, buffer_text(scratch));
    buffer_clear(scratch);
}

static void put_mark(struct json_writer *json, struct buffer *scratch, struct mark mark)
{
    mark_put(scratch, mark);
    put_text(json, TEXT("at"), scratch);
}

static void put_name(struct json_writer *json, struct buffer *scratch, const struct outline *part)
{
    outline_put_name(part, scratch);
    if (scratch->len)
        put_text(json, TEXT("name"), scratch);
}

/* Of a VALUE: the field that was looked at, and what was there. */
static void put_sight(struct explanation *explanation, struct json_writer *json,
                      const struct outline *part)
{
    struct buffer *scratch = &explanation->scratch;
    struct evidence_item item;

    evidence_see(explanation->matcher, explanation->event, part, &item);
    json_key(json, TEXT("pattern"));
    json_text(json, part->value);
    if (!item.predicate)
        return;
    evidence_put_field(&item, scratch);
    put_text(json, TEXT("field"), scratch);
    if (!item.has_value)
        return;
    evidence_put_value(&item, scratch);
    put_text(json, TEXT("value"), scratch);
}

static void put_part(struct explanation *explanation, struct json_writer *json,
                     const struct outline *part)
{
    static const char *const kinds[] = {[OUTLINE_VALUE] = "value",
                                        [OUTLINE_NOT] = "not",
                                        [OUTLINE_ALL] = "all",
                                        [OUTLINE_ANY] = "any"};

    json_begin(json, '{');
    json_key(json, TEXT("kind"));
    json_text(json, text_from(kinds[part->kind]));
    put_name(json, &explanation->scratch, part);
    json_key(json, TEXT("holds"));
    json_bool(json, holds(explanation, part));
    if (part->kind == OUTLINE_VALUE)
        put_sight(explanation, json, part);
    put_mark(json, &explanation->scratch, part->mark);
    if (part->count) {
        json_key(json, TEXT("items"));
        json_begin(json, '[');
        for (size_t i = 0; i < part->count; i++)
            put_part(explanation, json, part->items[i]);
        json_end(json, ']');
    }
    json_end(json, '}');
}

static void put_stop_json(struct explanation *explanation, const struct outline *part,
                          const struct outline *named)
{
    struct json_writer *json = explanation->json;

    json_begin(json, '{');
    if (named)
        put_name(json, &explanation->scratch, named);
    put_mark(json, &explanation->scratch, part->mark);
    json_end(json, '}');
}

void explain_put_stops_json(struct explanation *explanation)
{
    struct json_writer *json = explanation->json;

    json_key(json, TEXT("stopped_by"));
    json_begin(json, '[');
    if (!holds(explanation, explanation->rule->outline))
        find_stops(explanation, explanation->rule->outline, NULL, put_stop_json);
    json_end(json, ']');
}

void explain_put_id(struct explanation *explanation)
{
    json_key(explanation->json, TEXT("rule"));
    json_text(explanation->json, explanation->rule->id);
    put_mark(explanation->json, &explanation->scratch, explanation->rule->mark);
}

/* What is said of every rule; FIRES NULL: that cannot be said of one event. */
static void put_facts(struct explanation *explanation, const bool *fires)
{
    struct json_writer *json = explanation->json;
    const struct rule *rule = explanation->rule;

    explain_put_id(explanation);
    json_key(json, TEXT("fires"));
    if (fires)
        json_bool(json, *fires);
    else
        json_raw(json, TEXT("null"));
    json_key(json, TEXT("enabled"));
    json_bool(json, rule->enabled);
    json_key(json, TEXT("silent"));
    json_bool(json, rule->silent);
    json_key(json, TEXT("feeds"));
    json_begin(json, '[');
    for (size_t i = 0; i < rule->feed_count; i++)
        json_text(json, rule->feeds[i].rule->id);
    json_end(json, ']');
}

static void put_rule_json(struct explanation *explanation)
{
    struct json_writer *json = explanation->json;
    const struct rule *rule = explanation->rule;
    bool fires = explain_fires(explanation);

    put_facts(explanation, &fires);
    json_key(json, TEXT("on"));
    json_text(json, text_from(event_type_name(rule->on)));
    json_key(json, TEXT("event"));
    json_text(json, text_from(event_type_name(explanation->event->type)));
    explain_put_stops_json(explanation);
    json_key(json, TEXT("tree"));
    put_part(explanation, json, rule->outline);
}

void explain_put_json(struct explanation *explanation)
{
    struct json_writer json = {.buffer = explanation->out};

    buffer_clear(&explanation->scratch);
    explanation->json = &json;
    json_begin(&json, '{');
    if (explanation->rule->correlation) {
        put_facts(explanation, NULL);
        correlation_explain_put_json(explanation);
    } else {
        put_rule_json(explanation);
    }
    json_end(&json, '}');
    buffer_put_char(explanation->out, '\n');
}
