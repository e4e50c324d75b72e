/* A listing of alerts of the journal, as `picket alerts` was asked for it. */
#ifndef PICKET_CLI_ALERT_SEARCH_H
#define PICKET_CLI_ALERT_SEARCH_H

#include "cli/alert_filter.h"
#include "cli/alert_listing.h"

struct alert_wishes {
    const char *journal; /* NULL: the configuration's */
    struct alert_filter filter;
    enum alert_format format;
    int64_t limit; /* negative: none */
    bool reverse, follow;
    int64_t now; /* what "10m ago" counts from */
};

/* Lists them on standard output until there are no more or, where they are followed, nobody reads.
 * The exit status; what is wrong is said. */
int alert_search_run(const struct alert_wishes *wishes);

#endif
