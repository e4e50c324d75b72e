/* Documents of Sigma in the first life of a load: which of them are rules for what we see, and what
 * is passed over, and why. */
#ifndef PICKET_RULE_SIGMA_DOCUMENT_H
#define PICKET_RULE_SIGMA_DOCUMENT_H

#include "rule/compiler.h"

/* Whether the document ROOT, a map, is one of Sigma's. */
bool sigma_document_is(const struct yaml_node *root);

/* Files the rule or filter that it is, or says why not. False when what follows in the file cannot
 * be told any more. */
bool sigma_document_read(struct compiler *compiler, const struct yaml_node *root);

/* What rules and filters are told by in diagnostics, "rule 'x'": by their id, else their title. */
const char *sigma_document_scope(struct compiler *compiler, const struct yaml_node *root);

/* Counts and tells a document that is passed over: one that is not for our events, or
 * (UNSUPPORTED) asks for what these can never have. REASON lives as long as the load. */
void sigma_document_omit(struct compiler *compiler, const struct yaml_node *root, bool unsupported,
                         const char *reason);

#endif
