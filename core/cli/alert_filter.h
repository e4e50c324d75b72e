/* Which alerts of the journal somebody wants to see. */
#ifndef PICKET_CLI_ALERT_FILTER_H
#define PICKET_CLI_ALERT_FILTER_H

#include "base/buffer.h"
#include "journal/journal.h"
#include "rule/rule.h"

/* All of it has to hold. Borrows all it points to. */
struct alert_filter {
    int64_t since, until; /* ns since 1970, both included; INT64_MAX: without an end */
    const char **rules;   /* shell patterns, one of which the rule's id fits; none: all do */
    size_t rule_count;
    enum severity severity; /* at least */
    struct text search;     /* is in a value of the alert, whatever the case of ASCII letters */
    struct buffer quoted;   /* how JSON writes that: by alert_filter_prepare() */
};

/* Once SEARCH is set. 0 or -ENOMEM. */
int alert_filter_prepare(struct alert_filter *filter);
void alert_filter_deinit(struct alert_filter *filter);

bool alert_filter_passes(const struct alert_filter *filter, const struct journal_alert *alert);

#endif
