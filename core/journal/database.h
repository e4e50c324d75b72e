/* The journal's SQLite connection: statements by number, failures as -errno with a sentence, the
 * write-ahead log kept short. One thread's. */
#ifndef PICKET_JOURNAL_DATABASE_H
#define PICKET_JOURNAL_DATABASE_H

#include <sqlite3.h>

#include "base/buffer.h"

enum database_statement {
    DATABASE_BEGIN,
    DATABASE_COMMIT,
    DATABASE_ROLLBACK,
    DATABASE_PUT_ALERT,
    DATABASE_PUT_TEMPLATE,
    DATABASE_PUT_OUTPUT,
    DATABASE_PUT_DEAD_LETTER,
    DATABASE_PUT_STATE,
    DATABASE_EXPIRE_ALERTS,
    DATABASE_EXPIRE_TEMPLATES,
    DATABASE_EXPIRE_DEAD_LETTERS,
    DATABASE_FIRST,
    DATABASE_OLDEST,
    DATABASE_FIND_OLD,
    DATABASE_COUNT,
    DATABASE_READ,
    DATABASE_TEMPLATE,
    DATABASE_PAGES,
    DATABASE_FREE_PAGES,
    DATABASE_STATEMENTS
};

struct database {
    sqlite3 *handle; /* NULL: closed */
    sqlite3_stmt *statements[DATABASE_STATEMENTS];
    struct buffer why;   /* of the last failure */
    int frames;          /* in the write-ahead log */
    int next_checkpoint; /* at how many frames */
    int64_t page_size;
};

/* Opens or makes the file and sets it up; the schema is the caller's. -errno. */
int database_open(struct database *database, const char *path);

/* After all statements that read were reset. */
void database_close(struct database *database);
void database_deinit(struct database *database);

/* Statements without a result. -errno. */
int database_execute(struct database *database, const char *sql);

/* The first value of the first row; 0 without one. -errno. */
int database_ask(struct database *database, const char *sql, int64_t *out);

/* The statement, prepared at its first use and without values from the last one; NULL: the failure
 * is in `why`, and database_failure() has it. */
sqlite3_stmt *database_statement(struct database *database, enum database_statement which);

/* Runs a statement that gives no rows, and resets it. -errno. */
int database_run(struct database *database, sqlite3_stmt *statement);

/* What SQLite's last failure is as -errno; its words go to `why`. */
int database_failure(struct database *database);

/* Copies what is committed from the log into the file once there is enough of it. -EAGAIN: a reader
 * keeps it from that, and the log has become longer than MOST bytes; else failures are of no
 * consequence now. */
int database_checkpoint(struct database *database, int64_t most);

/* Whether the file is still there by its name. */
bool database_is_in_place(struct database *database);

#endif
