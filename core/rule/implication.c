#include "rule/implication.h"

#include <errno.h>

/* Comparisons of two expressions that one question may take. */
#define STEPS_MAX 20000

int implication_init(struct implication *implication)
{
    *implication = (struct implication){0};
    if (!buffer_reserve(&implication->scratch.text, PREDICATE_TEXT_MAX))
        return -ENOMEM;
    return regex_scratch_new(&implication->scratch.regex);
}

void implication_deinit(struct implication *implication)
{
    regex_scratch_free(implication->scratch.regex);
    buffer_deinit(&implication->scratch.text);
}

static bool is_same_process(const struct field_ref *a, const struct field_ref *b)
{
    return a->owner == b->owner && (a->owner != OWNER_ANCESTOR || a->generation == b->generation);
}

/* Whether what A is asked of is among what B is asked of. */
static bool covers(const struct field_ref *a, const struct field_ref *b)
{
    if (a->field != b->field || (b->item != 0 && a->item != b->item))
        return false;
    return is_same_process(a, b) || (a->owner == OWNER_ANCESTOR && b->owner == OWNER_ANY_ANCESTOR);
}

/* The numbers that satisfy a predicate. */
struct range {
    int64_t least, most;
};

static bool range_of(const struct predicate *predicate, struct range *out)
{
    int64_t number = predicate->number;

    *out = (struct range){INT64_MIN, INT64_MAX};
    switch (predicate->op) {
    case PREDICATE_EQUAL:
        *out = (struct range){number, number};
        return true;
    case PREDICATE_LESS:
        out->most = number - (number > INT64_MIN);
        return number > INT64_MIN;
    case PREDICATE_LESS_EQUAL:
        out->most = number;
        return true;
    case PREDICATE_GREATER:
        out->least = number + (number < INT64_MAX);
        return number < INT64_MAX;
    case PREDICATE_GREATER_EQUAL:
        out->least = number;
        return true;
    default:
        return false;
    }
}

enum answer { NO, YES, UNKNOWN };

/* Whether the value TEXT satisfies B. Of a text in any case (NOCASE) a regex may tell the cases
 * apart. */
static enum answer accepts(struct implication *implication, const struct predicate *b,
                           struct text text, bool nocase)
{
    struct value value = {.type = TYPE_TEXT, .text = text};
    uint64_t limits = implication->scratch.limits;

    if (predicate_is_of_field(b->op) ||
        (nocase && (!(b->flags & REGEX_NOCASE) || b->op == PREDICATE_MATCHES ||
                    b->op == PREDICATE_FINDS || b->op == PREDICATE_CIDR)))
        return UNKNOWN;
    bool accepted = predicate_accepts(b, NULL, &value, &implication->scratch);

    if (implication->scratch.limits != limits)
        return UNKNOWN;
    return accepted ? YES : NO;
}

bool implication_names_values(const struct predicate *predicate)
{
    for (size_t i = 0; predicate->op == PREDICATE_MATCHES && i < predicate->text.len; i++)
        if (strchr(REGEX_META, predicate->text.ptr[i]))
            return false;
    return predicate->op == PREDICATE_IS || predicate->op == PREDICATE_MATCHES;
}

/* Takes the next value that A names off *REST, which begins as its text; false at its end. */
static bool take_value(const struct predicate *a, struct text *rest, struct text *out)
{
    if (!rest->ptr)
        return false;
    *out = a->op == PREDICATE_IS ? *rest : text_split(rest, '|');
    if (a->op == PREDICATE_IS)
        rest->ptr = NULL;
    return true;
}

/* Whether every value that A names is one that B accepts (WANTED is YES), or none is (NO). False
 * when A does not name its values. */
static bool all_values(struct implication *implication, const struct predicate *a,
                       const struct predicate *b, enum answer wanted)
{
    struct text rest = a->text, value;

    if (!implication_names_values(a))
        return false;
    while (take_value(a, &rest, &value))
        if (accepts(implication, b, value, a->flags & REGEX_NOCASE) != wanted)
            return false;
    return true;
}

static bool is_of_part(const struct predicate *predicate)
{
    return predicate->op == PREDICATE_STARTS || predicate->op == PREDICATE_ENDS ||
           predicate->op == PREDICATE_CONTAINS;
}

/* Whether the part of a text that A asks for has in it the one that B does. */
static bool part_implies(struct implication *implication, const struct predicate *a,
                         const struct predicate *b)
{
    return is_of_part(a) && is_of_part(b) && (b->op == a->op || b->op == PREDICATE_CONTAINS) &&
           accepts(implication, b, a->text, a->flags & REGEX_NOCASE) == YES;
}

static bool predicate_implies(struct implication *implication, const struct predicate *a,
                              const struct predicate *b)
{
    struct range inner, outer;

    if (!covers(&a->ref, &b->ref))
        return false;
    if (b->op == PREDICATE_EXISTS)
        return true;
    if (range_of(a, &inner))
        return range_of(b, &outer) && inner.least >= outer.least && inner.most <= outer.most;
    if (!predicate_is_of_text(a->op) || !predicate_is_of_text(b->op))
        return false;
    if (a->op == b->op && a->flags == b->flags && text_equal(a->text, b->text))
        return !predicate_is_of_field(a->op);
    return all_values(implication, a, b, YES) || part_implies(implication, a, b);
}

/* Whether no event makes both hold: of one value, what needs another does not. */
static bool predicate_excludes(struct implication *implication, const struct predicate *a,
                               const struct predicate *b)
{
    struct range one, other;

    if (a->ref.field != b->ref.field || a->ref.item != b->ref.item ||
        !is_same_process(&a->ref, &b->ref) || !field_ref_has_one_value(&a->ref))
        return false;
    if (range_of(a, &one))
        return range_of(b, &other) && (one.most < other.least || other.most < one.least);
    if (!predicate_is_of_text(a->op) || !predicate_is_of_text(b->op))
        return false;
    return all_values(implication, a, b, NO) || all_values(implication, b, a, NO);
}

static bool implies(struct implication *implication, const struct expression *a,
                    const struct expression *b);

/* Whether each item of A, an ANY, implies B. */
static bool every_item(struct implication *implication, const struct expression *a,
                       const struct expression *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (!implies(implication, a->items[i], b))
            return false;
    return true;
}

/* Whether A implies each item of B, an ALL. */
static bool implies_every(struct implication *implication, const struct expression *a,
                          const struct expression *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!implies(implication, a, b->items[i]))
            return false;
    return true;
}

static bool some_item_accepts(struct implication *implication, const struct predicate *a,
                              const struct expression *b, struct text value)
{
    for (size_t i = 0; i < b->count && implication->steps; i++) {
        const struct predicate *item = b->items[i]->predicate;

        implication->steps--;
        if (item && covers(&a->ref, &item->ref) && predicate_is_of_text(item->op) &&
            accepts(implication, item, value, a->flags & REGEX_NOCASE) == YES)
            return true;
    }
    return false;
}

/* Whether each value that A names makes one of the items of B, an ANY, hold. */
static bool values_imply(struct implication *implication, const struct predicate *a,
                         const struct expression *b)
{
    struct text rest = a->text, value;

    if (!implication_names_values(a))
        return false;
    while (take_value(a, &rest, &value))
        if (!some_item_accepts(implication, a, b, value))
            return false;
    return true;
}

static bool some_item(struct implication *implication, const struct expression *a,
                      const struct expression *b)
{
    for (size_t i = 0; a->kind == EXPRESSION_ALL && i < a->count; i++)
        if (implies(implication, a->items[i], b))
            return true;
    for (size_t i = 0; b->kind == EXPRESSION_ANY && i < b->count; i++)
        if (implies(implication, a, b->items[i]))
            return true;
    return a->kind == EXPRESSION_PREDICATE && b->kind == EXPRESSION_ANY &&
           values_imply(implication, a->predicate, b);
}

/* Whether A, which is no ANY, implies that B does not hold. */
static bool implies_not(struct implication *implication, const struct expression *a,
                        const struct expression *b)
{
    if (implication->steps == 0)
        return false;
    implication->steps--;
    if (a->kind == EXPRESSION_NOT)
        return implies(implication, b, a->items[0]);
    for (size_t i = 0; a->kind == EXPRESSION_ALL && i < a->count; i++)
        if (a->items[i]->kind != EXPRESSION_ANY && implies_not(implication, a->items[i], b))
            return true;
    if (b->kind == EXPRESSION_ANY) {
        for (size_t i = 0; i < b->count; i++)
            if (!implies_not(implication, a, b->items[i]))
                return false;
        return true;
    }
    for (size_t i = 0; b->kind == EXPRESSION_ALL && i < b->count; i++)
        if (implies_not(implication, a, b->items[i]))
            return true;
    return a->kind == EXPRESSION_PREDICATE && b->kind == EXPRESSION_PREDICATE &&
           predicate_excludes(implication, a->predicate, b->predicate);
}

static bool implies(struct implication *implication, const struct expression *a,
                    const struct expression *b)
{
    if (a == b || a->kind == EXPRESSION_NEVER || b->kind == EXPRESSION_ALWAYS)
        return true;
    if (implication->steps == 0)
        return false;
    implication->steps--;
    if (a->kind == EXPRESSION_ANY)
        return every_item(implication, a, b);
    if (b->kind == EXPRESSION_ALL)
        return implies_every(implication, a, b);
    if (b->kind == EXPRESSION_NOT && implies_not(implication, a, b->items[0]))
        return true;
    if (a->kind == EXPRESSION_PREDICATE && b->kind == EXPRESSION_PREDICATE)
        return predicate_implies(implication, a->predicate, b->predicate);
    return some_item(implication, a, b);
}

bool implication_holds(struct implication *implication, const struct expression *a,
                       const struct expression *b)
{
    implication->steps = STEPS_MAX;
    return implies(implication, a, b);
}

bool implication_excludes(struct implication *implication, const struct expression *a,
                          const struct expression *b)
{
    implication->steps = STEPS_MAX;
    if (b->kind == EXPRESSION_NOT)
        return implies(implication, a, b->items[0]);
    return a->kind != EXPRESSION_ANY && implies_not(implication, a, b);
}
