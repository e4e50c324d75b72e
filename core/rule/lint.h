/* What is no mistake and yet hardly meant: rules that can never match, that say what another rule
 * says already, or that cost more than they need to. For those who write rules (`picket check`); an
 * engine that starts does not ask. */
#ifndef PICKET_RULE_LINT_H
#define PICKET_RULE_LINT_H

#include "rule/ruleset.h"

/* Adds warnings about RULESET, which was loaded without an error, to the DIAGS of its load. They
 * borrow file names from the ruleset, which must outlive them. 0 or -ENOMEM. */
int lint_run(const struct ruleset *ruleset, struct diag_list *diags);

#endif
