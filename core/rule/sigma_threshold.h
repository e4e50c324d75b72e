/* Conditions of Sigma correlations that are maps: {gt: 2, lte: 4, field: exe}. */
#ifndef PICKET_RULE_SIGMA_THRESHOLD_H
#define PICKET_RULE_SIGMA_THRESHOLD_H

#include "rule/sigma_correlation.h"

/* Reads the condition of CORRELATION, whose type is known: bounds, what is needed to meet them,
 * percentile; keeps the node of `field`. */
void sigma_threshold_read(struct sigma_correlation *correlation);

/* The bounds of sums and the like, when the type of their field is known: it says how they are
 * written. */
void sigma_threshold_resolve(struct sigma_correlation *correlation);

/* Says at MARK that a single event is all that it takes. */
void sigma_threshold_warn_lone(struct sigma_correlation *correlation, struct mark mark);

#endif
