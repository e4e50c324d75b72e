#include <stdio.h>

#include "base/log.h"
#include "cli/arguments.h"
#include "cli/verb.h"
#include "rule/schema.h"

int verb_schema(int argc, char **argv)
{
    CLEANUP(json_freep) json_t *schema = NULL;

    if (argc > 1)
        return misused("schema: takes no arguments");
    if (schema_make(&schema) < 0 || json_dumpf(schema, stdout, JSON_INDENT(1)) < 0) {
        log_error("out of memory, or standard output is closed");
        return EXIT_FAILED;
    }
    putchar('\n');
    return EXIT_FINE;
}
