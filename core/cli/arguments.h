/* What run and replay share: their arguments, and what went wrong at the start. */
#ifndef PICKET_CLI_ARGUMENTS_H
#define PICKET_CLI_ARGUMENTS_H

#include <stdio.h>

#include "engine/engine.h"

struct arguments {
    struct engine_options engine;
    const char **rules;
    const char **outputs;
    char *const *rest; /* what is no option */
    int rest_count;
};

void arguments_deinit(struct arguments *arguments);

/* Reads -c, -r, -o, -v, --any-logsource, --min-level, --watch, --sensor and --stats. 0, or the exit
 * status after saying what is wrong. */
int arguments_parse(struct arguments *arguments, int argc, char **argv);

/* Reads the value of --min-level. 0, or the exit status after saying what is wrong. */
int read_min_level(const char *verb, const char *value, enum severity *out);

/* Says how a command was misused, printable whatever was given: "picket: ...". Returns the exit
 * status. */
int misused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether FILE is a terminal that is to see colours. */
bool wants_colour(FILE *file);

/* Prints the errors among them. */
void print_errors(struct diag_list *diags, FILE *file);

/* Prints all diagnostics, with colour when FILE is a terminal. */
void print_diagnostics(struct diag_list *diags, FILE *file);

/* Says on standard error what came of engine_new(): errors whole, warnings by their number. */
void report_start(struct diag_list *diags, int result);

#endif
