/* One value of a selection's key, made the predicate that it asks for. */
#ifndef PICKET_RULE_OPERAND_H
#define PICKET_RULE_OPERAND_H

#include "rule/field_key.h"

struct operand {
    const struct field_key *key;
    const char *scope;
    const struct yaml_node *value; /* a scalar */
    const struct yaml_node *use;   /* the `$name` that brought it in, or the value whose `%name%`
                                      were filled; NULL: it stands here */
    bool filled;                   /* of a key with `expand`: no more `%name%` to fill */
};

/* NULL when the value has a mistake, which is diagnosed, or when out of memory. */
const struct expression *operand_compile(struct compiler *compiler, const struct operand *operand);

#endif
