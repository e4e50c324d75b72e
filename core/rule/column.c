#include "rule/column.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/number_table.h"
#include "rule/text_table.h"
#include "rule/value_cache.h"

#define NO_ID UINT32_MAX

/* Of a field of TYPE_FLAGS: what may hold for each name. Found once, by looking for it. */
struct name_hits {
    uint32_t *ids;
    size_t count;
};

#define NAMES_MAX 65 /* a bit each, and the last for "all" */
#define NAME_ALL  (NAMES_MAX - 1)

struct column {
    struct field_ref ref;
    uint32_t exists; /* NO_ID: nobody asks */
    struct text_table exact, folded;
    struct number_table numbers;
    struct pattern_set *patterns;
    uint32_t *pattern_ids; /* for when the automaton fails */
    size_t pattern_count;
    size_t count; /* of all predicates */
    bool has_texts;
    struct name_hits *names;
};

/* Looking at one event. */
struct look {
    const struct column *column;
    struct column_scratch *scratch;
    struct value_cache *cache;
    const struct column_sink *sink;
};

static void add_items(struct column *column, const struct pattern_item *items,
                      struct pattern_item *patterns)
{
    for (size_t i = 0; i < column->count; i++) {
        const struct predicate *predicate = items[i].predicate;
        bool nocase = predicate->flags & REGEX_NOCASE;

        if (pattern_is_for(predicate)) {
            column->pattern_ids[column->pattern_count] = items[i].id;
            patterns[column->pattern_count++] = items[i];
        } else if (predicate->op == PREDICATE_IS) {
            text_table_add(nocase ? &column->folded : &column->exact, predicate->text, items[i].id);
        } else if (predicate->op == PREDICATE_EXISTS) {
            column->exists = items[i].id;
        } else {
            number_table_add(&column->numbers, predicate, items[i].id);
        }
        column->has_texts |= predicate_is_of_text(predicate->op);
    }
    number_table_sort(&column->numbers);
}

/* What stands at AT among the items that go to the automaton is which of all. */
static size_t index_of(const struct pattern_item *items, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++)
        if (pattern_is_for(items[i].predicate) && at-- == 0)
            return i;
    return count;
}

static int make_tables(struct column *column, const struct pattern_item *items)
{
    size_t exact = 0, folded = 0, numbers = 0;

    for (size_t i = 0; i < column->count; i++) {
        const struct predicate *predicate = items[i].predicate;

        exact += predicate->op == PREDICATE_IS && !(predicate->flags & REGEX_NOCASE);
        folded += predicate->op == PREDICATE_IS && predicate->flags & REGEX_NOCASE;
        numbers += !predicate_is_of_text(predicate->op) && predicate->op != PREDICATE_EXISTS;
    }
    column->pattern_ids = calloc(column->count, sizeof *column->pattern_ids);
    if (!column->pattern_ids || text_table_init(&column->exact, exact, false) < 0 ||
        text_table_init(&column->folded, folded, true) < 0 ||
        number_table_init(&column->numbers, numbers) < 0)
        return -ENOMEM;
    return 0;
}

static int fill(struct column *column, const struct pattern_item *items, size_t *culprit)
{
    struct pattern_item *patterns = calloc(column->count, sizeof *patterns);
    int r = patterns ? make_tables(column, items) : -ENOMEM;

    if (r == 0) {
        add_items(column, items, patterns);
        if (column->pattern_count)
            r = pattern_set_new(patterns, column->pattern_count, &column->patterns, culprit);
    }
    free(patterns);
    if (r == -EINVAL)
        *culprit = index_of(items, column->count, *culprit);
    return r;
}

/* Into SCRATCH's hits. */
static void find(const struct column *column, struct column_scratch *scratch, struct text text)
{
    struct pattern_hits *hits = &scratch->hits;

    hits->count = text_table_find(&column->exact, text, hits->ids);
    hits->count += text_table_find(&column->folded, text, hits->ids + hits->count);
    size_t before = hits->count;

    if (!column->patterns || pattern_set_find(column->patterns, &scratch->patterns, text, hits))
        return;
    memcpy(hits->ids + before, column->pattern_ids,
           column->pattern_count * sizeof *column->pattern_ids);
    hits->count = before + column->pattern_count;
}

static int keep_name(struct column *column, struct column_scratch *scratch, size_t at,
                     struct text name)
{
    struct name_hits *hits = &column->names[at];

    find(column, scratch, name);
    hits->ids = calloc(scratch->hits.count + 1, sizeof *hits->ids);
    if (!hits->ids)
        return -ENOMEM;
    hits->count = scratch->hits.count;
    memcpy(hits->ids, scratch->hits.ids, hits->count * sizeof *hits->ids);
    return 0;
}

static int find_names(struct column *column)
{
    CLEANUP(column_scratch_deinit) struct column_scratch scratch = {0};
    const struct flag_names *names = flag_names_of(column->ref.field->id);

    column->names = calloc(NAMES_MAX, sizeof *column->names);
    if (!column->names || column_prepare(column, &scratch) < 0)
        return -ENOMEM;
    for (unsigned bit = 0; bit < NAME_ALL; bit++) {
        uint64_t left = UINT64_C(1) << bit;
        struct text name;

        if (flag_names_next(names, &left, &name) && keep_name(column, &scratch, bit, name) < 0)
            return -ENOMEM;
    }
    return keep_name(column, &scratch, NAME_ALL, TEXT("all"));
}

int column_new(const struct pattern_item *items, size_t count, struct column **out, size_t *culprit)
{
    struct column *column = calloc(1, sizeof *column);

    if (!column)
        return -ENOMEM;
    column->ref = items[0].predicate->ref;
    column->exists = NO_ID;
    column->count = count;
    int r = fill(column, items, culprit);

    if (r == 0 && column->ref.field->type == TYPE_FLAGS)
        r = find_names(column);
    if (r < 0) {
        column_free(column);
        return r;
    }
    *out = column;
    return 0;
}

void column_free(struct column *column)
{
    if (!column)
        return;
    for (size_t i = 0; column->names && i < NAMES_MAX; i++)
        free(column->names[i].ids);
    free(column->names);
    free(column->pattern_ids);
    text_table_deinit(&column->exact);
    text_table_deinit(&column->folded);
    number_table_deinit(&column->numbers);
    pattern_set_free(column->patterns);
    free(column);
}

int column_prepare(const struct column *column, struct column_scratch *scratch)
{
    struct pattern_hits *hits = &scratch->hits;

    if (hits->size < column->count) {
        uint32_t *ids = reallocarray(hits->ids, column->count, sizeof *ids);

        if (!ids)
            return -ENOMEM;
        hits->ids = ids;
        hits->size = column->count;
    }
    if (scratch->text.size < COLUMN_TEXT_MAX && !buffer_reserve(&scratch->text, COLUMN_TEXT_MAX))
        return -ENOMEM;
    return column->patterns ? pattern_set_prepare(column->patterns, &scratch->patterns) : 0;
}

void column_scratch_deinit(struct column_scratch *scratch)
{
    pattern_scratch_deinit(&scratch->patterns);
    buffer_deinit(&scratch->text);
    free(scratch->hits.ids);
    *scratch = (struct column_scratch){0};
}

bool column_is_cacheable(const struct column *column)
{
    enum field_type type = column->ref.field->type;

    return column->patterns && (type == TYPE_TEXT || type == TYPE_TEXT_LIST);
}

static void tell(const struct look *look, const uint32_t *ids, size_t count)
{
    if (count)
        look->sink->tell(look->sink->context, ids, count);
}

static void look_at_text(const struct look *look, struct text text)
{
    struct value_cache_entry *entry = look->cache ? value_cache_at(look->cache, text) : NULL;
    struct pattern_hits *hits = &look->scratch->hits;

    if (entry && value_cache_is(entry, text)) {
        tell(look, entry->ids, entry->count);
        return;
    }
    find(look->column, look->scratch, text);
    tell(look, hits->ids, hits->count);
    if (entry)
        value_cache_keep(entry, text, hits->ids, hits->count);
}

static void look_at_flags(const struct look *look, const struct value *value)
{
    const struct name_hits *names = look->column->names;

    if (!names)
        return;
    if (flag_names_is_all(value->names, (uint64_t)value->number))
        tell(look, names[NAME_ALL].ids, names[NAME_ALL].count);
    for (uint64_t left = (uint64_t)value->number; left; left &= left - 1) {
        const struct name_hits *name = &names[__builtin_ctzll(left)];

        tell(look, name->ids, name->count);
    }
}

static void look_at_list(const struct look *look, struct text list)
{
    struct text item;

    while (text_list_next(&list, &item))
        look_at_text(look, item);
}

static void look_at_number(const struct look *look, const struct value *value)
{
    const struct column *column = look->column;
    struct pattern_hits *hits = &look->scratch->hits;
    int64_t number = value->type == TYPE_BOOL ? (int64_t)value->boolean : value->number;

    tell(look, hits->ids, number_table_find(&column->numbers, number, hits->ids));
    if (!column->has_texts)
        return;
    buffer_clear(&look->scratch->text);
    value_put(&look->scratch->text, value);
    look_at_text(look, buffer_text(&look->scratch->text));
}

static void look_at_value(const struct look *look, const struct value *value)
{
    if (look->column->exists != NO_ID)
        tell(look, &look->column->exists, 1);
    switch (value->type) {
    case TYPE_TEXT:
        look_at_text(look, value->text);
        break;
    case TYPE_TEXT_LIST:
        look_at_list(look, value->text);
        break;
    case TYPE_FLAGS:
        look_at_flags(look, value);
        break;
    default:
        look_at_number(look, value);
    }
}

static void look_at_ancestors(const struct look *look, const struct process *process)
{
    struct value value;

    for (unsigned i = 0; process && i < ANCESTOR_MAX; i++) {
        process = process->parent;
        if (process && process_value(process, look->column->ref.field, &value))
            look_at_value(look, &value);
    }
}

void column_look(const struct column *column, const struct event *event,
                 struct column_scratch *scratch, struct value_cache *cache,
                 const struct column_sink *sink)
{
    struct look look = {column, scratch, cache, sink};
    struct value value;

    if (column->ref.owner == OWNER_ANY_ANCESTOR)
        look_at_ancestors(&look, event->process);
    else if (event_value(event, &column->ref, &value))
        look_at_value(&look, &value);
}
