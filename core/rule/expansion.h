/* `%name%` in a value under `expand`: each value of the list of that name stands there in turn.
 * `\%` is a percent sign. */
#ifndef PICKET_RULE_EXPANSION_H
#define PICKET_RULE_EXPANSION_H

#include "rule/operand.h"

/* How many texts one value may become, and how many `%name%` it may have. */
#define EXPANSION_MAX    10000
#define PLACEHOLDERS_MAX 32

/* Texts in the arena of a load. */
struct expansion {
    struct text *texts;
    size_t count, size;
};

void expansion_add(struct compiler *compiler, struct expansion *expansion, struct text t);

/* All that the operand's value becomes. False when it has a mistake, which is diagnosed. */
bool expansion_of(struct compiler *compiler, const struct operand *operand, struct expansion *out);

#endif
