#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/verb.h"
#include "output/host.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments;
    const char *help;
};

static int verb_help(int argc, char **argv);
static int verb_version(int argc, char **argv);

static const struct verb verbs[] = {
    {"run", verb_run, "[-c FILE] [-r RULES]... [-o NAME[,key=value]...]...",
     "watch this machine and alert (root)"},
    {"watch", verb_watch, "", "print a line for every program that starts (root)"},
    {"record", verb_record, "FILE.jsonl|-", "write every event to a file, for replay (root)"},
    {"replay", verb_replay, "[-c FILE] [-r RULES]... [-o NAME[,key=value]...]... FILE.jsonl[.gz]|-",
     "match recorded events"},
    {"check", verb_check, "RULES...", "say what is wrong with rules, and run their tests"},
    {"fields", verb_fields, "[--markdown]", "list the fields of events"},
    {"plugins", verb_plugins, "", "list the output plugins and their options"},
    {"version", verb_version, "", "print the version"},
    {"help", verb_help, "", "print this"},
};

#define VERB_COUNT (sizeof verbs / sizeof *verbs)

static int verb_version(int argc, char **argv)
{
    printf("picket %s\n", PICKET_VERSION);
    return EXIT_FINE;
}

static int verb_help(int argc, char **argv)
{
    printf("picket %s: alerts about the programs that this machine starts\n\n", PICKET_VERSION);
    for (size_t i = 0; i < VERB_COUNT; i++)
        printf("  picket %s %s\n      %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
    printf("\nRULES is a file or a folder of files; see picket(1) and picket-rules(5).\n");
    return EXIT_FINE;
}

static int unknown_verb(const char *name)
{
    const char *names[VERB_COUNT];

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i].name;
    const char *nearest = text_nearest(text_from(name), names, VERB_COUNT);

    fprintf(stderr, "picket: there is no '%s'%s%s%s (see 'picket help')\n", name,
            nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return EXIT_MISUSED;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";

    if (strcmp(name, OUTPUT_HOST_VERB) == 0)
        return output_host_main(argc - 1, argv + 1);
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(name, verbs[i].name) != 0)
            continue;
        int status = verbs[i].run(argc - 1, argv + 1);

        if (fflush(stdout) != 0 && status == EXIT_FINE)
            status = EXIT_FAILED;
        return status;
    }
    return unknown_verb(name);
}
