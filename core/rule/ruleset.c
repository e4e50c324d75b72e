#include "rule/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/compiler.h"
#include "rule/document.h"
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

void ruleset_free(struct ruleset *ruleset)
{
    if (!ruleset)
        return;
    for (size_t i = 0; i < ruleset->predicate_count; i++)
        regex_free(ruleset->predicates[i]->regex);
    arena_deinit(&ruleset->arena);
    free(ruleset);
}
