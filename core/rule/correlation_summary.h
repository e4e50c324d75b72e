/* What a correlation asks for, in words: for explanations and plans. */
#ifndef PICKET_RULE_CORRELATION_SUMMARY_H
#define PICKET_RULE_CORRELATION_SUMMARY_H

#include "rule/correlation.h"

/* Rules that are named one by one; of more the number is said. */
#define CORRELATION_SUMMARY_NAMED_MAX 16

/* "temporal_ordered: a, then b, then c within 1m, by session and ancestor.pid" */
void correlation_summary_put(struct buffer *out, const struct correlation *correlation);

/* The ids of the correlations that RULE's hits are counted by: "a, b". */
void correlation_summary_put_feeds(struct buffer *out, const struct rule *rule);

#endif
