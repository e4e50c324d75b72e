#include "rule/document.h"

#include <errno.h>

#include "rule/sigma_document.h"

static void file_definition(struct compiler *compiler, struct map *map, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    struct definition *definition = arena_alloc(&compiler->arena, sizeof *definition);
    int r = -ENOMEM;

    if (definition) {
        definition->key = key;
        definition->value = value;
        r = map_add(map, key->text, definition);
    }
    if (r == -EEXIST) {
        const struct definition *first = map_get(map, key->text);
        struct mark mark = first->key->mark;

        diag_error(compiler->diags, key->mark, "duplicate-name",
                   "'%.*s' is already defined at %s:%u:%u", TEXT_ARG(key->text), mark.file,
                   mark.line, mark.column);
    } else if (r < 0) {
        compiler->failed = true;
    }
}

static void read_rules(struct compiler *compiler, const struct yaml_node *node)
{
    if (node->kind != YAML_LIST)
        diag_error(compiler->diags, node->mark, "wrong-type", "'rules' must be a list of rules");
    for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++)
        compiler_file(compiler, &compiler->rules, (struct piece){.value = node->items[i]});
}

static void read_section(struct compiler *compiler, const struct yaml_node *key,
                         const struct yaml_node *node)
{
    bool lists = text_is(key->text, "lists"), macros = text_is(key->text, "macros");

    if (node->kind != YAML_MAP) {
        diag_error(compiler->diags, node->mark, "wrong-type", "'%.*s' must be a map of names",
                   TEXT_ARG(key->text));
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (lists || macros)
            file_definition(compiler, lists ? &compiler->lists : &compiler->macros, node->keys[i],
                            node->items[i]);
        else
            compiler_file(compiler, &compiler->overrides,
                          (struct piece){.key = node->keys[i], .value = node->items[i]});
    }
}

static void read_native(struct compiler *compiler, const struct yaml_node *root)
{
    static const char *const sections[] = {"rules", "lists", "macros", "overrides"};

    for (size_t i = 0; i < root->count; i++) {
        const struct yaml_node *key = root->keys[i];

        if (text_is(key->text, "rules"))
            read_rules(compiler, root->items[i]);
        else if (text_is(key->text, "lists") || text_is(key->text, "macros") ||
                 text_is(key->text, "overrides"))
            read_section(compiler, key, root->items[i]);
        else
            diag_error(compiler->diags, key->mark, "unknown-key",
                       "unknown key '%.*s'%s (a rule file holds rules, lists, macros, overrides)",
                       TEXT_ARG(key->text),
                       diag_hint(compiler->diags, text_nearest(key->text, sections, 4)));
    }
}

/* False when what follows cannot be told any more. */
static bool read_document(struct compiler *compiler, const struct yaml_node *root)
{
    if (root->kind != YAML_MAP) {
        diag_error(compiler->diags, root->mark, "wrong-type",
                   "a rule file must be a map with 'rules', 'lists', 'macros' or 'overrides'");
        return true;
    }
    if (sigma_document_is(root))
        return sigma_document_read(compiler, root);
    read_native(compiler, root);
    return true;
}

void document_read_all(struct compiler *compiler, const char *file, struct text content)
{
    struct yaml_documents documents;

    compiler->ruleset->files++;
    if (yaml_read(content, file, &compiler->arena, compiler->diags, &documents) < 0) {
        compiler->failed = true;
        return;
    }
    for (size_t i = 0; i < documents.count; i++)
        if (documents.roots[i] && !read_document(compiler, documents.roots[i]))
            break;
}
