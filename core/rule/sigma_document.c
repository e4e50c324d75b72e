#include "rule/sigma_document.h"

#include "rule/rule_name.h"
#include "rule/sigma_field.h"

bool sigma_document_is(const struct yaml_node *root)
{
    static const char *const keys[] = {"detection", "correlation", "filter", "action"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (yaml_get(root, keys[i]))
            return true;
    return false;
}

static bool is_filter(const struct yaml_node *root)
{
    return yaml_get(root, "filter") && !yaml_get(root, "correlation");
}

const char *sigma_document_scope(struct compiler *compiler, const struct yaml_node *root)
{
    const struct yaml_node *name = yaml_get(root, "id");
    const char *kind = is_filter(root) ? "filter" : "rule";

    if (!yaml_is_text(name))
        name = yaml_get(root, "title");
    if (!yaml_is_text(name))
        return is_filter(root) ? "a filter without title" : "a rule without id";
    const char *scope = arena_printf(&compiler->arena, "%s '%.*s'", kind, TEXT_ARG(name->text));

    compiler->failed |= !scope;
    return scope ? scope : "";
}

static struct ruleset_omission *find_omission(struct compiler *compiler, bool unsupported,
                                              const char *reason)
{
    struct map *known = &compiler->omissions[unsupported];
    struct ruleset_omission *omission = map_get(known, text_from(reason));

    if (omission)
        return omission;
    omission = arena_alloc(&compiler->ruleset->arena, sizeof *omission);
    const char *kept = arena_string(&compiler->ruleset->arena, reason);

    if (!omission || !kept || map_add(known, text_from(kept), omission) < 0)
        return NULL;
    omission->reason = kept;
    omission->unsupported = unsupported;
    *compiler->omitted_last = omission;
    compiler->omitted_last = &omission->next;
    return omission;
}

void sigma_document_omit(struct compiler *compiler, const struct yaml_node *root, bool unsupported,
                         const char *reason)
{
    const char *scope = sigma_document_scope(compiler, root);
    struct ruleset_omission *omission = find_omission(compiler, unsupported, reason);

    if (!omission) {
        compiler->failed = true;
        return;
    }
    omission->count++;
    if (unsupported) {
        compiler->ruleset->unsupported++;
        diag_warning(compiler->diags, root->mark, "sigma-unsupported", "%s is not loaded: %s",
                     scope, reason);
    } else {
        compiler->ruleset->skipped++;
        diag_warning(compiler->diags, root->mark, "sigma-skipped", "%s is skipped: %s", scope,
                     reason);
    }
}

/* A rule that others refer to is known all the same. */
static void pass_over(struct compiler *compiler, const struct yaml_node *root, bool unsupported,
                      const char *reason)
{
    sigma_document_omit(compiler, root, unsupported, reason);
    if (!is_filter(root))
        rule_name_omit(compiler, root, unsupported, reason);
}

static bool has_status(const struct yaml_node *root, const char *wanted)
{
    const struct yaml_node *status = yaml_get(root, "status");

    return status && status->kind == YAML_SCALAR && text_is(status->text, wanted);
}

/* Why ROOT is none for us, by what it says of itself; NULL: nothing speaks against it. */
static const char *objection(struct compiler *compiler, const struct yaml_node *root,
                             const struct sigma_logsource *source)
{
    if (source->source == SIGMA_OTHER && !compiler->options.any_logsource) {
        const char *why = arena_printf(&compiler->arena, "it is for %s '%.*s'", source->key,
                                       TEXT_ARG(source->value));

        compiler->failed |= !why;
        return why ? why : "";
    }
    if (has_status(root, "deprecated"))
        return "its status is 'deprecated': others have taken its place";
    return NULL;
}

/* What is tried although it is not plainly for us is said. */
static void warn_about_source(struct compiler *compiler, const struct yaml_node *root,
                              const struct sigma_logsource *source)
{
    const char *scope = sigma_document_scope(compiler, root);
    struct mark mark = yaml_get(root, "logsource")->mark;

    if (source->source == SIGMA_OTHER) {
        diag_warning(compiler->diags, mark, "sigma-logsource",
                     "%s is for %s '%.*s' and is tried on process executions all the same", scope,
                     source->key, TEXT_ARG(source->value));
    } else if (source->vague) {
        diag_warning(compiler->diags, mark, "sigma-logsource",
                     "%s names no category and no service: it is tried on process executions",
                     scope);
    }
}

static void file(struct compiler *compiler, struct piece_list *list, const struct yaml_node *root)
{
    compiler_file(compiler, list, (struct piece){.value = root, .sigma = true});
}

/* A rule, or a filter for rules of such a log source. */
static void read_rule(struct compiler *compiler, const struct yaml_node *root)
{
    const struct yaml_node *logsource = yaml_get(root, "logsource");
    struct sigma_logsource source;

    if (!logsource || logsource->kind != YAML_MAP) {
        diag_error(compiler->diags, logsource ? logsource->mark : root->mark,
                   logsource ? "wrong-type" : "missing-key", "%s %s",
                   sigma_document_scope(compiler, root),
                   logsource ? "has a 'logsource' that is no map" : "has no 'logsource'");
        if (!is_filter(root))
            rule_name_omit(compiler, root, false, NULL);
        return;
    }
    sigma_logsource_read(logsource, &source);
    const char *why = objection(compiler, root, &source);

    if (why) {
        pass_over(compiler, root, false, why);
        return;
    }
    if (has_status(root, "unsupported")) {
        pass_over(compiler, root, true, "its status is 'unsupported'");
        return;
    }
    if (is_filter(root)) {
        file(compiler, &compiler->filters, root);
        return;
    }
    warn_about_source(compiler, root, &source);
    file(compiler, &compiler->rules, root);
}

static void read_correlation(struct compiler *compiler, const struct yaml_node *root)
{
    static const struct sigma_logsource none = {.source = SIGMA_PROCESS};
    const struct yaml_node *detection = yaml_get(root, "detection");
    const char *why = objection(compiler, root, &none);

    if (why)
        pass_over(compiler, root, false, why);
    else if (has_status(root, "unsupported"))
        pass_over(compiler, root, true, "its status is 'unsupported'");
    else
        file(compiler, &compiler->rules, root);
    if (detection)
        diag_error(compiler->diags, detection->mark, "conflicting-keys",
                   "%s has 'correlation' and 'detection': a document is one rule",
                   sigma_document_scope(compiler, root));
}

bool sigma_document_read(struct compiler *compiler, const struct yaml_node *root)
{
    const struct yaml_node *action = yaml_get(root, "action");

    if (action) {
        diag_error(compiler->diags, action->mark, "sigma-action",
                   "collections with 'action' are no part of Sigma since its version 2: write each "
                   "rule whole");
        return false;
    }
    if (yaml_get(root, "correlation"))
        read_correlation(compiler, root);
    else
        read_rule(compiler, root);
    return true;
}
