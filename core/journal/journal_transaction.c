#include "journal/journal_state.h"

#include <errno.h>

#include "base/clock.h"

#define LOOK_PAUSE NS_PER_S /* between looks at whether the file is in place */

/* How long the write-ahead log may become when a reader keeps it from ending, in parts of `size`
 * and at least. */
#define LOG_PART  4
#define LOG_LEAST ((int64_t)64 << 20)

static void run(struct journal *journal, sqlite3_stmt *statement)
{
    journal->failure = database_run(&journal->database, statement);
}

/* Writing to a file that has no name any more would be writing to nobody. */
static int look(struct journal *journal)
{
    int64_t now = clock_monotonic();

    if (now < journal->next_look)
        return 0;
    journal->next_look = now + LOOK_PAUSE;
    if (database_is_in_place(&journal->database))
        return 0;
    return journal_fail(journal, -EUCLEAN, "somebody moved or removed its file");
}

static int64_t log_most(const struct journal *journal)
{
    int64_t part = journal->options.size / LOG_PART;

    return part > LOG_LEAST ? part : LOG_LEAST;
}

void journal_begin(struct journal *journal)
{
    struct database *database = &journal->database;

    journal->tx_last = journal->last;
    journal->tx_accounted = journal->accounted;
    journal->tx_changes_state = false;
    journal->failure = journal_is_open(journal) ? look(journal) : -EIO;
    if (journal->failure == 0)
        journal->failure = database_checkpoint(database, log_most(journal));
    if (journal->failure == 0)
        run(journal, database_statement(database, DATABASE_BEGIN));
}

static void bind_text(sqlite3_stmt *statement, int at, struct text t)
{
    sqlite3_bind_text(statement, at, t.ptr ? t.ptr : "", (int)t.len, SQLITE_STATIC);
}

/* NULL: the transaction has failed. */
static sqlite3_stmt *next_statement(struct journal *journal, enum database_statement which)
{
    if (journal->failure < 0)
        return NULL;
    sqlite3_stmt *statement = database_statement(&journal->database, which);

    if (!statement)
        journal->failure = database_failure(&journal->database);
    return statement;
}

static void put_template(struct journal *journal)
{
    sqlite3_stmt *statement = next_statement(journal, DATABASE_PUT_TEMPLATE);

    if (!statement)
        return;
    sqlite3_bind_int64(statement, 1, journal->packer.number);
    bind_text(statement, 2, buffer_text(&journal->packer.template));
    run(journal, statement);
}

/* Packed where that pays. */
static void bind_json(struct journal *journal, sqlite3_stmt *statement, bool packs,
                      struct text json)
{
    struct text packed;

    if (packs && packer_pack(&journal->packer, json, &packed)) {
        sqlite3_bind_blob(statement, 10, packed.ptr, (int)packed.len, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 11, journal->packer.number);
    } else {
        bind_text(statement, 10, json);
        sqlite3_bind_null(statement, 11);
    }
}

void journal_put_alert(struct journal *journal, const struct journal_alert *alert)
{
    bool begins;
    bool packs = packer_prepare(&journal->packer, alert->seq, alert->json, &begins);

    if (begins)
        put_template(journal);
    sqlite3_stmt *statement = next_statement(journal, DATABASE_PUT_ALERT);

    if (!statement)
        return;
    sqlite3_bind_int64(statement, 1, alert->seq);
    sqlite3_bind_int64(statement, 2, alert->time);
    sqlite3_bind_int(statement, 3, alert->severity);
    sqlite3_bind_int64(statement, 4, (int64_t)alert->route);
    bind_text(statement, 5, alert->id);
    bind_text(statement, 6, alert->host);
    bind_text(statement, 7, alert->rule);
    bind_text(statement, 8, alert->title);
    bind_text(statement, 9, alert->message);
    bind_json(journal, statement, packs, alert->json);
    run(journal, statement);
    journal->tx_last = alert->seq;
    journal->tx_changes_state = true;
}

void journal_put_output(struct journal *journal, const struct journal_output *output)
{
    sqlite3_stmt *statement = next_statement(journal, DATABASE_PUT_OUTPUT);

    if (!statement)
        return;
    sqlite3_bind_int(statement, 1, output->bit);
    sqlite3_bind_int64(statement, 2, output->cursor);
    sqlite3_bind_int64(statement, 3, (int64_t)output->pending);
    sqlite3_bind_int64(statement, 4, (int64_t)output->expired);
    run(journal, statement);
}

void journal_put_dead_letter(struct journal *journal, const struct journal_dead_letter *letter)
{
    sqlite3_stmt *statement = next_statement(journal, DATABASE_PUT_DEAD_LETTER);

    if (!statement)
        return;
    bind_text(statement, 1, text_from(letter->output));
    sqlite3_bind_int64(statement, 2, letter->seq);
    bind_text(statement, 3, text_from(letter->id));
    sqlite3_bind_int64(statement, 4, letter->time);
    bind_text(statement, 5, text_from(letter->reason));
    run(journal, statement);
}

void journal_put_accounted(struct journal *journal, uint64_t count)
{
    journal->tx_accounted += count;
    journal->tx_changes_state = true;
}

void journal_put_expiry(struct journal *journal, int64_t until)
{
    static const enum database_statement steps[] = {
        DATABASE_EXPIRE_ALERTS, DATABASE_EXPIRE_TEMPLATES, DATABASE_EXPIRE_DEAD_LETTERS};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        sqlite3_stmt *statement = next_statement(journal, steps[i]);

        if (!statement)
            return;
        sqlite3_bind_int64(statement, 1, until);
        run(journal, statement);
    }
}

static void put_state(struct journal *journal)
{
    sqlite3_stmt *statement = next_statement(journal, DATABASE_PUT_STATE);

    if (!statement)
        return;
    sqlite3_bind_int64(statement, 1, journal->tx_last);
    sqlite3_bind_int64(statement, 2, (int64_t)journal->tx_accounted);
    run(journal, statement);
}

int journal_commit(struct journal *journal)
{
    struct database *database = &journal->database;

    if (journal->tx_changes_state)
        put_state(journal);
    sqlite3_stmt *statement = next_statement(journal, DATABASE_COMMIT);

    if (statement)
        run(journal, statement);
    if (journal->failure == 0) {
        journal->last = journal->tx_last;
        journal->accounted = journal->tx_accounted;
        return 0;
    }
    packer_forget(&journal->packer); /* its template may be among what is undone */
    if (journal_is_open(journal) && !sqlite3_get_autocommit(database->handle))
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return journal_give_up(journal, journal->failure);
}
