/* The journal of an engine that may be running, or a copy of one: read, never written to.
 *
 * No function keeps a transaction open, whatever its caller does between two calls: the engine's
 * write-ahead log could not end meanwhile. The file is not trusted: it is the engine's user's. */
#ifndef PICKET_CLI_JOURNAL_READER_H
#define PICKET_CLI_JOURNAL_READER_H

#include "journal/journal.h"

struct journal_reader;

/* Opens the database at PATH. -ENOENT: there is none; else -errno, and what to tell the user is in
 * WHY: a sentence about the file. */
int journal_reader_open(const char *path, struct buffer *why, struct journal_reader **out);
void journal_reader_free(struct journal_reader *reader);
DEFINE_FREEP(struct journal_reader, journal_reader)

/* Which journal it is: another one has another number, wherever it is. */
int64_t journal_reader_number(const struct journal_reader *reader);

/* Whether the file at its path is still the one that was opened, and can still be read. */
bool journal_reader_is_current(const struct journal_reader *reader);

/* What is wrong after a -errno, for people. */
const char *journal_reader_why(struct journal_reader *reader);

/* The seqs of the first and the last alert whose times are from SINCE until UNTIL (ns since 1970; 0
 * and INT64_MAX: all); others may be between them. FIRST > LAST: there is none. */
struct journal_span {
    int64_t first, last;
};
int journal_reader_span(struct journal_reader *reader, int64_t since, int64_t until,
                        struct journal_span *out);

/* The next several hundred alerts of SPAN, borrowed for the call, from its first upwards or from
 * its last downwards, until FN says false; SPAN then is what is left. How many there were, 0 at the
 * end; -errno. */
int journal_reader_step(struct journal_reader *reader, struct journal_span *span, bool down,
                        journal_alert_fn *fn, void *context);

/* The alerts whose ids begin with PREFIX, by their ids, the latest of an id first, until FN says
 * false. 0 or -errno. */
int journal_reader_find(struct journal_reader *reader, struct text prefix, journal_alert_fn *fn,
                        void *context);

/* What an output did with an alert. REJECTED says why, when it did not take it. */
struct journal_receipt {
    struct text output;
    bool settled;
    struct text rejected; /* ptr NULL: it was not */
};
typedef void journal_receipt_fn(void *context, const struct journal_receipt *receipt);

/* Of each output that the alert is for. 0 or -errno. */
int journal_reader_receipts(struct journal_reader *reader, int64_t seq, journal_receipt_fn *fn,
                            void *context);

#endif
