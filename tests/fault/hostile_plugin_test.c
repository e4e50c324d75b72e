/* A plugin may do its worst: the engine goes on, the output beside it misses nothing, and every
 * alert is accounted for. */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

#define HEALTHY "json,path=@/healthy.jsonl"
#define HOSTILE RIG_HOSTILE ",path=@/hostile.jsonl,mode="

enum { BESIDE, WORST }; /* indexes of the two outputs */

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

static void start(struct rig *rig, const char *worst)
{
    const char *const arguments[] = {HEALTHY, worst};

    rig_start(rig, arguments, 2);
}

/* The healthy output has all, once, in order; the sums are right. */
static void expect_healthy(struct rig *rig)
{
    struct delivery_counters beside = rig_counters(rig, BESIDE);

    rig_expect(rig, "healthy.jsonl", rig->pushed, ONCE);
    assert_int_equal(rig->pushed, beside.delivered);
    assert_int_equal(0, beside.crashes + beside.hangs + beside.garbage + beside.restarts);
    rig_expect_sum(rig, BESIDE);
    rig_expect_sum(rig, WORST);
}

static void aborts_at_each_alert(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "abort");
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(3, worst.crashes);
    assert_int_equal(1, worst.rejected);
    assert_int_equal(0, worst.delivered);
    rig_await_host(rig, WORST);
    assert_int_equal(3, rig_counters(rig, WORST).restarts);
    expect_healthy(rig);
}

static void aborts_at_one_alert_of_many(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "abort_at,at=30");
    rig_push(rig, 100, false);
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    /* Three times alone, and once more if it came among others first. */
    assert_in_range(worst.crashes, 3, 4);
    assert_int_equal(99, worst.delivered);
    assert_int_equal(1, worst.rejected);
    assert_int_equal(worst.crashes, worst.restarts);
    expect_healthy(rig);
}

static void sleeps_for_ever(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "sleep,deadline=100ms");
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(3, worst.hangs);
    assert_int_equal(1, worst.rejected);
    assert_int_equal(0, worst.crashes + worst.garbage);
    expect_healthy(rig);
}

static void expect_garbage(struct rig *rig, const char *worst)
{
    start(rig, worst);
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct delivery_counters counters = rig_counters(rig, WORST);

    assert_int_equal(3, counters.garbage);
    assert_int_equal(1, counters.rejected);
    assert_int_equal(0, counters.crashes + counters.hangs + counters.delivered);
    expect_healthy(rig);
}

static void says_it_delivered_too_many(void **state)
{
    expect_garbage(*state, HOSTILE "many");
}

static void says_it_rejects_too_many(void **state)
{
    expect_garbage(*state, HOSTILE "many_rejected");
}

static void says_it_rejects_more_than_numbers_hold(void **state)
{
    expect_garbage(*state, HOSTILE "most_rejected");
}

static void says_it_delivered_all_and_rejects_one(void **state)
{
    expect_garbage(*state, HOSTILE "one_too_many");
}

static void says_it_delivered_none(void **state)
{
    expect_garbage(*state, HOSTILE "none");
}

static void wants_an_unknown_action(void **state)
{
    expect_garbage(*state, HOSTILE "action");
}

static void writes_no_frames(void **state)
{
    expect_garbage(*state, HOSTILE "frame");
}

static void claims_a_frame_of_4_gigabytes(void **state)
{
    expect_garbage(*state, HOSTILE "long_frame");
}

static void writes_a_frame_of_the_engine(void **state)
{
    expect_garbage(*state, HOSTILE "foreign");
}

static void expect_crash(struct rig *rig, const char *worst)
{
    start(rig, worst);
    rig_push(rig, 1, false);
    rig_drain(rig);
    struct delivery_counters counters = rig_counters(rig, WORST);

    assert_int_equal(3, counters.crashes);
    assert_int_equal(1, counters.rejected);
    assert_int_equal(0, counters.garbage + counters.hangs + counters.delivered);
    expect_healthy(rig);
}

static void writes_to_every_descriptor(void **state)
{
    expect_garbage(*state, HOSTILE "descriptors");
}

static int64_t cpu_of(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    assert_int_equal(0, clock_getcpuclockid(pid, &clock));
    assert_int_equal(0, clock_gettime(clock, &used));
    return used.tv_sec * NS_PER_S + used.tv_nsec;
}

/* A fifth of a CPU, over a while; alerts are delivered all the same, and no deadline is missed. */
static void uses_no_more_than_its_share(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "burn,cpu=20,deadline=200ms");
    rig_push(rig, 1, false);
    rig_drain(rig);
    pid_t pid = rig_await_host(rig, WORST);
    int64_t used = cpu_of(pid), since = clock_monotonic();

    while (clock_monotonic() - since < 3 * NS_PER_S) {
        rig_push(rig, 1, false);
        usleep(50000);
    }
    used = cpu_of(pid) - used;
    since = clock_monotonic() - since;
    rig_drain(rig);
    assert_true(used * 100 / since < 40);
    assert_true(used > 0);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(0, worst.hangs + worst.restarts);
    assert_int_equal(rig->pushed, worst.delivered);
    expect_healthy(rig);
}

static void exits_while_delivering(void **state)
{
    expect_crash(*state, HOSTILE "exit");
}

static void closes_its_socket(void **state)
{
    expect_crash(*state, HOSTILE "close_socket");
}

static void push_two_and_drain(struct rig *rig)
{
    rig_push(rig, 2, false);
    rig_drain(rig);
}

static void floods_the_log(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "spam,batch=1");
    struct text log = rig_logged(rig, push_two_and_drain);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(2, worst.delivered);
    assert_int_equal(0, worst.crashes + worst.hangs + worst.garbage);
    assert_true(worst.suppressed > 30000);
    /* Every line is either written or counted, but for the lines about the lines. */
    assert_in_range(rig_count_lines(log) + worst.suppressed, 40000, 41000);
    assert_false(text_contains(log, TEXT("\033")));
    expect_healthy(rig);
}

static void floods_standard_error(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "stderr");
    struct text log = rig_logged(rig, push_two_and_drain);

    assert_int_equal(2, rig_counters(rig, WORST).delivered);
    assert_in_range(rig_count_lines(log), 50, 1000);
    assert_true(text_contains(log, TEXT("output hostile: !!!!")));
    expect_healthy(rig);
}

static void push_one_and_drain(struct rig *rig)
{
    rig_push(rig, 1, false);
    rig_drain(rig);
}

static void last_words_are_heard(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "last_words");
    struct text log = rig_logged(rig, push_one_and_drain);

    assert_int_equal(3, rig_counters(rig, WORST).crashes);
    for (int i = 0; i < 3; i++) {
        struct text line = {0};

        while (log.ptr && !text_contains(line, TEXT("output hostile: ")))
            line = text_split(&log, '\n');
        assert_true(text_ends(line, TEXT("output hostile: and then it was dark")));
        while (log.ptr && !text_contains(line, TEXT("its host ended")))
            line = text_split(&log, '\n');
        assert_non_null(line.ptr);
    }
}

/* Holds PID at the end it comes to, as a disk that does not answer would, until told. */
static pid_t hold_at_end(pid_t pid, int *release)
{
    int ready[2], told[2];
    char byte = 0;

    assert_int_equal(0, pipe2(ready, O_CLOEXEC));
    assert_int_equal(0, pipe2(told, O_CLOEXEC));
    pid_t holder = fork();

    if (holder == 0) {
        close(told[1]);
        if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT) < 0 ||
            write(ready[1], &byte, 1) != 1 || read(told[0], &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    close(ready[1]);
    close(told[0]);
    assert_int_equal(1, read(ready[0], &byte, 1));
    close(ready[0]);
    *release = told[1];
    return holder;
}

static void await_complaint(struct rig *rig)
{
    while (!text_contains(rig_read(rig, "log"), TEXT("was killed and does not die")))
        usleep(10000);
}

static void a_host_that_does_not_die_is_told_of(void **state)
{
    struct rig *rig = *state;
    int release, status;

    if (getuid() != 0)
        skip();
    start(rig, HOSTILE "sleep,deadline=100ms");
    pid_t pid = rig_await_host(rig, WORST);
    pid_t holder = hold_at_end(pid, &release);

    rig_push(rig, 1, false);
    rig_logged(rig, await_complaint);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(DELIVERY_DOWN, worst.state);
    assert_int_equal(pid, worst.pid);
    assert_int_equal(0, worst.restarts);
    close(release);
    assert_int_equal(holder, waitpid(holder, &status, 0));
    rig_drain(rig);
    assert_int_equal(3, rig_counters(rig, WORST).hangs);
    expect_healthy(rig);
}

static void fails_to_open(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {HEALTHY, HOSTILE "open_fails"};
    const char *shown = rig_refuse(rig, arguments, 2);

    assert_non_null(strstr(shown, "output 'hostile': the moon is not in the right phase"));
    assert_non_null(strstr(shown, "-o:2:1: error:"));
}

static void hangs_in_open(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {HEALTHY, HOSTILE "open_sleeps,deadline=100ms"};

    assert_non_null(strstr(rig_refuse(rig, arguments, 2), "did not answer within 100 ms"));
}

static void rejects_one_alert(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "reject,at=5");
    rig_push(rig, 10, false);
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(9, worst.delivered);
    assert_int_equal(1, worst.rejected);
    expect_healthy(rig);
}

static void push_ten_and_drain(struct rig *rig)
{
    rig_push(rig, 10, false);
    rig_drain(rig);
}

static void rejects_the_rest_of_a_batch(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "reject_half,at=10");
    struct text log = rig_logged(rig, push_ten_and_drain);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(5, worst.delivered);
    assert_int_equal(5, worst.rejected);
    assert_int_equal(0, worst.garbage + worst.restarts);
    assert_true(
        text_contains(log, TEXT("output hostile: 5 alerts are rejected (first: 000006): ")));
    rig_expect(rig, "hostile.jsonl", 5, ONCE);
    expect_healthy(rig);
}

static void asks_to_be_tried_again(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "retry,at=5");
    rig_push(rig, 10, false);
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(10, worst.delivered);
    assert_int_equal(3, worst.retries);
    rig_expect(rig, "hostile.jsonl", 10, ONCE);
    expect_healthy(rig);
}

static void hoards_memory(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "hoard,memory=64MiB");
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, WORST).delivered);
    expect_healthy(rig);
}

static void expect_hoarder_killed(struct rig *rig, const char *worst)
{
    start(rig, worst);
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(3, rig_counters(rig, WORST).garbage);
    assert_int_equal(1, rig_counters(rig, WORST).rejected);
    expect_healthy(rig);
}

static void hoards_what_is_not_written_to(void **state)
{
    expect_hoarder_killed(*state, HOSTILE "hoard_read_only,memory=64MiB,deadline=1h");
}

static void hoards_what_is_of_zero(void **state)
{
    expect_hoarder_killed(*state, HOSTILE "hoard_zero,memory=64MiB,deadline=1h");
}

static void takes_all_threads(void **state)
{
#ifdef __SANITIZE_THREAD__
    skip(); /* it does not survive a clone() */
#endif
    if (getuid() != 0)
        skip(); /* they are the starter's to take */
    expect_hoarder_killed(*state, HOSTILE "threads,deadline=1h");
}

/* Without a pid namespace nobody ends them, and they go on; but they hold up nothing. */
static void leaves_a_crowd_that_talks(void **state)
{
    struct rig *rig = *state;

    start(rig, RIG_FOLDER "/hostile_programs.so,mode=crowd");
    rig_push(rig, 1, false);
    rig_drain(rig);
    assert_int_equal(3, rig_counters(rig, WORST).crashes);
    expect_healthy(rig);
}

static void answers_what_it_was_not_asked(void **state)
{
    const size_t much = 300000;
    struct rig *rig = *state;
    char *json = arena_alloc(&rig->arena, much + 1);

    memset(json, ' ', much);
    json[0] = '{';
    json[1] = '}';
    start(rig, HOSTILE "foresee,batch=1");
    for (int i = 0; i < 20; i++)
        assert_int_equal(0, rig_push_json(rig, "m", json));
    while (rig_counters(rig, WORST).garbage == 0 && rig_counters(rig, WORST).delivered < 20)
        usleep(10000);
    assert_true(rig_counters(rig, WORST).garbage > 0);
    /* The first is what it was asked about; the next may have had room on the way. */
    assert_true(rig_counters(rig, WORST).delivered < 4);
}

static void one_alert(struct rig *rig)
{
    rig_push(rig, 1, false);
    rig_drain(rig);
}

static void wants_to_rotate_for_ever(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "rotate,deadline=300ms");
    struct text said = rig_logged(rig, one_alert);

    assert_int_equal(1, rig_counters(rig, WORST).rejected);
    assert_true(rig_count_lines(said) < 200);
    expect_healthy(rig);
}

/* It is heard out slowly: two seconds of it are some 500 reads each, not all that could be read. */
static void babbles_for_ever(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "babble,deadline=2s");
    rig_push(rig, 1, false);
    while (rig_counters(rig, WORST).hangs == 0)
        usleep(10000);
    assert_true(rig_counters(rig, WORST).suppressed > 1000);
    assert_true(rig_counters(rig, WORST).suppressed < 400000);
    expect_healthy(rig);
}

static void queue_is_bounded(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "sleep,queue=10,deadline=1h");
    rig_push(rig, 100, false);
    assert_int_equal(-ETIMEDOUT, delivery_drain(rig->delivery, 100 * NS_PER_MS));
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(10, worst.queued);
    assert_int_equal(90, worst.dropped);
    expect_healthy(rig);
}

static void queue_is_bounded_in_bytes(void **state)
{
    struct rig *rig = *state;
    char json[9000] = "{\"x\":\"";

    memset(json + strlen(json), 'x', sizeof json - 10);
    memcpy(json + sizeof json - 4, "\"}", 3);
    start(rig, HOSTILE "sleep,queue_size=64KiB,deadline=1h");
    for (int i = 0; i < 20; i++)
        assert_int_equal(0, rig_push_json(rig, "m", json));
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(7, worst.queued);
    assert_int_equal(13, worst.dropped);
    rig_expect_sum(rig, WORST);
}

static void waiting_pushes_lose_nothing(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "slow,queue=4");
    rig_push(rig, 300, true);
    rig_drain(rig);
    assert_int_equal(300, rig_counters(rig, WORST).delivered);
    assert_int_equal(0, rig_counters(rig, WORST).dropped);
    rig_expect(rig, "hostile.jsonl", 300, ONCE);
    expect_healthy(rig);
}

static void alerts_beyond_all_measure_are_rejected(void **state)
{
    struct rig *rig = *state;
    size_t len = DELIVERY_ALERT_MAX + 1;
    char *json = arena_alloc(&rig->arena, len + 1);

    assert_non_null(json);
    memset(json, ' ', len);
    start(rig, HOSTILE "faultless");
    assert_int_equal(-EMSGSIZE, rig_push_json(rig, "m", json));
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, WORST).rejected);
    rig_expect_sum(rig, WORST);
}

static void routes_are_kept(void **state)
{
    struct rig *rig = *state;
    const struct delivery_alert alert = {.id = TEXT("000001"), .json = TEXT("{\"id\":\"000001\"}")};

    start(rig, HOSTILE "faultless");
    assert_int_equal(0, delivery_push(rig->delivery, &alert, 1U << BESIDE, false));
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, BESIDE).delivered);
    assert_int_equal(0, rig_counters(rig, WORST).offered);
}

static void killed_hosts_come_back(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "slow");
    for (unsigned i = 0; i < 5; i++) {
        pid_t pid = rig_await_host(rig, WORST);

        uint64_t delivered = rig_counters(rig, WORST).delivered;

        rig_push(rig, 40, false);
        while (rig_counters(rig, WORST).delivered == delivered)
            usleep(100);
        assert_int_equal(0, kill(pid, SIGKILL));
        while (rig_counters(rig, WORST).crashes <= i)
            usleep(1000);
    }
    rig_drain(rig);
    struct delivery_counters worst = rig_counters(rig, WORST);

    assert_int_equal(5, worst.crashes);
    assert_int_equal(5, worst.restarts);
    assert_int_equal(200, worst.delivered);
    rig_expect(rig, "hostile.jsonl", 200, REPEATS);
    expect_healthy(rig);
}

static void idle_hosts_come_back(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "faultless");
    pid_t pid = rig_await_host(rig, WORST);

    assert_int_equal(0, kill(pid, SIGKILL));
    while (rig_counters(rig, WORST).crashes == 0)
        usleep(1000);
    assert_true(rig_await_host(rig, WORST) != pid);
    rig_push(rig, 3, false);
    rig_drain(rig);
    rig_expect(rig, "hostile.jsonl", 3, ONCE);
    expect_healthy(rig);
}

static void plugins_are_closed(void **state)
{
    struct rig *rig = *state;

    start(rig, HOSTILE "faultless");
    delivery_free(rig->delivery);
    rig->delivery = NULL;
    assert_true(text_equal(TEXT("closed\n"), rig_read(rig, "hostile.jsonl")));
}

/* An engine that is killed: its hosts, one of them stuck in its plugin, go with it. */
_Noreturn static void be_engine(struct rig *rig, int report)
{
    start(rig, HOSTILE "sleep,deadline=1h");
    rig_push(rig, 1, false);
    const pid_t pids[] = {rig_counters(rig, BESIDE).pid, rig_counters(rig, WORST).pid};

    if (write(report, pids, sizeof pids) == sizeof pids)
        raise(SIGKILL);
    _exit(1);
}

static void hosts_do_not_outlive_the_engine(void **state)
{
    struct rig *rig = *state;
    int pair[2], status;
    pid_t pids[2];

    assert_int_equal(0, pipe2(pair, O_CLOEXEC));
    pid_t engine = fork();

    if (engine == 0)
        be_engine(rig, pair[1]);
    close(pair[1]);
    assert_int_equal(sizeof pids, read(pair[0], pids, sizeof pids));
    close(pair[0]);
    assert_int_equal(engine, waitpid(engine, &status, 0));
    assert_true(WIFSIGNALED(status));
    for (size_t i = 0; i < 2; i++)
        while (kill(pids[i], 0) == 0)
            usleep(1000);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(aborts_at_each_alert),
        TEST(aborts_at_one_alert_of_many),
        TEST(sleeps_for_ever),
        TEST(says_it_delivered_too_many),
        TEST(says_it_rejects_too_many),
        TEST(says_it_rejects_more_than_numbers_hold),
        TEST(says_it_delivered_all_and_rejects_one),
        TEST(says_it_delivered_none),
        TEST(wants_an_unknown_action),
        TEST(writes_no_frames),
        TEST(claims_a_frame_of_4_gigabytes),
        TEST(writes_a_frame_of_the_engine),
        TEST(writes_to_every_descriptor),
        TEST(uses_no_more_than_its_share),
        TEST(exits_while_delivering),
        TEST(closes_its_socket),
        TEST(floods_the_log),
        TEST(floods_standard_error),
        TEST(last_words_are_heard),
        TEST(a_host_that_does_not_die_is_told_of),
        TEST(fails_to_open),
        TEST(hangs_in_open),
        TEST(rejects_one_alert),
        TEST(rejects_the_rest_of_a_batch),
        TEST(asks_to_be_tried_again),
        TEST(hoards_memory),
        TEST(hoards_what_is_not_written_to),
        TEST(hoards_what_is_of_zero),
        TEST(takes_all_threads),
        TEST(leaves_a_crowd_that_talks),
        TEST(answers_what_it_was_not_asked),
        TEST(wants_to_rotate_for_ever),
        TEST(babbles_for_ever),
        TEST(queue_is_bounded),
        TEST(queue_is_bounded_in_bytes),
        TEST(waiting_pushes_lose_nothing),
        TEST(alerts_beyond_all_measure_are_rejected),
        TEST(routes_are_kept),
        TEST(killed_hosts_come_back),
        TEST(idle_hosts_come_back),
        TEST(plugins_are_closed),
        TEST(hosts_do_not_outlive_the_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
