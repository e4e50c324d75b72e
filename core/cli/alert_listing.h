/* Alerts of the journal, one after another: as a table for people, as JSON, as CSV. */
#ifndef PICKET_CLI_ALERT_LISTING_H
#define PICKET_CLI_ALERT_LISTING_H

#include "base/buffer.h"
#include "journal/journal.h"

enum alert_format { ALERT_TABLE, ALERT_JSON, ALERT_CSV };

struct alert_listing {
    enum alert_format format;
    bool colour;
    size_t width;          /* columns of the terminal; 0: it is none */
    struct buffer scratch; /* the caller's to release */
};

/* What stands before all alerts: nothing, for JSON. */
void alert_listing_put_header(struct alert_listing *listing, struct buffer *out);

/* A line for ALERT. A table's fits the terminal, whatever the alert holds, and nothing in it or in
 * CSV moves a cursor; JSON is as it was delivered, but for a terminal, which such characters reach
 * escaped. CSV is that of RFC 4180, all of it quoted; a text that a spreadsheet would take for a
 * formula begins with an apostrophe. */
void alert_listing_put(struct alert_listing *listing, const struct journal_alert *alert,
                       struct buffer *out);

/* The colour that a terminal shows a severity in, and the end of it. */
const char *severity_colour(int severity);
#define COLOUR_END "\033[0m"

#endif
