#include "cli/arguments.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/verb.h"

void arguments_deinit(struct arguments *arguments)
{
    free(arguments->rules);
    free(arguments->outputs);
}

/* Options that have no letter. */
enum { OPTION_WATCH = 256, OPTION_STATS, OPTION_ANY_LOGSOURCE, OPTION_MIN_LEVEL, OPTION_SENSOR };

static const struct option long_options[] = {
    {"watch", no_argument, NULL, OPTION_WATCH},
    {"stats", optional_argument, NULL, OPTION_STATS},
    {"any-logsource", no_argument, NULL, OPTION_ANY_LOGSOURCE},
    {"min-level", required_argument, NULL, OPTION_MIN_LEVEL},
    {"sensor", required_argument, NULL, OPTION_SENSOR},
    {0},
};

/* How many rules are shown when nobody says. */
#define STATS_USUAL 20

static int read_stats(struct arguments *arguments, const char *text)
{
    int64_t number = STATS_USUAL;

    if (text && (text_to_int(text_from(text), &number) < 0 || number < 1 || number > INT32_MAX))
        return misused("--stats wants a number of rules, not '%s'", text);
    arguments->engine.stats = (size_t)number;
    return 0;
}

int read_min_level(const char *verb, const char *value, enum severity *out)
{
    if (severity_parse(text_from(value), out) == 0)
        return 0;
    return misused("%s: --min-level wants informational, low, medium, high or critical, not '%s'",
                   verb, value);
}

/* 0, or the exit status. */
static int read_option(struct arguments *arguments, const char *verb, int option)
{
    struct engine_options *engine = &arguments->engine;

    switch (option) {
    case 'c':
        engine->config = optarg;
        return 0;
    case 'r':
        arguments->rules[engine->rule_count++] = optarg;
        return 0;
    case 'o':
        arguments->outputs[engine->output_count++] = optarg;
        return 0;
    case OPTION_WATCH:
        engine->watch = true;
        return 0;
    case OPTION_STATS:
        return read_stats(arguments, optarg);
    case OPTION_ANY_LOGSOURCE:
        engine->rule_options.any_logsource = true;
        return 0;
    case OPTION_MIN_LEVEL:
        return read_min_level(verb, optarg, &engine->rule_options.min_level);
    case OPTION_SENSOR:
        if (engine->sensor)
            return misused("%s: there can be one --sensor", verb);
        engine->sensor = optarg;
        return 0;
    case 'v':
        log_set_verbose(true);
        return 0;
    default:
        fprintf(stderr, "see 'picket help'\n");
        return EXIT_MISUSED;
    }
}

int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
    int option, status;

    *arguments = (struct arguments){0};
    arguments->rules = calloc((size_t)argc, sizeof *arguments->rules);
    arguments->outputs = calloc((size_t)argc, sizeof *arguments->outputs);
    if (!arguments->rules || !arguments->outputs) {
        log_error("out of memory");
        return EXIT_FAILED;
    }
    while ((option = getopt_long(argc, argv, "c:r:o:v", long_options, NULL)) != -1) {
        status = read_option(arguments, argv[0], option);
        if (status)
            return status;
    }
    arguments->engine.rules = arguments->rules;
    arguments->engine.outputs = arguments->outputs;
    arguments->rest = argv + optind;
    arguments->rest_count = argc - optind;
    return 0;
}

int misused(const char *format, ...)
{
    CLEANUP(buffer_deinit) struct buffer said = {0};
    va_list args;

    va_start(args, format);
    buffer_vprintf(&said, format, args);
    va_end(args);
    log_info("%s", buffer_string(&said)); /* which makes it printable */
    return EXIT_MISUSED;
}

bool wants_colour(FILE *file)
{
    return isatty(fileno(file)) && !getenv("NO_COLOR");
}

void print_diagnostics(struct diag_list *diags, FILE *file)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    diag_render_all(diags, wants_colour(file), &text);
    fputs(buffer_string(&text), file);
    if (diags->failed || buffer_failed(&text))
        fprintf(file, "picket: out of memory: there are more mistakes than are shown\n");
}

void print_errors(struct diag_list *diags, FILE *file)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    diag_sort(diags);
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == DIAG_ERROR)
            diag_render(diags, &diags->items[i], wants_colour(file), &text);
    fputs(buffer_string(&text), file);
}

void report_start(struct diag_list *diags, int result)
{
    print_errors(diags, stderr);
    if (diags->errors)
        log_error("not started: the mistakes above must be put right first");
    else if (result < 0)
        log_error("not started: %s", strerror(-result));
    else if (diags->warnings)
        log_info("%zu warning%s about the rules; 'picket check' shows %s", diags->warnings,
                 text_plural(diags->warnings), diags->warnings == 1 ? "it" : "them");
}
