/* Wildcards: `*` any run, `?` any one character (of UTF-8; a byte that is none counts as one), `\`
 * takes the next byte as it is. Cost is at most the product of both lengths, whatever the pattern:
 * no value can make a match expensive. */
#ifndef PICKET_RULE_GLOB_H
#define PICKET_RULE_GLOB_H

#include "base/text.h"

/* Whether GLOB, which is UTF-8, matches all of SUBJECT, which need not be. NOCASE: ASCII letters.
 */
bool glob_match(struct text glob, struct text subject, bool nocase);

#endif
