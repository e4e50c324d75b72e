/* Wildcards over bytes: `*` any run, `?` any one byte, `\` takes the next byte as it is. Cost is at
 * most the product of both lengths, whatever the pattern: no value can make a match expensive. */
#ifndef PICKET_RULE_GLOB_H
#define PICKET_RULE_GLOB_H

#include "base/text.h"

/* Whether GLOB matches all of SUBJECT. NOCASE: ASCII letters. */
bool glob_match(struct text glob, struct text subject, bool nocase);

#endif
