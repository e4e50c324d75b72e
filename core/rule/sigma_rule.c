#include "rule/sigma_rule.h"

#include "rule/condition.h"
#include "rule/draft.h"
#include "rule/sigma_document.h"
#include "rule/sigma_selection.h"

/* A rule being read. */
struct reading {
    struct draft *draft;
    const struct yaml_node *root, *detection;
    struct sigma_logsource source;
    struct sigma_selection selection;
};

static struct yaml_node *new_node(struct compiler *compiler, const struct yaml_node *like)
{
    struct yaml_node *node = arena_alloc(&compiler->arena, sizeof *node);

    if (node)
        *node = *like;
    else
        compiler->failed = true;
    return node;
}

/* Of one text where a list belongs. */
static const struct yaml_node *as_list(struct compiler *compiler, struct yaml_node *text)
{
    struct yaml_node *list = new_node(compiler, text);
    struct yaml_node **items = arena_array(&compiler->arena, 1, sizeof(struct yaml_node *));

    if (!list || !items) {
        compiler->failed = true;
        return text;
    }
    items[0] = text;
    list->kind = YAML_LIST;
    list->items = items;
    list->count = 1;
    return list;
}

static bool is_empty(const struct yaml_node *value)
{
    return value->kind == YAML_SCALAR && value->text.len == 0;
}

/* What native rules have too, mostly under the same names. All else is for people. */
static void read_metadata(struct reading *reading)
{
    static const struct {
        const char *sigma, *native;
        bool list;
    } keys[] = {
        {"title", "title", false},
        {"description", "description", false},
        {"author", "author", false},
        {"level", "severity", false},
        {"tags", "tags", true},
        {"references", "references", true},
        {"falsepositives", "false_positives", true},
    };
    const struct yaml_node *root = reading->root;

    for (size_t i = 0; i < root->count; i++) {
        struct yaml_node *value = root->items[i];

        for (size_t j = 0; j < sizeof keys / sizeof *keys; j++) {
            if (!text_is(root->keys[i]->text, keys[j].sigma) || is_empty(value) ||
                yaml_is_null(value))
                continue;
            bool single = keys[j].list && value->kind == YAML_SCALAR;

            draft_read_key(reading->draft, keys[j].native, root->keys[i],
                           single ? as_list(reading->draft->compiler, value) : value);
        }
    }
}

static bool is_of_id(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "Crontab Enumeration (1)" is called crontab-enumeration-1. */
static const struct yaml_node *make_id(struct compiler *compiler, const struct yaml_node *title)
{
    CLEANUP(buffer_deinit) struct buffer id = {0};
    struct yaml_node *node = new_node(compiler, title);

    for (size_t i = 0; i < title->text.len; i++) {
        char c = title->text.ptr[i];

        c = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        if (is_of_id(c))
            buffer_put_char(&id, c);
        else if (id.len && id.data[id.len - 1] != '-')
            buffer_put_char(&id, '-');
    }
    if (id.len && id.data[id.len - 1] == '-')
        id.len--;
    if (id.len == 0)
        buffer_put_string(&id, "sigma");
    if (!node)
        return NULL;
    node->text = arena_text(&compiler->arena, buffer_text(&id));
    compiler->failed |= buffer_failed(&id) || !node->text.ptr;
    return node;
}

/* Ids are optional in Sigma, titles are not. */
static void read_id(struct reading *reading)
{
    struct draft *draft = reading->draft;
    const struct yaml_node *id = yaml_get(reading->root, "id");
    const struct yaml_node *title = yaml_get(reading->root, "title");

    if (!title)
        diag_error(draft->compiler->diags, reading->root->mark, "missing-key", "%s has no 'title'",
                   draft->scope);
    if (id && !yaml_is_null(id))
        draft_read_key(draft, "id", id, id);
    else if (title && title->kind == YAML_SCALAR)
        draft->id = make_id(draft->compiler, title);
}

static bool is_selection(const struct yaml_node *key)
{
    return !text_is(key->text, "condition") && !text_is(key->text, "timeframe");
}

/* Compiles one, a second time where it matters that it stands under a `not`. */
static void read_selection(struct reading *reading, const struct yaml_node *key,
                           const struct yaml_node *node, struct named_selection *out)
{
    struct sigma_selection *selection = &reading->selection;
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

static struct named_selections read_selections(struct reading *reading)
{
    struct compiler *compiler = reading->draft->compiler;
    const struct yaml_node *detection = reading->detection;
    struct named_selections names = {
        .items = arena_array(&compiler->arena, detection->count, sizeof *names.items),
        .cased = true};

    if (!names.items) {
        compiler->failed = true;
        return names;
    }
    for (size_t i = 0; i < detection->count; i++)
        if (is_selection(detection->keys[i]))
            read_selection(reading, detection->keys[i], detection->items[i],
                           &names.items[names.count++]);
    return names;
}

static struct outline *compile_condition(struct reading *reading, const struct yaml_node *node,
                                         struct named_selections *names)
{
    struct compiler *compiler = reading->draft->compiler;

    if (node->kind == YAML_SCALAR && node->text.len > 0)
        return outline_as(compiler, condition_compile(compiler, node, names), OUTLINE_CONDITION,
                          node);
    diag_error(compiler->diags, node->mark, "wrong-type",
               "'condition' of %s must be a text, or a list of them", reading->draft->scope);
    return NULL;
}

/* Of several conditions one must hold. */
static struct outline *compile_conditions(struct reading *reading, const struct yaml_node *node,
                                          struct named_selections *names)
{
    struct compiler *compiler = reading->draft->compiler;
    size_t base = compiler->stack_count;

    if (node->kind != YAML_LIST || node->count == 0)
        return compile_condition(reading, node, names);
    for (size_t i = 0; i < node->count && names->values <= OUTLINE_VALUES_MAX; i++)
        compiler_push_part(compiler, compile_condition(reading, node->items[i], names));
    return compiler_join_parts(compiler, base, false);
}

static struct outline *compile(struct reading *reading)
{
    struct draft *draft = reading->draft;
    struct diag_list *diags = draft->compiler->diags;
    const struct yaml_node *detection = reading->detection;

    if (detection->kind != YAML_MAP) {
        diag_error(diags, detection->mark, "wrong-type", "'detection' of %s must be a map",
                   draft->scope);
        return NULL;
    }
    const struct yaml_node *condition = yaml_get(detection, "condition");
    struct named_selections names = read_selections(reading);

    if (!condition) {
        diag_error(diags, detection->mark, "missing-key", "'detection' of %s has no 'condition'",
                   draft->scope);
        return NULL;
    }
    return compile_conditions(reading, condition, &names);
}

/* Why nothing can hold for the key that was found lacking. */
static const char *explain_lack(struct reading *reading)
{
    struct compiler *compiler = reading->draft->compiler;
    const struct sigma_key *lack = reading->selection.lack;
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

/* Why the rule WHOLE would say nothing of any event: that it holds for each, or for none, has to do
 * with what ours lack. NULL: it may say something. */
static const char *find_reason(struct reading *reading, const struct outline *whole)
{
    enum expression_kind kind = whole->expression->kind;

    if (kind != EXPRESSION_NEVER && kind != EXPRESSION_ALWAYS)
        return NULL;
    if (reading->selection.lack)
        return explain_lack(reading);
    if (reading->source.source == SIGMA_AUDITD)
        return "it is about other records of auditd than those of an exec";
    return NULL;
}

static void warn_lack(struct reading *reading)
{
    const struct sigma_key *lack = reading->selection.lack;

    if (lack)
        diag_warning(reading->draft->compiler->diags, lack->node->mark, "sigma-field",
                     "a part of %s never holds: %s", reading->draft->scope, explain_lack(reading));
}

static void read_rule(struct reading *reading)
{
    struct draft *draft = reading->draft;
    struct outline *whole = compile(reading);
    const char *reason = whole ? find_reason(reading, whole) : NULL;

    if (reason) {
        sigma_document_omit(draft->compiler, reading->root, true, reason);
        return;
    }
    warn_lack(reading);
    read_id(reading);
    read_metadata(reading);
    draft->rule.mark =
        compiler_keep_mark(draft->compiler, draft->id ? draft->id->mark : reading->root->mark);
    draft_set_outline(draft, whole);
    draft->rule.written = draft->rule.expression;
    draft->compiler->ruleset->foreign += reading->source.source == SIGMA_OTHER;
    draft_file(draft);
}

void sigma_rule_read(struct compiler *compiler, const struct yaml_node *root)
{
    struct reading reading = {.root = root, .detection = yaml_get(root, "detection")};

    reading.draft = draft_new(compiler, sigma_document_scope(compiler, root));
    if (!reading.draft)
        return;
    sigma_logsource_read(yaml_get(root, "logsource"), &reading.source);
    reading.selection = (struct sigma_selection){
        .compiler = compiler, .scope = reading.draft->scope, .source = reading.source.source};
    read_rule(&reading);
}
