#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "rule/selftest.h"

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int check(const struct rule_source *sources, size_t count)
{
    CLEANUP(ruleset_freep) struct ruleset *rules = NULL;
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct selftest_counts tests = {0};
    int r = ruleset_load(sources, count, &diags, &rules);

    if (r == 0)
        r = selftest_run(rules, &diags, &tests);
    if (r == -ENOMEM) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    print_diagnostics(&diags, stdout);
    if (diags.errors) {
        printf("%zu error%s, %zu warning%s\n", diags.errors, plural(diags.errors), diags.warnings,
               plural(diags.warnings));
        return EXIT_FAILED;
    }
    printf("%zu rule%s, %zu test%s passed, %zu warning%s\n", rules->count, plural(rules->count),
           tests.tests, plural(tests.tests), diags.warnings, plural(diags.warnings));
    return EXIT_FINE;
}

int verb_check(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] == '-' && argv[1][1]) {
        return misused("check: there is no option '%s'", argv[1]);
    }
    if (argc < 2) {
        return misused("check: wants files or folders of rules");
    }
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct rule_source *sources = arena_array(&arena, (size_t)argc, sizeof *sources);

    if (!sources) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    for (int i = 1; i < argc; i++)
        sources[i - 1].path = argv[i];
    return check(sources, (size_t)argc - 1);
}
