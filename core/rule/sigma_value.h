/* One value of a Sigma selection, made the predicates that it asks for
 * (specification/sigma-rules-specification.md: "General", "Escape Character"): wildcards and
 * escapes, null and the empty text, numbers, what modifiers make of it. */
#ifndef PICKET_RULE_SIGMA_VALUE_H
#define PICKET_RULE_SIGMA_VALUE_H

#include "rule/sigma_key.h"

struct sigma_value {
    const struct sigma_key *key;
    const char *scope;
    const struct yaml_node *node; /* a scalar */
    enum sigma_source source;
    bool exclusive; /* what holds takes something out: of the field's truths the first alone counts
                     */
    bool listed;    /* among others: null stands alone */
    bool filled;    /* of a key with `expand`: no more `%name%` to fill */
};

/* NULL when the value has a mistake, which is diagnosed, or when out of memory. NEVER or ALWAYS
 * where Linux process events have no such field. */
const struct expression *sigma_value_compile(struct compiler *compiler,
                                             const struct sigma_value *value);

/* A written text, its escapes read. */
struct sigma_pattern {
    enum predicate_operator op; /* IS, STARTS, ENDS, CONTAINS, GLOB; EXISTS: any value is right */
    struct text text;           /* of GLOB as glob_match() has it */
};

/* Reads WRITTEN, which is compared by OP (IS, STARTS, ENDS, CONTAINS), into the arena. -ENOMEM. */
int sigma_pattern_read(struct arena *arena, struct text written, enum predicate_operator op,
                       struct sigma_pattern *out);

/* A number as YAML has it; false: it is none, or beyond 9e18. */
bool sigma_value_number(struct text text, double *out);

#endif
