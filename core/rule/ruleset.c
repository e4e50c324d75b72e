#include "rule/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/compiler.h"
#include "rule/document.h"
#include "rule/rule_files.h"

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

const struct rule *ruleset_find(const struct ruleset *ruleset, struct text id)
{
    for (size_t i = 0; i < ruleset->count; i++)
        if (text_equal(ruleset->rules[i]->id, id))
            return ruleset->rules[i];
    return NULL;
}
