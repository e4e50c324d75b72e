/* Rules to measure matching with, as a file: made up, or after Sigma's. */
#ifndef PICKET_TESTS_MATCH_RULES_H
#define PICKET_TESTS_MATCH_RULES_H

#include "base/buffer.h"

/* COUNT rules, each with values of its own, the same at every run: half ask for a text in cmdline,
 * a quarter what exe is, begins or ends with, a quarter have a regex for comm or parent. */
void match_rules_generate(struct buffer *out, size_t count);

/* COPIES of each Sigma rule in the files under FOLDER, each with values of its own in the same
 * places: letters become others. As Sigma documents. Returns how many, or -errno. */
int match_rules_copy_sigma(struct buffer *out, const char *folder, unsigned copies);

#endif
