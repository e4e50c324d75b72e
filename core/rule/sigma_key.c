#include "rule/sigma_key.h"

struct reading {
    struct compiler *compiler;
    const char *scope;
    struct sigma_key *key;
    bool mistaken;
};

static void diagnose(struct reading *reading, struct text name, const char *code, const char *why)
{
    const struct yaml_node *node = reading->key->node;
    struct mark mark = yaml_mark_inside(node, (size_t)(name.ptr - node->text.ptr), name.len);

    diag_error(reading->compiler->diags, mark, code, "modifier '%.*s' in %s %s", TEXT_ARG(name),
               reading->scope, why);
    reading->mistaken = true;
}

static void diagnose_unknown(struct reading *reading, struct text name)
{
    const char *nearest = modifier_nearest(MODIFIER_SIGMA, name);
    const char *why = arena_printf(&reading->compiler->arena, "is none of Sigma's%s",
                                   diag_hint(reading->compiler->diags, nearest));

    diagnose(reading, name, "unknown-modifier", why ? why : "is none of Sigma's");
}

static void read_modifier(struct reading *reading, struct text name)
{
    const struct modifier *modifier = modifier_find(MODIFIER_SIGMA, name);
    const char *why = modifier ? modifier_apply(modifier, &reading->key->how) : NULL;

    if (!modifier)
        diagnose_unknown(reading, name);
    else if (why)
        diagnose(reading, name, "conflicting-modifiers", why);
}

/* What only all modifiers together tell. */
static void check_together(struct reading *reading)
{
    struct sigma_key *key = reading->key;
    struct comparison *how = &key->how;
    struct text rest = key->node->text;

    text_split(&rest, '|');
    if (!predicate_is_literal(how->op) && (how->fieldref || how->encoding_count))
        diagnose(reading, rest, "conflicting-modifiers",
                 "cannot go together: that is compared as a whole, or by contains, startswith and "
                 "endswith");
    if (how->fieldref && (how->encoding_count || how->expand))
        diagnose(reading, rest, "conflicting-modifiers",
                 "cannot go together: 'fieldref' takes the value of a field as it is");
    if (predicate_is_literal(how->op) && !how->cased)
        how->flags |= REGEX_NOCASE;
    if (key->name.len == 0 && (!predicate_is_of_text(how->op) || how->fieldref))
        diagnose(reading, rest, "conflicting-modifiers", "cannot be used on keywords");
}

/* Numbers are compared where there are numbers. */
static void check_type(struct sigma_key *key)
{
    const struct field *field = key->field.refs[0].field;

    if (predicate_is_ordered(key->how.op) && key->known &&
        (key->field.ref_count == 0 || field->type == TYPE_TEXT || field->type == TYPE_TEXT_LIST ||
         field->type == TYPE_FLAGS || field->type == TYPE_BOOL))
        key->unsupported = "it is no number there";
}

bool sigma_key_read(struct compiler *compiler, const char *scope, enum sigma_source source,
                    const struct yaml_node *key, struct sigma_key *out)
{
    struct reading reading = {.compiler = compiler, .scope = scope, .key = out};
    struct text rest = key->text;

    *out = (struct sigma_key){.node = key, .how.op = PREDICATE_IS};
    out->name = text_split(&rest, '|');
    out->known = out->name.len == 0 || sigma_field_find(source, out->name, &out->field);
    while (rest.ptr)
        read_modifier(&reading, text_split(&rest, '|'));
    if (!reading.mistaken)
        check_together(&reading);
    if (out->how.timed)
        out->unsupported = "no time of theirs is taken apart";
    check_type(out);
    if (out->name.len == 0 && !out->how.said)
        out->how.op = PREDICATE_CONTAINS;
    return !reading.mistaken;
}
