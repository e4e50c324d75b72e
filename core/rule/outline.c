#include "rule/outline.h"

#include "rule/compiler.h"

static void *allocate(struct compiler *compiler, size_t count, size_t size)
{
    void *memory = arena_array(&compiler->ruleset->arena, count, size);

    if (!memory)
        compiler->failed = true;
    return memory;
}

struct text outline_operator(const struct outline *value)
{
    struct text rest = value->name;

    text_split(&rest, '|');
    return rest.len ? rest : TEXT("matches");
}

void outline_put_name(const struct outline *part, struct buffer *out)
{
    static const char *const words[] = {
        [OUTLINE_MACRO] = "macro ",
        [OUTLINE_MATCH] = "match",
        [OUTLINE_CONDITION] = "condition",
        [OUTLINE_UNLESS] = "unless",
        [OUTLINE_OVERRIDE] = "unless (override)",
        [OUTLINE_FILTER] = "filter ",
    };

    if (part->role < sizeof words / sizeof *words && words[part->role])
        buffer_put_string(out, words[part->role]);
    buffer_put_printable(out, part->name);
}

/* The keys of a map, as far as it has such. */
static void put_keys(const struct outline *part, struct buffer *out)
{
    for (size_t i = 0; i < part->count; i++) {
        buffer_put_string(out, i == 0 ? "" : " and ");
        outline_put_name(part->items[i], out);
        if (part->items[i]->role == OUTLINE_PLAIN)
            buffer_put_string(out, "...");
    }
}

void outline_put_label(const struct outline *part, struct buffer *out)
{
    bool is_list = part->role == OUTLINE_KEY && part->count == 1;

    outline_put_name(part, out);
    if (part->kind == OUTLINE_VALUE) {
        buffer_put_string(out, ": ");
        buffer_put_printable(out, part->value);
        return;
    }
    if (is_list) {
        part = part->items[0];
        buffer_put_string(out, ": ");
        outline_put_name(part, out);
    }
    if (part->count < 2)
        return;
    if (part->role == OUTLINE_KEY || part->role == OUTLINE_LIST)
        buffer_printf(out, "%s %s of %zu", is_list ? "," : ":",
                      part->kind == OUTLINE_ANY ? "any" : "all", part->values);
    else if (part->role != OUTLINE_PLAIN)
        buffer_put_string(out, part->kind == OUTLINE_ANY ? ": any of" : ": all of");
    else if (part->kind == OUTLINE_ANY)
        buffer_put_string(out, "any of");
    else
        put_keys(part, out);
}

void mark_put(struct buffer *out, struct mark mark)
{
    buffer_put_printable(out, text_from(mark.file));
    if (mark.line)
        buffer_printf(out, ":%u", mark.line);
    if (mark.line && mark.column)
        buffer_printf(out, ":%u", mark.column);
}

/* The text of most values is that of the predicate they became. */
static struct text keep_value(struct compiler *compiler, struct text value,
                              const struct expression *expression)
{
    if (expression->kind == EXPRESSION_PREDICATE && text_equal(expression->predicate->text, value))
        return expression->predicate->text;
    struct text kept = arena_text(&compiler->ruleset->arena, value);

    compiler->failed |= !kept.ptr;
    return kept;
}

struct outline *outline_value(struct compiler *compiler, struct text key,
                              const struct yaml_node *value, const struct expression *expression)
{
    struct outline *part = expression ? allocate(compiler, 1, sizeof *part) : NULL;

    if (!part)
        return NULL;
    *part = (struct outline){
        .kind = OUTLINE_VALUE,
        .role = OUTLINE_KEY,
        .name = compiler_keep_name(compiler, key),
        .value = keep_value(compiler, value->text, expression),
        .mark = compiler_keep_mark(compiler, value->mark),
        .expression = expression,
        .values = 1,
    };
    return part;
}

static size_t add_values(size_t sum, size_t more)
{
    return more > OUTLINE_VALUES_MAX + 1 - sum ? OUTLINE_VALUES_MAX + 1 : sum + more;
}

/* A part over ITEMS, the list of which is copied. */
static struct outline *new_part(struct compiler *compiler, enum outline_kind kind,
                                const struct expression *expression, struct outline *const *items,
                                size_t count)
{
    struct outline *part = allocate(compiler, 1, sizeof *part);
    const struct outline **kept = allocate(compiler, count, sizeof(struct outline *));

    if (!part || !kept)
        return NULL;
    *part = (struct outline){.kind = kind, .expression = expression, .items = kept, .count = count};
    for (size_t i = 0; i < count; i++) {
        kept[i] = items[i];
        part->values = add_values(part->values, items[i]->values);
    }
    if (count)
        part->mark = items[0]->mark;
    return part;
}

struct outline *outline_not(struct compiler *compiler, struct outline *item)
{
    const struct expression *expression =
        item ? expression_not(&compiler->expressions, item->expression) : NULL;

    return expression ? new_part(compiler, OUTLINE_NOT, expression, &item, 1) : NULL;
}

struct outline *outline_join(struct compiler *compiler, const struct expression *expression,
                             struct outline *const *items, size_t count, bool all)
{
    if (!expression)
        return NULL;
    if (count == 1)
        return items[0];
    return new_part(compiler, all ? OUTLINE_ALL : OUTLINE_ANY, expression, items, count);
}

struct outline *outline_as(struct compiler *compiler, struct outline *item, enum outline_role role,
                           const struct yaml_node *node)
{
    bool is_named = role == OUTLINE_KEY || role == OUTLINE_LIST || role == OUTLINE_MACRO ||
                    role == OUTLINE_SELECTION || role == OUTLINE_FILTER;

    if (item && item->role != OUTLINE_PLAIN)
        item = new_part(compiler, OUTLINE_ALL, item->expression, &item, 1);
    if (!item)
        return NULL;
    item->role = role;
    item->mark = compiler_keep_mark(compiler, node->mark);
    if (is_named)
        item->name = compiler_keep_name(compiler, node->text);
    return item;
}

static size_t count_predicates(const struct expression *expression)
{
    size_t count = expression->kind == EXPRESSION_PREDICATE;

    for (size_t i = 0; i < expression->count; i++)
        count += count_predicates(expression->items[i]);
    return count;
}

static size_t count_origins(const struct outline *part)
{
    size_t count = part->kind == OUTLINE_VALUE ? count_predicates(part->expression) : 0;

    for (size_t i = 0; i < part->count; i++)
        count += count_origins(part->items[i]);
    return count;
}

static void add_predicates(struct rule_origin **at, const struct expression *expression,
                           struct mark mark)
{
    if (expression->kind == EXPRESSION_PREDICATE)
        *(*at)++ = (struct rule_origin){expression->predicate, mark};
    for (size_t i = 0; i < expression->count; i++)
        add_predicates(at, expression->items[i], mark);
}

static void add_origins(struct rule_origin **at, const struct outline *part)
{
    if (part->kind == OUTLINE_VALUE)
        add_predicates(at, part->expression, part->mark);
    for (size_t i = 0; i < part->count; i++)
        add_origins(at, part->items[i]);
}

void outline_set_origins(struct compiler *compiler, struct rule *rule)
{
    size_t count = count_origins(rule->outline);
    struct rule_origin *origins = allocate(compiler, count, sizeof *origins);
    struct rule_origin *at = origins;

    if (!origins)
        return;
    add_origins(&at, rule->outline);
    rule->origins = origins;
    rule->origin_count = count;
}
