#include "rule/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/compiler.h"
#include "rule/document.h"
#include "rule/predicate.h"
#include "rule/rule_files.h"

/* Only when nothing else is wrong: what cannot be read may hold some. */
static void check_rules(struct compiler *compiler, const struct rule_source *sources, size_t count)
{
    struct diag_list *diags = compiler->diags;
    struct mark mark = {0};

    if (compiler->rules.first || diags->errors > compiler->errors_before)
        return;
    if (count == 1) {
        mark.file = arena_string(&diags->arena, sources[0].path);
        compiler->failed |= !mark.file;
    }
    diag_error(diags, mark, "no-rules", "there are no rules at all");
}

int ruleset_load(const struct rule_source *sources, size_t count, struct diag_list *diags,
                 struct ruleset **out)
{
    CLEANUP(compiler_deinit) struct compiler compiler = {0};
    int r = compiler_init(&compiler, diags);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        if (sources[i].content.ptr)
            document_read_all(&compiler, sources[i].path, sources[i].content);
        else
            rule_files_read(&compiler, sources[i].path);
    }
    check_rules(&compiler, sources, count);
    return compiler_finish(&compiler, out);
}

static bool rule_asks(const struct rule *rule, enum field_id id)
{
    if (message_asks(rule->message, id))
        return true;
    for (size_t i = 0; i < rule->suppress.by_count; i++)
        if (rule->suppress.by[i].field->id == id)
            return true;
    return false;
}

bool ruleset_asks(const struct ruleset *ruleset, enum field_id id)
{
    for (size_t i = 0; i < ruleset->predicate_count; i++)
        if (ruleset->predicates[i]->ref.field->id == id)
            return true;
    for (size_t i = 0; i < ruleset->count; i++)
        if (rule_asks(ruleset->rules[i], id))
            return true;
    return false;
}

void ruleset_free(struct ruleset *ruleset)
{
    if (!ruleset)
        return;
    for (size_t i = 0; i < ruleset->predicate_count; i++)
        regex_free(ruleset->predicates[i]->regex);
    arena_deinit(&ruleset->arena);
    free(ruleset);
}
