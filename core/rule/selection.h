/* Selections: maps of fields (all must hold), lists of such maps (one must), and the lists and
 * macros they name. */
#ifndef PICKET_RULE_SELECTION_H
#define PICKET_RULE_SELECTION_H

#include "rule/compiler.h"

/* NULL when there is a mistake, all diagnosed; SCOPE says where, as in "rule 'x'". */
struct outline *selection_compile(struct compiler *compiler, const char *scope,
                                  const struct yaml_node *node);

struct expansion;

/* The values of the list that REFERENCE (`$name`, or `%name` of a `%name%`) names, lists within it
 * opened. None when there is no such list, which is diagnosed. */
void selection_list_texts(struct compiler *compiler, const struct yaml_node *reference,
                          struct expansion *out);

/* Compiles every macro and checks every list, used or not. */
void selection_check_definitions(struct compiler *compiler);

/* After all rules: what is defined and never used. */
void selection_warn_unused(struct compiler *compiler);

#endif
