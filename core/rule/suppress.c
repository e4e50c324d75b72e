#include "rule/suppress.h"

#include "rule/field_key.h"

static const char *const keys[] = {"by", "for"};
#define KEYS (sizeof keys / sizeof *keys)

static bool read_field(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                       struct field_ref *out)
{
    if (node->kind != YAML_SCALAR || node->text.len == 0) {
        diag_error(compiler->diags, node->mark, "wrong-type", "'by' in %s must be a list of fields",
                   scope);
        return false;
    }
    if (!field_name_read(compiler, scope, node, node->text, out))
        return false;
    if (out->owner == OWNER_ANY_ANCESTOR) {
        diag_error(compiler->diags, node->mark, "bad-field",
                   "'%.*s' has many values: name one ancestor, as in ancestor[2]",
                   TEXT_ARG(node->text));
        return false;
    }
    return true;
}

/* A list of fields, or one. */
static bool read_by(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                    struct rule_suppress *out)
{
    bool list = node->kind == YAML_LIST;
    size_t count = list ? node->count : 1;
    struct field_ref *by = arena_array(&compiler->ruleset->arena, count + 1, sizeof *by);
    bool good = true;

    if (!by) {
        compiler->failed = true;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        good &= read_field(compiler, scope, list ? node->items[i] : node, &by[i]);
    out->by = by;
    out->by_count = count;
    return good;
}

static bool read_for(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                     struct rule_suppress *out)
{
    if (node->kind == YAML_SCALAR && text_to_duration(node->text, &out->window) == 0 &&
        out->window >= SUPPRESS_FOR_MIN && out->window <= SUPPRESS_FOR_MAX)
        return true;
    diag_error(compiler->diags, node->mark, "bad-value",
               "'for' in %s must be a duration from 1s to 30d, as in 10m", scope);
    return false;
}

void suppress_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                   struct rule_suppress *out)
{
    struct rule_suppress suppress = {0};
    bool good = true;

    if (node->kind != YAML_MAP) {
        diag_error(compiler->diags, node->mark, "wrong-type",
                   "'suppress' in %s must be a map, as in {by: [exe, user], for: 10m}", scope);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *key = node->keys[i];

        if (text_is(key->text, "by")) {
            good &= read_by(compiler, scope, node->items[i], &suppress);
        } else if (text_is(key->text, "for")) {
            good &= read_for(compiler, scope, node->items[i], &suppress);
        } else {
            diag_error(compiler->diags, key->mark, "unknown-key",
                       "unknown key '%.*s' in suppress of %s%s", TEXT_ARG(key->text), scope,
                       diag_hint(compiler->diags, text_nearest(key->text, keys, KEYS)));
            good = false;
        }
    }
    if (good && suppress.window == 0)
        diag_error(compiler->diags, node->mark, "missing-key", "suppress of %s needs a 'for'",
                   scope);
    else if (good)
        *out = suppress;
}
