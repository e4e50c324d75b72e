/* Selections of a Sigma rule: maps of fields (all must hold), lists of such maps (one must),
 * keywords (specification/sigma-rules-specification.md: "Detection"). */
#ifndef PICKET_RULE_SIGMA_SELECTION_H
#define PICKET_RULE_SIGMA_SELECTION_H

#include "rule/sigma_value.h"

/* What the selections of one rule share. */
struct sigma_selection {
    struct compiler *compiler;
    const char *scope; /* "rule 'x'", for diagnostics */
    enum sigma_source source;
    bool exclusive; /* compile for under a `not`: see struct sigma_value */
    /* Out: */
    bool two_faced;               /* that makes a difference */
    const struct sigma_key *lack; /* the first key that nothing can hold for here; in the load's
                                     arena */
};

/* NULL when there is a mistake, all diagnosed. */
struct outline *sigma_selection_compile(struct sigma_selection *selection,
                                        const struct yaml_node *node);

#endif
