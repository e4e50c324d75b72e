#include "rule/expression.h"

#include <errno.h>
#include <stdlib.h>

/* Contradictions are looked for among so many items; larger ones are lists of alternatives. */
#define COMPARED_MAX 128

void expression_table_deinit(struct expression_table *table)
{
    free(table->work);
    map_deinit(&table->seen);
    table->work = NULL;
}

static unsigned predicate_cost(const struct predicate *predicate)
{
    unsigned cost = predicate->regex ? 6 : predicate_is_of_text(predicate->op) ? 2 : 1;

    if (predicate->op == PREDICATE_CONTAINS || predicate->op == PREDICATE_GLOB)
        cost += 2;
    if (predicate->ref.field->type == TYPE_TEXT_LIST || predicate->ref.field->type == TYPE_FLAGS)
        cost += 4;
    return predicate->ref.owner == OWNER_ANY_ANCESTOR ? cost * 8 : cost;
}

static unsigned cost_of(const struct expression *expression)
{
    uint64_t cost = 1;

    if (expression->kind == EXPRESSION_PREDICATE)
        return predicate_cost(expression->predicate);
    for (size_t i = 0; i < expression->count; i++)
        cost += expression->items[i]->cost;
    return cost < 1000000 ? (unsigned)cost : 1000000;
}

static struct text key_of(struct expression_table *table, const struct expression *expression)
{
    size_t count = expression->count + 2;
    size_t *key = arena_array(table->arena, count, sizeof *key);

    if (!key)
        return (struct text){NULL, 0};
    key[0] = expression->kind;
    key[1] = expression->predicate ? expression->predicate->index : 0;
    for (size_t i = 0; i < expression->count; i++)
        key[i + 2] = expression->items[i]->index;
    return (struct text){(const char *)key, count * sizeof *key};
}

static const struct expression *add_new(struct expression_table *table,
                                        const struct expression *wanted, struct text key)
{
    struct expression *expression = arena_alloc(table->arena, sizeof *expression);
    const struct expression **items =
        arena_array(table->arena, wanted->count, sizeof(struct expression *));

    if (!expression || !items)
        return NULL;
    for (size_t i = 0; i < wanted->count; i++)
        items[i] = wanted->items[i];
    *expression = *wanted;
    expression->items = items;
    expression->cost = cost_of(expression);
    expression->index = table->count++;
    return map_add(&table->seen, key, expression) < 0 ? NULL : expression;
}

static const struct expression *intern(struct expression_table *table,
                                       const struct expression *wanted)
{
    struct text key = key_of(table, wanted);
    const struct expression *known = key.ptr ? map_get(&table->seen, key) : NULL;

    if (!known && key.ptr)
        known = add_new(table, wanted, key);
    if (!known)
        table->failed = true;
    return known;
}

const struct expression *expression_of(struct expression_table *table,
                                       const struct predicate *predicate)
{
    struct expression wanted = {.kind = EXPRESSION_PREDICATE, .predicate = predicate};

    return predicate ? intern(table, &wanted) : NULL;
}

static const struct expression *constant(struct expression_table *table, bool value)
{
    struct expression wanted = {.kind = value ? EXPRESSION_ALWAYS : EXPRESSION_NEVER};

    return intern(table, &wanted);
}

const struct expression *expression_not(struct expression_table *table,
                                        const struct expression *item)
{
    struct expression wanted = {.kind = EXPRESSION_NOT, .items = &item, .count = 1};

    if (!item)
        return NULL;
    switch (item->kind) {
    case EXPRESSION_NEVER:
        return constant(table, true);
    case EXPRESSION_ALWAYS:
        return constant(table, false);
    case EXPRESSION_NOT:
        return item->items[0];
    default:
        return intern(table, &wanted);
    }
}

static int compare(const void *left, const void *right)
{
    const struct expression *a = *(const struct expression *const *)left;
    const struct expression *b = *(const struct expression *const *)right;

    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Whether two predicates ask one field to be two things. */
static bool excludes(const struct predicate *a, const struct predicate *b)
{
    if (a->ref.field != b->ref.field || a->ref.owner != b->ref.owner ||
        a->ref.generation != b->ref.generation || a->ref.item != b->ref.item || a->op != b->op ||
        !field_ref_has_one_value(&a->ref))
        return false;
    if (a->op == PREDICATE_EQUAL)
        return a->number != b->number;
    return a->op == PREDICATE_IS && !text_equal_nocase(a->text, b->text);
}

static bool contradicts(const struct expression *a, const struct expression *b)
{
    if (a->kind == EXPRESSION_PREDICATE && b->kind == EXPRESSION_PREDICATE)
        return excludes(a->predicate, b->predicate);
    return (a->kind == EXPRESSION_NOT && a->items[0] == b) ||
           (b->kind == EXPRESSION_NOT && b->items[0] == a);
}

static bool is_contradiction(const struct expression *const *items, size_t count)
{
    for (size_t i = 0; count <= COMPARED_MAX && i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (contradicts(items[i], items[j]))
                return true;
    return false;
}

static bool put_work(struct expression_table *table, size_t at, const struct expression *item)
{
    if (at == table->work_size) {
        size_t size = table->work_size ? table->work_size * 2 : 64;
        void *work = reallocarray(table->work, size, sizeof(struct expression *));

        if (!work) {
            table->failed = true;
            return false;
        }
        table->work = work;
        table->work_size = size;
    }
    table->work[at] = item;
    return true;
}

/* Puts the items into the work, those of the same kind opened, neutral ones left out. Returns
 * false when one is missing or memory is. */
static bool flatten(struct expression_table *table, enum expression_kind kind,
                    const struct expression *const *items, size_t count, size_t *used)
{
    enum expression_kind neutral = kind == EXPRESSION_ALL ? EXPRESSION_ALWAYS : EXPRESSION_NEVER;

    *used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct expression *item = items[i];

        if (!item)
            return false;
        if (item->kind == neutral)
            continue;
        bool open = item->kind == kind;
        size_t inner = open ? item->count : 1;

        for (size_t j = 0; j < inner; j++)
            if (!put_work(table, (*used)++, open ? item->items[j] : item))
                return false;
    }
    return true;
}

static const struct expression *combine(struct expression_table *table, enum expression_kind kind,
                                        const struct expression *const *items, size_t count)
{
    enum expression_kind decisive = kind == EXPRESSION_ALL ? EXPRESSION_NEVER : EXPRESSION_ALWAYS;
    size_t used = 0, kept = 0;

    if (!flatten(table, kind, items, count, &used))
        return NULL;
    if (used)
        qsort(table->work, used, sizeof(struct expression *), compare);
    for (size_t i = 0; i < used; i++) {
        if (table->work[i]->kind == decisive)
            return table->work[i];
        if (kept == 0 || table->work[kept - 1] != table->work[i])
            table->work[kept++] = table->work[i];
    }
    if (kept == 0)
        return constant(table, kind == EXPRESSION_ALL);
    if (kept == 1)
        return table->work[0];
    if (kind == EXPRESSION_ALL && is_contradiction(table->work, kept))
        return constant(table, false);
    struct expression wanted = {.kind = kind, .items = table->work, .count = kept};

    return intern(table, &wanted);
}

const struct expression *expression_all(struct expression_table *table,
                                        const struct expression *const *items, size_t count)
{
    return combine(table, EXPRESSION_ALL, items, count);
}

const struct expression *expression_any(struct expression_table *table,
                                        const struct expression *const *items, size_t count)
{
    return combine(table, EXPRESSION_ANY, items, count);
}

static bool predicate_is_impossible(const struct predicate *predicate, enum event_type on)
{
    switch (predicate->ref.field->id) {
    case FIELD_EXIT_CODE:
    case FIELD_EXIT_SIGNAL:
    case FIELD_DURATION:
        return on != EVENT_EXIT;
    case FIELD_ERROR:
        return on != EVENT_EXEC_FAILED;
    case FIELD_IS_EXIT:
        return predicate->op == PREDICATE_EQUAL && predicate->number != (on == EVENT_EXIT);
    case FIELD_TYPE:
        return predicate->op == PREDICATE_IS && !(predicate->flags & REGEX_NOCASE) &&
               !text_is(predicate->text, event_type_name(on));
    default:
        return false;
    }
}

bool expression_is_impossible(const struct expression *expression, enum event_type on)
{
    switch (expression->kind) {
    case EXPRESSION_NEVER:
        return true;
    case EXPRESSION_PREDICATE:
        return predicate_is_impossible(expression->predicate, on);
    case EXPRESSION_ALL:
        for (size_t i = 0; i < expression->count; i++)
            if (expression->items[i]->kind == EXPRESSION_PREDICATE &&
                predicate_is_impossible(expression->items[i]->predicate, on))
                return true;
        return false;
    default:
        return false;
    }
}
