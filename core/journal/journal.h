/* The journal: every alert on disk, in the order it was raised, and how far each output has come.
 *
 * A database (journal_schema.h) that one engine has at a time. Whatever was committed is there
 * after a crash of the engine or of the machine: that is where the promise of delivery begins.
 *
 * All functions belong to one thread, the delivery thread's once it runs, but journal_raise(). What
 * fails says -errno and, in journal_why(), more; then journal_open() is to be tried again:
 *
 *     -ENOSPC, -EDQUOT  the disk is full         -EBUSY  another program is writing to it
 *     -EUCLEAN          the database is damaged, or was removed: journal_open() begins another
 *     -EAGAIN           a reader keeps the write-ahead log from ending
 *     -ESTALE           it holds what this run was not begun with: it can be used after a restart
 *     -EIO and others   the disk fails */
#ifndef PICKET_JOURNAL_JOURNAL_H
#define PICKET_JOURNAL_JOURNAL_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "journal/journal_schema.h"

#define JOURNAL_SIZE     ((int64_t)1 << 30) /* what retention keeps when nobody says: bytes */
#define JOURNAL_SIZE_MIN ((int64_t)1 << 20)
#define JOURNAL_AGE      (INT64_C(30) * 24 * 3600 * 1000000000) /* ns */

#define JOURNAL_OUTPUTS_MAX 64

struct journal;

struct journal_options {
    const char *path; /* of the database; its folder is made when only that is missing */
    int64_t size;     /* bytes */
    int64_t age;      /* ns */
    uid_t uid;        /* who the engine will be, and the files' owner */
    gid_t gid;
};

/* Locks it, opens or makes the database and begins to count what is raised. 0 also when the disk
 * does not let it be opened (journal_is_open()): who watches does not depend on it. -errno with
 * what to tell the user in WHY: it is another engine's (-EBUSY), cannot be written, is no journal
 * or of a later version. For a process of one thread that may still become that user. */
int journal_new(const struct journal_options *options, struct buffer *why, struct journal **out);

/* Closes it properly, if it is open. NULL is fine. */
void journal_free(struct journal *journal);
DEFINE_FREEP(struct journal, journal)

/* Counts an alert that is about to be handed in. Any thread; never waits. */
void journal_raise(struct journal *journal);

/* Opens what is not open. A damaged database is renamed NAME.corrupt-TIME and another begun, which
 * goes on with the numbers. 0 or -errno. */
int journal_open(struct journal *journal);
bool journal_is_open(const struct journal *journal);

/* How often a database was set aside; and what went wrong last, for people. */
uint64_t journal_set_aside(const struct journal *journal);
const char *journal_why(struct journal *journal);

/* What the run before raised and did not journal, by its number; or, when EXACT is false, nobody
 * knows whether anything was (the machine went down). Constant. */
struct journal_loss {
    uint64_t count;
    bool exact;
};
struct journal_loss journal_loss(const struct journal *journal);

struct journal_output {
    const char *name;
    int bit;          /* of routes; -1: to be found or given */
    int64_t cursor;   /* up to this seq it has settled all it was routed */
    uint64_t pending; /* how many behind it it has not */
    uint64_t expired; /* how many were taken by retention, ever */
};

/* Looks up outputs by their names after an open; those with a bit are put there as they are, those
 * without get bit and place: where they were, or, for new names, the end. Names that are not among
 * them are let go when they were not for as long as alerts are kept. */
int journal_enrol(struct journal *journal, struct journal_output *outputs, size_t count);

/* The seq of the alert that was journalled last. */
int64_t journal_last(const struct journal *journal);

struct journal_alert {
    int64_t seq;
    int64_t time;
    uint64_t route; /* 1 << bit an output */
    struct text id, host, rule, title, message, json;
    int severity;
};

/* An alert that an output rejected. */
struct journal_dead_letter {
    const char *output;
    int64_t seq;
    const char *id;
    int64_t time;
    const char *reason;
};

/* One transaction. What goes wrong between begin and commit is said by commit: then nothing of it
 * is there. */
void journal_begin(struct journal *journal);
void journal_put_alert(struct journal *journal, const struct journal_alert *alert);
void journal_put_output(struct journal *journal, const struct journal_output *output);
void journal_put_dead_letter(struct journal *journal, const struct journal_dead_letter *letter);
/* That many raised alerts are journalled by this transaction or told of as not journalled. */
void journal_put_accounted(struct journal *journal, uint64_t count);
/* Deletes everything up to that seq. */
void journal_put_expiry(struct journal *journal, int64_t until);
int journal_commit(struct journal *journal);

/* Up to which seq alerts are to be deleted at NOW, some of them; *UNTIL 0: none. 1: the journal is
 * so much larger than it may be that nothing should come to it before that is done. -errno. */
int journal_find_expiry(struct journal *journal, int64_t now, int64_t *until);

/* How many alerts of an output there are behind AFTER, up to UNTIL. */
int journal_count(struct journal *journal, int bit, int64_t after, int64_t until, uint64_t *out);

/* The alerts of an output behind *AFTER, in order, borrowed for the call, until FN says false or
 * several hundred alerts of whatever output were looked at; *AFTER is then the last one's seq, of
 * those FN took or passed over. How many these were, 0 at the end; -errno. */
typedef bool journal_alert_fn(void *context, const struct journal_alert *alert);
int journal_read(struct journal *journal, int bit, int64_t *after, journal_alert_fn *fn,
                 void *context);

#endif
