/* Delivery through a journal whose disk, file or readers do their worst: outputs get everything in
 * order, and what is not kept is counted to the last alert. */
#include "rig.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

#define PATIENCE (60 * NS_PER_S)
#define OUT      "json,name=out,path=@/out.jsonl"
#define STUCK    RIG_HOSTILE ",name=out,deadline=1h,path=@/stuck.jsonl,mode=sleep"
#define SLOW     RIG_HOSTILE ",name=slow,queue=16,path=@/slow.jsonl,mode=slow"

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void start(struct rig *rig, const char *first, const char *second)
{
    const char *const arguments[] = {first, second};

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    rig_start(rig, arguments, second ? 2 : 1);
}

static struct delivery_journal journal_of(struct rig *rig)
{
    struct delivery_journal journal;

    delivery_journal(rig->delivery, &journal);
    return journal;
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2 * NS_PER_MS}, NULL);
}

/* Until nothing waits to be journalled. */
static void await_journalled(struct rig *rig, unsigned count)
{
    int64_t end = clock_monotonic() + PATIENCE;

    while (journal_of(rig).journalled < count) {
        assert_true(clock_monotonic() < end);
        pause_shortly();
    }
}

static void await_kept(struct rig *rig, uint64_t mark)
{
    int64_t end = clock_monotonic() + PATIENCE;

    while (!delivery_is_kept(rig->delivery, mark)) {
        assert_true(clock_monotonic() < end);
        pause_shortly();
    }
}

static void await_failing(struct rig *rig, bool failing)
{
    int64_t end = clock_monotonic() + PATIENCE;

    while (journal_of(rig).fails != failing) {
        assert_true(clock_monotonic() < end);
        pause_shortly();
    }
}

/* Takes the news until there is one of that kind. */
static struct delivery_news await_news(struct rig *rig, enum delivery_news_kind kind)
{
    int64_t end = clock_monotonic() + PATIENCE;
    struct delivery_news news = {0};

    while (!delivery_take_news(rig->delivery, INT64_MAX, &news) || news.kind != kind) {
        assert_true(clock_monotonic() < end);
        pause_shortly();
    }
    return news;
}

static int64_t ask_file(struct rig *rig, const char *name, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *reader = NULL;

    assert_int_equal(SQLITE_OK,
                     sqlite3_open_v2(rig_path(rig, name), &reader, SQLITE_OPEN_READONLY, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(reader, sql, -1, &statement, NULL));
    assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
    int64_t value = sqlite3_column_int64(statement, 0);

    sqlite3_finalize(statement);
    sqlite3_close(reader);
    return value;
}

static int64_t ask(struct rig *rig, const char *sql)
{
    return ask_file(rig, "alerts.db", sql);
}

static void all_is_journalled_and_delivered(void **state)
{
    struct rig *rig = *state;

    start(rig, OUT, NULL);
    rig_push(rig, 5000, false);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 5000, ONCE);
    rig_expect_sum(rig, 0);
    assert_int_equal(5000, rig_counters(rig, 0).delivered);
    assert_int_equal(5000, ask(rig, "SELECT count(*) FROM alerts"));
    assert_int_equal(5000, ask(rig, "SELECT max(seq) FROM alerts WHERE route = 1"));
    rig_stop(rig);
    assert_int_equal(5000, ask(rig, "SELECT cursor FROM outputs"));
    assert_int_equal(0, ask(rig, "SELECT pending FROM outputs"));
    assert_int_equal(5000, ask(rig, "SELECT accounted FROM state"));
}

static void the_next_run_delivers_what_is_left(void **state)
{
    struct rig *rig = *state;

    start(rig, STUCK, NULL);
    rig_push(rig, 20000, false);
    uint64_t mark = delivery_mark(rig->delivery);

    await_kept(rig, mark);
    assert_int_equal(20000, ask(rig, "SELECT count(*) FROM alerts"));
    struct delivery_counters stuck = rig_counters(rig, 0);

    assert_int_equal(20000, stuck.queued);
    assert_int_equal(0, stuck.dropped);
    rig_stop(rig);
    start(rig, OUT, "json,name=late,path=@/late.jsonl");
    rig_push(rig, 10, false);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 20010, ONCE);
    rig_expect_sum(rig, 0);
    /* A new name begins at the end. */
    assert_int_equal(10, rig_counters(rig, 1).offered);
    assert_int_equal(10, rig_count_lines(rig_read(rig, "late.jsonl")));
}

static void who_is_behind_gets_all_in_order(void **state)
{
    struct rig *rig = *state;

    start(rig, OUT, SLOW);
    rig_push(rig, 3000, false);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 3000, ONCE);
    rig_expect(rig, "slow.jsonl", 3000, ONCE);
    rig_expect_sum(rig, 0);
    rig_expect_sum(rig, 1);
    assert_int_equal(0, rig_counters(rig, 1).dropped);
}

static void the_rejected_are_dead_letters(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_HOSTILE ",name=picky,path=@/picky.jsonl,mode=reject,at=30", NULL);
    rig_push(rig, 100, false);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, 0).rejected);
    rig_stop(rig);
    assert_int_equal(1, ask(rig, "SELECT count(*) FROM dead_letters"));
    assert_int_equal(30, ask(rig, "SELECT seq FROM dead_letters WHERE output = 'picky'"
                                  " AND id = '000030' AND length(reason) > 0"));
}

static void what_comes_too_fast_is_counted(void **state)
{
    struct rig *rig = *state;
    unsigned refused = 0;

    start(rig, OUT, NULL);
    for (int i = 0; i < 300000; i++)
        refused += rig_push_json(rig, "m", "{\"id\":\"1\"}") < 0;
    rig_drain(rig);
    assert_int_equal(refused, journal_of(rig).overrun);
    rig_expect_sum(rig, 0);
    assert_int_equal(refused, rig_counters(rig, 0).dropped);
    assert_int_equal(300000 - refused, ask(rig, "SELECT count(*) FROM alerts"));
    assert_true(refused > 0);
    assert_true(delivery_is_lost(rig->delivery, delivery_mark(rig->delivery)));
    assert_true(delivery_is_kept(rig->delivery, delivery_mark(rig->delivery)));
    assert_int_equal(refused, await_news(rig, DELIVERY_OVERRUN).count);
}

static void who_can_wait_is_kept_waiting(void **state)
{
    struct rig *rig = *state;

    rig->patient = true;
    start(rig, OUT, NULL);
    for (int i = 0; i < 300000; i++)
        assert_int_equal(0, rig_push_json(rig, "m", "{\"id\":\"1\"}"));
    await_kept(rig, delivery_mark(rig->delivery));
    assert_int_equal(0, journal_of(rig).overrun);
    assert_int_equal(300000, ask(rig, "SELECT count(*) FROM alerts"));
}

/* Each time another. */
static void put_noise(struct buffer *out, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    static unsigned seed = 1;

    while (len--)
        buffer_put_char(out, letters[rand_r(&seed) % 64]);
}

/* COUNT alerts with LEN bytes that cannot be packed, no faster than they are journalled or kept. */
static void push_large(struct rig *rig, unsigned count, size_t len)
{
    CLEANUP(buffer_deinit) struct buffer json = {0};

    while (count--) {
        buffer_clear(&json);
        buffer_printf(&json, "{\"id\":\"%06u\",\"padding\":\"", rig->pushed + 1);
        put_noise(&json, len);
        buffer_put_string(&json, "\"}");
        assert_int_equal(0, rig_push_json(rig, "m", buffer_string(&json)));
        if (count % 16 == 0)
            pause_shortly();
    }
}

static sqlite3 *hold_transaction(struct rig *rig)
{
    sqlite3 *reader = NULL;

    assert_int_equal(SQLITE_OK, sqlite3_open_v2(rig_path(rig, "alerts.db"), &reader,
                                                SQLITE_OPEN_READONLY, NULL));
    assert_int_equal(SQLITE_OK,
                     sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM alerts", NULL, NULL, NULL));
    return reader;
}

static void a_reader_that_stays_is_told_of(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {OUT};

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE / 8);
    rig_start(rig, arguments, 1);
    rig_push(rig, 100, false);
    await_journalled(rig, 100);
    sqlite3 *reader = hold_transaction(rig);

    push_large(rig, 1400, 65536);
    assert_non_null(strstr(await_news(rig, DELIVERY_JOURNAL_FAILED).why, "reads it"));
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 1500, ONCE); /* delivery went on */
    sqlite3_close(reader);
    await_failing(rig, false);
    assert_int_equal(0, await_news(rig, DELIVERY_JOURNAL_WORKS).count);
    await_journalled(rig, 1500);
    assert_int_equal(1500, ask(rig, "SELECT count(*) FROM alerts"));
}

static void another_writer_is_waited_for(void **state)
{
    struct rig *rig = *state;
    sqlite3 *writer = NULL;

    start(rig, OUT, NULL);
    rig_push(rig, 10, false);
    await_journalled(rig, 10);
    assert_int_equal(SQLITE_OK, sqlite3_open(rig_path(rig, "alerts.db"), &writer));
    assert_int_equal(SQLITE_OK, sqlite3_exec(writer, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    rig_push(rig, 10, false);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 20, ONCE);
    assert_true(journal_of(rig).fails);
    sqlite3_close(writer);
    await_journalled(rig, 20);
    assert_int_equal(20, ask(rig, "SELECT count(*) FROM alerts"));
}

/* Overwrites all of it but the first page, which may be in memory alone. */
static void damage(struct rig *rig)
{
    CLEANUP(closep) int fd = open(rig_path(rig, "alerts.db"), O_WRONLY | O_CLOEXEC);
    static const char garbage[16384] = "this is no page of a database";
    off_t size = lseek(fd, 0, SEEK_END);

    assert_true(size > 0);
    for (off_t at = 16384; at < size; at += (off_t)sizeof garbage)
        assert_int_equal(sizeof garbage, pwrite(fd, garbage, sizeof garbage, at));
}

static void a_damaged_one_costs_only_what_was_in_it(void **state)
{
    struct rig *rig = *state;

    start(rig, OUT, SLOW);
    push_large(rig, 2000, 8192);
    await_journalled(rig, 1900);
    damage(rig);
    await_news(rig, DELIVERY_JOURNAL_REPLACED);
    push_large(rig, 500, 100);
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 2500, ONCE);
    rig_expect_sum(rig, 0);
    rig_expect_sum(rig, 1);
    struct delivery_counters slow = rig_counters(rig, 1);

    assert_true(slow.expired > 0);
    assert_int_equal(2500, slow.delivered + slow.expired);
    assert_int_equal(slow.expired, await_news(rig, DELIVERY_EXPIRED).count);
    assert_int_equal(slow.delivered, rig_count_lines(rig_read(rig, "slow.jsonl")));
}

static void what_is_too_old_is_counted_on_its_output(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {OUT, RIG_HOSTILE ",name=stuck,queue=16,deadline=1h,"
                                                      "path=@/stuck.jsonl,mode=sleep"};

    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE_MIN);
    rig_start(rig, arguments, 2);
    push_large(rig, 3000, 1000);
    await_journalled(rig, 3000);
    int64_t kept = ask(rig, "SELECT count(*) FROM alerts");
    struct delivery_counters stuck = rig_counters(rig, 1);

    assert_true(kept < 2000);
    assert_true(stuck.expired > 0);
    rig_expect_sum(rig, 1);
    /* What was let go is all but what the journal and the output's queue have. */
    assert_in_range(stuck.expired, 3000 - (uint64_t)kept - 16, 3000 - (uint64_t)kept);
    assert_int_equal(stuck.expired, ask(rig, "SELECT expired FROM outputs WHERE name = 'stuck'"));
    rig_expect(rig, "out.jsonl", 3000, ONCE);
    rig_expect_sum(rig, 0);
}

/* Writes zeros until there is no room. */
static void fill(const char *path)
{
    CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    static const char zeros[4096];

    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
}

static bool mount_small(struct rig *rig)
{
    assert_int_equal(0, mkdir(rig_path(rig, "disk"), 0755));
    if (mount("picket-test", rig_path(rig, "disk"), "tmpfs", 0, "size=48m") == 0)
        return true;
    assert_null(getenv("CI"));
    rmdir(rig_path(rig, "disk"));
    return false;
}

static void unmount_small(struct rig *rig)
{
    rig_stop(rig);
    assert_int_equal(0, umount2(rig_path(rig, "disk"), 0));
    assert_int_equal(0, rmdir(rig_path(rig, "disk")));
}

/* Small ones, no faster than the delivery thread takes them from the intake. */
static void push_paced(struct rig *rig, unsigned count)
{
    for (; count; count -= 500) {
        rig_push(rig, 500, false);
        pause_shortly();
        while (rig_counters(rig, 0).offered < rig->pushed)
            pause_shortly();
    }
}

static void a_full_disk_is_survived(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {OUT};

    if (!mount_small(rig))
        skip();
    rig_open_journal(rig, "@/disk/alerts.db", JOURNAL_SIZE);
    rig_start(rig, arguments, 1);
    push_paced(rig, 2000);
    uint64_t before = delivery_mark(rig->delivery);

    await_journalled(rig, 2000);
    assert_true(delivery_is_kept(rig->delivery, before));
    rig_drain(rig);
    fill(rig_path(rig, "disk/ballast"));
    push_paced(rig, 60000);
    struct delivery_news failed = await_news(rig, DELIVERY_JOURNAL_FAILED);

    uint64_t during = delivery_mark(rig->delivery);

    assert_non_null(strstr(failed.why, "full"));
    assert_false(delivery_is_kept(rig->delivery, during));
    rig_drain(rig);
    rig_expect(rig, "out.jsonl", 62000, ONCE); /* detection and delivery went on */
    struct delivery_journal full = journal_of(rig);

    assert_true(full.fails);
    assert_true(full.unjournalled > 0);
    assert_int_equal(62000, full.journalled + full.unjournalled + full.waiting);
    assert_int_equal(0, unlink(rig_path(rig, "disk/ballast")));
    assert_int_equal(full.unjournalled, await_news(rig, DELIVERY_JOURNAL_WORKS).count);
    push_paced(rig, 1000);
    rig_drain(rig);
    await_journalled(rig, 63000 - (unsigned)full.unjournalled);
    rig_expect(rig, "out.jsonl", 63000, ONCE);
    rig_expect_sum(rig, 0);
    assert_true(delivery_is_lost(rig->delivery, during));
    assert_true(delivery_is_kept(rig->delivery, delivery_mark(rig->delivery)));
    assert_int_equal(full.unjournalled, journal_of(rig).unjournalled);
    assert_int_equal(63000 - full.unjournalled,
                     ask_file(rig, "disk/alerts.db", "SELECT count(*) FROM alerts"));
    unmount_small(rig);
}

static bool mount_disk(struct rig *rig)
{
    CLEANUP(buffer_deinit) struct buffer command = {0};

    assert_int_equal(0, mkdir(rig_path(rig, "disk"), 0755));
    buffer_printf(
        &command,
        "cd %s && truncate -s 64M image && mkfs.ext4 -q image && mount -o loop image disk",
        rig->dir);
    if (system(buffer_string(&command)) == 0) /* NOLINT(cert-env33-c): no stranger's words */
        return true;
    rmdir(rig_path(rig, "disk"));
    return false;
}

/* Whoever writes there waits until it is thawed, as with a disk that does not answer. */
static void freeze(struct rig *rig, unsigned long request)
{
    CLEANUP(closep) int fd = open(rig_path(rig, "disk"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(0, ioctl(fd, request, 0));
}

static void await_stall(struct rig *rig)
{
    int64_t end = clock_monotonic() + PATIENCE;
    struct delivery_news news = {0};

    while (!delivery_take_news(rig->delivery, clock_monotonic(), &news)) {
        assert_true(clock_monotonic() < end);
        pause_shortly();
    }
    assert_int_equal(DELIVERY_JOURNAL_FAILED, news.kind);
    assert_non_null(strstr(news.why, "has not answered"));
}

static void a_disk_that_hangs_is_told_of(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {RIG_HOSTILE
                                     ",name=slow,deadline=1s,path=@/slow.jsonl,mode=slow"};

    if (!mount_disk(rig))
        skip();
    rig_open_journal(rig, "@/disk/alerts.db", JOURNAL_SIZE);
    rig_start(rig, arguments, 1);
    rig_push(rig, 500, false);
    await_journalled(rig, 500);
    freeze(rig, FIFREEZE);
    rig_push(rig, 500, false);
    await_stall(rig);
    assert_true(journal_of(rig).fails);
    freeze(rig, FITHAW);
    await_news(rig, DELIVERY_JOURNAL_WORKS);
    rig_drain(rig);
    rig_expect(rig, "slow.jsonl", 1000, ONCE);
    rig_expect_sum(rig, 0);
    assert_int_equal(0, rig_counters(rig, 0).hangs); /* it was not its host that took so long */
    unmount_small(rig);
}

static int all_tests(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_is_journalled_and_delivered),
        TEST(the_next_run_delivers_what_is_left),
        TEST(who_is_behind_gets_all_in_order),
        TEST(the_rejected_are_dead_letters),
        TEST(what_comes_too_fast_is_counted),
        TEST(who_can_wait_is_kept_waiting),
        TEST(a_reader_that_stays_is_told_of),
        TEST(another_writer_is_waited_for),
        TEST(a_damaged_one_costs_only_what_was_in_it),
        TEST(what_is_too_old_is_counted_on_its_output),
        TEST(a_full_disk_is_survived),
        TEST(a_disk_that_hangs_is_told_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
