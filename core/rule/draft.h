/* A rule being made: what a file says of it, read key by key, then compiled; and what overrides
 * change. */
#ifndef PICKET_RULE_DRAFT_H
#define PICKET_RULE_DRAFT_H

#include "rule/compiler.h"

struct draft {
    struct compiler *compiler;
    struct rule rule;
    const char *scope;                                                       /* "rule 'x'" */
    const struct yaml_node *id, *match, *unless, *where, *condition, *tests; /* NULL: not given */
};

/* Reads and compiles the rule that NODE is and files it in the compiler by its id. */
void draft_read(struct compiler *compiler, const struct yaml_node *node);

/* Applies one entry of `overrides`. */
void draft_override(struct compiler *compiler, const struct yaml_node *id,
                    const struct yaml_node *changes);

#endif
