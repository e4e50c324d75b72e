/* A Sigma rule in the second life of a load: its metadata, its detection compiled. */
#ifndef PICKET_RULE_SIGMA_RULE_H
#define PICKET_RULE_SIGMA_RULE_H

#include "rule/compiler.h"

/* Reads and compiles the rule that ROOT is and files it in the compiler by its id; or says why it
 * is not supported. */
void sigma_rule_read(struct compiler *compiler, const struct yaml_node *root);

#endif
