#include "rule/modifier.h"

#include <errno.h>

enum modifier_kind {
    MODIFIER_OPERATOR,
    MODIFIER_FLAG,
    MODIFIER_CASE,
    MODIFIER_ALL,
    MODIFIER_EXPAND,
    MODIFIER_FIELDREF,
    MODIFIER_ENCODING
};

/* Which types a modifier can be used on. */
#define ON(type)   (1U << TYPE_##type)
#define ON_TEXT    (ON(TEXT) | ON(TEXT_LIST) | ON(FLAGS))
#define ON_BYTES   (ON(TEXT) | ON(TEXT_LIST))
#define ON_WRITTEN (ON_TEXT | ON(NUMBER) | ON(TIME)) /* by its text */
#define ON_ORDERED (ON(NUMBER) | ON(TIME) | ON(DURATION))
#define ON_ANY     (ON_WRITTEN | ON_ORDERED | ON(BOOL))

struct modifier {
    const char *name;
    enum modifier_kind kind;
    enum predicate_operator op; /* OPERATOR */
    unsigned flag;              /* FLAG, CASE; ENCODING: enum encoding */
    unsigned types;
};

static const struct modifier modifiers[] = {
    {"is", MODIFIER_OPERATOR, PREDICATE_IS, 0, ON_ANY},
    {"contains", MODIFIER_OPERATOR, PREDICATE_CONTAINS, 0, ON_WRITTEN},
    {"startswith", MODIFIER_OPERATOR, PREDICATE_STARTS, 0, ON_WRITTEN},
    {"endswith", MODIFIER_OPERATOR, PREDICATE_ENDS, 0, ON_WRITTEN},
    {"glob", MODIFIER_OPERATOR, PREDICATE_GLOB, 0, ON_WRITTEN},
    {"re", MODIFIER_OPERATOR, PREDICATE_FINDS, 0, ON_WRITTEN},
    {"lt", MODIFIER_OPERATOR, PREDICATE_LESS, 0, ON_ORDERED},
    {"lte", MODIFIER_OPERATOR, PREDICATE_LESS_EQUAL, 0, ON_ORDERED},
    {"gt", MODIFIER_OPERATOR, PREDICATE_GREATER, 0, ON_ORDERED},
    {"gte", MODIFIER_OPERATOR, PREDICATE_GREATER_EQUAL, 0, ON_ORDERED},
    {"exists", MODIFIER_OPERATOR, PREDICATE_EXISTS, 0, ON_ANY},
    {"i", MODIFIER_FLAG, 0, REGEX_NOCASE, ON_WRITTEN},
    {"m", MODIFIER_FLAG, 0, REGEX_MULTILINE, ON_WRITTEN},
    {"s", MODIFIER_FLAG, 0, REGEX_DOTALL, ON_WRITTEN},
    {"nocase", MODIFIER_CASE, 0, REGEX_NOCASE, ON_TEXT},
    {"cased", MODIFIER_CASE, 0, 0, ON_TEXT},
    {"all", MODIFIER_ALL, 0, 0, ON_ANY},
    {"cidr", MODIFIER_OPERATOR, PREDICATE_CIDR, 0, ON_BYTES},
    {"expand", MODIFIER_EXPAND, 0, 0, ON_WRITTEN},
    {"fieldref", MODIFIER_FIELDREF, 0, 0, ON_ANY},
    {"base64", MODIFIER_ENCODING, 0, ENCODING_BASE64, ON_BYTES},
    {"base64offset", MODIFIER_ENCODING, 0, ENCODING_BASE64_OFFSET, ON_BYTES},
    {"windash", MODIFIER_ENCODING, 0, ENCODING_WINDASH, ON_BYTES},
    {"wide", MODIFIER_ENCODING, 0, ENCODING_UTF16LE, ON_BYTES},
    {"utf16le", MODIFIER_ENCODING, 0, ENCODING_UTF16LE, ON_BYTES},
    {"utf16be", MODIFIER_ENCODING, 0, ENCODING_UTF16BE, ON_BYTES},
    {"utf16", MODIFIER_ENCODING, 0, ENCODING_UTF16, ON_BYTES},
};
#define MODIFIERS (sizeof modifiers / sizeof *modifiers)

/* A key while its modifiers are read, left to right. */
struct reading {
    struct compiler *compiler;
    const char *scope;
    struct field_key *key;
    const char *cased; /* "nocase" or "cased", once met */
    bool mistaken;
};

static struct mark mark_of(const struct yaml_node *node, struct text part)
{
    return yaml_mark_inside(node, (size_t)(part.ptr - node->text.ptr), part.len);
}

static const struct modifier *find_modifier(struct text name)
{
    for (size_t i = 0; i < MODIFIERS; i++)
        if (text_is(name, modifiers[i].name))
            return &modifiers[i];
    return NULL;
}

static void diagnose_unknown(struct reading *reading, struct text name)
{
    const char *names[MODIFIERS];

    reading->mistaken = true;
    if (name.len == 0) {
        diag_error(reading->compiler->diags, mark_of(reading->key->node, name), "unknown-modifier",
                   "no modifier behind '|' in %s", reading->scope);
        return;
    }
    for (size_t i = 0; i < MODIFIERS; i++)
        names[i] = modifiers[i].name;
    diag_error(reading->compiler->diags, mark_of(reading->key->node, name), "unknown-modifier",
               "unknown modifier '%.*s' in %s%s", TEXT_ARG(name), reading->scope,
               diag_hint(reading->compiler->diags, text_nearest(name, names, MODIFIERS)));
}

static void diagnose_conflict(struct reading *reading, struct text name, const char *why)
{
    diag_error(reading->compiler->diags, mark_of(reading->key->node, name), "conflicting-modifiers",
               "modifier '%.*s' %s", TEXT_ARG(name), why);
    reading->mistaken = true;
}

/* "is, contains, ..." for a type, into the load's arena. */
static const char *modifiers_for(struct compiler *compiler, enum field_type type)
{
    const char *names = "";

    for (size_t i = 0; names && i < MODIFIERS; i++)
        if (modifiers[i].kind == MODIFIER_OPERATOR && modifiers[i].types & 1U << type)
            names = arena_printf(&compiler->arena, "%s%s%s", names, *names ? ", " : "",
                                 modifiers[i].name);
    return names ? names : "";
}

static void set_operator(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct field_key *key = reading->key;

    if (key->said) {
        diagnose_conflict(reading, name,
                          arena_printf(&reading->compiler->arena,
                                       "cannot follow '%s': a key takes one operator", key->said));
        return;
    }
    key->said = modifier->name;
    key->op = modifier->op;
}

static void set_case(struct reading *reading, const struct modifier *modifier, struct text name)
{
    if (reading->cased && strcmp(reading->cased, modifier->name) != 0)
        diagnose_conflict(reading, name, "contradicts the one before it");
    reading->cased = modifier->name;
    reading->key->flags |= modifier->flag;
}

static void add_encoding(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct field_key *key = reading->key;

    if (key->encoding_count == ENCODINGS_MAX)
        diagnose_conflict(reading, name, "is one encoding too many");
    else
        key->encodings[key->encoding_count++] = (enum encoding)modifier->flag;
}

static void apply(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct field_key *key = reading->key;

    switch (modifier->kind) {
    case MODIFIER_OPERATOR:
        set_operator(reading, modifier, name);
        break;
    case MODIFIER_FLAG:
        if (key->op != PREDICATE_FINDS || !key->said)
            diagnose_conflict(reading, name, "belongs behind 're'");
        key->flags |= modifier->flag;
        break;
    case MODIFIER_CASE:
        set_case(reading, modifier, name);
        break;
    case MODIFIER_ALL:
        key->all = true;
        break;
    case MODIFIER_EXPAND:
        key->expand = true;
        break;
    case MODIFIER_FIELDREF:
        key->fieldref = true;
        break;
    case MODIFIER_ENCODING:
        add_encoding(reading, modifier, name);
        break;
    }
}

static void read_modifier(struct reading *reading, struct text name, bool known_field)
{
    const struct modifier *modifier = find_modifier(name);
    struct compiler *compiler = reading->compiler;
    const struct field_key *key = reading->key;

    if (!modifier) {
        diagnose_unknown(reading, name);
        return;
    }
    if (known_field && !(modifier->types & 1U << key->ref.field->type)) {
        diag_error(compiler->diags, mark_of(key->node, name), "bad-modifier",
                   "modifier '%s' cannot be used on '%.*s', which is a %s; it takes %s",
                   modifier->name, TEXT_ARG(key->name), field_type_name(key->ref.field->type),
                   modifiers_for(compiler, key->ref.field->type));
        reading->mistaken = true;
        return;
    }
    apply(reading, modifier, name);
}

static bool is_literal(enum predicate_operator op)
{
    return op >= PREDICATE_IS && op <= PREDICATE_CONTAINS;
}

/* Where KEY says NAME. */
static struct text find_part(const struct field_key *key, const char *name)
{
    struct text rest = key->node->text;
    struct text part = text_split(&rest, '|');

    while (rest.ptr) {
        part = text_split(&rest, '|');
        if (text_is(part, name))
            break;
    }
    return part;
}

/* Encoded values and other fields are compared as they are: without an operator, as a whole. */
static void make_literal(struct reading *reading)
{
    struct field_key *key = reading->key;

    if (!key->said) {
        key->said = "is";
        key->op = PREDICATE_IS;
    }
    if (!is_literal(key->op))
        diagnose_conflict(reading, find_part(key, key->said),
                          "cannot compare with a text that is encoded or another field's: is, "
                          "contains, startswith and endswith can");
    if (key->fieldref && (key->encoding_count || key->expand))
        diagnose_conflict(reading, find_part(key, "fieldref"),
                          "takes the value of a field as it is");
    if (key->fieldref && !reading->mistaken)
        key->op = PREDICATE_IS_FIELD + (key->op - PREDICATE_IS);
}

/* What only all modifiers together tell. */
static void check_together(struct reading *reading)
{
    const struct field_key *key = reading->key;
    bool of_text = predicate_is_of_text(key->op) && key->op != PREDICATE_CIDR;

    if (reading->cased && !of_text)
        diagnose_conflict(reading, find_part(key, reading->cased),
                          "asks for a case where there is none");
    if (key->all && key->op == PREDICATE_EXISTS)
        diagnose_conflict(reading, find_part(key, "all"), "has no meaning with 'exists'");
    if (key->expand && key->op == PREDICATE_EXISTS)
        diagnose_conflict(reading, find_part(key, "expand"), "has no meaning with 'exists'");
    if (key->fieldref || key->encoding_count)
        make_literal(reading);
}

static void diagnose_field(struct compiler *compiler, struct mark mark, const char *scope,
                           struct text name)
{
    char workspace[64];
    const char *nearest = field_suggest(name, workspace);

    diag_error(compiler->diags, mark, "unknown-field", "unknown field '%.*s' in %s%s",
               TEXT_ARG(name), scope, diag_hint(compiler->diags, nearest));
}

bool field_name_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                     struct text name, struct field_ref *out)
{
    struct mark mark = mark_of(node, name);

    switch (field_ref_parse(name, out)) {
    case 0:
        return true;
    case -EDOM:
        diag_error(compiler->diags, mark, "bad-field",
                   "'%.*s' is asked of an ancestor, but belongs to the event", TEXT_ARG(name));
        return false;
    case -ERANGE:
        diag_error(compiler->diags, mark, "bad-field",
                   "'%.*s': ancestors are numbered from 1 (the parent) to %d", TEXT_ARG(name),
                   ANCESTOR_MAX);
        return false;
    default:
        diagnose_field(compiler, mark, scope, name);
        return false;
    }
}

bool field_key_read(struct compiler *compiler, const char *scope, const struct yaml_node *key,
                    struct field_key *out)
{
    struct reading reading = {.compiler = compiler, .scope = scope, .key = out};
    struct text rest = key->text;
    struct text name = text_split(&rest, '|');

    *out = (struct field_key){.node = key, .name = name, .op = PREDICATE_MATCHES};
    bool known = field_name_read(compiler, scope, key, name, &out->ref);

    while (rest.ptr)
        read_modifier(&reading, text_split(&rest, '|'), known);
    if (!reading.mistaken && known)
        check_together(&reading);
    return known && !reading.mistaken;
}

static enum modifier_values values_of(const struct modifier *modifier)
{
    if (modifier->kind == MODIFIER_FIELDREF)
        return MODIFIER_VALUES_FIELD;
    if (modifier->kind == MODIFIER_EXPAND || modifier->kind == MODIFIER_ENCODING)
        return MODIFIER_VALUES_TEXT;
    if (modifier->kind != MODIFIER_OPERATOR || modifier->op == PREDICATE_IS)
        return MODIFIER_VALUES_SAME;
    if (modifier->op == PREDICATE_EXISTS)
        return MODIFIER_VALUES_BOOLEAN;
    return predicate_is_of_text(modifier->op) ? MODIFIER_VALUES_TEXT : MODIFIER_VALUES_ORDERED;
}

bool modifier_describe(size_t index, const char **name, unsigned *types,
                       enum modifier_values *values)
{
    if (index >= MODIFIERS)
        return false;
    *name = modifiers[index].name;
    *types = modifiers[index].types;
    *values = values_of(&modifiers[index]);
    return true;
}
