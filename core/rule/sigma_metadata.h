/* What Sigma's documents say of themselves: id, name, title, level and the like. */
#ifndef PICKET_RULE_SIGMA_METADATA_H
#define PICKET_RULE_SIGMA_METADATA_H

#include "rule/draft.h"

/* Reads what ROOT says into the draft, and where it stands. */
void sigma_metadata_read(struct draft *draft, const struct yaml_node *root);

#endif
