/* Rules to measure matching with: made up, or after Sigma's, as a file of picket's own. */
#ifndef PICKET_TESTS_MATCH_RULES_H
#define PICKET_TESTS_MATCH_RULES_H

#include "base/buffer.h"

/* COUNT rules, each with values of its own, the same at every run: half ask for a text in cmdline,
 * a quarter what exe is, begins or ends with, a quarter have a regex for comm or parent. */
void match_rules_generate(struct buffer *out, size_t count);

/* The rules of the Sigma files under FOLDER, roughly: their selections and conditions with the
 * modifiers of ours. COPIES of each, all but the first with other values. Returns how many rules,
 * or -errno. */
int match_rules_from_sigma(struct buffer *out, const char *folder, unsigned copies);

#endif
