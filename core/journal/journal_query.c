#include "journal/journal_state.h"

#include <errno.h>

/* How many alerts one look at the journal reads, and one transaction deletes at most. */
#define READ_STEP   512
#define EXPIRY_STEP 4096

/* Nothing is added to a journal that is larger than it may be by this part of that: an alert that
 * is let go may have taken far less room than one that comes. */
#define FAR_PART 32

/* The value of a statement that gives one. */
static int ask(struct journal *journal, sqlite3_stmt *statement, int64_t *out)
{
    int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;
    int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_failure(&journal->database);

    if (r == 0)
        *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (statement)
        sqlite3_reset(statement);
    return r < 0 ? journal_give_up(journal, r) : 0;
}

static int ask_for(struct journal *journal, enum database_statement which, int64_t *out)
{
    return ask(journal, database_statement(&journal->database, which), out);
}

/* Everything that is older than LIMIT, of the first STEP. */
static int find_older(struct journal *journal, int64_t limit, int64_t step, int64_t *until)
{
    sqlite3_stmt *statement = database_statement(&journal->database, DATABASE_FIND_OLD);

    if (statement) {
        sqlite3_bind_int64(statement, 1, step < EXPIRY_STEP ? step : EXPIRY_STEP);
        sqlite3_bind_int64(statement, 2, limit);
    }
    return ask(journal, statement, until);
}

static int find_used(struct journal *journal, int64_t *out)
{
    int64_t pages = 0, free_pages = 0;
    int r = ask_for(journal, DATABASE_PAGES, &pages);

    if (r == 0)
        r = ask_for(journal, DATABASE_FREE_PAGES, &free_pages);
    *out = (pages - free_pages) * journal->database.page_size;
    return r;
}

/* As many as take what is too much if all take the same. */
static int find_too_many(struct journal *journal, int64_t used, int64_t *until)
{
    int64_t over = used - journal->options.size, first = 0;
    int r = ask_for(journal, DATABASE_FIRST, &first);
    double count = (double)(journal->last - first + 1) * (double)over / (double)used;

    if (r == 0)
        r = find_older(journal, INT64_MAX, (int64_t)count + 1, until);
    return r == 0 && *until && over > journal->options.size / FAR_PART ? 1 : r;
}

int journal_find_expiry(struct journal *journal, int64_t now, int64_t *until)
{
    int64_t used = 0, oldest = 0;

    *until = 0;
    if (!journal_is_open(journal))
        return -EIO;
    int r = find_used(journal, &used);

    if (r == 0 && used > journal->options.size)
        return find_too_many(journal, used, until);
    if (r == 0)
        r = ask_for(journal, DATABASE_OLDEST, &oldest);
    if (r == 0 && oldest && oldest < now - journal->options.age)
        return find_older(journal, now - journal->options.age, EXPIRY_STEP, until);
    return r;
}

int journal_count(struct journal *journal, int bit, int64_t after, int64_t until, uint64_t *out)
{
    sqlite3_stmt *statement =
        journal_is_open(journal) ? database_statement(&journal->database, DATABASE_COUNT) : NULL;
    int64_t count = 0;

    if (!journal_is_open(journal))
        return -EIO;
    if (statement) {
        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int64(statement, 2, until);
        sqlite3_bind_int(statement, 3, bit);
    }
    int r = ask(journal, statement, &count);

    if (r == 0)
        *out = (uint64_t)count;
    return r;
}

static struct text column(sqlite3_stmt *statement, int at)
{
    const char *bytes = (const char *)sqlite3_column_text(statement, at);

    return (struct text){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, at)};
}

static int read_alert(struct journal *journal, sqlite3_stmt *statement, struct journal_alert *out)
{
    *out = (struct journal_alert){
        .seq = sqlite3_column_int64(statement, 0),
        .time = sqlite3_column_int64(statement, 1),
        .severity = sqlite3_column_int(statement, 2),
        .route = (uint64_t)sqlite3_column_int64(statement, 3),
        .id = column(statement, 4),
        .host = column(statement, 5),
        .rule = column(statement, 6),
        .title = column(statement, 7),
        .message = column(statement, 8),
    };
    return unpacker_read(&journal->unpacker,
                         database_statement(&journal->database, DATABASE_TEMPLATE), statement, 9,
                         &out->json);
}

/* What a text was is not what its page's damage made of it: hosts are promised JSON in UTF-8. */
static bool is_sound(const struct journal_alert *alert)
{
    struct text json = alert->json;

    return json.len >= 2 && json.ptr[0] == '{' && json.ptr[json.len - 1] == '}' &&
           !memchr(json.ptr, '\0', json.len) && text_is_utf8(json);
}

/* Up to the row the statement stands on: 1 when FN wants no more; -EUCLEAN, -ENOMEM. */
static int hand_out(struct journal *journal, sqlite3_stmt *statement, int bit, journal_alert_fn *fn,
                    void *context)
{
    uint64_t route = (uint64_t)sqlite3_column_int64(statement, 3);
    struct journal_alert alert;

    if (!(route >> bit & 1))
        return 0;
    int r = read_alert(journal, statement, &alert);

    if (r == 0 && !is_sound(&alert))
        r = -EUCLEAN;
    if (r == -EUCLEAN)
        return journal_fail(journal, r, "an alert in it is damaged");
    return r < 0 ? journal_fail(journal, r, strerror(-r)) : !fn(context, &alert);
}

int journal_read(struct journal *journal, int bit, int64_t *after, journal_alert_fn *fn,
                 void *context)
{
    if (!journal_is_open(journal))
        return -EIO;
    sqlite3_stmt *statement = database_statement(&journal->database, DATABASE_READ);
    int code = SQLITE_ERROR, looked = 0, r = 0;

    if (statement) {
        sqlite3_bind_int64(statement, 1, *after);
        sqlite3_bind_int(statement, 2, READ_STEP);
    }
    while (r == 0 && statement && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        r = hand_out(journal, statement, bit, fn, context);
        if (r == 0) {
            *after = sqlite3_column_int64(statement, 0);
            looked++;
        }
    }
    if (r == 0 && code != SQLITE_DONE)
        r = database_failure(&journal->database);
    if (statement)
        sqlite3_reset(statement);
    return r < 0 ? journal_give_up(journal, r) : looked;
}
