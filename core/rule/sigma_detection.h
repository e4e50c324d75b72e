/* What a Sigma rule or filter looks for: named selections and a condition over them
 * (specification/sigma-rules-specification.md: "Detection"). */
#ifndef PICKET_RULE_SIGMA_DETECTION_H
#define PICKET_RULE_SIGMA_DETECTION_H

#include "rule/sigma_selection.h"

struct sigma_detection {
    const struct yaml_node *node;
    bool filter;                      /* a filter's: `rules` in it are no selection */
    struct sigma_selection selection; /* compiler, scope and source are given */
};

/* NULL when there is a mistake, all diagnosed. */
struct outline *sigma_detection_compile(struct sigma_detection *detection);

/* Why WHOLE, which was compiled of it, would say nothing of any event: that it holds for each, or
 * for none, has to do with what ours lack. NULL: it may say something. */
const char *sigma_detection_objection(struct sigma_detection *detection,
                                      const struct outline *whole);

/* Warns of a part that never holds, if there is one. */
void sigma_detection_warn(struct sigma_detection *detection);

#endif
