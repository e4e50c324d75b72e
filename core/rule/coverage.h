/* Which rules were ever true, and which branches of them: what no test and no recorded event has
 * tried may be wrong without anybody's knowing.
 *
 * A branch is: each value as written (the values that a named list brings in are one branch), and
 * each group of keys that is an alternative, an exception or a selection of its own. It is covered
 * once it held, whether or not the whole rule did. A correlation has no branches: the rules it
 * refers to have theirs. */
#ifndef PICKET_RULE_COVERAGE_H
#define PICKET_RULE_COVERAGE_H

#include "base/cleanup.h"
#include "rule/matcher.h"
#include "rule/outline.h"

struct coverage_branch {
    const struct outline *part;
    bool covered;
};

struct coverage_rule {
    struct coverage_branch *branches;
    size_t count, covered;
    bool fired;
};

/* Read-only for its users. */
struct coverage {
    const struct ruleset *ruleset;
    struct coverage_rule *rules; /* by index of rule */
    struct arena arena;
};

int coverage_new(const struct ruleset *ruleset, struct coverage **out); /* 0 or -ENOMEM */
void coverage_free(struct coverage *coverage);
DEFINE_FREEP(struct coverage, coverage)

/* Notes what of RULE holds for EVENT, which MATCHER was asked about last. */
void coverage_see(struct coverage *coverage, struct matcher *matcher, const struct event *event,
                  const struct rule *rule);

/* The same of all rules that are on events of its type, disabled ones too. */
void coverage_see_all(struct coverage *coverage, struct matcher *matcher,
                      const struct event *event);

/* Notes that RULE, a correlation, fired. */
void coverage_fire(struct coverage *coverage, const struct rule *rule);

struct coverage_sum {
    size_t rules, fired;
    size_t branches, covered;
};

struct coverage_sum coverage_sum(const struct coverage *coverage);

/* In a hundred, rounded down: the rules that fired and the branches that held, of all. */
unsigned coverage_percent(const struct coverage_sum *sum);

#endif
