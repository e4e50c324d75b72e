#include "cli/rule_arguments.h"

#include <errno.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"

static int load(const char *const *paths, size_t count, const struct ruleset_options *options,
                struct diag_list *diags, struct ruleset **out)
{
    static const char *const installed[] = {PICKET_RULES_DIR, ENGINE_SITE_RULES};
    bool given = count > 0;
    CLEANUP(arena_deinit) struct arena arena = {0};
    size_t found = 0;

    if (!given) {
        paths = installed;
        count = sizeof installed / sizeof *installed;
    }
    struct rule_source *sources = arena_array(&arena, count, sizeof *sources);

    if (!sources)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (given || access(paths[i], F_OK) == 0)
            sources[found++].path = paths[i];
    return ruleset_load_with(sources, found, options, diags, out);
}

int rule_arguments_load(const char *const *paths, size_t count,
                        const struct ruleset_options *options, struct diag_list *diags,
                        struct ruleset **out)
{
    int r = load(paths, count, options, diags, out);

    if (r == -EINVAL)
        print_errors(diags, stderr);
    else if (r < 0)
        log_error("rules: %s", strerror(-r));
    if (r == 0 && (*out)->foreign)
        log_warning("%zu Sigma rules of other log sources are tried on process executions, which "
                    "they were not written for",
                    (*out)->foreign);
    return r < 0 ? EXIT_FAILED : 0;
}

static const char *nearest_id(const struct ruleset *rules, const char *id)
{
    CLEANUP(freep) const char **ids = calloc(rules->count + 1, sizeof *ids);

    for (size_t i = 0; ids && i < rules->count; i++)
        ids[i] = rules->rules[i]->id.ptr;
    return ids ? text_nearest(text_from(id), ids, rules->count) : NULL;
}

const struct rule *rule_arguments_find(const char *verb, const struct ruleset *rules,
                                       const char *id)
{
    for (size_t i = 0; i < rules->count; i++)
        if (text_is(rules->rules[i]->id, id))
            return rules->rules[i];
    const char *nearest = nearest_id(rules, id);

    misused("%s: there is no rule '%s'%s%s%s", verb, id, nearest ? "; did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
    return NULL;
}
