#include "rule/index.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "rule/column.h"
#include "rule/pattern_trial.h"
#include "rule/value_cache.h"
#include "rule/witness.h"

/* What all regexes together may be in size: beyond it, loading would take too long. */
#define POSITIONS_MAX 500000

/* A large regex may take half a second to compile: only so many positions are spent on those. */
#define LARGE_POSITIONS     100
#define LARGE_POSITIONS_MAX 5000

/* Each time one pattern turns out to be beyond Hyperscan the index is made anew without it. */
#define ATTEMPTS_MAX 8

#define WORD_BITS 64

struct index {
    size_t rule_count;
    struct column **columns;
    size_t column_count;
    /* By id of predicate, from starts[id] to starts[id + 1]: positions of the rules that it is a
     * witness of. */
    uint32_t *rule_starts, *rules;
    /* By position of rule, likewise: its witness. */
    uint32_t *witness_starts;
    const struct predicate **witnesses;
    uint32_t *always; /* positions, in order */
    size_t always_count;
};

struct index_scratch {
    struct column_scratch columns;
    struct value_cache **caches; /* by column; NULL: none */
    size_t cache_count;
    /* Candidates: a bit for each rule, and in the summary one for each word of them. */
    uint64_t *words, *summary;
    size_t summary_count;
    const struct index *index;
};

/* An index being made. */
struct making {
    const struct index_source *source;
    struct index *index;
    struct witness_maker maker;
    uint32_t *ids;              /* by index of predicate, with one added; 0: witness of none */
    struct pattern_item *items; /* by id; then by field */
    size_t count;               /* of items */
    struct buffer witnesses;    /* of const struct predicate *, rule by rule */
    struct buffer witness_ids;  /* of uint32_t, likewise */
};

const char *index_lookup_name(const struct predicate *predicate)
{
    if (pattern_is_for(predicate))
        return "automaton";
    switch (predicate->op) {
    case PREDICATE_EXISTS:
        return "presence";
    case PREDICATE_IS:
        return "hash";
    case PREDICATE_EQUAL:
    case PREDICATE_LESS:
    case PREDICATE_LESS_EQUAL:
    case PREDICATE_GREATER:
    case PREDICATE_GREATER_EQUAL:
        return "sorted";
    default:
        return NULL;
    }
}

/* What regexes have taken so far of what they may take together. */
struct spending {
    uint64_t all, large;
};

static bool can_find(const struct predicate *predicate, struct spending *spent)
{
    struct pattern pattern = {0};
    struct spending after = *spent;

    if (!pattern_is_for(predicate))
        return index_lookup_name(predicate) != NULL;
    if (!pattern_check(predicate, &pattern))
        return false;
    after.all += pattern.positions;
    after.large += pattern.positions > LARGE_POSITIONS ? pattern.positions : 0;
    if (after.all > POSITIONS_MAX || after.large > LARGE_POSITIONS_MAX)
        return false;
    *spent = after;
    return true;
}

int index_find_unusable(const struct predicate *const *predicates, size_t count, bool **out)
{
    bool possible = pattern_trial();
    bool *unusable = calloc(count + 1, sizeof *unusable);
    struct spending spent = {0};

    if (!unusable)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        unusable[i] =
            (pattern_is_for(predicates[i]) && !possible) || !can_find(predicates[i], &spent);
    *out = unusable;
    return 0;
}

static void making_deinit(struct making *making)
{
    witness_maker_deinit(&making->maker);
    buffer_deinit(&making->witnesses);
    buffer_deinit(&making->witness_ids);
    free(making->ids);
    free(making->items);
}

static int making_init(struct making *making, const struct index_source *source,
                       struct index *index)
{
    size_t rules = source->rule_count, predicates = source->predicate_count;

    *making = (struct making){.source = source, .index = index};
    making->ids = calloc(predicates + 1, sizeof *making->ids);
    making->items = calloc(predicates + 1, sizeof *making->items);
    index->rule_count = rules;
    index->always = calloc(rules + 1, sizeof *index->always);
    index->witness_starts = calloc(rules + 1, sizeof *index->witness_starts);
    if (!making->ids || !making->items || !index->always || !index->witness_starts)
        return -ENOMEM;
    return witness_maker_init(&making->maker, source->expression_count, source->unusable);
}

static void add_witness(struct making *making, const struct predicate *predicate)
{
    uint32_t *id = &making->ids[predicate->index];

    if (*id == 0) {
        making->items[making->count] = (struct pattern_item){predicate, (uint32_t)making->count};
        *id = (uint32_t)++making->count;
    }
    buffer_put(&making->witnesses, &predicate, sizeof(struct predicate *));
    buffer_put(&making->witness_ids, id, sizeof *id);
}

/* Gives each rule its witness, and each predicate in one its id. */
static int find_witnesses(struct making *making)
{
    struct index *index = making->index;

    for (size_t i = 0; i < index->rule_count; i++) {
        struct witness witness;
        int r = witness_derive(&making->maker, making->source->rules[i]->expression, &witness);

        if (r < 0)
            return r;
        if (!witness.exists)
            index->always[index->always_count++] = (uint32_t)i;
        for (size_t j = 0; j < witness.count; j++)
            add_witness(making, witness.predicates[j]);
        index->witness_starts[i + 1] = index->witness_starts[i] + (uint32_t)witness.count;
    }
    if (buffer_failed(&making->witnesses) || buffer_failed(&making->witness_ids))
        return -ENOMEM;
    index->witnesses = calloc(making->witnesses.len + 1, 1);
    if (!index->witnesses)
        return -ENOMEM;
    if (making->witnesses.len)
        memcpy(index->witnesses, making->witnesses.data, making->witnesses.len);
    return 0;
}

/* From the rules' witnesses to the predicates' rules. */
static int invert(const struct making *making)
{
    struct index *index = making->index;
    size_t total = index->witness_starts[index->rule_count];
    const uint32_t *ids = (const void *)making->witness_ids.data;
    uint32_t *starts = calloc(making->count + 2, sizeof *starts);

    index->rule_starts = starts;
    index->rules = calloc(total + 1, sizeof *index->rules);
    if (!starts || !index->rules)
        return -ENOMEM;
    /* With one added, an id is where the next one's list begins: counted one further, each start
     * moves to its place as its list is filled. */
    for (size_t i = 0; i < total; i++)
        starts[ids[i] + 1]++;
    for (size_t i = 1; i < making->count + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t rule = 0; rule < index->rule_count; rule++)
        for (size_t i = index->witness_starts[rule]; i < index->witness_starts[rule + 1]; i++)
            index->rules[starts[ids[i]]++] = (uint32_t)rule;
    return 0;
}

static int compare_refs(const struct field_ref *a, const struct field_ref *b)
{
    if (a->field->id != b->field->id)
        return a->field->id < b->field->id ? -1 : 1;
    if (a->owner != b->owner)
        return a->owner < b->owner ? -1 : 1;
    if (a->generation != b->generation)
        return a->generation < b->generation ? -1 : 1;
    return (a->item > b->item) - (a->item < b->item);
}

static int compare_items(const void *left, const void *right)
{
    const struct pattern_item *a = left, *b = right;
    int order = compare_refs(&a->predicate->ref, &b->predicate->ref);

    return order ? order : (a->id > b->id) - (a->id < b->id);
}

static int add_column(struct making *making, const struct pattern_item *items, size_t count)
{
    struct index *index = making->index;
    size_t culprit = 0;
    int r = column_new(items, count, &index->columns[index->column_count], &culprit);

    if (r == 0)
        index->column_count++;
    if (r != -EINVAL)
        return r;
    for (size_t i = 0; i < count; i++)
        if (i == culprit || (culprit == count && pattern_is_for(items[i].predicate)))
            making->source->unusable[items[i].predicate->index] = true;
    return r;
}

static int make_columns(struct making *making)
{
    size_t count = making->count, end = 0;
    const struct pattern_item *items = making->items;

    making->index->columns = calloc(count ? count : 1, sizeof(struct column *));
    if (!making->index->columns)
        return -ENOMEM;
    qsort(making->items, count, sizeof *making->items, compare_items);
    for (size_t start = 0; start < count; start = end) {
        for (end = start + 1; end < count; end++)
            if (compare_refs(&items[start].predicate->ref, &items[end].predicate->ref) != 0)
                break;
        int r = add_column(making, items + start, end - start);

        if (r < 0)
            return r;
    }
    return 0;
}

static int make(const struct index_source *source, struct index *index)
{
    struct making making;
    int r = making_init(&making, source, index);

    if (r == 0)
        r = find_witnesses(&making);
    if (r == 0)
        r = invert(&making);
    if (r == 0)
        r = make_columns(&making);
    making_deinit(&making);
    return r;
}

/* After many patterns that Hyperscan took alone and not among others: each rule is evaluated. */
static void give_up(const struct index_source *source)
{
    memset(source->unusable, true, source->predicate_count);
}

int index_new(const struct index_source *source, struct index **out)
{
    for (unsigned attempt = 0;; attempt++) {
        struct index *index = calloc(1, sizeof *index);
        int r = index ? make(source, index) : -ENOMEM;

        if (r == 0) {
            *out = index;
            return 0;
        }
        index_free(index);
        if (r != -EINVAL)
            return r;
        if (attempt == ATTEMPTS_MAX)
            give_up(source);
    }
}

void index_free(struct index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->column_count; i++)
        column_free(index->columns[i]);
    free(index->columns);
    free(index->rule_starts);
    free(index->rules);
    free(index->witness_starts);
    free(index->witnesses);
    free(index->always);
    free(index);
}

size_t index_always(const struct index *index)
{
    return index->always_count;
}

static int compare_positions(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

bool index_witness(const struct index *index, size_t position,
                   const struct predicate *const **predicates, size_t *count)
{
    uint32_t key = (uint32_t)position, first = index->witness_starts[position];

    if (bsearch(&key, index->always, index->always_count, sizeof key, compare_positions))
        return false;
    *predicates = index->witnesses + first;
    *count = index->witness_starts[position + 1] - first;
    return true;
}

static int make_caches(struct index_scratch *scratch, const struct index *index)
{
    scratch->caches = calloc(index->column_count + 1, sizeof(struct value_cache *));
    if (!scratch->caches)
        return -ENOMEM;
    scratch->cache_count = index->column_count;
    for (size_t i = 0; i < index->column_count; i++) {
        if (!column_is_cacheable(index->columns[i]))
            continue;
        scratch->caches[i] = value_cache_new();
        if (!scratch->caches[i])
            return -ENOMEM;
    }
    return 0;
}

static int scratch_init(struct index_scratch *scratch, const struct index *index)
{
    size_t words = index->rule_count / WORD_BITS + 1;

    scratch->index = index;
    scratch->summary_count = words / WORD_BITS + 1;
    scratch->words = calloc(words, sizeof *scratch->words);
    scratch->summary = calloc(scratch->summary_count, sizeof *scratch->summary);
    if (!scratch->words || !scratch->summary)
        return -ENOMEM;
    for (size_t i = 0; i < index->column_count; i++)
        if (column_prepare(index->columns[i], &scratch->columns) < 0)
            return -ENOMEM;
    return make_caches(scratch, index);
}

int index_scratch_new(const struct index *index, struct index_scratch **out)
{
    struct index_scratch *scratch = calloc(1, sizeof *scratch);
    int r = scratch ? scratch_init(scratch, index) : -ENOMEM;

    if (r < 0) {
        index_scratch_free(scratch);
        return r;
    }
    *out = scratch;
    return 0;
}

void index_scratch_free(struct index_scratch *scratch)
{
    if (!scratch)
        return;
    for (size_t i = 0; i < scratch->cache_count; i++)
        free(scratch->caches[i]);
    free(scratch->caches);
    column_scratch_deinit(&scratch->columns);
    free(scratch->words);
    free(scratch->summary);
    free(scratch);
}

static void mark(struct index_scratch *scratch, uint32_t position)
{
    size_t word = position / WORD_BITS;

    scratch->words[word] |= UINT64_C(1) << (position % WORD_BITS);
    scratch->summary[word / WORD_BITS] |= UINT64_C(1) << (word % WORD_BITS);
}

static void mark_rules(void *context, const uint32_t *ids, size_t count)
{
    struct index_scratch *scratch = context;
    const struct index *index = scratch->index;

    for (size_t i = 0; i < count; i++)
        for (size_t j = index->rule_starts[ids[i]]; j < index->rule_starts[ids[i] + 1]; j++)
            mark(scratch, index->rules[j]);
}

void index_look(struct index_scratch *scratch, const struct event *event)
{
    const struct index *index = scratch->index;
    struct column_sink sink = {mark_rules, scratch};

    for (size_t i = 0; i < index->always_count; i++)
        mark(scratch, index->always[i]);
    for (size_t i = 0; i < index->column_count; i++)
        column_look(index->columns[i], event, &scratch->columns, scratch->caches[i], &sink);
}

bool index_next(struct index_scratch *scratch, size_t *position)
{
    for (size_t i = 0; i < scratch->summary_count; i++) {
        if (!scratch->summary[i])
            continue;
        size_t word = i * WORD_BITS + (size_t)__builtin_ctzll(scratch->summary[i]);

        *position = word * WORD_BITS + (size_t)__builtin_ctzll(scratch->words[word]);
        scratch->words[word] &= scratch->words[word] - 1;
        if (!scratch->words[word])
            scratch->summary[i] &= scratch->summary[i] - 1;
        return true;
    }
    return false;
}
