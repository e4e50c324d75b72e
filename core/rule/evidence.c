#include "rule/evidence.h"

struct search {
    struct matcher *matcher;
    const struct event *event;
    const struct predicate *predicate;
    bool holds; /* the predicate does: one of its values makes it */
    struct evidence_item *out;
};

static bool accept(struct search *search, const struct value *value)
{
    if (!search->holds ||
        !matcher_accepts(search->matcher, search->event, search->predicate, value))
        return false;
    search->out->value = *value;
    return true;
}

static bool accept_text(struct search *search, struct text text)
{
    return accept(search, &(struct value){.type = TYPE_TEXT, .text = text});
}

static bool accept_one(struct search *search, const struct value *value)
{
    struct text rest = value->text, item;

    if (value->type == TYPE_TEXT_LIST) {
        while (text_list_next(&rest, &item))
            if (accept_text(search, item))
                return true;
        return false;
    }
    uint64_t left = (uint64_t)value->number;

    if (flag_names_is_all(value->names, left) && accept_text(search, TEXT("all")))
        return true;
    while (flag_names_next(value->names, &left, &item))
        if (accept_text(search, item))
            return true;
    return false;
}

/* Looks at one process's value. The first value seen stays when none fits. */
static bool look(struct search *search, const struct value *value, unsigned generation)
{
    struct evidence_item *out = search->out;
    bool has_many = value->type == TYPE_TEXT_LIST || value->type == TYPE_FLAGS;
    bool holds = has_many && search->predicate->op != PREDICATE_EXISTS ? accept_one(search, value)
                                                                       : accept(search, value);

    if (!holds && !out->has_value)
        out->value = *value;
    if (holds || !out->has_value)
        out->generation = generation;
    out->has_value = true;
    return holds;
}

static bool see_ancestors(struct search *search)
{
    const struct process *process = search->event->process;
    struct value value;

    for (unsigned i = 1; process && i <= ANCESTOR_MAX; i++) {
        process = process->parent;
        if (process && process_value(process, search->predicate->ref.field, &value) &&
            look(search, &value, i))
            return true;
    }
    return false;
}

static bool see_predicate(struct matcher *matcher, const struct event *event,
                          const struct expression *expression, struct evidence_item *out)
{
    const struct predicate *predicate = expression->predicate;
    struct search search = {matcher, event, predicate, matcher_holds(matcher, event, expression),
                            out};
    struct value value;

    out->predicate = predicate;
    out->has_value = false;
    out->generation = predicate->ref.generation;
    if (predicate->ref.owner == OWNER_ANY_ANCESTOR)
        return see_ancestors(&search);
    return event_value(event, &predicate->ref, &value) && look(&search, &value, out->generation);
}

static bool see(struct matcher *matcher, const struct event *event,
                const struct expression *expression, struct evidence_item *out);

/* The first that holds, else the first that saw something. */
static void see_one(struct matcher *matcher, const struct event *event,
                    const struct expression *expression, struct evidence_item *out)
{
    struct evidence_item first = *out;

    for (size_t i = 0; i < expression->count; i++) {
        if (see(matcher, event, expression->items[i], out))
            return;
        if (!first.has_value)
            first = *out;
    }
    *out = first;
}

/* A value may have become several predicates (base64offset) or the opposite of one (exists). */
static bool see(struct matcher *matcher, const struct event *event,
                const struct expression *expression, struct evidence_item *out)
{
    if (expression->kind == EXPRESSION_PREDICATE)
        return see_predicate(matcher, event, expression, out);
    see_one(matcher, event, expression, out);
    return matcher_holds(matcher, event, expression);
}

bool evidence_see(struct matcher *matcher, const struct event *event, const struct outline *part,
                  struct evidence_item *out)
{
    *out = (struct evidence_item){.part = part};
    return see(matcher, event, part->expression, out);
}

struct collection {
    struct matcher *matcher;
    const struct event *event;
    struct evidence *evidence;
    unsigned looks;
};

static void add(struct collection *collection, const struct outline *part)
{
    struct evidence *evidence = collection->evidence;

    for (size_t i = 0; i < evidence->count; i++)
        if (evidence->items[i].part == part)
            return;
    if (evidence->count == EVIDENCE_MAX) {
        evidence->truncated = true;
        return;
    }
    struct evidence_item *item = &evidence->items[evidence->count];

    evidence_see(collection->matcher, collection->event, part, item);
    evidence->count += item->predicate != NULL;
}

/* POSITIVE: under no NOT, or under an even number of them. */
static void collect(struct collection *collection, const struct outline *part, bool positive)
{
    if (collection->looks++ == EVIDENCE_LOOK_MAX)
        collection->evidence->truncated = true;
    if (collection->evidence->truncated ||
        matcher_holds(collection->matcher, collection->event, part->expression) != positive)
        return;
    if (part->kind == OUTLINE_VALUE && positive)
        add(collection, part);
    for (size_t i = 0; i < part->count; i++)
        collect(collection, part->items[i], positive != (part->kind == OUTLINE_NOT));
}

void evidence_collect(struct matcher *matcher, const struct event *event, const struct rule *rule,
                      struct evidence *out)
{
    struct collection collection = {matcher, event, out, 0};

    out->count = 0;
    out->truncated = false;
    collect(&collection, rule->outline, true);
}

void evidence_put_field(const struct evidence_item *item, struct buffer *out)
{
    struct field_ref ref = item->predicate->ref;

    if (ref.owner == OWNER_ANY_ANCESTOR && item->has_value)
        ref.owner = OWNER_ANCESTOR;
    ref.generation = item->generation;
    field_ref_put(out, &ref);
}

static void put_clipped(struct buffer *out, struct text t)
{
    struct text front = text_clip(t, EVIDENCE_TEXT_MAX);

    buffer_put_text(out, front);
    if (front.len < t.len)
        buffer_put_string(out, "...");
}

/* A list's texts are long before they are joined: no more is joined than is shown. */
static void put_list(struct buffer *out, struct text list)
{
    struct text front = text_clip(list, EVIDENCE_TEXT_MAX), rest = front, item;
    bool first = true;

    while (text_list_next(&rest, &item)) {
        if (!first)
            buffer_put_char(out, ' ');
        first = false;
        buffer_put_text(out, item);
    }
    if (front.len < list.len)
        buffer_put_string(out, "...");
}

void evidence_put_value(const struct evidence_item *item, struct buffer *out)
{
    if (item->value.type == TYPE_TEXT)
        put_clipped(out, item->value.text);
    else if (item->value.type == TYPE_TEXT_LIST)
        put_list(out, item->value.text);
    else
        value_put(out, &item->value);
}

static void put_text(struct json_writer *json, struct text key, struct buffer *scratch)
{
    json_key(json, key);
    json_text(json, buffer_text(scratch));
    buffer_clear(scratch);
}

static void put_item(struct json_writer *json, const struct evidence_item *item,
                     struct buffer *scratch)
{
    const struct outline *part = item->part;

    json_begin(json, '{');
    buffer_clear(scratch);
    evidence_put_field(item, scratch);
    put_text(json, TEXT("field"), scratch);
    put_clipped(scratch, outline_operator(part));
    put_text(json, TEXT("operator"), scratch);
    put_clipped(scratch, part->value);
    put_text(json, TEXT("pattern"), scratch);
    if (item->has_value) {
        evidence_put_value(item, scratch);
        put_text(json, TEXT("value"), scratch);
    }
    mark_put(scratch, part->mark);
    put_text(json, TEXT("at"), scratch);
    json_end(json, '}');
}

void evidence_put_json(struct buffer *out, const struct evidence *evidence, struct buffer *scratch)
{
    struct json_writer json = {.buffer = out};
    size_t begin = out->len;
    bool truncated = evidence->truncated;

    json_key(&json, TEXT("matched"));
    json_begin(&json, '[');
    for (size_t i = 0; i < evidence->count; i++) {
        struct json_writer before = json;
        size_t end = out->len;

        put_item(&json, &evidence->items[i], scratch);
        if (out->len - begin <= EVIDENCE_JSON_MAX)
            continue;
        out->len = end;
        json = before;
        truncated = true;
        break;
    }
    json_end(&json, ']');
    if (truncated) {
        json_key(&json, TEXT("matched_truncated"));
        json_bool(&json, true);
    }
    if (buffer_failed(scratch))
        out->failed = true;
}
