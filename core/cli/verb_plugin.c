#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/arguments.h"
#include "cli/memory_check.h"
#include "cli/plugin_listing.h"
#include "cli/plugin_project.h"
#include "cli/verb.h"
#include "output/plugin_trial.h"

static int list(int argc, char **argv)
{
    static const struct option options[] = {{"markdown", no_argument, NULL, 'm'}, {0}};
    struct plugin_listing listing = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        listing.markdown = true;
    }
    listing.plugins = (const char *const *)argv + optind;
    listing.count = (size_t)(argc - optind);
    return plugin_listing_print(&listing);
}

static int make(int argc, char **argv)
{
    static const struct option options[] = {{"cxx", no_argument, NULL, 'x'}, {0}};
    const char *language = "c";
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        language = "cxx";
    }
    if (argc - optind != 1)
        return misused("plugin new: wants a NAME, and --cxx for C++");
    const char *name = argv[optind], *refused = plugin_project_refuse(name);

    if (refused)
        return misused("plugin new: '%s' is no name: one %s", name, refused);
    int r = plugin_project_write(name, language);

    if (r < 0) {
        log_error("%s cannot be made: %s", name, strerror(-r));
        return EXIT_FAILED;
    }
    printf("%s/ is made: see %s/README.md\n", name, name);
    return EXIT_FINE;
}

static void report(void *context, const char *check, const char *failure, struct text said)
{
    CLEANUP(buffer_deinit) struct buffer line = {0};

    buffer_put_string(&line, failure ? "FAILED  " : "ok      ");
    buffer_put_printable(&line, text_from(check));
    if (failure) {
        buffer_put_string(&line, ": ");
        buffer_put_printable(&line, text_from(failure));
    }
    puts(buffer_string(&line));
    if (failure && said.len)
        printf("%.*s", TEXT_ARG(said));
    fflush(stdout);
}

/* The one output of ARGUMENT, as `-o` has it; NULL after saying what is wrong. */
static const struct output_config *read_output(const char *argument, struct arena *arena)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct output_config *configs = NULL;
    size_t count = 0;
    int r = output_config_parse(&argument, 1, arena, &diags, &configs, &count);

    print_errors(&diags, stderr);
    if (r < 0)
        log_error("%s", strerror(-r));
    return count ? configs : NULL;
}

static int try(const char *argument, bool leaks)
{
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(memory_check_deinit) struct memory_check memory = {0};
    const struct output_config *config = read_output(argument, &arena);

    if (!config)
        return EXIT_FAILED;
    struct plugin_trial trial = {.config = config, .report = report};

    if (leaks && memory_check_init(&memory, config->plugin) < 0)
        return EXIT_FAILED;
    if (leaks)
        trial.tool = &memory.tool;
    int failures = plugin_trial_run(&trial);

    if (leaks)
        failures += memory_check_report(&memory);
    if (failures)
        log_error("%d check%s failed", failures, failures == 1 ? "" : "s");
    return failures ? EXIT_FAILED : EXIT_FINE;
}

static int test(int argc, char **argv)
{
    static const struct option options[] = {{"leaks", no_argument, NULL, 'l'}, {0}};
    bool leaks = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return EXIT_MISUSED;
        leaks = true;
    }
    if (argc - optind != 1)
        return misused("plugin test: wants a plugin and its options, as in: plugin test "
                       "./mine.so,path=alerts.log");
    return try(argv[optind], leaks);
}

int verb_plugin(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "list") == 0)
        return list(argc - 1, argv + 1);
    if (strcmp(what, "new") == 0)
        return make(argc - 1, argv + 1);
    if (strcmp(what, "test") == 0)
        return test(argc - 1, argv + 1);
    return misused("plugin: wants 'list', 'new' or 'test'");
}
