/* Folds repeats of an alert: a rule with `suppress: {by: [exe], for: 1m}` alerts once for each
 * distinct value of its fields, then not again for a minute. Noise is folded, never hidden: what is
 * held back is counted, and when a window closes over anything, one summary alert says how much.
 *
 * Time is event time, so that a replay folds as the live engine does. One thread's. */
#ifndef PICKET_ALERT_SUPPRESSION_H
#define PICKET_ALERT_SUPPRESSION_H

#include "alert/alert.h"
#include "base/cleanup.h"
#include "rule/ruleset.h"

/* Windows open at once, over all rules. Beyond it an alert opens none: it is raised each time. */
#define SUPPRESSION_WINDOWS_MAX 65536

/* Memory for the words and events of summaries, over all windows. Beyond it a summary has its
 * count and no more. */
#define SUPPRESSION_BYTES_MAX ((size_t)32 << 20)

struct suppression;
struct suppression_queues; /* where the windows of a ruleset's rules stand, oldest first */

/* 0 or -ENOMEM. */
int suppression_new(const struct ruleset *rules, struct suppression **out);

/* Events are of many machines, some of which may be behind: one that is earlier than others says
 * nothing of a clock that was set back, and closes no windows. */
void suppression_allow_disorder(struct suppression *suppression);
void suppression_free(struct suppression *suppression);
DEFINE_FREEP(struct suppression, suppression)

/* Those of RULES, without a window. NULL: out of memory. */
struct suppression_queues *suppression_queues_new(const struct ruleset *rules);
void suppression_queues_free(struct suppression_queues *queues); /* they have no window */
DEFINE_FREEP(struct suppression_queues, suppression_queues)

/* What a summary says and shows: the members of a struct alert. */
struct suppression_words {
    struct text message, matched, event;
    struct alert_place place; /* lens 0: here */
};

/* A window that closed over alerts it held back. Borrowed for the call. */
struct suppression_summary {
    const struct rule *rule;
    struct alert_fold fold;
    uint64_t origin[3];             /* of the first of those events */
    int64_t time;                   /* of the last */
    struct suppression_words words; /* of the first */
};

typedef void suppression_fn(void *context, const struct suppression_summary *summary);

enum suppression_verdict {
    SUPPRESSION_ADMIT,      /* raise it */
    SUPPRESSION_FOLD_FIRST, /* hold it back, and give its words to suppression_keep() */
    SUPPRESSION_FOLD,       /* hold it back */
};

/* What becomes of an alert of RULE, which has a `suppress`, about EVENT at time NOW (ns). What
 * happens on different machines is never folded into one. Out of memory and out of windows err on
 * the side of alerting. */
enum suppression_verdict suppression_admit(struct suppression *suppression, const struct rule *rule,
                                           const struct event *event, int64_t now);

/* Right after SUPPRESSION_FOLD_FIRST: what the summary will say and show. Without it the summary
 * has no words, but all else. */
void suppression_keep(struct suppression *suppression, const struct suppression_words *words);

/* Closes the windows that end at or before NOW; INT64_MAX closes all. Calls FN for those that held
 * something back, by rule, oldest first. Cheap when none is due.
 *
 * A clock may be set back, and a file may hold events out of order: when NOW is more than a second
 * before the latest alert, all windows close and time begins anew, as they would otherwise stay
 * open for as long again as the step was. NOW may be ahead of the events still to come. */
void suppression_close(struct suppression *suppression, int64_t now, suppression_fn *fn,
                       void *context);

/* Goes over to another load of the rules, that of QUEUES, which becomes the suppression's; the
 * caller gets the one before, without windows. BECAME says, by the index of each rule of that,
 * which new rule goes on with its windows: one with the same id and `suppress`. NULL: none does,
 * and they close: FN is called as by suppression_close(). Allocates nothing. */
struct suppression_queues *suppression_carry(struct suppression *suppression,
                                             struct suppression_queues *queues,
                                             const struct rule *const *became, suppression_fn *fn,
                                             void *context);

struct suppression_counters {
    uint64_t folded;  /* alerts held back */
    uint64_t windows; /* open now */
    uint64_t refused; /* not opened for lack of room */
};

struct suppression_counters suppression_counters(const struct suppression *suppression);

#endif
