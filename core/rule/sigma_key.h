/* The key of a Sigma selection: `Field|modifier|modifier`
 * (specification/sigma-appendix-modifiers.md). */
#ifndef PICKET_RULE_SIGMA_KEY_H
#define PICKET_RULE_SIGMA_KEY_H

#include "rule/compiler.h"
#include "rule/modifier.h"
#include "rule/sigma_field.h"

struct sigma_key {
    const struct yaml_node *node;
    struct text name; /* of the field; empty: keywords */
    struct sigma_field field;
    bool known;              /* there is such a field */
    struct comparison how;   /* without an operator IS; of keywords CONTAINS */
    const char *unsupported; /* why it can never hold here; NULL: it may */
};

/* Reads KEY. False when it has mistakes, all diagnosed; SCOPE says where, as in "rule 'x'". An
 * unknown field is none: that is for the caller to judge. */
bool sigma_key_read(struct compiler *compiler, const char *scope, enum sigma_source source,
                    const struct yaml_node *key, struct sigma_key *out);

#endif
