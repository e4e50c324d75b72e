#include <getopt.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/verb.h"
#include "event/field.h"

static void print_table(void)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        printf("%-18s %-14s %s%s%s\n", field->name, field_type_name(field->type), field->help,
               *field->unit ? "; in " : "", field->unit);
    }
    printf(
        "\nEvery field from pid on is also that of the parent and of each ancestor: parent.exe,\n"
        "ancestor.exe (any of them), ancestor[2].exe (the parent's parent). 'parent' alone is\n"
        "short for parent.comm. 'picket fields NAME' tells where a field is from.\n");
}

static const char *owner_name(enum field_scope scope)
{
    static const char *const names[] = {
        [SCOPE_EVENT] = "the event",
        [SCOPE_HOST] = "the machine where the event happened",
        [SCOPE_PROCESS] = "the process, its parent and each ancestor",
    };

    return names[scope];
}

static const char *or_otherwise(const char *text, const char *otherwise)
{
    return *text ? text : otherwise;
}

static void print_details(const struct field *field)
{
    printf("%s\n  %s\n", field->name, field->help);
    printf("  type     %s\n", field_type_name(field->type));
    if (*field->unit)
        printf("  unit     %s\n", field->unit);
    printf("  of       %s\n", owner_name(field->scope));
    printf("  from     %s\n", field->source);
    printf("  cost     %s\n", or_otherwise(field->cost, "none"));
    printf("  kernels  %s\n", or_otherwise(field->kernels, "all"));
}

static int print_named(int count, char **names)
{
    for (int i = 0; i < count; i++) {
        char workspace[64];
        struct field_ref ref;

        if (field_ref_parse(text_from(names[i]), &ref) < 0) {
            const char *nearest = field_suggest(text_from(names[i]), workspace);

            return misused("fields: there is no field '%s'%s%s%s", names[i],
                           nearest ? "; did you mean '" : "", nearest ? nearest : "",
                           nearest ? "'?" : "");
        }
        print_details(ref.field);
    }
    return EXIT_FINE;
}

static void print_markdown(void)
{
    printf("| field | type | unit | what it says | where it is from | cost | kernels |\n"
           "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        printf("| `%s` | %s | %s | %s | %s | %s | %s |\n", field->name,
               field_type_name(field->type), field->unit, field->help, field->source, field->cost,
               field->kernels);
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
    if (markdown && optind < argc)
        return misused("fields: --markdown takes no names");
    if (optind < argc)
        return print_named(argc - optind, argv + optind);
    if (markdown)
        print_markdown();
    else
        print_table();
    return EXIT_FINE;
}
