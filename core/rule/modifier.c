#include "rule/modifier.h"

/* Which types a modifier can be used on. */
#define ON(type)   (1U << TYPE_##type)
#define ON_TEXT    (ON(TEXT) | ON(TEXT_LIST) | ON(FLAGS))
#define ON_BYTES   (ON(TEXT) | ON(TEXT_LIST))
#define ON_WRITTEN (ON_TEXT | ON(NUMBER) | ON(TIME)) /* by its text */
#define ON_ORDERED (ON(NUMBER) | ON(TIME) | ON(DURATION))
#define ON_ANY     (ON_WRITTEN | ON_ORDERED | ON(BOOL))

#define NATIVE MODIFIER_NATIVE
#define SIGMA  MODIFIER_SIGMA
#define BOTH   (MODIFIER_NATIVE | MODIFIER_SIGMA)

static const struct modifier modifiers[] = {
    {"is", MODIFIER_OPERATOR, PREDICATE_IS, ON_ANY, NATIVE},
    {"contains", MODIFIER_OPERATOR, PREDICATE_CONTAINS, ON_WRITTEN, BOTH},
    {"startswith", MODIFIER_OPERATOR, PREDICATE_STARTS, ON_WRITTEN, BOTH},
    {"endswith", MODIFIER_OPERATOR, PREDICATE_ENDS, ON_WRITTEN, BOTH},
    {"glob", MODIFIER_OPERATOR, PREDICATE_GLOB, ON_WRITTEN, NATIVE},
    {"re", MODIFIER_OPERATOR, PREDICATE_FINDS, ON_WRITTEN, BOTH},
    {"lt", MODIFIER_OPERATOR, PREDICATE_LESS, ON_ORDERED, BOTH},
    {"lte", MODIFIER_OPERATOR, PREDICATE_LESS_EQUAL, ON_ORDERED, BOTH},
    {"gt", MODIFIER_OPERATOR, PREDICATE_GREATER, ON_ORDERED, BOTH},
    {"gte", MODIFIER_OPERATOR, PREDICATE_GREATER_EQUAL, ON_ORDERED, BOTH},
    {"exists", MODIFIER_OPERATOR, PREDICATE_EXISTS, ON_ANY, BOTH},
    {"i", MODIFIER_FLAG, REGEX_NOCASE, ON_WRITTEN, BOTH},
    {"m", MODIFIER_FLAG, REGEX_MULTILINE, ON_WRITTEN, BOTH},
    {"s", MODIFIER_FLAG, REGEX_DOTALL, ON_WRITTEN, BOTH},
    {"ignorecase", MODIFIER_FLAG, REGEX_NOCASE, 0, SIGMA},
    {"multiline", MODIFIER_FLAG, REGEX_MULTILINE, 0, SIGMA},
    {"dotall", MODIFIER_FLAG, REGEX_DOTALL, 0, SIGMA},
    {"nocase", MODIFIER_CASE, REGEX_NOCASE, ON_TEXT, NATIVE},
    {"cased", MODIFIER_CASE, 0, ON_TEXT, BOTH},
    {"all", MODIFIER_ALL, 0, ON_ANY, BOTH},
    {"neq", MODIFIER_NEQ, 0, 0, SIGMA},
    {"cidr", MODIFIER_OPERATOR, PREDICATE_CIDR, ON_BYTES, BOTH},
    {"expand", MODIFIER_EXPAND, 0, ON_WRITTEN, BOTH},
    {"fieldref", MODIFIER_FIELDREF, 0, ON_ANY, BOTH},
    {"base64", MODIFIER_ENCODING, ENCODING_BASE64, ON_BYTES, BOTH},
    {"base64offset", MODIFIER_ENCODING, ENCODING_BASE64_OFFSET, ON_BYTES, BOTH},
    {"windash", MODIFIER_ENCODING, ENCODING_WINDASH, ON_BYTES, BOTH},
    {"wide", MODIFIER_ENCODING, ENCODING_UTF16LE, ON_BYTES, BOTH},
    {"utf16le", MODIFIER_ENCODING, ENCODING_UTF16LE, ON_BYTES, BOTH},
    {"utf16be", MODIFIER_ENCODING, ENCODING_UTF16BE, ON_BYTES, BOTH},
    {"utf16", MODIFIER_ENCODING, ENCODING_UTF16, ON_BYTES, BOTH},
    {"minute", MODIFIER_TIME, 0, 0, SIGMA},
    {"hour", MODIFIER_TIME, 0, 0, SIGMA},
    {"day", MODIFIER_TIME, 0, 0, SIGMA},
    {"week", MODIFIER_TIME, 0, 0, SIGMA},
    {"month", MODIFIER_TIME, 0, 0, SIGMA},
    {"year", MODIFIER_TIME, 0, 0, SIGMA},
};
#define MODIFIERS (sizeof modifiers / sizeof *modifiers)

const struct modifier *modifier_at(enum modifier_dialect dialect, size_t index)
{
    for (size_t i = 0; i < MODIFIERS; i++)
        if (modifiers[i].dialects & dialect && index-- == 0)
            return &modifiers[i];
    return NULL;
}

const struct modifier *modifier_find(enum modifier_dialect dialect, struct text name)
{
    for (size_t i = 0; i < MODIFIERS; i++)
        if (modifiers[i].dialects & dialect && text_is(name, modifiers[i].name))
            return &modifiers[i];
    return NULL;
}

const char *modifier_nearest(enum modifier_dialect dialect, struct text name)
{
    const char *names[MODIFIERS];
    size_t count = 0;

    for (size_t i = 0; i < MODIFIERS; i++)
        if (modifiers[i].dialects & dialect)
            names[count++] = modifiers[i].name;
    return text_nearest(name, names, count);
}

static const char *set_operator(const struct modifier *modifier, struct comparison *comparison)
{
    if (comparison->said)
        return "follows another one that compares";
    comparison->said = modifier->name;
    comparison->op = (enum predicate_operator)modifier->value;
    return NULL;
}

static const char *add_flag(const struct modifier *modifier, struct comparison *comparison)
{
    comparison->flags |= modifier->value;
    return comparison->op == PREDICATE_FINDS ? NULL : "belongs behind 're'";
}

static const char *set_case(const struct modifier *modifier, struct comparison *comparison)
{
    bool differs = comparison->cased && strcmp(comparison->cased, modifier->name) != 0;

    comparison->cased = modifier->name;
    comparison->flags |= modifier->value;
    return differs ? "contradicts the one before it" : NULL;
}

static const char *add_encoding(const struct modifier *modifier, struct comparison *comparison)
{
    if (comparison->encoding_count == ENCODINGS_MAX)
        return "is one encoding too many";
    comparison->encodings[comparison->encoding_count++] = (enum encoding)modifier->value;
    return NULL;
}

const char *modifier_apply(const struct modifier *modifier, struct comparison *comparison)
{
    switch (modifier->kind) {
    case MODIFIER_OPERATOR:
        return set_operator(modifier, comparison);
    case MODIFIER_FLAG:
        return add_flag(modifier, comparison);
    case MODIFIER_CASE:
        return set_case(modifier, comparison);
    case MODIFIER_ENCODING:
        return add_encoding(modifier, comparison);
    case MODIFIER_ALL:
        comparison->all = true;
        break;
    case MODIFIER_NEQ:
        comparison->neq = true;
        break;
    case MODIFIER_EXPAND:
        comparison->expand = true;
        break;
    case MODIFIER_FIELDREF:
        comparison->fieldref = true;
        break;
    case MODIFIER_TIME:
        comparison->timed = true;
        break;
    }
    return NULL;
}

enum modifier_values modifier_values(const struct modifier *modifier)
{
    if (modifier->kind == MODIFIER_FIELDREF)
        return MODIFIER_VALUES_FIELD;
    if (modifier->kind == MODIFIER_EXPAND || modifier->kind == MODIFIER_ENCODING)
        return MODIFIER_VALUES_TEXT;
    if (modifier->kind != MODIFIER_OPERATOR || modifier->value == PREDICATE_IS)
        return MODIFIER_VALUES_SAME;
    if (modifier->value == PREDICATE_EXISTS)
        return MODIFIER_VALUES_BOOLEAN;
    return predicate_is_of_text((enum predicate_operator)modifier->value) ? MODIFIER_VALUES_TEXT
                                                                          : MODIFIER_VALUES_ORDERED;
}
