/* Runs the tests that rules carry: each `alerts` event must hit its rule as its author wrote it,
 * each `quiet` event must not. */
#ifndef PICKET_RULE_SELFTEST_H
#define PICKET_RULE_SELFTEST_H

#include "rule/coverage.h"

struct selftest_counts {
    size_t tests;
    size_t failed;
};

/* Failures are errors in DIAGS (code test-failed), at the test's place; the diagnostics borrow file
 * names from the ruleset, which must outlive them. 0 or -ENOMEM. */
int selftest_run(const struct ruleset *ruleset, struct diag_list *diags,
                 struct selftest_counts *out);

/* The same, noting in COVERAGE what of each rule its own events reach. */
int selftest_cover(const struct ruleset *ruleset, struct coverage *coverage,
                   struct diag_list *diags, struct selftest_counts *out);

#endif
