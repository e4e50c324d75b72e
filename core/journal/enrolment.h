/* Which bit of a route is which output's: a name keeps its bit, and its place, for as long as it is
 * known. */
#ifndef PICKET_JOURNAL_ENROLMENT_H
#define PICKET_JOURNAL_ENROLMENT_H

#include "journal/database.h"
#include "journal/journal.h"

struct enrolment {
    struct journal_output *outputs;
    size_t count;
    int64_t now;  /* ns since 1970 */
    int64_t age;  /* what was not configured for so long is forgotten */
    int64_t last; /* where a new name begins */
};

/* One transaction, as journal_enrol(). -errno. */
int enrolment_run(struct database *database, const struct enrolment *enrolment);

#endif
