/* The journal by itself, in a folder of its own. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "journal/journal.h"

struct scene {
    char dir[64], path[96];
    struct buffer why;
    struct journal *journal;
};

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    strcpy(scene->dir, "/tmp/picket-journal-XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    snprintf(scene->path, sizeof scene->path, "%s/made/alerts.db", scene->dir);
    *state = scene;
    return 0;
}

static int delete_file(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

/* Where its count is. */
static void put_page_path(const struct scene *scene, char out[static 128])
{
    struct stat lock;

    snprintf(out, 128, "%s.lock", scene->path);
    assert_int_equal(0, stat(out, &lock));
    snprintf(out, 128, "/dev/shm/picket-%llx-%llx", (unsigned long long)lock.st_dev,
             (unsigned long long)lock.st_ino);
}

static int end(void **state)
{
    struct scene *scene = *state;
    char page[128];

    journal_free(scene->journal);
    put_page_path(scene, page);
    unlink(page);
    assert_int_equal(0, nftw(scene->dir, delete_file, 8, FTW_DEPTH | FTW_PHYS));
    buffer_deinit(&scene->why);
    free(scene);
    return 0;
}

static int try_open(struct scene *scene, int64_t size)
{
    const struct journal_options options = {
        .path = scene->path, .size = size, .age = JOURNAL_AGE, .uid = getuid(), .gid = getgid()};

    buffer_clear(&scene->why);
    return journal_new(&options, &scene->why, &scene->journal);
}

static void open_journal(struct scene *scene)
{
    if (try_open(scene, JOURNAL_SIZE) < 0)
        fail_msg("%s", buffer_string(&scene->why));
    assert_true(journal_is_open(scene->journal));
}

static void reopen(struct scene *scene)
{
    journal_free(scene->journal);
    scene->journal = NULL;
    open_journal(scene);
}

static void put(struct journal *journal, int64_t seq, uint64_t route, struct text json)
{
    char id[32];

    snprintf(id, sizeof id, "id-%06lld", (long long)seq);
    journal_raise(journal);
    journal_put_alert(journal, &(struct journal_alert){.seq = seq,
                                                       .time = clock_realtime(),
                                                       .route = route,
                                                       .id = text_from(id),
                                                       .host = TEXT("h"),
                                                       .rule = TEXT("r"),
                                                       .title = TEXT("t"),
                                                       .message = TEXT("m"),
                                                       .json = json,
                                                       .severity = 3});
    journal_put_accounted(journal, 1);
}

static void put_many(struct journal *journal, int64_t first, int64_t last, uint64_t route)
{
    journal_begin(journal);
    for (int64_t seq = first; seq <= last; seq++)
        put(journal, seq, route, TEXT("{}"));
    assert_int_equal(0, journal_commit(journal));
}

struct seen {
    int64_t first, last, most;
    size_t count;
};

static bool see(void *context, const struct journal_alert *alert)
{
    struct seen *seen = context;
    char id[32];

    if (seen->most && (int64_t)seen->count == seen->most)
        return false;
    snprintf(id, sizeof id, "id-%06lld", (long long)alert->seq);
    assert_true(text_is(alert->id, id));
    assert_true(text_is(alert->rule, "r"));
    assert_int_equal(3, alert->severity);
    seen->first = seen->first ? seen->first : alert->seq;
    assert_true(alert->seq > seen->last);
    seen->last = alert->seq;
    seen->count++;
    return true;
}

static struct seen read_all(struct journal *journal, int bit, int64_t after)
{
    struct seen seen = {0};
    int r;

    do
        r = journal_read(journal, bit, &after, see, &seen);
    while (r > 0);
    assert_int_equal(0, r);
    return seen;
}

static void what_was_committed_is_there(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    put_many(scene->journal, 1, 1500, 1);
    put_many(scene->journal, 1501, 1502, 2);
    reopen(scene);
    assert_int_equal(1502, journal_last(scene->journal));
    struct seen seen = read_all(scene->journal, 0, 0);

    assert_int_equal(1, seen.first);
    assert_int_equal(1500, seen.last);
    assert_int_equal(1500, seen.count);
    assert_int_equal(2, read_all(scene->journal, 1, 0).count);
    assert_int_equal(0, read_all(scene->journal, 2, 0).count);
    uint64_t count;

    assert_int_equal(0, journal_count(scene->journal, 0, 100, 200, &count));
    assert_int_equal(100, count);
}

static void a_reader_that_has_enough_comes_back(void **state)
{
    struct scene *scene = *state;
    struct seen seen = {.most = 7};
    int64_t after = 3;

    open_journal(scene);
    put_many(scene->journal, 1, 20, 1);
    assert_true(journal_read(scene->journal, 0, &after, see, &seen) > 0);
    assert_int_equal(4, seen.first);
    assert_int_equal(10, seen.last);
    assert_int_equal(10, after);
}

static void what_was_not_committed_is_not(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    put_many(scene->journal, 1, 10, 1);
    journal_begin(scene->journal);
    put(scene->journal, 11, 1, TEXT("{}"));
    put(scene->journal, 10, 1, TEXT("{}")); /* there is one of that number */
    assert_true(journal_commit(scene->journal) < 0);
    assert_int_equal(10, journal_last(scene->journal));
    assert_int_equal(0, journal_open(scene->journal));
    assert_int_equal(10, read_all(scene->journal, 0, 0).count);
}

static void there_is_one_engine(void **state)
{
    struct scene *scene = *state;
    struct journal *first;

    open_journal(scene);
    first = scene->journal;
    scene->journal = NULL;
    assert_int_equal(-EBUSY, try_open(scene, JOURNAL_SIZE));
    assert_non_null(strstr(buffer_string(&scene->why), "another picket has it: process "));
    scene->journal = first;
}

static void execute(struct scene *scene, const char *sql)
{
    sqlite3 *other = NULL;

    assert_int_equal(SQLITE_OK, sqlite3_open(scene->path, &other));
    assert_int_equal(SQLITE_OK, sqlite3_exec(other, sql, NULL, NULL, NULL));
    sqlite3_close(other);
}

static void strangers_are_refused(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "PRAGMA user_version = 2");
    assert_int_equal(-EINVAL, try_open(scene, JOURNAL_SIZE));
    assert_non_null(strstr(buffer_string(&scene->why), "later version"));
    execute(scene, "PRAGMA application_id = 7");
    assert_int_equal(-EINVAL, try_open(scene, JOURNAL_SIZE));
    assert_non_null(strstr(buffer_string(&scene->why), "something else"));
}

/* As of a version that was never released. */
static void other_tables_are_set_aside(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "ALTER TABLE alerts DROP COLUMN template");
    open_journal(scene);
    journal_begin(scene->journal);
    put(scene->journal, 1, 1, TEXT("{}"));
    assert_int_equal(-EBADMSG, journal_commit(scene->journal));
    assert_int_equal(0, journal_open(scene->journal));
    assert_int_equal(1, journal_set_aside(scene->journal));
    put_many(scene->journal, 1, 2, 1);
}

/* In a folder where everybody may make files. */
static void a_strangers_database_is_refused(void **state)
{
    struct scene *scene = *state;

    if (geteuid() != 0)
        skip();
    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    assert_int_equal(0, chown(scene->path, 4242, 4242));
    assert_int_equal(-EACCES, try_open(scene, JOURNAL_SIZE));
    assert_int_equal(0, chmod(scene->path, 0666));
    assert_int_equal(-EPERM, try_open(scene, JOURNAL_SIZE));
    assert_non_null(strstr(buffer_string(&scene->why), "somebody else's"));
    assert_int_equal(0, chown(scene->path, 0, 0));
    open_journal(scene);
}

static void names_keep_their_places(void **state)
{
    struct scene *scene = *state;
    struct journal_output outputs[] = {{.name = "a", .bit = -1}, {.name = "b", .bit = -1}};

    open_journal(scene);
    put_many(scene->journal, 1, 5, 1);
    assert_int_equal(0, journal_enrol(scene->journal, outputs, 2));
    assert_int_equal(0, outputs[0].bit);
    assert_int_equal(1, outputs[1].bit);
    assert_int_equal(5, outputs[1].cursor);
    journal_begin(scene->journal);
    journal_put_output(scene->journal, &(struct journal_output){"b", 1, 3, 2, 7});
    assert_int_equal(0, journal_commit(scene->journal));
    reopen(scene);
    struct journal_output later[] = {{.name = "new", .bit = -1}, {.name = "b", .bit = -1}};

    assert_int_equal(0, journal_enrol(scene->journal, later, 2));
    assert_int_equal(2, later[0].bit);
    assert_int_equal(5, later[0].cursor);
    assert_int_equal(1, later[1].bit);
    assert_int_equal(3, later[1].cursor);
    assert_int_equal(2, later[1].pending);
    assert_int_equal(7, later[1].expired);
}

static void forgotten_names_make_room(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    for (int i = 0; i < JOURNAL_OUTPUTS_MAX + 3; i++) {
        char name[16];

        snprintf(name, sizeof name, "o%d", i);
        struct journal_output output = {.name = name, .bit = -1};

        assert_int_equal(0, journal_enrol(scene->journal, &output, 1));
        assert_int_equal(i % JOURNAL_OUTPUTS_MAX, output.bit);
    }
    execute(scene, "UPDATE outputs SET seen = 1 WHERE name <> 'o40'");
    struct journal_output output = {.name = "last", .bit = -1};

    assert_int_equal(0, journal_enrol(scene->journal, &output, 1));
    assert_int_equal(0, output.bit);
    struct journal_output kept = {.name = "o40", .bit = -1};

    assert_int_equal(0, journal_enrol(scene->journal, &kept, 1));
    assert_int_equal(40, kept.bit);
}

static void the_oldest_go_by_size(void **state)
{
    struct scene *scene = *state;
    static char json[65536];
    int64_t until = 0, seq = 0;
    unsigned seed = 1;
    assert_int_equal(0, try_open(scene, JOURNAL_SIZE_MIN));
    for (int i = 0; i < 40; i++) {
        for (size_t k = 0; k < sizeof json; k++) /* which cannot be packed */
            json[k] = (char)('!' + rand_r(&seed) % 90);
        journal_begin(scene->journal);
        put(scene->journal, ++seq, 1, (struct text){json, sizeof json});
        assert_int_equal(0, journal_commit(scene->journal));
        int r = journal_find_expiry(scene->journal, clock_realtime(), &until);

        /* One is a large part of a journal of that size. */
        assert_int_equal(until != 0, r);
        if (!until)
            continue;
        assert_in_range(seq - until, 8, 16); /* no more than have to go */
        journal_begin(scene->journal);
        journal_put_expiry(scene->journal, until);
        assert_int_equal(0, journal_commit(scene->journal));
    }
    struct stat status;

    assert_int_equal(0, stat(scene->path, &status));
    assert_true(status.st_size < 2 * JOURNAL_SIZE_MIN);
    assert_int_equal(40, journal_last(scene->journal));
}

static void the_oldest_go_by_age(void **state)
{
    struct scene *scene = *state;
    int64_t until;

    open_journal(scene);
    put_many(scene->journal, 1, 10, 1);
    assert_int_equal(0, journal_find_expiry(scene->journal, clock_realtime(), &until));
    assert_int_equal(0, until);
    assert_int_equal(
        0, journal_find_expiry(scene->journal, clock_realtime() + JOURNAL_AGE + 1, &until));
    assert_int_equal(10, until);
    journal_begin(scene->journal);
    journal_put_dead_letter(scene->journal,
                            &(struct journal_dead_letter){"a", 9, "id-000009", 1, "no"});
    journal_put_expiry(scene->journal, 10);
    assert_int_equal(0, journal_commit(scene->journal));
    assert_int_equal(0, read_all(scene->journal, 0, 0).count);
}

static void damage(struct scene *scene)
{
    CLEANUP(closep) int fd = open(scene->path, O_WRONLY | O_CLOEXEC);
    static const char garbage[4 * 8192] = "this is no database";

    assert_true(fd >= 0);
    assert_int_equal(sizeof garbage, pwrite(fd, garbage, sizeof garbage, 0));
}

static void a_damaged_one_is_set_aside(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    put_many(scene->journal, 1, 10, 1);
    journal_free(scene->journal);
    scene->journal = NULL;
    damage(scene);
    open_journal(scene);
    assert_int_equal(1, journal_set_aside(scene->journal));
    assert_false(journal_loss(scene->journal).exact);
    assert_int_equal(0, journal_last(scene->journal));
    put_many(scene->journal, 1, 2, 1);
    char pattern[160];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s.corrupt-*Z", scene->path);
    assert_int_equal(0, glob(pattern, 0, NULL, &found));
    assert_int_equal(1, found.gl_pathc);
    globfree(&found);
}

static void few_are_kept_of_those_set_aside(void **state)
{
    struct scene *scene = *state;
    char name[160];
    glob_t found;

    open_journal(scene);
    for (int i = 1; i <= 20; i++) {
        snprintf(name, sizeof name, "%s.corrupt-202001%02dT000000Z", scene->path, i);
        close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    journal_free(scene->journal);
    scene->journal = NULL;
    damage(scene);
    open_journal(scene);
    assert_int_equal(0, access(name, F_OK)); /* the last one */
    snprintf(name, sizeof name, "%s.corrupt-*", scene->path);
    assert_int_equal(0, glob(name, 0, NULL, &found));
    assert_int_equal(6, found.gl_pathc);
    globfree(&found);
}

static void a_removed_one_is_noticed(void **state)
{
    struct scene *scene = *state;
    int r = 0;

    open_journal(scene);
    put_many(scene->journal, 1, 10, 1);
    assert_int_equal(0, unlink(scene->path));
    for (int64_t seq = 11; r == 0; seq++) {
        journal_begin(scene->journal);
        put(scene->journal, seq, 1, TEXT("{}"));
        r = journal_commit(scene->journal);
        usleep(100000);
    }
    assert_int_equal(-EUCLEAN, r);
    int64_t last = journal_last(scene->journal);

    assert_int_equal(0, journal_open(scene->journal));
    assert_int_equal(1, journal_set_aside(scene->journal));
    assert_int_equal(last, journal_last(scene->journal)); /* numbers go on */
    put_many(scene->journal, last + 1, last + 2, 1);
    assert_int_equal(2, read_all(scene->journal, 0, 0).count);
}

/* In a child that is killed: raises more than it commits. */
static void raise_and_die(struct scene *scene, int committed, int raised)
{
    int64_t last = journal_last(scene->journal);

    put_many(scene->journal, last + 1, last + committed, 1);
    for (int i = committed; i < raised; i++)
        journal_raise(scene->journal);
    kill(getpid(), SIGKILL);
}

static void what_was_raised_alone_is_counted(void **state)
{
    struct scene *scene = *state;
    uint64_t told = 0;

    for (int round = 1; round < 4; round++) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
            open_journal(scene);
            /* What the last round lost is told of. */
            struct journal_loss loss = journal_loss(scene->journal);

            if (!loss.exact || loss.count != told)
                _exit(1);
            journal_begin(scene->journal);
            journal_put_accounted(scene->journal, loss.count);
            if (journal_commit(scene->journal) < 0)
                _exit(2);
            raise_and_die(scene, 100, 100 + round);
        }
        assert_int_equal(pid, waitpid(pid, &status, 0));
        assert_true(WIFSIGNALED(status));
        told = (uint64_t)round;
    }
    open_journal(scene);
    assert_true(journal_loss(scene->journal).exact);
    assert_int_equal(3, journal_loss(scene->journal).count);
    assert_int_equal(300, journal_last(scene->journal));
}

/* Somebody else's file has the name of the count. */
static void a_strangers_count_is_none(void **state)
{
    struct scene *scene = *state;
    char page[128];
    int status;

    if (geteuid() != 0)
        skip();
    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    put_page_path(scene, page);
    assert_int_equal(0, chown(page, 4242, 4242));
    pid_t pid = fork();

    if (pid == 0) {
        open_journal(scene);
        raise_and_die(scene, 10, 20);
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    open_journal(scene);
    assert_true(journal_loss(scene->journal).exact);
    assert_int_equal(10, journal_loss(scene->journal).count);
}

static void the_end_of_the_machine_is_told(void **state)
{
    struct scene *scene = *state;
    char page[128];
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        open_journal(scene);
        raise_and_die(scene, 10, 20);
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    /* Memory does not survive it. */
    put_page_path(scene, page);
    assert_int_equal(0, unlink(page));
    open_journal(scene);
    assert_false(journal_loss(scene->journal).exact);
    reopen(scene);
    assert_true(journal_loss(scene->journal).exact);
    assert_int_equal(0, journal_loss(scene->journal).count);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(what_was_committed_is_there),
        WITH_SCENE(a_reader_that_has_enough_comes_back),
        WITH_SCENE(what_was_not_committed_is_not),
        WITH_SCENE(there_is_one_engine),
        WITH_SCENE(strangers_are_refused),
        WITH_SCENE(other_tables_are_set_aside),
        WITH_SCENE(a_strangers_database_is_refused),
        WITH_SCENE(names_keep_their_places),
        WITH_SCENE(forgotten_names_make_room),
        WITH_SCENE(the_oldest_go_by_size),
        WITH_SCENE(few_are_kept_of_those_set_aside),
        WITH_SCENE(the_oldest_go_by_age),
        WITH_SCENE(a_damaged_one_is_set_aside),
        WITH_SCENE(a_removed_one_is_noticed),
        WITH_SCENE(what_was_raised_alone_is_counted),
        WITH_SCENE(the_end_of_the_machine_is_told),
        WITH_SCENE(a_strangers_count_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
