#include "rule/sigma_filter.h"

#include "rule/draft.h"
#include "rule/rule_name.h"
#include "rule/sigma_detection.h"
#include "rule/sigma_document.h"

/* A filter being applied. */
struct filter {
    struct compiler *compiler;
    const struct yaml_node *root, *node, *logsource;
    const char *scope;
    /* What it is for rules of each log source, where fields differ. */
    struct outline *outlines[SIGMA_OTHER + 1];
    bool compiled[SIGMA_OTHER + 1];
    bool broken;           /* what it looks for has a mistake */
    bool mistaken;         /* it has any */
    const char *objection; /* why it is not for the rules of a log source */
    size_t applied, misfits, passed_over;
};

static enum sigma_source source_of(const struct yaml_node *logsource)
{
    struct sigma_logsource read;

    sigma_logsource_read(logsource, &read);
    return read.source;
}

/* Under the filter's name, for those who ask why a rule is quiet. */
static struct outline *name_outline(struct filter *filter, struct outline *whole)
{
    const struct yaml_node *title = yaml_get(filter->root, "title");

    return yaml_is_text(title) ? outline_as(filter->compiler, whole, OUTLINE_FILTER, title) : NULL;
}

static struct outline *compile(struct filter *filter, enum sigma_source source)
{
    struct sigma_detection detection = {
        .node = filter->node,
        .filter = true,
        .selection = {.compiler = filter->compiler, .scope = filter->scope, .source = source}};
    struct outline *whole = sigma_detection_compile(&detection);
    const char *objection = whole ? sigma_detection_objection(&detection, whole) : NULL;

    filter->broken |= !whole;
    if (objection) {
        filter->objection = objection;
        return NULL;
    }
    if (whole)
        sigma_detection_warn(&detection);
    return name_outline(filter, whole);
}

/* The same mistakes are not told twice. */
static struct outline *outline_for(struct filter *filter, enum sigma_source source)
{
    if (!filter->compiled[source] && !filter->broken)
        filter->outlines[source] = compile(filter, source);
    filter->compiled[source] = true;
    return filter->outlines[source];
}

/* What a log source says under KEY; without text: nothing. That of a native rule is what a Sigma
 * rule of its kind would have. */
static struct text part_of(const struct draft *draft, const char *key)
{
    const struct yaml_node *value = draft->logsource ? yaml_get(draft->logsource, key) : NULL;

    if (draft->logsource)
        return yaml_is_text(value) ? value->text : TEXT("");
    if (strcmp(key, "product") == 0)
        return TEXT("linux");
    return strcmp(key, "category") == 0 && draft->rule.on == EVENT_EXEC ? TEXT("process_creation")
                                                                        : TEXT("");
}

/* Whether all that the filter's log source says is what the rule's does. */
static bool fits(const struct filter *filter, const struct draft *draft)
{
    static const char *const keys[] = {"category", "product", "service"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct yaml_node *wanted = yaml_get(filter->logsource, keys[i]);

        if (yaml_is_text(wanted) && !text_equal_nocase(wanted->text, part_of(draft, keys[i])))
            return false;
    }
    return true;
}

/* Once, also where the rule is named twice. */
static void apply_to(struct filter *filter, struct draft *draft)
{
    struct outline *outline =
        outline_for(filter, draft->logsource ? source_of(draft->logsource) : SIGMA_PROCESS);

    if (!outline || draft->filter == filter->root)
        return;
    draft->filter = filter->root;
    draft_narrow(draft, outline);
    filter->applied++;
}

static void apply_to_all(struct filter *filter)
{
    const struct map *drafts = &filter->compiler->drafts;

    for (size_t i = 0; i < drafts->count; i++) {
        struct draft *draft = drafts->entries[i].value;

        if (!draft->correlation && fits(filter, draft))
            apply_to(filter, draft);
    }
}

static void apply_by_name(struct filter *filter, const struct yaml_node *node)
{
    struct diag_list *diags = filter->compiler->diags;
    const struct rule_name *name = rule_name_resolve(filter->compiler, filter->scope, node);

    filter->mistaken |= !name;
    if (!name)
        return;
    if (!name->draft) {
        filter->passed_over++;
    } else if (name->draft->correlation) {
        diag_error(diags, node->mark, "bad-filter",
                   "'%.*s' is a correlation: %s can be for the rules that it refers to",
                   TEXT_ARG(node->text), filter->scope);
        filter->mistaken = true;
    } else if (!fits(filter, name->draft)) {
        diag_warning(diags, node->mark, "unused-filter",
                     "%s is not applied to '%.*s', which is for another log source", filter->scope,
                     TEXT_ARG(node->text));
        filter->misfits++;
    } else {
        apply_to(filter, name->draft);
    }
}

static void refuse_rules(struct filter *filter, const struct yaml_node *node)
{
    diag_error(filter->compiler->diags, node->mark, "wrong-type",
               "'rules' of %s must be a list of names or ids of rules, or 'any'", filter->scope);
    filter->mistaken = true;
}

static void apply(struct filter *filter)
{
    const struct yaml_node *rules = yaml_get(filter->node, "rules");

    if (!rules) {
        diag_error(filter->compiler->diags, filter->node->mark, "missing-key",
                   "'filter' of %s has no 'rules' ('any' are all that its log source fits)",
                   filter->scope);
        filter->mistaken = true;
    } else if (yaml_is_text(rules) && (text_equal_nocase(rules->text, TEXT("any")) ||
                                       text_equal_nocase(rules->text, TEXT("all")))) {
        apply_to_all(filter);
    } else if (yaml_is_text(rules)) {
        apply_by_name(filter, rules);
    } else if (rules->kind != YAML_LIST || rules->count == 0) {
        refuse_rules(filter, rules);
    } else {
        for (size_t i = 0; i < rules->count; i++) {
            if (yaml_is_text(rules->items[i]))
                apply_by_name(filter, rules->items[i]);
            else
                refuse_rules(filter, rules->items[i]);
        }
    }
}

/* One that does nothing is told of, and looked into for its mistakes all the same; but not when its
 * rules were passed over. */
static void conclude(struct filter *filter)
{
    struct compiler *compiler = filter->compiler;
    bool idle = !filter->applied && !filter->objection;

    if (idle && filter->passed_over && !filter->mistaken && !filter->misfits)
        sigma_document_omit(compiler, filter->root, false,
                            "the rules that it is for are passed over");
    else if (idle)
        outline_for(filter, source_of(filter->logsource));
    if (filter->mistaken || filter->broken)
        return;
    if (filter->objection && !filter->applied)
        sigma_document_omit(compiler, filter->root, true, filter->objection);
    else if (filter->objection)
        diag_warning(compiler->diags, filter->root->mark, "sigma-field",
                     "%s does nothing for some of the rules: %s", filter->scope, filter->objection);
    else if (idle && !filter->passed_over && !filter->misfits)
        diag_warning(compiler->diags, filter->root->mark, "unused-filter",
                     "%s is for no rule: none has a log source like its own", filter->scope);
}

static void check_title(const struct filter *filter)
{
    const struct yaml_node *title = yaml_get(filter->root, "title");

    if (!title)
        diag_error(filter->compiler->diags, filter->root->mark, "missing-key", "%s has no 'title'",
                   filter->scope);
    else if (!yaml_is_text(title))
        diag_error(filter->compiler->diags, title->mark, "wrong-type",
                   "'title' of %s must be a text", filter->scope);
}

void sigma_filter_apply(struct compiler *compiler, const struct yaml_node *root)
{
    struct filter filter = {.compiler = compiler,
                            .root = root,
                            .node = yaml_get(root, "filter"),
                            .logsource = yaml_get(root, "logsource"),
                            .scope = sigma_document_scope(compiler, root)};

    check_title(&filter);
    if (filter.node->kind == YAML_MAP)
        apply(&filter);
    conclude(&filter);
}
