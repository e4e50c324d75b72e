#include "journal/enrolment.h"

#include <errno.h>

enum step { STEP_FIND, STEP_MAKE, STEP_SEE, STEP_FORGET, STEP_TAKE_BIT, STEP_USED };

static const char *const texts[] = {
    [STEP_FIND] = "SELECT bit, cursor, pending, expired FROM outputs WHERE name = ?1",
    [STEP_MAKE] = "INSERT OR REPLACE INTO outputs(bit, name, cursor, pending, expired, seen)"
                  " VALUES(?2, ?1, ?3, ?4, ?5, ?6)",
    [STEP_SEE] = "UPDATE outputs SET seen = ?2 WHERE name = ?1",
    [STEP_FORGET] = "DELETE FROM outputs WHERE seen < ?1",
    [STEP_TAKE_BIT] = "DELETE FROM outputs WHERE bit = (SELECT bit FROM outputs WHERE seen < ?1"
                      " ORDER BY seen LIMIT 1)",
    [STEP_USED] = "SELECT 1 FROM outputs WHERE bit = ?1",
};

static int prepare(struct database *database, enum step step, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(database->handle, texts[step], -1, out, NULL) == SQLITE_OK
               ? 0
               : database_failure(database);
}

/* Runs a statement whose one value is a number. */
static int run_with(struct database *database, enum step step, int64_t value)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(database, step, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_int64(statement, 1, value);
    r = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_failure(database);
    sqlite3_finalize(statement);
    return r;
}

static int see(struct database *database, const char *name, int64_t now)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(database, STEP_SEE, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, now);
    r = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_failure(database);
    sqlite3_finalize(statement);
    return r;
}

/* 1 when there is an output of that name. */
static int find(struct database *database, struct journal_output *output)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(database, STEP_FIND, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_text(statement, 1, output->name, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW) {
        output->bit = sqlite3_column_int(statement, 0);
        output->cursor = sqlite3_column_int64(statement, 1);
        output->pending = (uint64_t)sqlite3_column_int64(statement, 2);
        output->expired = (uint64_t)sqlite3_column_int64(statement, 3);
    }
    r = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : database_failure(database);
    sqlite3_finalize(statement);
    if (r == 1 && (output->bit < 0 || output->bit >= JOURNAL_OUTPUTS_MAX))
        return -EUCLEAN;
    return r;
}

static int make(struct database *database, const struct journal_output *output, int64_t now)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(database, STEP_MAKE, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_text(statement, 1, output->name, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 2, output->bit);
    sqlite3_bind_int64(statement, 3, output->cursor);
    sqlite3_bind_int64(statement, 4, (int64_t)output->pending);
    sqlite3_bind_int64(statement, 5, (int64_t)output->expired);
    sqlite3_bind_int64(statement, 6, now);
    r = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_failure(database);
    sqlite3_finalize(statement);
    return r;
}

static int is_used(struct database *database, int bit)
{
    sqlite3_stmt *statement = NULL;
    int r = prepare(database, STEP_USED, &statement);

    if (r < 0)
        return r;
    sqlite3_bind_int(statement, 1, bit);
    int code = sqlite3_step(statement);

    r = code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : database_failure(database);
    sqlite3_finalize(statement);
    return r;
}

/* The first bit nobody has; when all are taken, that of the name that was not configured for the
 * longest time. There is one: the configured ones are no more than bits. */
static int choose_bit(struct database *database, int64_t now, int *out)
{
    for (;;) {
        int r = 1;

        for (int bit = 0; bit < JOURNAL_OUTPUTS_MAX && r == 1; bit++) {
            r = is_used(database, bit);
            *out = bit;
        }
        if (r <= 0)
            return r;
        r = run_with(database, STEP_TAKE_BIT, now);
        if (r < 0)
            return r;
        if (sqlite3_changes(database->handle) == 0)
            return -EUCLEAN;
    }
}

static int enrol(struct database *database, const struct enrolment *enrolment,
                 struct journal_output *output)
{
    int r = output->bit < 0 ? find(database, output) : 0;

    if (r != 0)
        return r < 0 ? r : 0;
    if (output->bit < 0) {
        r = choose_bit(database, enrolment->now, &output->bit);
        output->cursor = enrolment->last;
        output->pending = output->expired = 0;
    }
    return r < 0 ? r : make(database, output, enrolment->now);
}

static int run_all(struct database *database, const struct enrolment *enrolment)
{
    int r = 0;

    for (size_t i = 0; i < enrolment->count && r == 0; i++)
        r = see(database, enrolment->outputs[i].name, enrolment->now);
    if (r == 0)
        r = run_with(database, STEP_FORGET, enrolment->now - enrolment->age);
    for (size_t i = 0; i < enrolment->count && r == 0; i++)
        r = enrol(database, enrolment, &enrolment->outputs[i]);
    return r;
}

int enrolment_run(struct database *database, const struct enrolment *enrolment)
{
    int r = database_execute(database, "BEGIN IMMEDIATE");

    if (r < 0)
        return r;
    r = run_all(database, enrolment);
    if (r == 0)
        r = database_execute(database, "COMMIT");
    if (r < 0)
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return r;
}
