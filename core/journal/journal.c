#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/database.h"
#include "journal/enrolment.h"
#include "journal/journal_keeper.h"
#include "journal/raise_count.h"

/* How many alerts one look at the journal reads, and one transaction deletes. */
#define READ_STEP   512
#define EXPIRY_STEP 512

/* How long the write-ahead log may become when a reader keeps it from ending, in parts of `size`
 * and at least. */
#define LOG_PART  4
#define LOG_LEAST ((int64_t)64 << 20)

#define LOOK_PAUSE NS_PER_S /* between looks at whether the file is in place */

struct journal {
    struct journal_options options;
    struct journal_keeper keeper;
    struct database database;
    struct raise_count raised;
    int lock;
    bool was_open;  /* in this run: the numbers go on */
    bool has_begun; /* the run: numbers are given */
    bool damaged;   /* to be set aside */
    int64_t number; /* of this journal among others: `state`.`journal` */
    int64_t last;
    uint64_t accounted;
    struct journal_loss loss;
    uint64_t set_aside;
    int64_t next_look;
    /* Of the transaction. */
    int failure;
    int64_t tx_last;
    uint64_t tx_accounted;
    bool tx_changes_state;
};

void journal_raise(struct journal *journal)
{
    raise_count_add(&journal->raised);
}

bool journal_is_open(const struct journal *journal)
{
    return journal->database.handle != NULL;
}

uint64_t journal_set_aside(const struct journal *journal)
{
    return journal->set_aside;
}

const char *journal_why(struct journal *journal)
{
    return buffer_string(&journal->database.why);
}

struct journal_loss journal_loss(const struct journal *journal)
{
    return journal->loss;
}

int64_t journal_last(const struct journal *journal)
{
    return journal->last;
}

static int fail(struct journal *journal, int r, const char *why)
{
    buffer_clear(&journal->database.why);
    buffer_put_string(&journal->database.why, why);
    return r;
}

/* A new one; or one that takes the place of another and goes on with its numbers. */
static int make_schema(struct journal *journal)
{
    CLEANUP(buffer_deinit) struct buffer sql = {0};
    int64_t number = 0;

    while (number == 0)
        if (getrandom(&number, sizeof number, 0) < 0)
            return -errno;
    buffer_printf(&sql,
                  "BEGIN IMMEDIATE;" JOURNAL_SCHEMA "INSERT INTO state VALUES(1, %lld, %lld, %lld,"
                  " 1); PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                  (long long)number, (long long)journal->last, (long long)journal->accounted,
                  JOURNAL_APPLICATION, JOURNAL_SCHEMA_VERSION);
    if (buffer_failed(&sql))
        return -ENOMEM;
    int r = database_execute(&journal->database, buffer_string(&sql));

    if (r < 0)
        return r;
    journal->number = number;
    if (!journal->has_begun)
        journal->raised.page->raised = 0;
    return 0;
}

/* What the page and the database say of the run before. A page of another journal, or none, is what
 * the machine's end leaves. */
static void settle_count(struct journal *journal, bool was_closed)
{
    struct raise_page *page = journal->raised.page;
    uint64_t raised = page->raised;

    if (page->journal == (uint64_t)journal->number && raised >= journal->accounted) {
        journal->loss = (struct journal_loss){raised - journal->accounted, true};
    } else {
        journal->loss = (struct journal_loss){0, was_closed};
        page->raised = journal->accounted;
    }
}

/* What is there already: this run's, if it had it open, or that of a run before. */
static int read_state(struct journal *journal)
{
    struct database *database = &journal->database;
    int64_t number = 0, last = 0, accounted = 0, open = 0;
    int r = database_ask(database, "SELECT journal FROM state", &number);

    if (r == 0)
        r = database_ask(database, "SELECT last FROM state", &last);
    if (r == 0)
        r = database_ask(database, "SELECT accounted FROM state", &accounted);
    if (r == 0)
        r = database_ask(database, "SELECT open FROM state", &open);
    if (r < 0)
        return r;
    if (journal->was_open ? number != journal->number : journal->has_begun)
        return fail(journal, -ESTALE, "another journal is there by now");
    if (journal->was_open)
        return 0;
    journal->number = number;
    journal->last = last;
    journal->accounted = (uint64_t)accounted;
    settle_count(journal, !open);
    return database_execute(database, "UPDATE state SET open = 1");
}

static int check_version(struct journal *journal, int64_t *version)
{
    int64_t application = 0, tables = 0;
    int r = database_ask(&journal->database, "PRAGMA user_version", version);

    if (r == 0)
        r = database_ask(&journal->database, "PRAGMA application_id", &application);
    if (r == 0)
        r = database_ask(&journal->database, "SELECT count(*) FROM sqlite_schema", &tables);
    if (r < 0)
        return r;
    if ((tables && application != JOURNAL_APPLICATION) || *version > JOURNAL_SCHEMA_VERSION)
        return fail(journal, -EINVAL,
                    application == JOURNAL_APPLICATION ? "it is of a later version of picket"
                                                       : "it is a database of something else");
    return 0;
}

static int open_database(struct journal *journal)
{
    int64_t version = 0;
    int r = database_open(&journal->database, journal->keeper.path);

    if (r < 0)
        return r;
    r = check_version(journal, &version);
    if (r == 0)
        r = version ? read_state(journal) : make_schema(journal);
    if (r < 0) {
        database_close(&journal->database);
        return r == -EBADMSG ? -EUCLEAN : r;
    }
    journal->raised.page->journal = (uint64_t)journal->number;
    journal->was_open = true;
    journal->next_look = clock_monotonic() + LOOK_PAUSE;
    return 0;
}

/* Its numbers go on when they were read, or given in this run. */
static int begin_another(struct journal *journal)
{
    CLEANUP(buffer_deinit) struct buffer why = {0};

    journal->damaged = true;
    buffer_put_string(&why, journal_why(journal));
    int r = journal_keeper_set_aside(&journal->keeper, clock_realtime());

    if (r < 0)
        return fail(journal, r, strerror(-r));
    journal->set_aside++;
    journal->damaged = false;
    journal->was_open = false;
    if (!journal->has_begun)
        journal->loss.exact = false;
    r = open_database(journal);
    if (r == 0)
        fail(journal, 0, buffer_string(&why));
    return r;
}

int journal_open(struct journal *journal)
{
    if (journal_is_open(journal))
        return 0;
    int r = journal->damaged ? -EUCLEAN : open_database(journal);

    return r == -EUCLEAN ? begin_another(journal) : r;
}

static int take_lock(struct journal *journal, struct buffer *why)
{
    char holder[32] = "";

    journal->lock = journal_keeper_open(&journal->keeper, JOURNAL_LOCK, O_CREAT);
    if (journal->lock < 0) {
        buffer_printf(why, "its folder cannot be written to by user %u: %s",
                      (unsigned)journal->options.uid, strerror(-journal->lock));
        return journal->lock;
    }
    if (flock(journal->lock, LOCK_EX | LOCK_NB) < 0) {
        int r = errno == EWOULDBLOCK ? -EBUSY : -errno;
        ssize_t len = pread(journal->lock, holder, sizeof holder - 1, 0);

        buffer_printf(why, "another picket has it%s%.*s", len > 0 ? ": process " : "",
                      len > 0 ? (int)strcspn(holder, "\n") : 0, holder);
        return r;
    }
    int len = snprintf(holder, sizeof holder, "%d\n", getpid());

    /* For people: a full disk has nothing to say there. */
    if (pwrite(journal->lock, holder, (size_t)len, 0) == len && ftruncate(journal->lock, len) < 0)
        return -errno;
    return 0;
}

/* What the disk may do later as well is no reason not to start. */
static bool is_passing(int r)
{
    return r == -ENOSPC || r == -EDQUOT || r == -EIO || r == -EROFS || r == -EBUSY;
}

static int init(struct journal *journal, struct buffer *why)
{
    const struct journal_options *options = &journal->options;
    int r = journal_keeper_start(&journal->keeper, options->path, options->uid, options->gid);

    if (r < 0)
        buffer_printf(why, "%s", strerror(-r));
    if (r == 0)
        r = take_lock(journal, why);
    if (r < 0)
        return r;
    journal_keeper_serve(&journal->keeper);
    r = raise_count_init(&journal->raised, journal->lock);
    if (r == 0)
        r = journal_open(journal);
    if (r == 0 || is_passing(r)) {
        journal->has_begun = true;
        if (r < 0)
            *journal->raised.page = (struct raise_page){0};
        return 0;
    }
    buffer_put_string(why, journal->database.why.len ? journal_why(journal) : strerror(-r));
    return r;
}

int journal_new(const struct journal_options *options, struct buffer *why, struct journal **out)
{
    CLEANUP(journal_freep) struct journal *journal = calloc(1, sizeof *journal);

    if (!journal)
        return -ENOMEM;
    journal->options = *options;
    journal->keeper = JOURNAL_KEEPER_NONE;
    journal->lock = -1;
    journal->loss.exact = true;
    int r = init(journal, why);

    if (r < 0)
        return r;
    *out = journal;
    journal = NULL;
    return 0;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal_is_open(journal))
        database_execute(&journal->database, "UPDATE state SET open = 0");
    database_deinit(&journal->database);
    raise_count_deinit(&journal->raised);
    journal_keeper_deinit(&journal->keeper);
    closep(&journal->lock);
    free(journal);
}

/* A disk that is full and a file that others write to change by themselves; else a new connection
 * looks at what is there. */
static int give_up(struct journal *journal, int r)
{
    if (r == -ENOSPC || r == -EDQUOT || r == -EBUSY || r == -EAGAIN || r == -ENOMEM)
        return r;
    journal->damaged = r == -EUCLEAN;
    database_close(&journal->database);
    return r;
}

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
    return fail(journal, -EUCLEAN, "somebody moved or removed its file");
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

void journal_put_alert(struct journal *journal, const struct journal_alert *alert)
{
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
    bind_text(statement, 10, alert->json);
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
    static const enum database_statement steps[] = {DATABASE_EXPIRE_ALERTS,
                                                    DATABASE_EXPIRE_DEAD_LETTERS};

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
    if (journal_is_open(journal) && !sqlite3_get_autocommit(database->handle))
        sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    return give_up(journal, journal->failure);
}

/* The value of a statement that gives one. */
static int ask(struct journal *journal, sqlite3_stmt *statement, int64_t *out)
{
    int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;
    int r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : database_failure(&journal->database);

    if (r == 0)
        *out = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (statement)
        sqlite3_reset(statement);
    return r < 0 ? give_up(journal, r) : 0;
}

static int ask_for(struct journal *journal, enum database_statement which, int64_t *out)
{
    return ask(journal, database_statement(&journal->database, which), out);
}

/* Everything that is older than LIMIT, of the first few. */
static int find_older(struct journal *journal, int64_t limit, int64_t *until)
{
    sqlite3_stmt *statement = database_statement(&journal->database, DATABASE_FIND_OLD);

    if (statement) {
        sqlite3_bind_int(statement, 1, EXPIRY_STEP);
        sqlite3_bind_int64(statement, 2, limit);
    }
    return ask(journal, statement, until);
}

int journal_find_expiry(struct journal *journal, int64_t now, int64_t *until)
{
    int64_t pages = 0, free_pages = 0, oldest = 0;

    *until = 0;
    if (!journal_is_open(journal))
        return -EIO;
    int r = ask_for(journal, DATABASE_PAGES, &pages);

    if (r == 0)
        r = ask_for(journal, DATABASE_FREE_PAGES, &free_pages);
    if (r == 0 && (pages - free_pages) * journal->database.page_size > journal->options.size)
        return find_older(journal, INT64_MAX, until);
    if (r == 0)
        r = ask_for(journal, DATABASE_OLDEST, &oldest);
    if (r == 0 && oldest && oldest < now - journal->options.age)
        return find_older(journal, now - journal->options.age, until);
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

static struct journal_alert read_alert(sqlite3_stmt *statement)
{
    return (struct journal_alert){
        .seq = sqlite3_column_int64(statement, 0),
        .time = sqlite3_column_int64(statement, 1),
        .severity = sqlite3_column_int(statement, 2),
        .route = (uint64_t)sqlite3_column_int64(statement, 3),
        .id = column(statement, 4),
        .host = column(statement, 5),
        .rule = column(statement, 6),
        .title = column(statement, 7),
        .message = column(statement, 8),
        .json = column(statement, 9),
    };
}

/* What a text was is not what its page's damage made of it: hosts are promised JSON in UTF-8. */
static bool is_sound(const struct journal_alert *alert)
{
    struct text json = alert->json;

    return json.len >= 2 && json.ptr[0] == '{' && json.ptr[json.len - 1] == '}' &&
           !memchr(json.ptr, '\0', json.len) && text_is_utf8(json);
}

int journal_read(struct journal *journal, int bit, int64_t *after, journal_alert_fn *fn,
                 void *context)
{
    if (!journal_is_open(journal))
        return -EIO;
    sqlite3_stmt *statement = database_statement(&journal->database, DATABASE_READ);
    int code = SQLITE_ERROR, looked = 0;
    bool sound = true;

    if (statement) {
        sqlite3_bind_int64(statement, 1, *after);
        sqlite3_bind_int(statement, 2, READ_STEP);
    }
    while (statement && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        int64_t seq = sqlite3_column_int64(statement, 0);
        uint64_t route = (uint64_t)sqlite3_column_int64(statement, 3);

        if (route >> bit & 1) {
            struct journal_alert alert = read_alert(statement);

            sound = is_sound(&alert);
            if (!sound || !fn(context, &alert))
                break;
        }
        *after = seq;
        looked++;
    }
    int r = !sound ? fail(journal, -EUCLEAN, "an alert in it is damaged")
            : code == SQLITE_DONE || code == SQLITE_ROW ? 0
                                                        : database_failure(&journal->database);

    if (statement)
        sqlite3_reset(statement);
    return r < 0 ? give_up(journal, r) : looked;
}

int journal_enrol(struct journal *journal, struct journal_output *outputs, size_t count)
{
    const struct enrolment enrolment = {
        .outputs = outputs,
        .count = count,
        .now = clock_realtime(),
        .age = journal->options.age,
        .last = journal->last,
    };

    if (!journal_is_open(journal))
        return -EIO;
    int r = enrolment_run(&journal->database, &enrolment);

    return r < 0 ? give_up(journal, r) : 0;
}
