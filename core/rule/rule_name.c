#include "rule/rule_name.h"

#include <errno.h>

static void add(struct compiler *compiler, struct text text, const struct rule_name *name)
{
    struct rule_name *known = map_get(&compiler->rule_names, text);

    if (known && known->is_id != name->is_id) {
        *known = known->is_id ? *known : *name;
        return;
    }
    if (known) {
        known->shared |= known->draft != name->draft || known->root != name->root;
        return;
    }
    known = arena_alloc(&compiler->arena, sizeof *known);
    if (known)
        *known = *name;
    if (!known || map_add(&compiler->rule_names, text, known) < 0)
        compiler->failed = true;
}

void rule_name_add_id(struct compiler *compiler, struct text id, struct draft *draft)
{
    add(compiler, id, &(struct rule_name){.draft = draft, .is_id = true});
}

void rule_name_add(struct compiler *compiler, struct text name, struct draft *draft)
{
    add(compiler, name, &(struct rule_name){.draft = draft});
}

void rule_name_omit(struct compiler *compiler, const struct yaml_node *root, bool unsupported,
                    const char *reason)
{
    static const char *const keys[] = {"id", "name"};
    struct rule_name name = {.root = root, .reason = reason, .unsupported = unsupported};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct yaml_node *value = yaml_get(root, keys[i]);

        name.is_id = i == 0;
        if (yaml_is_text(value))
            add(compiler, value->text, &name);
    }
}

const struct rule_name *rule_name_resolve(struct compiler *compiler, const char *scope,
                                          const struct yaml_node *node)
{
    const struct rule_name *name = map_get(&compiler->rule_names, node->text);

    if (name && !name->shared)
        return name;
    if (name)
        diag_error(compiler->diags, node->mark, "ambiguous-rule",
                   "two rules are called '%.*s', which %s refers to: refer to one by its id",
                   TEXT_ARG(node->text), scope);
    else
        diag_error(compiler->diags, node->mark, "unknown-rule",
                   "there is no rule '%.*s', which %s refers to%s", TEXT_ARG(node->text), scope,
                   diag_hint(compiler->diags,
                             compiler_nearest(compiler, &compiler->rule_names, node->text)));
    return NULL;
}
