#include "rule/witness.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/shape.h"

/* How often a predicate is expected to hold, in 2^20 events; a union is as frequent as the sum. */
#define ALWAYS (1U << 20)

/* Of what is witnessed by nothing. */
#define NONE UINT32_MAX

static unsigned literal_weight(size_t length)
{
    return ALWAYS >> (length < 6 ? 2 * length : 12);
}

/* Most texts of these are the same in nearly all events. */
static bool has_few_values(enum field_id id)
{
    switch (id) {
    case FIELD_TYPE:
    case FIELD_USER:
    case FIELD_EUSER:
    case FIELD_GROUP:
    case FIELD_LOGINUSER:
    case FIELD_TTY:
    case FIELD_STDIN:
    case FIELD_STDOUT:
    case FIELD_STDERR:
    case FIELD_EXE_DEVICE:
    case FIELD_EXE_FILESYSTEM:
    case FIELD_EXE_MODE:
    case FIELD_EXE_OWNER:
    case FIELD_CONTAINER_RUNTIME:
        return true;
    default:
        return false;
    }
}

static unsigned operator_weight(const struct predicate *predicate)
{
    size_t length = predicate->text.len;

    switch (predicate->op) {
    case PREDICATE_EXISTS:
        return ALWAYS / 2;
    case PREDICATE_EQUAL:
        return predicate->ref.field->type == TYPE_BOOL ? ALWAYS / 4 : ALWAYS / 8;
    case PREDICATE_IS:
        return ALWAYS >> 14;
    case PREDICATE_STARTS: /* paths begin alike */
        return length < 2 ? ALWAYS : literal_weight(length / 2);
    case PREDICATE_ENDS:
        return literal_weight(length) / 2 + 1;
    case PREDICATE_CONTAINS:
        return literal_weight(length);
    case PREDICATE_GLOB:
        return literal_weight(shape_of_glob(predicate->text).literal);
    case PREDICATE_MATCHES:
    case PREDICATE_FINDS:
        return literal_weight(shape_of_regex(predicate->text).literal);
    default:
        return ALWAYS / 4;
    }
}

static unsigned predicate_weight(const struct predicate *predicate)
{
    const struct field *field = predicate->ref.field;
    unsigned weight = operator_weight(predicate);

    if (predicate_is_of_text(predicate->op) && has_few_values(field->id))
        weight *= 64;
    if (field->type == TYPE_TEXT_LIST || field->type == TYPE_FLAGS)
        weight *= 2;
    if (predicate->ref.owner == OWNER_ANY_ANCESTOR)
        weight *= 4;
    return weight < ALWAYS ? weight : ALWAYS;
}

int witness_maker_init(struct witness_maker *maker, size_t count, const bool *unusable)
{
    *maker = (struct witness_maker){.unusable = unusable};
    maker->weights = calloc(count * 2 + 1, sizeof *maker->weights);
    return maker->weights ? 0 : -ENOMEM;
}

void witness_maker_deinit(struct witness_maker *maker)
{
    free(maker->weights);
    free(maker->found);
}

static uint32_t weigh(struct witness_maker *maker, const struct expression *expression,
                      bool negated);

/* Of a union: the sum, as soon as one part has no witness, none. Of a conjunction: the least. */
static uint32_t weigh_items(struct witness_maker *maker, const struct expression *expression,
                            bool negated)
{
    bool all = (expression->kind == EXPRESSION_ALL) != negated;
    uint64_t weight = all ? NONE : 0;

    for (size_t i = 0; i < expression->count; i++) {
        uint32_t item = weigh(maker, expression->items[i], negated);

        if (all)
            weight = item < weight ? item : weight;
        else
            weight = item == NONE || weight == NONE ? NONE : weight + item;
    }
    return weight == NONE || weight < NONE - 1 ? (uint32_t)weight : NONE - 2;
}

static uint32_t weigh_kind(struct witness_maker *maker, const struct expression *expression,
                           bool negated)
{
    const struct predicate *predicate = expression->predicate;

    switch (expression->kind) {
    case EXPRESSION_NEVER:
        return negated ? NONE : 0;
    case EXPRESSION_ALWAYS:
        return negated ? 0 : NONE;
    case EXPRESSION_PREDICATE:
        return negated || maker->unusable[predicate->index] ? NONE : predicate_weight(predicate);
    case EXPRESSION_NOT:
        return weigh(maker, expression->items[0], !negated);
    default:
        return weigh_items(maker, expression, negated);
    }
}

/* Kept with one added: 0 is what has not been asked. */
static uint32_t weigh(struct witness_maker *maker, const struct expression *expression,
                      bool negated)
{
    uint32_t *kept = &maker->weights[expression->index * 2 + negated];

    if (*kept == 0) {
        uint32_t weight = weigh_kind(maker, expression, negated);

        *kept = weight == NONE ? NONE : weight + 1;
    }
    return *kept == NONE ? NONE : *kept - 1;
}

static void add(struct witness_maker *maker, const struct predicate *predicate)
{
    if (maker->found_count == maker->found_size) {
        size_t size = maker->found_size ? maker->found_size * 2 : 64;
        void *found = reallocarray(maker->found, size, sizeof(struct predicate *));

        if (!found) {
            maker->failed = true;
            return;
        }
        maker->found = found;
        maker->found_size = size;
    }
    maker->found[maker->found_count++] = predicate;
}

/* Of an expression that has a witness. */
static void collect(struct witness_maker *maker, const struct expression *expression, bool negated)
{
    const struct expression *best = NULL;
    bool all = (expression->kind == EXPRESSION_ALL) != negated;

    if (expression->kind == EXPRESSION_PREDICATE)
        add(maker, expression->predicate);
    if (expression->kind == EXPRESSION_NOT)
        collect(maker, expression->items[0], !negated);
    if (expression->kind != EXPRESSION_ALL && expression->kind != EXPRESSION_ANY)
        return;
    for (size_t i = 0; i < expression->count; i++) {
        const struct expression *item = expression->items[i];

        if (!all)
            collect(maker, item, negated);
        else if (!best || weigh(maker, item, negated) < weigh(maker, best, negated))
            best = item;
    }
    if (best)
        collect(maker, best, negated);
}

int witness_derive(struct witness_maker *maker, const struct expression *expression,
                   struct witness *out)
{
    maker->found_count = 0;
    *out = (struct witness){.exists = weigh(maker, expression, false) != NONE};
    if (out->exists)
        collect(maker, expression, false);
    out->predicates = maker->found;
    out->count = maker->found_count;
    return maker->failed ? -ENOMEM : 0;
}
