#include "rule/sigma_selection.h"

/* Keeps KEY when no value of it can hold; that there is none does hold. */
static void note_lack(struct sigma_selection *selection, const struct sigma_key *key)
{
    struct sigma_key *kept;

    if ((key->known && !key->unsupported) || selection->lack)
        return;
    kept = arena_alloc(&selection->compiler->arena, sizeof *kept);
    if (!kept) {
        selection->compiler->failed = true;
        return;
    }
    *kept = *key;
    selection->lack = kept;
}

static struct text name_of(const struct sigma_key *key)
{
    return key->node->text.len ? key->node->text : TEXT("keywords|contains");
}

static struct outline *compile_value(struct sigma_selection *selection, const struct sigma_key *key,
                                     const struct yaml_node *node, bool listed)
{
    struct compiler *compiler = selection->compiler;
    struct sigma_value value = {
        .key = key,
        .scope = selection->scope,
        .node = node,
        .source = selection->source,
        .exclusive = selection->exclusive != key->how.neq,
        .listed = listed,
    };

    if (node->kind == YAML_SCALAR)
        return outline_value(compiler, name_of(key), node, sigma_value_compile(compiler, &value));
    diag_error(compiler->diags, node->mark, "wrong-type",
               "'%.*s' in %s takes a value or a list of values", TEXT_ARG(key->node->text),
               selection->scope);
    return NULL;
}

/* The values of KEY, joined. */
static struct outline *compile_values(struct sigma_selection *selection,
                                      const struct sigma_key *key, const struct yaml_node *node)
{
    struct compiler *compiler = selection->compiler;
    size_t base = compiler->stack_count;

    if (node->kind != YAML_LIST)
        return compile_value(selection, key, node, false);
    if (node->count == 0) {
        diag_error(compiler->diags, node->mark, "empty-selection", "'%.*s' in %s has an empty list",
                   TEXT_ARG(key->node->text), selection->scope);
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++)
        compiler_push_part(compiler,
                           compile_value(selection, key, node->items[i], node->count > 1));
    return compiler_join_parts(compiler, base, key->how.all && !key->how.neq);
}

static struct outline *compile_key(struct sigma_selection *selection, const struct yaml_node *node,
                                   const struct yaml_node *values)
{
    struct compiler *compiler = selection->compiler;
    struct sigma_key key;

    if (!sigma_key_read(compiler, selection->scope, selection->source, node, &key))
        return NULL;
    note_lack(selection, &key);
    selection->two_faced |= key.name.len == 0 || key.field.ref_count > 1;
    struct outline *part = compile_values(selection, &key, values);

    if (part && part->kind != OUTLINE_VALUE)
        part = outline_as(compiler, part, OUTLINE_KEY, node);
    return key.how.neq ? outline_not(compiler, part) : part;
}

static struct outline *compile_map(struct sigma_selection *selection, const struct yaml_node *map)
{
    struct compiler *compiler = selection->compiler;
    size_t base = compiler->stack_count;

    for (size_t i = 0; i < map->count; i++)
        compiler_push_part(compiler, compile_key(selection, map->keys[i], map->items[i]));
    struct outline *part = compiler_join_parts(compiler, base, true);

    return map->count > 1 ? outline_as(compiler, part, OUTLINE_PLAIN, map) : part;
}

static struct outline *compile_keyword(struct sigma_selection *selection,
                                       const struct yaml_node *node)
{
    struct yaml_node *key = arena_alloc(&selection->compiler->arena, sizeof *key);
    struct sigma_key any;

    if (!key) {
        selection->compiler->failed = true;
        return NULL;
    }
    *key = (struct yaml_node){.kind = YAML_SCALAR, .mark = node->mark, .text = TEXT("")};
    if (!sigma_key_read(selection->compiler, selection->scope, selection->source, key, &any))
        return NULL;
    selection->two_faced = true;
    return compile_value(selection, &any, node, true);
}

static struct outline *compile_item(struct sigma_selection *selection, const struct yaml_node *item)
{
    if (item->kind == YAML_SCALAR)
        return compile_keyword(selection, item);
    if (item->kind == YAML_MAP && item->count)
        return compile_map(selection, item);
    diag_error(selection->compiler->diags, item->mark, "wrong-type",
               "expected a map of fields or a keyword in %s", selection->scope);
    return NULL;
}

struct outline *sigma_selection_compile(struct sigma_selection *selection,
                                        const struct yaml_node *node)
{
    struct compiler *compiler = selection->compiler;
    size_t base = compiler->stack_count;

    if (node->kind == YAML_SCALAR ? yaml_is_null(node) : node->count == 0) {
        diag_error(compiler->diags, node->mark, "empty-selection", "an empty selection in %s",
                   selection->scope);
        return NULL;
    }
    if (node->kind != YAML_LIST)
        return compile_item(selection, node);
    for (size_t i = 0; i < node->count; i++)
        compiler_push_part(compiler, compile_item(selection, node->items[i]));
    struct outline *part = compiler_join_parts(compiler, base, false);

    return part && part->role == OUTLINE_PLAIN ? outline_as(compiler, part, OUTLINE_PLAIN, node)
                                               : part;
}
