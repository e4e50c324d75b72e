#include "journal/database.h"

#include <errno.h>

#include "journal/packing.h"

/* A larger page has fewer alerts' ends on it, and so is written less often. */
#define SETUP                               \
    "PRAGMA page_size = 16384;"             \
    "PRAGMA journal_mode = WAL;"            \
    "PRAGMA synchronous = FULL;"            \
    "PRAGMA journal_size_limit = 67108864;" \
    "PRAGMA temp_store = MEMORY;"           \
    "PRAGMA cache_size = -4096;"

/* How long others may keep us from writing: for as long nothing is delivered. ms */
#define BUSY_TIME 20

#define CHECKPOINT_FRAMES 1000

static const char *const texts[DATABASE_STATEMENTS] = {
    [DATABASE_BEGIN] = "BEGIN IMMEDIATE",
    [DATABASE_COMMIT] = "COMMIT",
    [DATABASE_ROLLBACK] = "ROLLBACK",
    [DATABASE_PUT_ALERT] = "INSERT INTO alerts(seq, time, severity, route, id, host, rule, title,"
                           " message, json, template)"
                           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [DATABASE_PUT_TEMPLATE] = "INSERT OR REPLACE INTO templates(number, json) VALUES(?1, ?2)",
    [DATABASE_PUT_OUTPUT] = "UPDATE outputs SET cursor = ?2, pending = ?3, expired = ?4"
                            " WHERE bit = ?1",
    [DATABASE_PUT_DEAD_LETTER] = "INSERT INTO dead_letters(output, seq, id, time, reason)"
                                 " VALUES(?1, ?2, ?3, ?4, ?5)",
    [DATABASE_PUT_STATE] = "UPDATE state SET last = ?1, accounted = ?2",
    [DATABASE_EXPIRE_ALERTS] = "DELETE FROM alerts WHERE seq <= ?1",
    /* What comes behind ?1 was packed with the last of them or a later one. */
    [DATABASE_EXPIRE_TEMPLATES] = "DELETE FROM templates WHERE number <"
                                  " (SELECT max(number) FROM templates WHERE number <= ?1)",
    [DATABASE_EXPIRE_DEAD_LETTERS] = "DELETE FROM dead_letters WHERE seq <= ?1",
    [DATABASE_FIRST] = "SELECT seq FROM alerts ORDER BY seq LIMIT 1",
    [DATABASE_OLDEST] = "SELECT time FROM alerts ORDER BY seq LIMIT 1",
    [DATABASE_FIND_OLD] = "SELECT max(seq) FROM (SELECT seq, time FROM alerts ORDER BY seq"
                          " LIMIT ?1) WHERE time < ?2",
    [DATABASE_COUNT] = "SELECT count(*) FROM alerts WHERE seq > ?1 AND seq <= ?2"
                       " AND route >> ?3 & 1",
    [DATABASE_READ] = "SELECT seq, time, severity, route, id, host, rule, title, message, json,"
                      " template FROM alerts WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    [DATABASE_TEMPLATE] = UNPACKER_LOOKUP,
    [DATABASE_PAGES] = "PRAGMA page_count",
    [DATABASE_FREE_PAGES] = "PRAGMA freelist_count",
};

static int error_number(int code, int system)
{
    switch (code) {
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
        return -EUCLEAN;
    case SQLITE_ERROR: /* a table or a column is not there */
        return -EBADMSG;
    default:
        return system > 0 ? -system : -EIO;
    }
}

int database_failure(struct database *database)
{
    int code = database->handle ? sqlite3_errcode(database->handle) : SQLITE_NOMEM;
    int system = database->handle ? sqlite3_system_errno(database->handle) : 0;
    int r = error_number(code & 0xff, system);

    buffer_clear(&database->why);
    buffer_put_string(&database->why, sqlite3_errstr(code));
    if (r == -system)
        buffer_printf(&database->why, " (%s)", strerror(system));
    return r;
}

static int on_log(void *context, sqlite3 *handle, const char *name, int frames)
{
    struct database *database = context;

    if (frames < database->frames) /* it began anew */
        database->next_checkpoint = CHECKPOINT_FRAMES;
    database->frames = frames;
    return SQLITE_OK;
}

int database_execute(struct database *database, const char *sql)
{
    return sqlite3_exec(database->handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : database_failure(database);
}

int database_ask(struct database *database, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database->handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_failure(database);

    if (r == 0)
        *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return r;
}

static int set_up(struct database *database)
{
    int keep = 1;

    sqlite3_extended_result_codes(database->handle, 1);
    sqlite3_busy_timeout(database->handle, BUSY_TIME);
    /* Who may only look at the journal could not make the log that a look takes. */
    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    int r = database_execute(database, SETUP);

    /* After SETUP: it takes the place of SQLite's own, which checkpoints. */
    sqlite3_wal_hook(database->handle, on_log, database);
    return r ? r : database_ask(database, "PRAGMA page_size", &database->page_size);
}

int database_open(struct database *database, const char *path)
{
    int code =
        sqlite3_open_v2(path, &database->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    int r = code == SQLITE_OK ? set_up(database) : database_failure(database);

    database->frames = 0;
    database->next_checkpoint = CHECKPOINT_FRAMES;
    if (r < 0)
        database_close(database);
    return r;
}

void database_close(struct database *database)
{
    for (size_t i = 0; i < DATABASE_STATEMENTS; i++) {
        sqlite3_finalize(database->statements[i]);
        database->statements[i] = NULL;
    }
    sqlite3_close_v2(database->handle);
    database->handle = NULL;
}

void database_deinit(struct database *database)
{
    database_close(database);
    buffer_deinit(&database->why);
}

sqlite3_stmt *database_statement(struct database *database, enum database_statement which)
{
    sqlite3_stmt **statement = &database->statements[which];

    if (!*statement && sqlite3_prepare_v3(database->handle, texts[which], -1,
                                          SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK)
        return NULL;
    return *statement;
}

int database_run(struct database *database, sqlite3_stmt *statement)
{
    if (!statement)
        return database_failure(database);
    int code = sqlite3_step(statement);
    int r = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : database_failure(database);

    sqlite3_reset(statement);
    return r;
}

int database_checkpoint(struct database *database, int64_t most)
{
    int frames = 0, copied = 0;

    if (database->frames < database->next_checkpoint)
        return 0;
    int code = sqlite3_wal_checkpoint_v2(database->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames,
                                         &copied);

    /* The next transaction begins the log anew, but not while somebody reads from it. */
    database->next_checkpoint = database->frames + CHECKPOINT_FRAMES;
    if ((code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY) && copied < frames &&
        frames * database->page_size > most) {
        buffer_clear(&database->why);
        buffer_put_string(&database->why, "a program that reads it keeps its log from ending");
        database->next_checkpoint = database->frames;
        return -EAGAIN;
    }
    return (code & 0xff) == SQLITE_CORRUPT ? database_failure(database) : 0;
}

bool database_is_in_place(struct database *database)
{
    int moved = 0;

    sqlite3_file_control(database->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return !moved;
}
