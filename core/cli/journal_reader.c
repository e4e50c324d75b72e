#include "cli/journal_reader.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "alert/alert_id.h"
#include "base/clock.h"
#include "journal/packing.h"

/* How long the engine may keep us from reading, which it does while it mends what a crash left. */
#define BUSY_TIME 10000 /* ms */

#define STEP 512

/* No alert is near it: a text that says so is a lie. */
#define LENGTH_MAX (64 << 20)

#define ID_TIME_LEN 10

#define COLUMNS "seq, time, severity, route, id, host, rule, title, message, json, template"

struct journal_reader {
    sqlite3 *handle;
    sqlite3_stmt *steps[2]; /* upwards, downwards */
    sqlite3_stmt *lookup;   /* of a template */
    struct unpacker unpacker;
    char *path, *log; /* of the write-ahead log */
    dev_t device;     /* of the file that is open */
    ino_t inode;
    bool fixed; /* there was no log: nobody writes to it */
    bool broken;
    int64_t number;
    struct buffer why;
};

static int fail(struct journal_reader *reader)
{
    int code = sqlite3_extended_errcode(reader->handle);
    int system = sqlite3_system_errno(reader->handle);

    buffer_clear(&reader->why);
    buffer_printf(&reader->why, "cannot be read: %s", sqlite3_errstr(code));
    if (system && (code & 0xff) != SQLITE_NOTADB && (code & 0xff) != SQLITE_CORRUPT)
        buffer_printf(&reader->why, " (%s)", strerror(system));
    if ((code & 0xff) != SQLITE_BUSY)
        reader->broken = true;
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EUCLEAN;
    case SQLITE_BUSY:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static int refuse(struct journal_reader *reader, int r, const char *why)
{
    buffer_clear(&reader->why);
    buffer_put_string(&reader->why, why);
    return r;
}

static void finalizep(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}

static int prepare(struct journal_reader *reader, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(reader->handle, sql, -1, out, NULL) == SQLITE_OK ? 0 : fail(reader);
}

/* The value that a statement gives. */
static int ask(struct journal_reader *reader, const char *sql, int64_t *out)
{
    CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
    int r = prepare(reader, sql, &statement);

    if (r < 0)
        return r;
    int code = sqlite3_step(statement);

    if (code == SQLITE_DONE)
        return refuse(reader, -EUCLEAN, "is no journal, or is damaged");
    if (code != SQLITE_ROW)
        return fail(reader);
    *out = sqlite3_column_int64(statement, 0);
    return 0;
}

/* SQLite reads some files without a log by making one beside them; told that nobody writes to it,
 * it leaves no traces. */
static int put_uri(struct journal_reader *reader, struct buffer *uri)
{
    static const char hex[] = "0123456789abcdef";
    struct stat status;

    reader->fixed = stat(reader->log, &status) < 0 && errno == ENOENT;
    buffer_put_string(uri, reader->path[0] == '/' ? "file://" : "file:./");
    for (const unsigned char *at = (const unsigned char *)reader->path; *at; at++) {
        if (*at > ' ' && *at < 0x7f && !strchr("%?#", *at))
            buffer_put_char(uri, (char)*at);
        else
            buffer_put(uri, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
    }
    buffer_put_string(uri, reader->fixed ? "?immutable=1" : "?mode=ro");
    return buffer_failed(uri) ? -ENOMEM : 0;
}

/* The file may have been made by somebody who took over the engine's user, to be read by root. */
static void distrust(sqlite3 *handle)
{
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
    sqlite3_exec(handle, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL, NULL);
}

static int open_database(struct journal_reader *reader)
{
    CLEANUP(buffer_deinit) struct buffer uri = {0};
    int r = put_uri(reader, &uri);

    if (r < 0)
        return refuse(reader, r, "cannot be read: out of memory");
    int code = sqlite3_open_v2(buffer_string(&uri), &reader->handle,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return fail(reader);
    sqlite3_extended_result_codes(reader->handle, 1);
    sqlite3_busy_timeout(reader->handle, BUSY_TIME);
    distrust(reader->handle);
    return 0;
}

static int check(struct journal_reader *reader)
{
    int64_t application = 0, version = 0;
    int r = ask(reader, "PRAGMA application_id", &application);

    if (r == 0)
        r = ask(reader, "PRAGMA user_version", &version);
    if (r == -EUCLEAN)
        return refuse(reader, r, "is no journal, or is damaged");
    if (r < 0)
        return r;
    if (application != JOURNAL_APPLICATION)
        return refuse(reader, -EINVAL,
                      "is no journal, but a database of something else, or a copy without the "
                      "'-wal' that was beside it");
    if (version != JOURNAL_SCHEMA_VERSION) {
        refuse(reader, -EINVAL, "");
        buffer_printf(&reader->why,
                      "is of %s version of picket: its schema is %lld, and %d is what can be read",
                      version > JOURNAL_SCHEMA_VERSION ? "a later" : "another", (long long)version,
                      JOURNAL_SCHEMA_VERSION);
        return -EINVAL;
    }
    return ask(reader, "SELECT journal FROM state", &reader->number);
}

static int fail_to_open(struct journal_reader *reader, int error)
{
    buffer_clear(&reader->why);
    if (error == ENOENT)
        buffer_put_string(&reader->why, "is not there");
    else if (error == EACCES)
        buffer_put_string(&reader->why, "may not be read: that is for root and the group of the "
                                        "engine's user");
    else
        buffer_printf(&reader->why, "cannot be read: %s", strerror(error));
    return -error;
}

/* What SQLite would not say clearly. */
static int check_file(struct journal_reader *reader)
{
    struct stat status;

    if (stat(reader->path, &status) < 0)
        return fail_to_open(reader, errno);
    if (!S_ISREG(status.st_mode))
        return refuse(reader, -EINVAL, "is no journal: it is no file");
    if (access(reader->path, R_OK) < 0)
        return fail_to_open(reader, errno);
    if (status.st_size == 0)
        return refuse(reader, -EINVAL, "is no journal: it is empty");
    reader->device = status.st_dev;
    reader->inode = status.st_ino;
    return 0;
}

static int name_files(struct journal_reader *reader, const char *path)
{
    reader->path = strdup(path);
    if (asprintf(&reader->log, "%s-wal", path) < 0)
        reader->log = NULL;
    return reader->path && reader->log ? 0 : -ENOMEM;
}

int journal_reader_open(const char *path, struct buffer *why, struct journal_reader **out)
{
    CLEANUP(journal_reader_freep) struct journal_reader *reader = calloc(1, sizeof *reader);

    int r = reader ? name_files(reader, path) : -ENOMEM;

    if (r < 0) {
        buffer_put_string(why, "cannot be read: out of memory");
        return r;
    }
    r = check_file(reader);
    if (r == 0)
        r = open_database(reader);
    if (r == 0)
        r = check(reader);
    if (r < 0) {
        buffer_put_string(why, journal_reader_why(reader));
        return r;
    }
    *out = reader;
    reader = NULL;
    return 0;
}

void journal_reader_free(struct journal_reader *reader)
{
    if (!reader)
        return;
    for (size_t i = 0; i < 2; i++)
        sqlite3_finalize(reader->steps[i]);
    sqlite3_finalize(reader->lookup);
    unpacker_deinit(&reader->unpacker);
    sqlite3_close_v2(reader->handle);
    buffer_deinit(&reader->why);
    free(reader->path);
    free(reader->log);
    free(reader);
}

int64_t journal_reader_number(const struct journal_reader *reader)
{
    return reader->number;
}

bool journal_reader_is_current(const struct journal_reader *reader)
{
    struct stat status;

    if (reader->broken || stat(reader->path, &status) < 0)
        return false;
    return status.st_dev == reader->device && status.st_ino == reader->inode &&
           !(reader->fixed && stat(reader->log, &status) == 0);
}

const char *journal_reader_why(struct journal_reader *reader)
{
    return buffer_string(&reader->why);
}

/* Ids sort by time. Those of one millisecond begin alike. */
static void bind_time(sqlite3_stmt *statement, int at, int64_t time)
{
    struct alert_id id = alert_id_make(time, (const uint64_t[3]){0}, TEXT(""));

    sqlite3_bind_text(statement, at, id.text, ID_TIME_LEN, SQLITE_TRANSIENT);
}

int journal_reader_span(struct journal_reader *reader, int64_t since, int64_t until,
                        struct journal_span *out)
{
    static const char *const whole =
        "SELECT (SELECT min(seq) FROM alerts), (SELECT max(seq) FROM alerts)";
    static const char *const part =
        "SELECT min(seq), max(seq) FROM alerts WHERE id >= ?1 AND id < ?2";
    bool all = since <= 0 && until == INT64_MAX;
    CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
    int r = prepare(reader, all ? whole : part, &statement);

    if (r < 0)
        return r;
    if (!all) {
        bind_time(statement, 1, since);
        bind_time(statement, 2, until <= INT64_MAX - NS_PER_MS ? until + NS_PER_MS : INT64_MAX);
    }
    if (sqlite3_step(statement) != SQLITE_ROW)
        return fail(reader);
    *out = (struct journal_span){0, -1};
    if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
        *out = (struct journal_span){sqlite3_column_int64(statement, 0),
                                     sqlite3_column_int64(statement, 1)};
    return 0;
}

static struct text column(sqlite3_stmt *statement, int at)
{
    const char *bytes = (const char *)sqlite3_column_text(statement, at);

    return (struct text){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, at)};
}

static int read_alert(struct journal_reader *reader, sqlite3_stmt *statement,
                      struct journal_alert *out)
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
    int r = reader->lookup ? 0 : prepare(reader, UNPACKER_LOOKUP, &reader->lookup);

    if (r == 0)
        r = unpacker_read(&reader->unpacker, reader->lookup, statement, 9, &out->json);
    return r == -EUCLEAN ? refuse(reader, r, "is damaged: an alert in it cannot be read") : r;
}

/* How many rows there were until FN had enough, or -errno. */
static int run(struct journal_reader *reader, sqlite3_stmt *statement, journal_alert_fn *fn,
               void *context, int64_t *seq)
{
    int code, count = 0;

    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_alert alert;
        int r = read_alert(reader, statement, &alert);

        if (r < 0)
            return r;
        *seq = alert.seq;
        count++;
        if (!fn(context, &alert))
            break;
    }
    return code == SQLITE_ROW || code == SQLITE_DONE ? count : fail(reader);
}

int journal_reader_step(struct journal_reader *reader, struct journal_span *span, bool down,
                        journal_alert_fn *fn, void *context)
{
    static const char *const texts[] = {
        "SELECT " COLUMNS " FROM alerts WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3",
        "SELECT " COLUMNS " FROM alerts WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq DESC LIMIT ?3",
    };
    sqlite3_stmt **statement = &reader->steps[down];
    int64_t seq = 0;
    int r = *statement ? 0 : prepare(reader, texts[down], statement);

    if (r < 0)
        return r;
    sqlite3_bind_int64(*statement, 1, span->first);
    sqlite3_bind_int64(*statement, 2, span->last);
    sqlite3_bind_int(*statement, 3, STEP);
    r = run(reader, *statement, fn, context, &seq);
    sqlite3_reset(*statement);
    if (r > 0 && down ? seq == INT64_MIN : seq == INT64_MAX)
        *span = (struct journal_span){0, -1};
    else if (r > 0 && down)
        span->last = seq - 1;
    else if (r > 0)
        span->first = seq + 1;
    return r;
}

int journal_reader_find(struct journal_reader *reader, struct text prefix, journal_alert_fn *fn,
                        void *context)
{
    CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
    int64_t seq;
    int r = prepare(reader,
                    "SELECT " COLUMNS " FROM alerts WHERE id >= ?1 AND id < ?1 || '~'"
                    " ORDER BY id, seq DESC",
                    &statement);

    if (r < 0)
        return r;
    sqlite3_bind_text(statement, 1, prefix.ptr, (int)prefix.len, SQLITE_STATIC);
    r = run(reader, statement, fn, context, &seq);
    return r < 0 ? r : 0;
}

int journal_reader_receipts(struct journal_reader *reader, int64_t seq, journal_receipt_fn *fn,
                            void *context)
{
    CLEANUP(finalizep) sqlite3_stmt *statement = NULL;
    int code;
    int r = prepare(reader,
                    "SELECT o.name, o.cursor >= a.seq, d.reason FROM alerts a"
                    " JOIN outputs o ON a.route >> o.bit & 1"
                    " LEFT JOIN dead_letters d ON d.seq = a.seq AND d.output = o.name"
                    " WHERE a.seq = ?1 ORDER BY o.bit",
                    &statement);

    if (r < 0)
        return r;
    sqlite3_bind_int64(statement, 1, seq);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct journal_receipt receipt = {.output = column(statement, 0),
                                          .settled = sqlite3_column_int(statement, 1)};

        if (sqlite3_column_type(statement, 2) != SQLITE_NULL)
            receipt.rejected = column(statement, 2);
        fn(context, &receipt);
    }
    return code == SQLITE_DONE ? 0 : fail(reader);
}
