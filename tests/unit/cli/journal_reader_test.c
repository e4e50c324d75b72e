/* The journal as those read it who do not have it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "alert/alert_id.h"
#include "base/clock.h"
#include "cli/journal_reader.h"

#define BEGIN (1767225600 * NS_PER_S)

struct scene {
    char dir[64], path[96];
    struct buffer why;
    struct journal *journal;
    struct journal_reader *reader;
};

static int begin(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    strcpy(scene->dir, "/tmp/picket-reader-XXXXXX");
    assert_non_null(mkdtemp(scene->dir));
    snprintf(scene->path, sizeof scene->path, "%s/a?b%%#.db", scene->dir);
    *state = scene;
    return 0;
}

static int delete_file(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

/* What counts the alerts that are raised outlives the journal: it is beside its lock's number. */
static void delete_count(const struct scene *scene)
{
    char path[160];
    struct stat lock;

    snprintf(path, sizeof path, "%s/a?b%%#.db.lock", scene->dir);
    if (stat(path, &lock) < 0)
        return;
    snprintf(path, sizeof path, "/dev/shm/picket-%llx-%llx", (unsigned long long)lock.st_dev,
             (unsigned long long)lock.st_ino);
    unlink(path);
}

static int end(void **state)
{
    struct scene *scene = *state;

    journal_reader_free(scene->reader);
    journal_free(scene->journal);
    delete_count(scene);
    assert_int_equal(0, nftw(scene->dir, delete_file, 8, FTW_DEPTH | FTW_PHYS));
    buffer_deinit(&scene->why);
    free(scene);
    return 0;
}

static void open_journal(struct scene *scene)
{
    const struct journal_options options = {.path = scene->path,
                                            .size = JOURNAL_SIZE,
                                            .age = JOURNAL_AGE,
                                            .uid = getuid(),
                                            .gid = getgid()};

    if (journal_new(&options, &scene->why, &scene->journal) < 0)
        fail_msg("%s", buffer_string(&scene->why));
}

/* Alerts a second apart, whose seqs are from FIRST on. */
static void put(struct scene *scene, int64_t first, int64_t last)
{
    journal_begin(scene->journal);
    for (int64_t seq = first; seq <= last; seq++) {
        int64_t time = BEGIN + seq * NS_PER_S;
        struct alert_id id = alert_id_make(time, (const uint64_t[3]){0}, TEXT("r"));

        journal_raise(scene->journal);
        journal_put_alert(scene->journal, &(struct journal_alert){.seq = seq,
                                                                  .time = time,
                                                                  .route = 1,
                                                                  .id = text_from(id.text),
                                                                  .host = TEXT("h"),
                                                                  .rule = TEXT("r"),
                                                                  .title = TEXT("t"),
                                                                  .message = TEXT("m"),
                                                                  .json = TEXT("{}"),
                                                                  .severity = 3});
        journal_put_accounted(scene->journal, 1);
    }
    assert_int_equal(0, journal_commit(scene->journal));
}

static int open_reader(struct scene *scene)
{
    buffer_clear(&scene->why);
    return journal_reader_open(scene->path, &scene->why, &scene->reader);
}

static void execute(struct scene *scene, const char *sql)
{
    sqlite3 *other = NULL;

    assert_int_equal(SQLITE_OK, sqlite3_open_v2(scene->path, &other,
                                                SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_exec(other, sql, NULL, NULL, NULL));
    sqlite3_close(other);
}

struct seen {
    int64_t first, last;
    size_t count, most;
};

static bool see(void *context, const struct journal_alert *alert)
{
    struct seen *seen = context;

    if (seen->count++ == 0)
        seen->first = alert->seq;
    seen->last = alert->seq;
    return seen->count < seen->most;
}

static struct seen see_all(struct scene *scene, struct journal_span span, bool down)
{
    struct seen seen = {.most = SIZE_MAX};
    int r;

    do
        r = journal_reader_step(scene->reader, &span, down, see, &seen);
    while (r > 0);
    assert_int_equal(0, r);
    return seen;
}

static void it_is_read_while_it_is_written(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    put(scene, 1, 1500);
    assert_int_equal(0, open_reader(scene));
    struct seen seen = see_all(scene, (struct journal_span){1, INT64_MAX}, false);

    assert_int_equal(1500, seen.count);
    assert_int_equal(1, seen.first);
    assert_int_equal(1500, seen.last);
    put(scene, 1501, 1510);
    seen = see_all(scene, (struct journal_span){1501, INT64_MAX}, false);
    assert_int_equal(10, seen.count);
    seen = see_all(scene, (struct journal_span){3, 1502}, true);
    assert_int_equal(1502, seen.first);
    assert_int_equal(3, seen.last);
    assert_int_equal(1500, seen.count);
}

static void nothing_is_held_between_two_steps(void **state)
{
    struct scene *scene = *state;
    struct journal_span span = {1, INT64_MAX};
    struct seen seen = {.most = 5};
    char log[160];
    struct stat status;

    open_journal(scene);
    put(scene, 1, 1000);
    assert_int_equal(0, open_reader(scene));
    assert_int_equal(5, journal_reader_step(scene->reader, &span, false, see, &seen));
    assert_int_equal(6, span.first);
    /* The log ends and begins anew, which it could not beside a transaction that reads. */
    for (int64_t seq = 1001; seq < 200000; seq += 2000)
        put(scene, seq, seq + 1999);
    snprintf(log, sizeof log, "%s-wal", scene->path);
    assert_int_equal(0, stat(log, &status));
    assert_true(status.st_size < 24 << 20);
}

static void spans_are_of_times(void **state)
{
    struct scene *scene = *state;
    struct journal_span span;

    open_journal(scene);
    assert_int_equal(0, open_reader(scene));
    assert_int_equal(0, journal_reader_span(scene->reader, 0, INT64_MAX, &span));
    assert_true(span.first > span.last);
    put(scene, 1, 100);
    assert_int_equal(0, journal_reader_span(scene->reader, 0, INT64_MAX, &span));
    assert_int_equal(1, span.first);
    assert_int_equal(100, span.last);
    assert_int_equal(
        0, journal_reader_span(scene->reader, BEGIN + 20 * NS_PER_S, BEGIN + 30 * NS_PER_S, &span));
    assert_int_equal(20, span.first);
    assert_int_equal(30, span.last);
    assert_int_equal(
        0, journal_reader_span(scene->reader, BEGIN + 99 * NS_PER_S + 1000000, INT64_MAX, &span));
    assert_int_equal(100, span.first);
    assert_int_equal(100, span.last);
    assert_int_equal(0,
                     journal_reader_span(scene->reader, BEGIN + 900 * NS_PER_S, INT64_MAX, &span));
    assert_true(span.first > span.last);
}

static void ids_are_found_by_how_they_begin(void **state)
{
    struct scene *scene = *state;
    struct alert_id id = alert_id_make(BEGIN + 7 * NS_PER_S, (const uint64_t[3]){0}, TEXT("r"));
    struct seen seen = {.most = SIZE_MAX};

    open_journal(scene);
    put(scene, 1, 100);
    assert_int_equal(0, open_reader(scene));
    assert_int_equal(0, journal_reader_find(scene->reader, (struct text){id.text, 12}, see, &seen));
    assert_int_equal(1, seen.count);
    assert_int_equal(7, seen.first);
    assert_int_equal(
        0, journal_reader_find(scene->reader, TEXT("01'; DROP TABLE alerts; --"), see, &seen));
    assert_int_equal(1, seen.count);
    seen.count = 0;
    assert_int_equal(0, journal_reader_find(scene->reader, TEXT("0"), see, &seen));
    assert_int_equal(100, seen.count);
}

static void seqs_at_the_edge_end(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    put(scene, 1, 2);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "UPDATE alerts SET seq = 9223372036854775807 WHERE seq = 2;"
                   "UPDATE alerts SET seq = -9223372036854775808 WHERE seq = 1");
    assert_int_equal(0, open_reader(scene));
    struct journal_span all = {INT64_MIN, INT64_MAX};

    assert_int_equal(2, see_all(scene, all, false).count);
    assert_int_equal(2, see_all(scene, all, true).count);
}

static void refuse(struct scene *scene, int wanted, const char *why)
{
    assert_int_equal(wanted, open_reader(scene));
    if (!strstr(buffer_string(&scene->why), why))
        fail_msg("'%s' instead of '%s'", buffer_string(&scene->why), why);
}

static void write_file(struct scene *scene, const char *content)
{
    FILE *file = fopen(scene->path, "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void what_is_no_journal_is_refused(void **state)
{
    struct scene *scene = *state;

    refuse(scene, -ENOENT, "is not there");
    write_file(scene, "");
    refuse(scene, -EINVAL, "is empty");
    write_file(scene, "this is not a database, but a text that is longer than a header of one, "
                      "which has a hundred bytes at its beginning that say what it is");
    refuse(scene, -EUCLEAN, "is no journal, or is damaged");
    assert_int_equal(0, unlink(scene->path));
    execute(scene, "CREATE TABLE alerts(seq)");
    refuse(scene, -EINVAL, "a database of something else");
    assert_int_equal(0, unlink(scene->path));
    assert_int_equal(0, mkfifo(scene->path, 0600));
    refuse(scene, -EINVAL, "it is no file");
}

static void later_versions_are_refused(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "PRAGMA user_version = 2");
    refuse(scene, -EINVAL, "is of a later version of picket: its schema is 2, and 1 is");
}

static void one_without_its_state_is_refused(void **state)
{
    struct scene *scene = *state;

    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "DELETE FROM state");
    refuse(scene, -EUCLEAN, "is no journal, or is damaged");
}

static void a_view_is_no_table(void **state)
{
    struct scene *scene = *state;
    struct journal_span span;

    open_journal(scene);
    journal_free(scene->journal);
    scene->journal = NULL;
    execute(scene, "DROP TABLE alerts; CREATE VIEW alerts AS WITH RECURSIVE n(seq) AS"
                   " (SELECT 1 UNION ALL SELECT seq + 1 FROM n) SELECT seq, 1 AS time, 1 AS"
                   " severity, 1 AS route, 'x' AS id, 'x' AS host, 'x' AS rule, 'x' AS title,"
                   " 'x' AS message, 'x' AS json FROM n");
    assert_int_equal(0, open_reader(scene));
    assert_true(journal_reader_span(scene->reader, 0, INT64_MAX, &span) < 0);
    assert_false(journal_reader_is_current(scene->reader));
}

static void another_file_is_noticed(void **state)
{
    struct scene *scene = *state;
    char aside[128];

    open_journal(scene);
    put(scene, 1, 10);
    assert_int_equal(0, open_reader(scene));
    assert_true(journal_reader_is_current(scene->reader));
    int64_t number = journal_reader_number(scene->reader);

    snprintf(aside, sizeof aside, "%s.aside", scene->path);
    assert_int_equal(0, rename(scene->path, aside));
    assert_false(journal_reader_is_current(scene->reader));
    assert_int_equal(10, see_all(scene, (struct journal_span){1, INT64_MAX}, false).count);
    journal_free(scene->journal);
    open_journal(scene);
    assert_false(journal_reader_is_current(scene->reader));
    journal_reader_free(scene->reader);
    scene->reader = NULL;
    assert_int_equal(0, open_reader(scene));
    assert_true(number != journal_reader_number(scene->reader));
}

static void a_copy_without_its_log_leaves_no_traces(void **state)
{
    struct scene *scene = *state;
    CLEANUP(buffer_deinit) struct buffer content = {0};
    char log[160];

    open_journal(scene);
    put(scene, 1, 10);
    journal_free(scene->journal);
    scene->journal = NULL;
    CLEANUP(closep) int from = open(scene->path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(0, buffer_read_fd(&content, from, 1 << 24));
    snprintf(scene->path, sizeof scene->path, "%s/copy.db", scene->dir);
    CLEANUP(closep) int to = open(scene->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(content.len, write(to, content.data, content.len));
    assert_int_equal(0, open_reader(scene));
    assert_int_equal(10, see_all(scene, (struct journal_span){1, INT64_MAX}, false).count);
    snprintf(log, sizeof log, "%s-wal", scene->path);
    assert_int_equal(-1, access(log, F_OK));
    snprintf(log, sizeof log, "%s-shm", scene->path);
    assert_int_equal(-1, access(log, F_OK));
}

struct receipts {
    char text[256];
};

static void note(void *context, const struct journal_receipt *receipt)
{
    struct receipts *receipts = context;
    size_t len = strlen(receipts->text);

    snprintf(receipts->text + len, sizeof receipts->text - len, "%.*s:%s%.*s ",
             TEXT_ARG(receipt->output), receipt->settled ? "settled" : "open",
             TEXT_ARG(receipt->rejected));
}

static void receipts_are_of_its_outputs(void **state)
{
    struct scene *scene = *state;
    struct journal_output outputs[] = {{.name = "a", .bit = -1}, {.name = "b", .bit = -1}};
    struct receipts receipts = {""};

    open_journal(scene);
    assert_int_equal(0, journal_enrol(scene->journal, outputs, 2));
    put(scene, 1, 3); /* for `a` alone */
    journal_begin(scene->journal);
    journal_put_output(scene->journal, &(struct journal_output){"a", outputs[0].bit, 2, 1, 0});
    journal_put_dead_letter(scene->journal,
                            &(struct journal_dead_letter){"a", 2, "id", BEGIN, "too odd"});
    assert_int_equal(0, journal_commit(scene->journal));
    assert_int_equal(0, open_reader(scene));
    for (int64_t seq = 1; seq <= 3; seq++)
        assert_int_equal(0, journal_reader_receipts(scene->reader, seq, note, &receipts));
    assert_string_equal("a:settled a:settledtoo odd a:open ", receipts.text);
}

int main(void)
{
#define WITH_SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH_SCENE(it_is_read_while_it_is_written),
        WITH_SCENE(nothing_is_held_between_two_steps),
        WITH_SCENE(spans_are_of_times),
        WITH_SCENE(ids_are_found_by_how_they_begin),
        WITH_SCENE(seqs_at_the_edge_end),
        WITH_SCENE(what_is_no_journal_is_refused),
        WITH_SCENE(later_versions_are_refused),
        WITH_SCENE(one_without_its_state_is_refused),
        WITH_SCENE(a_view_is_no_table),
        WITH_SCENE(another_file_is_noticed),
        WITH_SCENE(a_copy_without_its_log_leaves_no_traces),
        WITH_SCENE(receipts_are_of_its_outputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
