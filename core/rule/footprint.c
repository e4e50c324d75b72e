#include "rule/footprint.h"

#include "rule/implication.h"

/* Words of a footprint: pairs of bytes that follow each other in a text, by their hash; patterns,
 * by theirs; fields. */
#define PAIRS    0
#define PATTERNS 4
#define FIELDS   8
#define BITS     256 /* of each */

_Static_assert(FIELD_COUNT <= BITS, "there is a bit for each field");

static void set(struct footprint *footprint, unsigned part, uint32_t hash)
{
    footprint->words[part + hash % BITS / 64] |= UINT64_C(1) << hash % 64;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static void set_pairs(struct footprint *footprint, struct text text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        uint32_t pair = (uint32_t)lower(text.ptr[i]) << 8 | lower(text.ptr[i + 1]);

        set(footprint, PAIRS, pair * 2654435761U >> 16);
    }
}

/* Patterns that say the same have one hash, of whichever process they are asked. */
static void set_pattern(struct footprint *footprint, const struct predicate *predicate)
{
    uint32_t hash = 2166136261U ^ (uint32_t)predicate->op ^ predicate->flags << 8;

    for (size_t i = 0; i < predicate->text.len; i++)
        hash = (hash ^ (unsigned char)predicate->text.ptr[i]) * 16777619U;
    set(footprint, PATTERNS, hash >> 8);
}

/* A value that is named may be one that any pattern accepts. */
static void name_predicate(struct footprint *footprint, const struct predicate *predicate)
{
    set(footprint, FIELDS, predicate->ref.field->id);
    if (!predicate_is_of_text(predicate->op))
        return;
    set_pairs(footprint, predicate->text);
    set_pattern(footprint, predicate);
    if (implication_names_values(predicate))
        for (unsigned i = 0; i < BITS / 64; i++)
            footprint->words[PATTERNS + i] = UINT64_MAX;
}

struct footprint footprint_named(const struct expression *expression)
{
    struct footprint all = {0};

    if (expression->kind == EXPRESSION_PREDICATE)
        name_predicate(&all, expression->predicate);
    for (size_t i = 0; i < expression->count; i++) {
        struct footprint item = footprint_named(expression->items[i]);

        for (size_t j = 0; j < FOOTPRINT_WORDS; j++)
            all.words[j] |= item.words[j];
    }
    return all;
}

/* What implies that a predicate does not hold is on its field; its text may be any. */
static void need_predicate(struct footprint *footprint, const struct predicate *predicate,
                           bool negated)
{
    set(footprint, FIELDS, predicate->ref.field->id);
    if (negated || !predicate_is_of_text(predicate->op))
        return;
    if (predicate_is_literal(predicate->op))
        set_pairs(footprint, predicate->text);
    else
        set_pattern(footprint, predicate);
}

/* Of an ALL every item must be implied, of an ANY one; under a NOT it is the other way. */
static struct footprint needed(const struct expression *expression, bool negated)
{
    bool every = expression->kind == (negated ? EXPRESSION_ANY : EXPRESSION_ALL);
    struct footprint whole = {0};

    if (expression->kind == EXPRESSION_PREDICATE)
        need_predicate(&whole, expression->predicate, negated);
    if (expression->kind == EXPRESSION_NOT)
        return needed(expression->items[0], !negated);
    for (size_t i = 0; i < expression->count; i++) {
        struct footprint item = needed(expression->items[i], negated);

        for (size_t j = 0; j < FOOTPRINT_WORDS; j++)
            whole.words[j] =
                every || i == 0 ? whole.words[j] | item.words[j] : whole.words[j] & item.words[j];
    }
    return whole;
}

struct footprint footprint_needed(const struct expression *expression)
{
    return needed(expression, false);
}
