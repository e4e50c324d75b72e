#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/verb.h"
#include "output/plugin_path.h"
#include "output/plugin_probe.h"

static void print_option(const struct plugin_option *option)
{
    printf("    %-14s %-10s %.*s", option->name.ptr, plugin_option_type_name(option->type),
           TEXT_ARG(option->help));
    if (option->choices.len)
        printf(" (%.*s)", TEXT_ARG(option->choices));
    if (option->flags & PICKET_REQUIRED)
        printf(" (required)");
    else if (option->value.len && !(option->flags & PICKET_SECRET))
        printf(" [%.*s]", TEXT_ARG(option->value));
    printf("\n");
}

/* False when the plugin does not load: a word about it is on standard error then. */
static bool print_plugin(const char *path, struct arena *arena)
{
    struct plugin_info info;
    const char *reason = NULL;
    int r = plugin_probe(path, arena, &info, &reason);

    if (r < 0) {
        log_error("%s: %s", path, reason ? reason : strerror(-r));
        return false;
    }
    printf("%.*s %.*s: %.*s\n    %s\n", TEXT_ARG(info.name), TEXT_ARG(info.version),
           TEXT_ARG(info.help), path);
    for (size_t i = 0; i < info.option_count; i++)
        print_option(&info.options[i]);
    printf("\n");
    return true;
}

int verb_plugins(int argc, char **argv)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    const char **paths;
    size_t count;
    int status = EXIT_FINE;

    if (argc > 1) {
        fprintf(stderr, "picket plugins: takes no argument\n");
        return EXIT_MISUSED;
    }
    int r = plugin_path_list(NULL, &arena, &paths, &count);

    if (r < 0) {
        log_error("plugins cannot be listed: %s", strerror(-r));
        return EXIT_FAILED;
    }
    for (size_t i = 0; i < count; i++)
        if (!print_plugin(paths[i], &arena))
            status = EXIT_FAILED;
    return status;
}
