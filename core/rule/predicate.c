#include "rule/predicate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "rule/glob.h"

void predicate_table_deinit(struct predicate_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        regex_free(table->items[i]->regex);
    free(table->items);
    map_deinit(&table->seen);
    table->items = NULL;
    table->count = table->size = 0;
}

/* Everything that tells two predicates apart, as bytes. */
static struct text key_of(struct arena *arena, const struct predicate *predicate)
{
    const struct field_ref *ref = &predicate->ref, *other = &predicate->other;
    struct text text = predicate->text;
    char front[128];
    int len =
        snprintf(front, sizeof front, "%d %d %u %u %d %u %lld %d %d %u ", (int)ref->field->id,
                 (int)ref->owner, ref->generation, ref->item, (int)predicate->op, predicate->flags,
                 (long long)predicate->number, other->field ? (int)other->field->id : -1,
                 (int)other->owner, other->generation);
    char *key = arena_alloc(arena, (size_t)len + text.len);

    if (!key)
        return (struct text){NULL, 0};
    memcpy(key, front, (size_t)len);
    if (text.len)
        memcpy(key + len, text.ptr, text.len);
    return (struct text){key, (size_t)len + text.len};
}

static int compile_regex(struct predicate *predicate, struct regex_failure *failure)
{
    unsigned flags = predicate->flags;

    switch (predicate->op) {
    case PREDICATE_MATCHES:
        /* As in Prometheus: a newline in an argument is no way around `.*`. */
        flags |= REGEX_WHOLE | REGEX_DOTALL;
        break;
    case PREDICATE_FINDS:
        break;
    default:
        return 0;
    }
    return regex_new(predicate->text, flags, &predicate->regex, failure);
}

static int compile_network(struct predicate *predicate, struct arena *arena,
                           struct regex_failure *failure)
{
    struct network *network = arena_alloc(arena, sizeof *network);
    const char *reason;

    if (!network)
        return -ENOMEM;
    int r = network_parse(predicate->text, network, &reason);

    if (r < 0) {
        *failure = (struct regex_failure){0};
        snprintf(failure->reason, sizeof failure->reason, "%s", reason);
    }
    predicate->network = network;
    return r;
}

static int append(struct predicate_table *table, struct predicate *predicate)
{
    if (table->count == table->size) {
        size_t size = table->size ? table->size * 2 : 64;
        void *items = reallocarray(table->items, size, sizeof(struct predicate *));

        if (!items)
            return -ENOMEM;
        table->items = items;
        table->size = size;
    }
    predicate->index = table->count;
    table->items[table->count++] = predicate;
    return 0;
}

static int add_new(struct predicate_table *table, const struct predicate *wanted, struct text key,
                   const struct predicate **out, struct regex_failure *failure)
{
    struct predicate *predicate = arena_alloc(table->arena, sizeof *predicate);

    if (!predicate)
        return -ENOMEM;
    *predicate = *wanted;
    predicate->regex = NULL;
    predicate->text = arena_text(table->arena, wanted->text);
    if (!predicate->text.ptr)
        return -ENOMEM;
    int r = predicate->op == PREDICATE_CIDR ? compile_network(predicate, table->arena, failure)
                                            : compile_regex(predicate, failure);

    if (r < 0)
        return r;
    r = append(table, predicate);
    if (r < 0) {
        regex_free(predicate->regex);
        return r;
    }
    *out = predicate;
    return map_add(&table->seen, key, predicate);
}

int predicate_table_add(struct predicate_table *table, const struct predicate *wanted,
                        const struct predicate **out, struct regex_failure *failure)
{
    struct text key = key_of(table->arena, wanted);

    if (!key.ptr)
        return -ENOMEM;
    const struct predicate *known = map_get(&table->seen, key);

    if (!known)
        return add_new(table, wanted, key, out, failure);
    *out = known;
    return 0;
}

static bool matches(const struct predicate *predicate, struct text text,
                    struct predicate_scratch *scratch)
{
    int r = regex_match(predicate->regex, scratch->regex, text);

    scratch->limits += r < 0;
    return r > 0;
}

static bool equal(struct text a, struct text b, bool nocase)
{
    return nocase ? text_equal_nocase(a, b) : text_equal(a, b);
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The first C from AT to END; END: none. */
static const char *find_char(const char *at, const char *end, int c)
{
    const char *found = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;

    return found ? found : end;
}

/* By the places of its first letter in either case. Each is looked for again only once it has been
 * passed: a text that holds but one of them is gone through once for either. */
static bool contains_nocase(struct text whole, struct text part)
{
    if (part.len == 0 || part.len > whole.len)
        return part.len == 0;
    int one = (unsigned char)part.ptr[0];
    int other = is_letter(part.ptr[0]) ? one ^ ('a' ^ 'A') : one;
    const char *end = whole.ptr + whole.len - part.len + 1;
    const char *first = find_char(whole.ptr, end, one);
    const char *second = other != one ? find_char(whole.ptr, end, other) : end;

    while (first < end || second < end) {
        const char **at = first < second ? &first : &second;

        if (text_equal_nocase((struct text){*at, part.len}, part))
            return true;
        *at = find_char(*at + 1, end, at == &first ? one : other);
    }
    return false;
}

static bool contains(struct text whole, struct text part, bool nocase)
{
    return nocase ? contains_nocase(whole, part) : text_contains(whole, part);
}

static bool holds_text(const struct predicate *predicate, struct text text,
                       struct predicate_scratch *scratch)
{
    bool nocase = predicate->flags & REGEX_NOCASE;
    struct text part = predicate->text;

    if (predicate->regex)
        return matches(predicate, text, scratch);
    switch (predicate->op) {
    case PREDICATE_IS:
        return equal(text, part, nocase);
    case PREDICATE_STARTS:
        return text.len >= part.len && equal((struct text){text.ptr, part.len}, part, nocase);
    case PREDICATE_ENDS:
        return text.len >= part.len &&
               equal((struct text){text.ptr + (text.len - part.len), part.len}, part, nocase);
    case PREDICATE_CONTAINS:
        return contains(text, part, nocase);
    case PREDICATE_CIDR:
        return network_has(predicate->network, text);
    default:
        return glob_match(part, text, nocase);
    }
}

static bool holds_number(const struct predicate *predicate, int64_t number)
{
    switch (predicate->op) {
    case PREDICATE_EQUAL:
        return number == predicate->number;
    case PREDICATE_LESS:
        return number < predicate->number;
    case PREDICATE_LESS_EQUAL:
        return number <= predicate->number;
    case PREDICATE_GREATER:
        return number > predicate->number;
    default:
        return number >= predicate->number;
    }
}

static bool holds_list(const struct predicate *predicate, struct text list,
                       struct predicate_scratch *scratch)
{
    struct text item;

    while (text_list_next(&list, &item))
        if (holds_text(predicate, item, scratch))
            return true;
    return false;
}

static bool holds_flags(const struct predicate *predicate, const struct value *value,
                        struct predicate_scratch *scratch)
{
    uint64_t left = (uint64_t)value->number;
    struct text name;

    if (flag_names_is_all(value->names, left) && holds_text(predicate, TEXT("all"), scratch))
        return true;
    while (flag_names_next(value->names, &left, &name))
        if (holds_text(predicate, name, scratch))
            return true;
    return false;
}

/* Puts VALUE as text behind what the scratch has: the room is there. */
static struct text write_value(struct predicate_scratch *scratch, const struct value *value)
{
    size_t begin = scratch->text.len;

    if (value->type == TYPE_TEXT)
        return value->text;
    value_put(&scratch->text, value);
    return (struct text){scratch->text.data + begin, scratch->text.len - begin};
}

static bool holds_value(const struct predicate *predicate, const struct value *value,
                        struct predicate_scratch *scratch)
{
    if (predicate->op == PREDICATE_EXISTS)
        return true;
    if (!predicate_is_of_text(predicate->op))
        return holds_number(predicate,
                            value->type == TYPE_BOOL ? (int64_t)value->boolean : value->number);
    if (value->type == TYPE_TEXT_LIST)
        return holds_list(predicate, value->text, scratch);
    if (value->type == TYPE_FLAGS)
        return holds_flags(predicate, value, scratch);
    return holds_text(predicate, write_value(scratch, value), scratch);
}

bool predicate_accepts(const struct predicate *predicate, const struct event *event,
                       const struct value *value, struct predicate_scratch *scratch)
{
    struct predicate plain;
    struct value other;

    buffer_clear(&scratch->text);
    if (!predicate_is_of_field(predicate->op))
        return holds_value(predicate, value, scratch);
    if (!buffer_reserve(&scratch->text, PREDICATE_TEXT_MAX) ||
        !event_value(event, &predicate->other, &other))
        return false;
    plain = *predicate;
    plain.op = PREDICATE_IS + (predicate->op - PREDICATE_IS_FIELD);
    plain.text = write_value(scratch, &other);
    return holds_value(&plain, value, scratch);
}

static bool holds_any_ancestor(const struct predicate *predicate, const struct event *event,
                               struct predicate_scratch *scratch)
{
    const struct process *process = event->process;
    struct value value;

    for (unsigned i = 0; process && i < ANCESTOR_MAX; i++) {
        process = process->parent;
        if (process && process_value(process, predicate->ref.field, &value) &&
            predicate_accepts(predicate, event, &value, scratch))
            return true;
    }
    return false;
}

bool predicate_asks(const struct predicate *predicate, enum field_id id)
{
    const struct field *other = predicate->other.field;

    return predicate->ref.field->id == id || (other && other->id == id);
}

bool predicate_holds(const struct predicate *predicate, const struct event *event,
                     struct predicate_scratch *scratch)
{
    struct value value;

    if (predicate->ref.owner == OWNER_ANY_ANCESTOR)
        return holds_any_ancestor(predicate, event, scratch);
    return event_value(event, &predicate->ref, &value) &&
           predicate_accepts(predicate, event, &value, scratch);
}
