#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "host/host.h"
#include "stream/source_host.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *help;
};

static int verb_help(int argc, char **argv);
static int verb_version(int argc, char **argv);

static const struct verb verbs[] = {
    {"run", verb_run,
     "[-v] [-c FILE] [-r RULES]... [-o NAME[,key=value]...]... "
     "[--any-logsource] [--min-level LEVEL] [--watch] [--sensor NAME=ADDRESS[,key=value]...]",
     "watch this machine and alert (root); or, with --sensor, what others have shipped"},
    {"watch", verb_watch, "", "print a line for every program that starts (root)"},
    {"record", verb_record, "FILE.jsonl|-", "write every event to a file, for replay (root)"},
    {"replay", verb_replay,
     "[-v] [-c FILE] [-r RULES]... [-o NAME[,key=value]...]... "
     "[--any-logsource] [--min-level LEVEL] [--stats[=N]] FILE.jsonl[.gz]|-",
     "match recorded events; --stats: and say what each rule cost"},
    {"alerts", verb_alerts,
     "[--journal PATH] [--since TIME] [--until TIME] [--rule GLOB]... [--severity LEVEL] "
     "[--search TEXT] [-n|--limit N] [--reverse] [-f|--follow] [--format table|json|csv] | "
     "show [--journal PATH] [--format text|json] ID",
     "list the alerts that the journal has, or draw one of them"},
    {"check", verb_check,
     "[--format text|json|sarif] [--allow CODE]... [--strict] [--summary] [--explain-plan RULE] "
     "[--any-logsource] [--min-level LEVEL] RULES...",
     "say what is wrong with rules, and run their tests"},
    {"schema", verb_schema, "", "print the JSON Schema of rule files, for editors"},
    {"test", verb_test,
     "[--events FILE]... [--max-alerts N] [--coverage] [--min-coverage PERCENT] "
     "[--any-logsource] [--min-level LEVEL] [RULES...]",
     "run the tests of rules, and see which parts of them were ever true"},
    {"explain", verb_explain, "[-r RULES]... [--format text|json] RULE EVENT",
     "say why a rule fires on an event, or does not; EVENT: FILE:LINE, - or JSON"},
    {"new", verb_new, "rule|correlation [--id ID] --event EVENT [--event EVENT]...",
     "print a rule to begin with, made of an event or an alert, or a correlation of several; "
     "EVENT: "
     "FILE:LINE, - or JSON"},
    {"fields", verb_fields, "[--markdown] [NAME...]", "list the fields of events"},
    {"plugin", verb_plugin,
     "list [--markdown] [PLUGIN]... | new [--cxx] NAME | test [--leaks] PLUGIN[,key=value]...",
     "list the output plugins and their options; begin one; try whether one keeps its contract"},
    {"version", verb_version, "", "print the version"},
    {"help", verb_help, "[COMMAND]", "print this, or that part of it"},
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)

static int verb_version(int argc, char **argv)
{
    printf("picket %s\n", PICKET_VERSION);
    return EXIT_FINE;
}

static void print_usage(const struct verb *verb)
{
    printf("  picket %s %s\n      %s\n", verb->name, verb->arguments, verb->help);
}

static bool asks_for_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* Among the options of a verb, wherever. */
static bool ask_for_help(int argc, char **argv)
{
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (asks_for_help(argv[i]))
            return true;
    return false;
}

static const struct verb *find_verb(const char *name)
{
    if (asks_for_help(name))
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[VERB_COUNT];

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i].name;
    const char *nearest = text_nearest(text_from(name), names, VERB_COUNT);

    return misused("there is no '%s'%s%s%s (see 'picket help')", name,
                   nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int verb_help(int argc, char **argv)
{
    const struct verb *one = argc > 1 ? find_verb(argv[1]) : NULL;

    if (argc > 1 && !one)
        return unknown_verb(argv[1]);
    if (one) {
        print_usage(one);
        return EXIT_FINE;
    }
    printf("picket %s: alerts about the programs that this machine starts\n\n", PICKET_VERSION);
    for (size_t i = 0; i < VERB_COUNT; i++)
        print_usage(&verbs[i]);
    printf("\nRULES is a file or a folder of files; see picket(1) and picket-rules(5).\n");
    return EXIT_FINE;
}

/* A descriptor below 3 that is closed would be taken by the next file that is opened, and then
 * written to as standard output. */
static void open_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";

    if (strcmp(name, OUTPUT_HOST_VERB) == 0)
        return output_host_main(argc - 1, argv + 1);
    if (strcmp(name, SOURCE_HOST_VERB) == 0)
        return source_host_main(argc - 1, argv + 1);
    open_standard_descriptors();
    const struct verb *verb = find_verb(name);

    if (!verb)
        return unknown_verb(name);
    if (ask_for_help(argc, argv)) {
        print_usage(verb);
        return EXIT_FINE;
    }
    int status = verb->run(argc - 1, argv + 1);

    return fflush(stdout) != 0 && status == EXIT_FINE ? EXIT_FAILED : status;
}
