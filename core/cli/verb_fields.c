#include <getopt.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/verb.h"
#include "event/field.h"

static void print_table(void)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        printf("%-18s %-14s %s\n", field->name, field_type_name(field->type), field->help);
    }
    printf(
        "\nEvery field from pid on is also that of the parent and of each ancestor: parent.exe,\n"
        "ancestor.exe (any of them), ancestor[2].exe (the parent's parent). 'parent' alone is\n"
        "short for parent.comm.\n");
}

static void print_markdown(void)
{
    printf("| field | type | what it says | where it is from |\n|---|---|---|---|\n");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        printf("| `%s` | %s | %s | %s |\n", field->name, field_type_name(field->type), field->help,
               field->source);
    }
}

int verb_fields(int argc, char **argv)
{
    static const struct option options[] = {{"markdown", no_argument, NULL, 'm'}, {0}};
    bool markdown = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option != 'm')
            return EXIT_MISUSED;
        markdown = true;
    }
    if (optind < argc) {
        return misused("fields: takes no argument");
    }
    if (markdown)
        print_markdown();
    else
        print_table();
    return EXIT_FINE;
}
