#include "rule/field_key.h"

#include <errno.h>

/* A key while its modifiers are read, left to right. */
struct reading {
    struct compiler *compiler;
    const char *scope;
    struct field_key *key;
    bool mistaken;
};

static struct mark mark_of(const struct yaml_node *node, struct text part)
{
    return yaml_mark_inside(node, (size_t)(part.ptr - node->text.ptr), part.len);
}

static void diagnose_unknown(struct reading *reading, struct text name)
{
    const char *nearest;

    reading->mistaken = true;
    if (name.len == 0) {
        diag_error(reading->compiler->diags, mark_of(reading->key->node, name), "unknown-modifier",
                   "no modifier behind '|' in %s", reading->scope);
        return;
    }
    nearest = modifier_nearest(MODIFIER_NATIVE, name);
    diag_error(reading->compiler->diags, mark_of(reading->key->node, name), "unknown-modifier",
               "unknown modifier '%.*s' in %s%s", TEXT_ARG(name), reading->scope,
               diag_hint(reading->compiler->diags, nearest));
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
    const struct modifier *modifier;
    const char *names = "";

    for (size_t i = 0; names && (modifier = modifier_at(MODIFIER_NATIVE, i)); i++)
        if (modifier->kind == MODIFIER_OPERATOR && modifier->types & 1U << type)
            names =
                arena_printf(&compiler->arena, "%s%s%s", names, *names ? ", " : "", modifier->name);
    return names ? names : "";
}

static void apply(struct reading *reading, const struct modifier *modifier, struct text name)
{
    struct comparison *how = &reading->key->how;
    const char *before = how->said, *why = modifier_apply(modifier, how);

    if (why && modifier->kind == MODIFIER_OPERATOR)
        why = arena_printf(&reading->compiler->diags->arena,
                           "cannot follow '%s': a key takes one operator", before);
    if (why)
        diagnose_conflict(reading, name, why);
}

static void read_modifier(struct reading *reading, struct text name, bool known_field)
{
    const struct modifier *modifier = modifier_find(MODIFIER_NATIVE, name);
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
    struct comparison *how = &key->how;

    if (!how->said) {
        how->said = "is";
        how->op = PREDICATE_IS;
    }
    if (!predicate_is_literal(how->op))
        diagnose_conflict(reading, find_part(key, how->said),
                          "cannot compare with a text that is encoded or another field's: is, "
                          "contains, startswith and endswith can");
    if (how->fieldref && (how->encoding_count || how->expand))
        diagnose_conflict(reading, find_part(key, "fieldref"),
                          "takes the value of a field as it is");
    if (how->fieldref && !reading->mistaken)
        how->op = PREDICATE_IS_FIELD + (how->op - PREDICATE_IS);
}

/* What only all modifiers together tell. */
static void check_together(struct reading *reading)
{
    const struct field_key *key = reading->key;
    const struct comparison *how = &key->how;
    bool of_text = predicate_is_of_text(how->op) && how->op != PREDICATE_CIDR;

    if (how->cased && !of_text)
        diagnose_conflict(reading, find_part(key, how->cased),
                          "asks for a case where there is none");
    if (how->all && how->op == PREDICATE_EXISTS)
        diagnose_conflict(reading, find_part(key, "all"), "has no meaning with 'exists'");
    if (how->expand && how->op == PREDICATE_EXISTS)
        diagnose_conflict(reading, find_part(key, "expand"), "has no meaning with 'exists'");
    if (how->fieldref || how->encoding_count)
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

    *out = (struct field_key){.node = key, .name = name, .how.op = PREDICATE_MATCHES};
    bool known = field_name_read(compiler, scope, key, name, &out->ref);

    while (rest.ptr)
        read_modifier(&reading, text_split(&rest, '|'), known);
    if (!reading.mistaken && known)
        check_together(&reading);
    return known && !reading.mistaken;
}
