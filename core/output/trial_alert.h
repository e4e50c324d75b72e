/* Alerts for trying plugins with: usual ones, and the worst there can be. */
#ifndef PICKET_OUTPUT_TRIAL_ALERT_H
#define PICKET_OUTPUT_TRIAL_ALERT_H

#include "base/arena.h"
#include "plugin/alert_frame.h"

enum trial_alert_kind {
    TRIAL_USUAL,
    TRIAL_CONTROLS, /* every control character, escape sequences, changes of writing direction */
    TRIAL_BROKEN,   /* what was no UTF-8, which plugins see as U+FFFD */
    TRIAL_EMPTY,    /* texts without anything in them; JSON without an event */
    TRIAL_QUOTES,   /* what shells, SQL, HTML, printf(3), templates and file names trip over */
    TRIAL_LINES,    /* many lines in one text */
    TRIAL_EPOCH,    /* at 1970 */
    TRIAL_HUGE,     /* arguments of 1 MiB */
    TRIAL_LARGEST,  /* as large as an alert can be */
    TRIAL_KINDS,
    TRIAL_EVENT = TRIAL_KINDS /* no alert: for who has `forward: events` */
};

/* The id of the rule of all of them. */
#define TRIAL_ALERT_RULE "tmp-binary"

/* "an alert of 1 MiB of arguments" */
const char *trial_alert_name(enum trial_alert_kind kind);

/* The alert number NUMBER, in ARENA. -ENOMEM. */
int trial_alert_make(enum trial_alert_kind kind, unsigned number, struct arena *arena,
                     struct delivery_alert *out);

#endif
