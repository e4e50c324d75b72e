#include "rule/selection.h"

#include "rule/expansion.h"

/* How deep macros may name macros. */
#define MACRO_DEPTH_MAX 32

/* How deep lists may name lists: each is opened within the other. */
#define LIST_DEPTH_MAX 64

/* How many values one key may take, lists within lists opened. */
#define VALUES_MAX 100000

static bool is_name(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return t.len > 0;
}

/* Quoted, "$name" is that text. */
static bool is_reference(const struct yaml_node *value)
{
    struct text text = value->text;

    return value->plain && text.len > 1 && text.ptr[0] == '$' &&
           is_name((struct text){text.ptr + 1, text.len - 1});
}

/* What the writer of an unknown name seems to mean is not unused as well. */
static const char *suggest(struct compiler *compiler, const struct map *map, struct text name)
{
    const char *nearest = compiler_nearest(compiler, map, name);

    if (nearest)
        ((struct definition *)map_get(map, text_from(nearest)))->used = true;
    return diag_hint(compiler->diags, nearest);
}

static void diagnose_list(struct compiler *compiler, const struct yaml_node *reference,
                          struct text name)
{
    if (compiler_has_told(compiler, reference->mark, "unknown-list"))
        return;
    diag_error(compiler->diags, reference->mark, "unknown-list",
               reference->text.ptr[0] == '$'
                   ? "unknown list '%.*s'%s (in quotes, '$%.*s' is plain text)"
                   : "unknown list '%.*s'%s (with a backslash, '\\%%%.*s%%' is plain text)",
               TEXT_ARG(name), suggest(compiler, &compiler->lists, name), TEXT_ARG(name));
}

/* The list that REFERENCE names, when it can be opened here. That a list is named within itself is
 * told once, when the definitions are checked. */
static struct definition *find_list(struct compiler *compiler, const struct yaml_node *reference,
                                    bool checking)
{
    struct text name = {reference->text.ptr + 1, reference->text.len - 1};
    struct definition *list = map_get(&compiler->lists, name);

    if (!list) {
        diagnose_list(compiler, reference, name);
        return NULL;
    }
    if (list->open) {
        if (checking)
            diag_error(compiler->diags, reference->mark, "recursive-name",
                       "list '%.*s' contains itself", TEXT_ARG(name));
        return NULL;
    }
    list->used = true;
    if (compiler->list_depth < LIST_DEPTH_MAX)
        return list;
    if (!compiler_has_told(compiler, reference->mark, "recursive-name"))
        diag_error(compiler->diags, reference->mark, "recursive-name",
                   "list '%.*s' is nested too deep", TEXT_ARG(name));
    return NULL;
}

void selection_list_texts(struct compiler *compiler, const struct yaml_node *reference,
                          struct expansion *out)
{
    struct definition *list = find_list(compiler, reference, false);

    if (!list || list->value->kind != YAML_LIST)
        return;
    list->open = true;
    compiler->list_depth++;
    for (size_t i = 0; i < list->value->count && out->count <= EXPANSION_MAX; i++) {
        const struct yaml_node *item = list->value->items[i];

        if (item->kind == YAML_SCALAR && is_reference(item))
            selection_list_texts(compiler, item, out);
        else if (item->kind == YAML_SCALAR)
            expansion_add(compiler, out, item->text);
    }
    compiler->list_depth--;
    list->open = false;
}

static void push_value(struct compiler *compiler, const struct operand *operand);

static void push_list(struct compiler *compiler, const struct operand *operand,
                      const struct yaml_node *list)
{
    if (list->count == 0)
        compiler_push_part(compiler, NULL);
    for (size_t i = 0; i < list->count && compiler->value_count <= VALUES_MAX; i++) {
        struct operand item = *operand;

        item.value = list->items[i];
        push_value(compiler, &item);
    }
}

/* Pushes an expression for the value; for `$name`, one for each value of the list. */
static void push_value(struct compiler *compiler, const struct operand *operand)
{
    const struct yaml_node *value = operand->value;
    size_t base = compiler->stack_count;

    compiler->value_count++;
    if (value->kind != YAML_SCALAR) {
        /* In a list that has a name it has been said where the list stands. */
        if (!operand->use)
            diag_error(compiler->diags, value->mark, "wrong-type",
                       "'%.*s' takes a value or a list of values",
                       TEXT_ARG(operand->key->node->text));
        compiler_push_part(compiler, NULL);
        return;
    }
    if (!is_reference(value)) {
        compiler_push_part(compiler, outline_value(compiler, operand->key->node->text, value,
                                                   operand_compile(compiler, operand)));
        return;
    }
    struct definition *list = find_list(compiler, value, false);

    if (!list || list->value->kind != YAML_LIST) {
        compiler_push_part(compiler, NULL);
        return;
    }
    struct operand inner = *operand;

    inner.use = operand->use ? operand->use : value;
    list->open = true;
    compiler->list_depth++;
    push_list(compiler, &inner, list->value);
    compiler->list_depth--;
    list->open = false;
    struct outline *values = compiler_join_parts(compiler, base, operand->key->how.all);

    compiler_push_part(compiler, outline_as(compiler, values, OUTLINE_LIST, value));
}

static struct outline *compile_field(struct compiler *compiler, const char *scope,
                                     const struct yaml_node *node, const struct yaml_node *value)
{
    size_t base = compiler->stack_count;
    struct field_key key;

    if (!field_key_read(compiler, scope, node, &key))
        return NULL;
    struct operand operand = {.key = &key, .scope = scope, .value = value};

    if (value->kind == YAML_LIST && value->count == 0) {
        diag_error(compiler->diags, value->mark, "empty-selection", "'%.*s' has an empty list",
                   TEXT_ARG(node->text));
        return NULL;
    }
    compiler->value_count = 0;
    if (value->kind == YAML_LIST)
        push_list(compiler, &operand, value);
    else
        push_value(compiler, &operand);
    if (compiler->value_count > VALUES_MAX) {
        diag_error(compiler->diags, value->mark, "too-many-values",
                   "'%.*s' takes more than %d values", TEXT_ARG(node->text), VALUES_MAX);
        compiler_push_part(compiler, NULL);
    }
    struct outline *part = compiler_join_parts(compiler, base, key.how.all);

    return part && part->kind == OUTLINE_VALUE ? part
                                               : outline_as(compiler, part, OUTLINE_KEY, node);
}

static struct outline *use_macro(struct compiler *compiler, struct definition *macro);

static struct outline *compile_macro_name(struct compiler *compiler, const struct yaml_node *name)
{
    struct definition *macro =
        name->kind == YAML_SCALAR ? map_get(&compiler->macros, name->text) : NULL;

    if (name->kind != YAML_SCALAR) {
        diag_error(compiler->diags, name->mark, "wrong-type", "'macro' takes a macro's name");
    } else if (!macro) {
        diag_error(compiler->diags, name->mark, "unknown-macro", "unknown macro '%.*s'%s",
                   TEXT_ARG(name->text), suggest(compiler, &compiler->macros, name->text));
    } else if (macro->open || compiler->macro_depth == MACRO_DEPTH_MAX) {
        diag_error(compiler->diags, name->mark, "recursive-name",
                   macro->open ? "macro '%.*s' contains itself" : "macro '%.*s' is nested too deep",
                   TEXT_ARG(name->text));
    } else {
        macro->used = true;
        return use_macro(compiler, macro);
    }
    return NULL;
}

static struct outline *compile_macro(struct compiler *compiler, const struct yaml_node *value)
{
    size_t base = compiler->stack_count;

    if (value->kind != YAML_LIST)
        return compile_macro_name(compiler, value);
    for (size_t i = 0; i < value->count; i++)
        compiler_push_part(compiler, compile_macro_name(compiler, value->items[i]));
    return compiler_join_parts(compiler, base, false);
}

static struct outline *compile_map(struct compiler *compiler, const char *scope,
                                   const struct yaml_node *map)
{
    size_t base = compiler->stack_count;

    for (size_t i = 0; i < map->count; i++) {
        const struct yaml_node *key = map->keys[i];

        compiler_push_part(compiler, text_is(key->text, "macro")
                                         ? compile_macro(compiler, map->items[i])
                                         : compile_field(compiler, scope, key, map->items[i]));
    }
    struct outline *part = compiler_join_parts(compiler, base, true);

    return map->count > 1 ? outline_as(compiler, part, OUTLINE_PLAIN, map) : part;
}

struct outline *selection_compile(struct compiler *compiler, const char *scope,
                                  const struct yaml_node *node)
{
    size_t base = compiler->stack_count;

    if (node->kind == YAML_SCALAR && !yaml_is_null(node)) {
        diag_error(compiler->diags, node->mark, "wrong-type",
                   "expected a map of fields, or a list of such maps, in %s", scope);
        return NULL;
    }
    if (node->count == 0) {
        diag_error(compiler->diags, node->mark, "empty-selection", "an empty selection in %s",
                   scope);
        return NULL;
    }
    if (node->kind == YAML_MAP)
        return compile_map(compiler, scope, node);
    for (size_t i = 0; i < node->count; i++) {
        const struct yaml_node *item = node->items[i];

        if (item->kind == YAML_MAP && item->count) {
            compiler_push_part(compiler, compile_map(compiler, scope, item));
            continue;
        }
        diag_error(compiler->diags, item->mark, "wrong-type", "expected a map of fields in %s",
                   scope);
        compiler_push_part(compiler, NULL);
    }
    struct outline *part = compiler_join_parts(compiler, base, false);

    return part && part->role == OUTLINE_PLAIN ? outline_as(compiler, part, OUTLINE_PLAIN, node)
                                               : part;
}

static struct outline *use_macro(struct compiler *compiler, struct definition *macro)
{
    if (macro->compiled)
        return macro->outline;
    const char *scope = arena_printf(&compiler->arena, "macro '%.*s'", TEXT_ARG(macro->key->text));

    if (!scope) {
        compiler->failed = true;
        return NULL;
    }
    macro->open = true;
    compiler->macro_depth++;
    macro->outline = outline_as(compiler, selection_compile(compiler, scope, macro->value),
                                OUTLINE_MACRO, macro->key);
    compiler->macro_depth--;
    macro->open = false;
    macro->compiled = true;
    return macro->outline;
}

static void check_list(struct compiler *compiler, struct definition *list);

static void check_item(struct compiler *compiler, const struct definition *list,
                       const struct yaml_node *item)
{
    struct definition *inner = NULL;

    if (item->kind != YAML_SCALAR)
        diag_error(compiler->diags, item->mark, "wrong-type", "list '%.*s' takes plain values",
                   TEXT_ARG(list->key->text));
    else if (is_reference(item))
        inner = find_list(compiler, item, true);
    if (inner)
        check_list(compiler, inner);
}

static void check_list(struct compiler *compiler, struct definition *list)
{
    if (list->compiled)
        return;
    list->compiled = true;
    if (list->value->kind != YAML_LIST) {
        diag_error(compiler->diags, list->value->mark, "wrong-type",
                   "list '%.*s' must be a list of values", TEXT_ARG(list->key->text));
        return;
    }
    if (list->value->count == 0)
        diag_error(compiler->diags, list->value->mark, "empty-selection", "list '%.*s' is empty",
                   TEXT_ARG(list->key->text));
    list->open = true;
    compiler->list_depth++;
    for (size_t i = 0; i < list->value->count; i++)
        check_item(compiler, list, list->value->items[i]);
    compiler->list_depth--;
    list->open = false;
}

void selection_check_definitions(struct compiler *compiler)
{
    for (size_t i = 0; i < compiler->lists.count; i++)
        check_list(compiler, compiler->lists.entries[i].value);
    for (size_t i = 0; i < compiler->macros.count; i++)
        use_macro(compiler, compiler->macros.entries[i].value);
}

static void warn_unused(struct compiler *compiler, const struct map *map, bool lists)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct definition *definition = map->entries[i].value;
        const struct yaml_node *key = definition->key;

        if (definition->used)
            continue;
        if (lists)
            diag_warning(compiler->diags, key->mark, "unused-list", "list '%.*s' is never used",
                         TEXT_ARG(key->text));
        else
            diag_warning(compiler->diags, key->mark, "unused-macro", "macro '%.*s' is never used",
                         TEXT_ARG(key->text));
    }
}

void selection_warn_unused(struct compiler *compiler)
{
    warn_unused(compiler, &compiler->lists, true);
    warn_unused(compiler, &compiler->macros, false);
}
