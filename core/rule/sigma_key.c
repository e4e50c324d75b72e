#include "rule/sigma_key.h"

enum modifier_kind {
    MODIFIER_OPERATOR,
    MODIFIER_FLAG, /* behind `re` */
    MODIFIER_CASED,
    MODIFIER_ALL,
    MODIFIER_NEQ,
    MODIFIER_EXPAND,
    MODIFIER_FIELDREF,
    MODIFIER_ENCODING,
    MODIFIER_TIME,
};

static const struct modifier {
    const char *name;
    enum modifier_kind kind;
    unsigned value; /* enum predicate_operator, regex_flag or encoding */
} modifiers[] = {
    {"contains", MODIFIER_OPERATOR, PREDICATE_CONTAINS},
    {"startswith", MODIFIER_OPERATOR, PREDICATE_STARTS},
    {"endswith", MODIFIER_OPERATOR, PREDICATE_ENDS},
    {"re", MODIFIER_OPERATOR, PREDICATE_FINDS},
    {"cidr", MODIFIER_OPERATOR, PREDICATE_CIDR},
    {"exists", MODIFIER_OPERATOR, PREDICATE_EXISTS},
    {"lt", MODIFIER_OPERATOR, PREDICATE_LESS},
    {"lte", MODIFIER_OPERATOR, PREDICATE_LESS_EQUAL},
    {"gt", MODIFIER_OPERATOR, PREDICATE_GREATER},
    {"gte", MODIFIER_OPERATOR, PREDICATE_GREATER_EQUAL},
    {"i", MODIFIER_FLAG, REGEX_NOCASE},
    {"m", MODIFIER_FLAG, REGEX_MULTILINE},
    {"s", MODIFIER_FLAG, REGEX_DOTALL},
    {"ignorecase", MODIFIER_FLAG, REGEX_NOCASE},
    {"multiline", MODIFIER_FLAG, REGEX_MULTILINE},
    {"dotall", MODIFIER_FLAG, REGEX_DOTALL},
    {"cased", MODIFIER_CASED, 0},
    {"all", MODIFIER_ALL, 0},
    {"neq", MODIFIER_NEQ, 0},
    {"expand", MODIFIER_EXPAND, 0},
    {"fieldref", MODIFIER_FIELDREF, 0},
    {"base64", MODIFIER_ENCODING, ENCODING_BASE64},
    {"base64offset", MODIFIER_ENCODING, ENCODING_BASE64_OFFSET},
    {"windash", MODIFIER_ENCODING, ENCODING_WINDASH},
    {"wide", MODIFIER_ENCODING, ENCODING_UTF16LE},
    {"utf16le", MODIFIER_ENCODING, ENCODING_UTF16LE},
    {"utf16be", MODIFIER_ENCODING, ENCODING_UTF16BE},
    {"utf16", MODIFIER_ENCODING, ENCODING_UTF16},
    {"minute", MODIFIER_TIME, 0},
    {"hour", MODIFIER_TIME, 0},
    {"day", MODIFIER_TIME, 0},
    {"week", MODIFIER_TIME, 0},
    {"month", MODIFIER_TIME, 0},
    {"year", MODIFIER_TIME, 0},
};
#define MODIFIERS (sizeof modifiers / sizeof *modifiers)

struct reading {
    struct compiler *compiler;
    const char *scope;
    struct sigma_key *key;
    bool cased, mistaken;
};

static void diagnose(struct reading *reading, struct text name, const char *code, const char *why)
{
    const struct yaml_node *node = reading->key->node;
    struct mark mark = yaml_mark_inside(node, (size_t)(name.ptr - node->text.ptr), name.len);

    diag_error(reading->compiler->diags, mark, code, "modifier '%.*s' in %s %s", TEXT_ARG(name),
               reading->scope, why);
    reading->mistaken = true;
}

static const struct modifier *find_modifier(struct reading *reading, struct text name)
{
    const char *names[MODIFIERS];

    for (size_t i = 0; i < MODIFIERS; i++) {
        if (text_is(name, modifiers[i].name))
            return &modifiers[i];
        names[i] = modifiers[i].name;
    }
    const char *nearest = text_nearest(name, names, MODIFIERS);
    const char *why = arena_printf(&reading->compiler->arena, "is none of Sigma's%s",
                                   diag_hint(reading->compiler->diags, nearest));

    diagnose(reading, name, "unknown-modifier", why ? why : "is none of Sigma's");
    return NULL;
}

static void set_operator(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct sigma_key *key = reading->key;

    if (key->said)
        diagnose(reading, name, "conflicting-modifiers", "follows another one that compares");
    key->said = modifier->name;
    key->op = (enum predicate_operator)modifier->value;
}

static void apply(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct sigma_key *key = reading->key;

    switch (modifier->kind) {
    case MODIFIER_OPERATOR:
        set_operator(reading, modifier, name);
        break;
    case MODIFIER_FLAG:
        if (key->op != PREDICATE_FINDS)
            diagnose(reading, name, "conflicting-modifiers", "belongs behind 're'");
        key->flags |= modifier->value;
        break;
    case MODIFIER_CASED:
        reading->cased = true;
        break;
    case MODIFIER_ALL:
        key->all = true;
        break;
    case MODIFIER_NEQ:
        key->neq = true;
        break;
    case MODIFIER_EXPAND:
        key->expand = true;
        break;
    case MODIFIER_FIELDREF:
        key->fieldref = true;
        break;
    case MODIFIER_ENCODING:
        if (key->encoding_count == ENCODINGS_MAX)
            diagnose(reading, name, "conflicting-modifiers", "is one encoding too many");
        else
            key->encodings[key->encoding_count++] = (enum encoding)modifier->value;
        break;
    case MODIFIER_TIME:
        key->unsupported = "no time of theirs is taken apart";
        break;
    }
}

static bool is_literal(enum predicate_operator op)
{
    return op >= PREDICATE_IS && op <= PREDICATE_CONTAINS;
}

static bool is_ordered(enum predicate_operator op)
{
    return op >= PREDICATE_LESS && op <= PREDICATE_GREATER_EQUAL;
}

/* What only all modifiers together tell. */
static void check_together(struct reading *reading)
{
    struct sigma_key *key = reading->key;
    struct text rest = key->node->text;

    text_split(&rest, '|');
    if (!is_literal(key->op) && (key->fieldref || key->encoding_count))
        diagnose(reading, rest, "conflicting-modifiers",
                 "cannot go together: that is compared as a whole, or by contains, startswith and "
                 "endswith");
    if (key->fieldref && (key->encoding_count || key->expand))
        diagnose(reading, rest, "conflicting-modifiers",
                 "cannot go together: 'fieldref' takes the value of a field as it is");
    if (is_literal(key->op) && !reading->cased)
        key->flags |= REGEX_NOCASE;
    if (key->name.len == 0 && (!predicate_is_of_text(key->op) || key->fieldref))
        diagnose(reading, rest, "conflicting-modifiers", "cannot be used on keywords");
}

/* Numbers are compared where there are numbers. */
static void check_type(struct sigma_key *key)
{
    const struct field *field = key->field.refs[0].field;

    if (is_ordered(key->op) && key->known &&
        (key->field.ref_count == 0 || field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST ||
         field->type == TYPE_FLAGS || field->type == TYPE_BOOL))
        key->unsupported = "it is no number there";
}

bool sigma_key_read(struct compiler *compiler, const char *scope, enum sigma_source source,
                    const struct yaml_node *key, struct sigma_key *out)
{
    struct reading reading = {.compiler = compiler, .scope = scope, .key = out};
    struct text rest = key->text;

    *out = (struct sigma_key){.node = key, .op = PREDICATE_IS};
    out->name = text_split(&rest, '|');
    out->known = out->name.len == 0 || sigma_field_find(source, out->name, &out->field);
    while (rest.ptr) {
        struct text name = text_split(&rest, '|');
        const struct modifier *modifier = find_modifier(&reading, name);

        if (modifier)
            apply(&reading, modifier, name);
    }
    if (!reading.mistaken)
        check_together(&reading);
    check_type(out);
    if (out->name.len == 0 && !out->said)
        out->op = PREDICATE_CONTAINS;
    return !reading.mistaken;
}
