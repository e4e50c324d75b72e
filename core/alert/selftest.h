/* Runs the tests that rules carry: each `alerts` event must hit its rule as its author wrote it,
 * each `quiet` event must not. Of a correlation they are events one after the other, each a second
 * after the one before unless it says its time: the rules referred to, as they are written, see
 * them all, and the correlation has to fire, or not. */
#ifndef PICKET_ALERT_SELFTEST_H
#define PICKET_ALERT_SELFTEST_H

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
