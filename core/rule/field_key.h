/* `field|modifier|modifier`: what the key of a native selection asks. */
#ifndef PICKET_RULE_FIELD_KEY_H
#define PICKET_RULE_FIELD_KEY_H

#include "rule/compiler.h"
#include "rule/modifier.h"

struct field_key {
    const struct yaml_node *node;
    struct text name; /* of the field, as written */
    struct field_ref ref;
    struct comparison how; /* without an operator MATCHES; with `fieldref` one of *_FIELD */
};

/* Reads KEY. False when it has mistakes, all diagnosed; SCOPE says where, as in "rule 'x'". */
bool field_key_read(struct compiler *compiler, const char *scope, const struct yaml_node *key,
                    struct field_key *out);

/* Resolves NAME, which is all or a part of the scalar NODE, with a diagnostic when it is no field.
 */
bool field_name_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                     struct text name, struct field_ref *out);

#endif
