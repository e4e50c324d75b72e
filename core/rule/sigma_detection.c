#include "rule/sigma_detection.h"

#include "rule/condition.h"

static bool is_selection(const struct sigma_detection *detection, const struct yaml_node *key)
{
    return !text_is(key->text, "condition") && !text_is(key->text, "timeframe") &&
           !(detection->filter && text_is(key->text, "rules"));
}

/* Compiles one, a second time where it matters that it stands under a `not`. */
static void read_selection(struct sigma_detection *detection, const struct yaml_node *key,
                           const struct yaml_node *node, struct named_selection *out)
{
    struct sigma_selection *selection = &detection->selection;
    struct compiler *compiler = selection->compiler;

    selection->exclusive = selection->two_faced = false;
    *out = (struct named_selection){.key = key};
    out->outline =
        outline_as(compiler, sigma_selection_compile(selection, node), OUTLINE_SELECTION, key);
    if (!out->outline || !selection->two_faced)
        return;
    selection->exclusive = true;
    out->negated =
        outline_as(compiler, sigma_selection_compile(selection, node), OUTLINE_SELECTION, key);
}

static struct named_selections read_selections(struct sigma_detection *detection)
{
    struct compiler *compiler = detection->selection.compiler;
    const struct yaml_node *node = detection->node;
    struct named_selections names = {
        .items = arena_array(&compiler->arena, node->count, sizeof *names.items), .cased = true};

    if (!names.items) {
        compiler->failed = true;
        return names;
    }
    for (size_t i = 0; i < node->count; i++)
        if (is_selection(detection, node->keys[i]))
            read_selection(detection, node->keys[i], node->items[i], &names.items[names.count++]);
    return names;
}

static struct outline *compile_condition(struct sigma_detection *detection,
                                         const struct yaml_node *node,
                                         struct named_selections *names)
{
    struct compiler *compiler = detection->selection.compiler;

    if (yaml_is_text(node))
        return outline_as(compiler, condition_compile(compiler, node, names), OUTLINE_CONDITION,
                          node);
    diag_error(compiler->diags, node->mark, "wrong-type", "'condition' of %s must be a text%s",
               detection->selection.scope, detection->filter ? "" : ", or a list of them");
    return NULL;
}

/* Of several conditions one must hold; a filter has one. */
static struct outline *compile_conditions(struct sigma_detection *detection,
                                          const struct yaml_node *node,
                                          struct named_selections *names)
{
    struct compiler *compiler = detection->selection.compiler;
    size_t base = compiler->stack_count;

    if (node->kind != YAML_LIST || node->count == 0 || detection->filter)
        return compile_condition(detection, node, names);
    for (size_t i = 0; i < node->count && names->values <= OUTLINE_VALUES_MAX; i++)
        compiler_push_part(compiler, compile_condition(detection, node->items[i], names));
    return compiler_join_parts(compiler, base, false);
}

/* Published rules may leave some out; a filter is one's own. It is compiled for each log source,
 * and told of once. */
static void warn_unused(const struct sigma_detection *detection,
                        const struct named_selections *names)
{
    for (size_t i = 0; detection->filter && i < names->count; i++)
        if (!names->items[i].used &&
            !compiler_has_told(detection->selection.compiler, names->items[i].key->mark,
                               "unused-selection"))
            diag_warning(detection->selection.compiler->diags, names->items[i].key->mark,
                         "unused-selection", "the condition of %s does not use '%.*s'",
                         detection->selection.scope, TEXT_ARG(names->items[i].key->text));
}

struct outline *sigma_detection_compile(struct sigma_detection *detection)
{
    struct diag_list *diags = detection->selection.compiler->diags;
    const struct yaml_node *node = detection->node;
    const char *name = detection->filter ? "filter" : "detection";

    if (node->kind != YAML_MAP) {
        diag_error(diags, node->mark, "wrong-type", "'%s' of %s must be a map", name,
                   detection->selection.scope);
        return NULL;
    }
    const struct yaml_node *condition = yaml_get(node, "condition");
    struct named_selections names = read_selections(detection);

    if (!condition) {
        diag_error(diags, node->mark, "missing-key", "'%s' of %s has no 'condition'", name,
                   detection->selection.scope);
        return NULL;
    }
    struct outline *whole = compile_conditions(detection, condition, &names);

    if (whole)
        warn_unused(detection, &names);
    return whole;
}

/* Why nothing can hold for the key that was found lacking. */
static const char *explain_lack(const struct sigma_selection *selection)
{
    struct compiler *compiler = selection->compiler;
    const struct sigma_key *lack = selection->lack;
    const char *nearest = lack->known ? NULL : sigma_field_suggest(lack->name);
    const char *why;

    if (lack->known)
        why = arena_printf(&compiler->arena, "'%.*s' cannot be asked of process executions: %s",
                           TEXT_ARG(lack->node->text), lack->unsupported);
    else
        why = arena_printf(&compiler->arena, "no process execution has a field '%.*s'%s%s%s",
                           TEXT_ARG(lack->name), nearest ? "; did you mean '" : "",
                           nearest ? nearest : "", nearest ? "'?" : "");
    compiler->failed |= !why;
    return why ? why : "";
}

static bool is_constant(const struct outline *part)
{
    return part->expression->kind == EXPRESSION_NEVER ||
           part->expression->kind == EXPRESSION_ALWAYS;
}

static bool has_constant(const struct outline *part)
{
    if (part->kind == OUTLINE_VALUE)
        return is_constant(part);
    for (size_t i = 0; i < part->count; i++)
        if (has_constant(part->items[i]))
            return true;
    return false;
}

const char *sigma_detection_objection(struct sigma_detection *detection,
                                      const struct outline *whole)
{
    if (!is_constant(whole))
        return NULL;
    if (detection->selection.lack)
        return explain_lack(&detection->selection);
    if (detection->selection.source == SIGMA_AUDITD && has_constant(whole))
        return "it is about other records of auditd than those of an exec";
    return NULL;
}

void sigma_detection_warn(struct sigma_detection *detection)
{
    const struct sigma_selection *selection = &detection->selection;

    if (selection->lack &&
        !(detection->filter &&
          compiler_has_told(selection->compiler, selection->lack->node->mark, "sigma-field")))
        diag_warning(selection->compiler->diags, selection->lack->node->mark, "sigma-field",
                     "a part of %s never holds: %s", selection->scope, explain_lack(selection));
}
