#include "rule/pattern_set.h"

#include <errno.h>
#include <stdlib.h>

/* NULs behind a text: see pattern.h. Vectorscan 5.4.9 missed matches with 32, none with 48 or more.
 */
#define PADDING 64

/* Many anchors make the automaton ten times as long to compile and twice as large. Beyond so many,
 * those patterns do without that have a text of so many bytes in them: it is rarely met elsewhere,
 * and where it is the evaluation of the rule finds out. */
#define ANCHORED_MAX    64
#define FREE_LITERAL    4
#define NO_CULPRIT(set) ((set)->count)

struct pattern_set {
    hs_database_t *database;
};

/* A set being made. */
struct making {
    size_t count;
    struct buffer expressions;
    size_t *offsets;
    const char **starts;
    unsigned *flags, *ids;
};

static void making_deinit(struct making *making)
{
    buffer_deinit(&making->expressions);
    free(making->offsets);
    free(making->starts);
    free(making->flags);
    free(making->ids);
}

static int making_init(struct making *making, size_t count)
{
    *making = (struct making){.count = count};
    making->offsets = calloc(count, sizeof *making->offsets);
    making->starts = calloc(count, sizeof *making->starts);
    making->flags = calloc(count, sizeof *making->flags);
    making->ids = calloc(count, sizeof *making->ids);
    return making->offsets && making->starts && making->flags && making->ids ? 0 : -ENOMEM;
}

static bool has_anchor(const struct predicate *predicate)
{
    return predicate->op == PREDICATE_STARTS || predicate->op == PREDICATE_GLOB ||
           predicate->op == PREDICATE_MATCHES;
}

static bool has_many_anchors(const struct pattern_item *items, size_t count)
{
    size_t anchored = 0;

    for (size_t i = 0; i < count; i++)
        anchored += has_anchor(items[i].predicate);
    return anchored > ANCHORED_MAX;
}

static int put_item(struct making *making, size_t at, const struct pattern_item *item, bool many)
{
    struct buffer *out = &making->expressions;
    struct pattern pattern;
    size_t start = out->len;

    if (!pattern_put(item->predicate, true, out, &pattern))
        return buffer_failed(out) ? -ENOMEM : -EINVAL;
    if (many && has_anchor(item->predicate) && pattern.literal >= FREE_LITERAL) {
        out->len = start;
        pattern_put(item->predicate, false, out, &pattern);
    }
    making->offsets[at] = start;
    making->flags[at] = pattern.flags;
    making->ids[at] = item->id;
    return buffer_failed(out) ? -ENOMEM : 0;
}

static int put_all(struct making *making, const struct pattern_item *items, size_t *culprit)
{
    bool many = has_many_anchors(items, making->count);

    for (size_t i = 0; i < making->count; i++) {
        int r = put_item(making, i, &items[i], many);

        *culprit = i;
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < making->count; i++)
        making->starts[i] = making->expressions.data + making->offsets[i];
    return 0;
}

static int compile(const struct making *making, hs_database_t **out, size_t *culprit)
{
    hs_compile_error_t *error = NULL;
    hs_error_t r = hs_compile_multi(making->starts, making->flags, making->ids,
                                    (unsigned)making->count, HS_MODE_BLOCK, NULL, out, &error);

    if (r == HS_SUCCESS)
        return 0;
    *culprit = error && error->expression >= 0 && (size_t)error->expression < making->count
                   ? (size_t)error->expression
                   : NO_CULPRIT(making);
    hs_free_compile_error(error);
    return -EINVAL;
}

static int make(struct making *making, const struct pattern_item *items, hs_database_t **out,
                size_t *culprit)
{
    int r = put_all(making, items, culprit);

    return r < 0 ? r : compile(making, out, culprit);
}

int pattern_set_new(const struct pattern_item *items, size_t count, struct pattern_set **out,
                    size_t *culprit)
{
    struct making making;
    struct pattern_set *set = calloc(1, sizeof *set);
    int r = making_init(&making, count);

    if (r == 0 && !set)
        r = -ENOMEM;
    if (r == 0)
        r = make(&making, items, &set->database, culprit);
    making_deinit(&making);
    if (r < 0) {
        free(set);
        return r;
    }
    *out = set;
    return 0;
}

void pattern_set_free(struct pattern_set *set)
{
    if (!set)
        return;
    hs_free_database(set->database);
    free(set);
}

int pattern_set_prepare(const struct pattern_set *set, struct pattern_scratch *scratch)
{
    if (!scratch->text)
        scratch->text = malloc(PATTERN_TEXT_MAX + PADDING);
    if (!scratch->text || hs_alloc_scratch(set->database, &scratch->automaton) != HS_SUCCESS)
        return -ENOMEM;
    return 0;
}

void pattern_scratch_deinit(struct pattern_scratch *scratch)
{
    hs_free_scratch(scratch->automaton);
    free(scratch->text);
    *scratch = (struct pattern_scratch){0};
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *context)
{
    struct pattern_hits *hits = context;

    if (hits->count == hits->size)
        return 1;
    hits->ids[hits->count++] = id;
    return 0;
}

bool pattern_set_find(const struct pattern_set *set, struct pattern_scratch *scratch,
                      struct text text, struct pattern_hits *hits)
{
    if (text.len > PATTERN_TEXT_MAX)
        return false;
    if (text.len)
        memcpy(scratch->text, text.ptr, text.len);
    memset(scratch->text + text.len, 0, PADDING);
    return hs_scan(set->database, scratch->text, (unsigned)text.len + PADDING, 0,
                   scratch->automaton, on_match, hits) == HS_SUCCESS;
}
