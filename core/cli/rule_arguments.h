/* The rules that a verb is asked about. */
#ifndef PICKET_CLI_RULE_ARGUMENTS_H
#define PICKET_CLI_RULE_ARGUMENTS_H

#include "rule/ruleset.h"

/* Loads the files and folders at PATHS as one ruleset; without any, the installed rules. Mistakes
 * are printed on standard error. 0, or the exit status. */
int rule_arguments_load(const char *const *paths, size_t count,
                        const struct ruleset_options *options, struct diag_list *diags,
                        struct ruleset **out);

/* The rule of that id; NULL after saying, as VERB, that there is none: a misuse. */
const struct rule *rule_arguments_find(const char *verb, const struct ruleset *rules,
                                       const char *id);

#endif
