/* What one event is to a correlation: part of rule/explain.h. */
#ifndef PICKET_RULE_CORRELATION_EXPLAIN_H
#define PICKET_RULE_CORRELATION_EXPLAIN_H

#include "rule/explain.h"

/* The explanation's rule is a correlation. */
void correlation_explain_put_text(struct explanation *explanation);

/* As members of the object that has been begun. */
void correlation_explain_put_json(struct explanation *explanation);

#endif
