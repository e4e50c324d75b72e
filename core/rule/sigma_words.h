/* Conditions of temporal correlations that are words: "a and not b". */
#ifndef PICKET_RULE_SIGMA_WORDS_H
#define PICKET_RULE_SIGMA_WORDS_H

#include "rule/sigma_correlation.h"

/* Makes the names in the condition the references of a correlation without `rules`. */
void sigma_words_read_references(struct sigma_correlation *correlation);

/* Reads the condition over the correlation's members, which are known. Mistakes are diagnosed.
 * Returns why it cannot be supported, or NULL. */
const char *sigma_words_resolve(struct sigma_correlation *correlation);

#endif
