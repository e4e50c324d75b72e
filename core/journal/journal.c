#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/enrolment.h"
#include "journal/journal_state.h"

#define LOCK_PATIENCE (5 * NS_PER_S) /* with the processes of one that was killed */

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

int journal_fail(struct journal *journal, int r, const char *why)
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
        return journal_fail(journal, -ESTALE, "another journal is there by now");
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
        return journal_fail(journal, -EINVAL,
                            application == JOURNAL_APPLICATION
                                ? "it is of a later version of picket"
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
    journal->next_look = 0;
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
        return journal_fail(journal, r, strerror(-r));
    journal->set_aside++;
    journal->damaged = false;
    journal->was_open = false;
    if (!journal->has_begun)
        journal->loss.exact = false;
    r = open_database(journal);
    if (r == 0)
        journal_fail(journal, 0, buffer_string(&why));
    return r;
}

int journal_open(struct journal *journal)
{
    if (journal_is_open(journal))
        return 0;
    int r = journal->damaged ? -EUCLEAN : open_database(journal);

    return r == -EUCLEAN ? begin_another(journal) : r;
}

/* Whose pid is in the file is gone. Processes it had forked share its lock, and die with it, but
 * on a busy machine not at once. */
static bool holder_is_gone(int lock, char *holder, size_t size)
{
    ssize_t len = pread(lock, holder, size - 1, 0);
    int64_t pid;

    holder[len > 0 ? len : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return text_to_int(text_from(holder), &pid) == 0 && pid > 0 && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}

/* HOLDER: who has it, when that is somebody else. 0 or -errno. */
static int lock_file(int lock, char *holder, size_t size)
{
    const struct timespec pause = {.tv_nsec = 10 * NS_PER_MS};
    int64_t end = clock_monotonic() + LOCK_PATIENCE;

    while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return -errno;
        if (!holder_is_gone(lock, holder, size) || clock_monotonic() > end)
            return -EBUSY;
        nanosleep(&pause, NULL);
    }
    return 0;
}

static int take_lock(struct journal *journal, struct buffer *why)
{
    char holder[32] = "";

    journal->lock = journal_keeper_open(&journal->keeper, JOURNAL_LOCK, O_CREAT);
    if (journal->lock < 0) {
        buffer_printf(why, "its folder cannot be written to by user %u: %s",
                      (unsigned)(geteuid() ? geteuid() : journal->options.uid),
                      strerror(-journal->lock));
        return journal->lock;
    }
    int r = lock_file(journal->lock, holder, sizeof holder);

    if (r < 0) {
        buffer_printf(why, "another picket has it%s%s", *holder ? ": process " : "", holder);
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

/* SQLite would go on with a file that it may only read. */
static int check_file(struct journal *journal, struct buffer *why)
{
    CLEANUP(closep) int fd = journal_keeper_open(&journal->keeper, JOURNAL_DATABASE, 0);

    if (fd >= 0 || fd == -ENOENT || is_passing(fd))
        return 0;
    buffer_printf(why, "its file cannot be opened for writing by user %u: %s",
                  (unsigned)journal->options.uid,
                  fd == -EPERM ? "it is somebody else's" : strerror(-fd));
    return fd;
}

static int init(struct journal *journal, struct buffer *why)
{
    const struct journal_options *options = &journal->options;
    int r = journal_keeper_start(&journal->keeper, options->path, options->uid, options->gid);

    if (r < 0)
        buffer_printf(why, "%s", strerror(-r));
    if (r == 0)
        r = take_lock(journal, why);
    if (r == 0)
        r = check_file(journal, why);
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
    packer_deinit(&journal->packer);
    unpacker_deinit(&journal->unpacker);
    raise_count_deinit(&journal->raised);
    journal_keeper_deinit(&journal->keeper);
    closep(&journal->lock);
    free(journal);
}

/* A disk that is full and a file that others write to change by themselves; else a new connection
 * looks at what is there. */
int journal_give_up(struct journal *journal, int r)
{
    if (r == -ENOSPC || r == -EDQUOT || r == -EBUSY || r == -EAGAIN || r == -ENOMEM)
        return r;
    journal->damaged = r == -EUCLEAN || r == -EBADMSG; /* the latter: other tables than it says */
    unpacker_forget(&journal->unpacker);
    database_close(&journal->database);
    return r;
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

    return r < 0 ? journal_give_up(journal, r) : 0;
}
