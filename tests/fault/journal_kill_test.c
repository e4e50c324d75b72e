/* The engine is killed again and again, at any moment, under a storm of alerts: all that the
 * journal had is delivered, in order, nothing twice to who drops repeated ids, and what it never
 * had is counted to the last alert. PICKET_KILLS says how often. */
#include "rig.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"

#define KILLS_DEFAULT 15
#define LIFE_MOST     (150 * NS_PER_MS) /* its start takes some 30 */
#define PATIENCE      (60 * NS_PER_S)
#define LONG          1500 /* bytes of some alerts, which the journal packs */

/* What outlives the engines. */
struct tally {
    uint64_t before, after; /* pushes begun and done: they differ by those a kill interrupted */
    uint64_t told;          /* pushes of those that tell of losses */
    _Atomic uint64_t begun; /* lives that have come to alert */
};

static struct tally *tally;

/* From 0 to MOST - 1. */
static unsigned dice(unsigned most)
{
    uint32_t number = 0;

    assert_int_equal(sizeof number, getrandom(&number, sizeof number, 0));
    return number % most;
}

static void push(struct rig *rig, uint64_t lost)
{
    char id[16], number[24], json[LONG + 64];

    tally->before++;
    snprintf(id, sizeof id, "%09llu", (unsigned long long)tally->before);
    snprintf(number, sizeof number, "%llu", (unsigned long long)lost);
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"padding\":\"%0*d\"}", id, dice(2) ? LONG : 1, 0);
    const struct delivery_alert alert = {.id = text_from(id),
                                         .host = TEXT("h"),
                                         .rule = TEXT("r"),
                                         .title = TEXT("t"),
                                         .message = text_from(number),
                                         .json = text_from(json),
                                         .time = clock_realtime(),
                                         .severity = 3,
                                         .accounts = lost,
                                         .is_news = lost > 0};

    delivery_push(rig->delivery, &alert, DELIVERY_ALL, false);
    tally->after++;
}

static void tell(struct rig *rig)
{
    struct delivery_news news;

    while (delivery_take_news(rig->delivery, INT64_MAX, &news)) {
        assert_true(news.kind == DELIVERY_ENDED || news.kind == DELIVERY_OVERRUN);
        push(rig, news.count);
        tally->told++;
    }
}

static void start(struct rig *rig)
{
    const char *const arguments[] = {"json,name=out,path=@/out.jsonl"};

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, arguments, 1);
}

/* An engine's life, in a process of its own. */
static void storm(const struct rig *folder)
{
    struct rig rig = *folder;

    start(&rig);
    tally->begun++;
    for (;;) {
        const struct timespec pause = {.tv_nsec = dice(2) ? 0 : dice(3 * NS_PER_MS)};

        tell(&rig);
        for (unsigned i = dice(100); i > 0; i--)
            push(&rig, 0);
        nanosleep(&pause, NULL);
    }
}

/* Most have come to alert when they are; some are still on their way. */
static void live_and_be_killed(struct rig *rig)
{
    const struct timespec life = {.tv_nsec = dice(LIFE_MOST)};
    int64_t end = clock_monotonic() + PATIENCE;
    uint64_t begun = tally->begun;
    int status;
    pid_t pid = fork();

    if (pid == 0)
        storm(rig);
    for (bool waits = dice(4) > 0; waits && tally->begun == begun;) {
        assert_true(clock_monotonic() < end);
        usleep(1000);
    }
    nanosleep(&life, NULL);
    kill(pid, SIGKILL);
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static int64_t ask(sqlite3 *reader, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(reader, sql, -1, &statement, NULL));
    assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
    int64_t value = sqlite3_column_int64(statement, 0);

    sqlite3_finalize(statement);
    return value;
}

/* The number of the next alert in the file that was not there before; 0 at the end. A line that a
 * kill cut off is followed by the whole of it. */
static int64_t next_delivered(struct text *rest, int64_t last, unsigned *broken)
{
    while (rest->len) {
        struct text line = text_split(rest, '\n');
        CLEANUP(json_freep) json_t *alert = NULL;
        struct json_failure failure;
        int64_t number = 0;

        if (json_parse(line, &alert, &failure) < 0) {
            ++*broken;
            continue;
        }
        assert_int_equal(0, text_to_int(json_as_text(json_object_get(alert, "id")), &number));
        if (number > last)
            return number;
    }
    return 0;
}

/* What was delivered, without repeats, is what was journalled, in its order. */
static unsigned compare(struct rig *rig, sqlite3 *reader)
{
    struct text rest = rig_read(rig, "out.jsonl");
    sqlite3_stmt *statement = NULL;
    unsigned broken = 0;
    int64_t last = 0;

    assert_int_equal(
        SQLITE_OK, sqlite3_prepare_v2(reader, "SELECT CAST(id AS INTEGER) FROM alerts ORDER BY seq",
                                      -1, &statement, NULL));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        last = next_delivered(&rest, last, &broken);
        assert_int_equal(sqlite3_column_int64(statement, 0), last);
    }
    sqlite3_finalize(statement);
    assert_int_equal(0, next_delivered(&rest, last, &broken));
    return broken;
}

static void nothing_journalled_is_lost(void **state)
{
    struct rig *rig = *state;
    const char *wanted = getenv("PICKET_KILLS");
    unsigned kills = wanted ? (unsigned)strtoul(wanted, NULL, 10) : KILLS_DEFAULT;
    sqlite3 *reader = NULL;

    for (unsigned i = 0; i < kills; i++)
        live_and_be_killed(rig);
    start(rig);
    tell(rig);
    rig_drain(rig);
    rig_stop(rig);
    assert_int_equal(SQLITE_OK, sqlite3_open_v2(rig_path(rig, "alerts.db"), &reader,
                                                SQLITE_OPEN_READONLY, NULL));
    assert_in_range(compare(rig, reader), 0, kills);
    int64_t journalled = ask(reader, "SELECT count(*) FROM alerts");
    int64_t lost = ask(reader, "SELECT sum(CAST(message AS INTEGER)) FROM alerts");
    int64_t accounted = ask(reader, "SELECT accounted FROM state");

    print_message("%u kills: %lld journalled, %lld lost before it\n", kills, (long long)journalled,
                  (long long)lost);
    assert_int_equal(accounted, journalled + lost);
    assert_in_range(accounted, tally->after, tally->before);
    assert_true(kills < 5 || journalled > 100);
    sqlite3_close(reader);
}

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(tally != MAP_FAILED);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    munmap(tally, sizeof *tally);
    return 0;
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_journalled_is_lost, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
