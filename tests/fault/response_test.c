/* What outputs may do to processes: what their settings and the engine allow, whatever a plugin
 * asks for. */
#include "rig.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "output/response.h"
#include "stranger.h"

#define RESPOND "respond,respond_to=tmp-binary"

struct fixture {
    struct rig rig;
    pid_t pid; /* whom alerts are about */
};

static int set_up(void **state)
{
    static struct fixture f;

    rig_init(&f.rig);
    f.rig.live = true;
    f.pid = stranger_start();
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    kill(f->pid, SIGKILL);
    rig_deinit(&f->rig);
    return 0;
}

static void start(struct fixture *f, const char *output)
{
    rig_start(&f->rig, &output, 1);
}

static void start_asker(struct fixture *f, const char *mode)
{
    start(f, arena_printf(&f->rig.arena,
                          RIG_ASKER ".so,mode=%s,path=@/answers,respond_to=tmp-binary,dry_run=no",
                          mode));
}

/* What an alert says. */
struct told {
    const char *rule; /* NULL: tmp-binary */
    int64_t pid, start;
    int64_t age;         /* ns */
    const char *members; /* of the alert, besides */
    bool anonymous;      /* it does not say when the process began */
};

static void push(struct fixture *f, struct told told)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct json_writer json = {.buffer = &out};
    const char *id = arena_printf(&f->rig.arena, "%06u", ++f->rig.pushed);
    int64_t time = clock_realtime() - told.age;

    json_begin(&json, '{');
    if (told.members)
        json_raw(&json, text_from(told.members));
    json_key(&json, TEXT("event"));
    json_begin(&json, '{');
    json_key(&json, TEXT("time"));
    json_time(&json, time);
    json_key(&json, TEXT("pid"));
    json_int(&json, told.pid);
    json_key(&json, TEXT("comm"));
    json_text(&json, TEXT("x\x1b[2J"));
    if (!told.anonymous) {
        json_key(&json, TEXT("start_time"));
        json_time(&json, told.start + clock_boot_offset());
    }
    json_end(&json, '}');
    json_end(&json, '}');
    const struct delivery_alert alert = {.id = text_from(id),
                                         .host = TEXT("h"),
                                         .rule = text_from(told.rule ? told.rule : "tmp-binary"),
                                         .title = TEXT("t"),
                                         .message = TEXT("m"),
                                         .json = buffer_text(&out),
                                         .time = time,
                                         .severity = 3};

    assert_int_equal(0, delivery_push(f->rig.delivery, &alert, DELIVERY_ALL, false));
}

static void push_pid(struct fixture *f, pid_t pid)
{
    push(f, (struct told){.pid = pid, .start = stranger_began(pid)});
}

/* The next piece of news is a response with these words in its detail; "": there is none. */
static void expect_told(struct fixture *f, const char *words)
{
    struct delivery_news news;

    rig_drain(&f->rig);
    if (!delivery_take_news(f->rig.delivery, INT64_MAX, &news)) {
        assert_string_equal("", words);
        return;
    }
    assert_int_equal(DELIVERY_RESPONSE, news.kind);
    if (!*words || !strstr(news.detail, words))
        fail_msg("not '%s': %s", words, news.detail);
    assert_null(strchr(news.message, '\x1b'));
    free(news.message);
    free(news.detail);
}

static void expect_answers(struct fixture *f, const char *answers)
{
    struct text got = rig_read(&f->rig, "answers");

    assert_true(text_is(got, answers));
}

static void kills_the_process_of_an_alert(void **state)
{
    struct fixture *f = *state;

    start(f, RESPOND ",dry_run=no");
    push_pid(f, f->pid);
    expect_told(f, arena_printf(&f->rig.arena,
                                "\"measure\":\"kill\",\"outcome\":\"done\",\"rule\":\"tmp-binary\","
                                "\"alert\":\"000001\",\"pid\":%d,\"start_time\":\"",
                                f->pid));
    stranger_await(f->pid, "Z-");
    stranger_await(f->pid, "-");
    push_pid(f, f->pid);
    expect_told(f, "\"outcome\":\"gone\",\"reason\":\"ended\"");
    expect_told(f, "");
}

static void stops_it_where_that_is_asked_for(void **state)
{
    struct fixture *f = *state;

    start(f, RESPOND ",dry_run=no,action=stop");
    push_pid(f, f->pid);
    expect_told(f, "\"measure\":\"stop\",\"outcome\":\"done\"");
    stranger_await(f->pid, "T");
    assert_int_equal(0, kill(f->pid, SIGCONT));
    stranger_await(f->pid, "SR");
}

static void does_nothing_unless_told_to(void **state)
{
    struct fixture *f = *state;

    start(f, RESPOND);
    push_pid(f, f->pid);
    expect_told(f, "\"measure\":\"kill\",\"outcome\":\"dry_run\"");
    assert_true(stranger_is(f->pid, "SR"));
}

static void gets_alerts_of_its_rules_alone(void **state)
{
    struct fixture *f = *state;
    struct told told = {.pid = f->pid, .start = stranger_began(f->pid)};

    start(f, RESPOND ",respond_to=second,dry_run=no,action=stop");
    told.rule = "tmp-binary-2";
    push(f, told);
    told.rule = "picket.response";
    push(f, told);
    told.rule = "";
    push(f, told);
    expect_told(f, "");
    assert_int_equal(0, rig_counters(&f->rig, 0).offered);
    assert_true(stranger_is(f->pid, "SR"));
    told.rule = "second";
    push(f, told);
    expect_told(f, "\"outcome\":\"done\"");
    assert_int_equal(1, rig_counters(&f->rig, 0).delivered);
}

/* What the journal has for it from a time when it might. */
static void alerts_of_before_are_judged_by_the_settings_of_now(void **state)
{
    struct fixture *f = *state;

    rig_open_journal(&f->rig, "@/alerts.db", 1 << 20);
    start(f, RIG_ASKER ".so,name=respond,mode=frame_long,path=@/answers,respond_to=tmp-binary");
    push_pid(f, f->pid);
    while (rig_counters(&f->rig, 0).garbage == 0)
        usleep(1000);
    rig_stop(&f->rig);
    rig_open_journal(&f->rig, "@/alerts.db", 1 << 20);
    start(f, "respond,respond_to=second,dry_run=no");
    expect_told(f, "\"outcome\":\"refused\",\"reason\":\"rule\"");
    assert_true(stranger_is(f->pid, "SR"));
}

static void another_process_of_that_pid_is_spared(void **state)
{
    struct fixture *f = *state;
    struct told told = {.pid = f->pid, .start = stranger_began(f->pid)};
    pid_t wanted = f->pid;

    start(f, RESPOND ",dry_run=no");
    kill(wanted, SIGKILL);
    stranger_await(wanted, "-");
    usleep(30000); /* nobody can tell two of one tick apart */
    const struct clone_args arguments = {
        .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1, .exit_signal = SIGCHLD};
    pid_t again = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);

    if (again == 0)
        stranger_sleep();
    if (again < 0 && errno == EPERM)
        skip(); /* pids may not be chosen here */
    assert_int_equal(wanted, again);
    push(f, told);
    expect_told(f, "\"outcome\":\"gone\",\"reason\":\"other_process\"");
    assert_true(stranger_is(again, "SR"));
    kill(again, SIGKILL);
    assert_int_equal(again, waitpid(again, NULL, 0));
}

static void what_is_not_this_machines_now_is_refused(void **state)
{
    struct fixture *f = *state;
    struct told told = {.pid = f->pid, .start = stranger_began(f->pid)}, other = told;

    start(f, RESPOND ",dry_run=no");
    other.age = RESPONSE_AGE_MAX + NS_PER_S;
    push(f, other);
    expect_told(f, "\"reason\":\"too_old\"");
    other.age = -RESPONSE_AGE_MAX - NS_PER_S;
    push(f, other);
    expect_told(f, "\"reason\":\"too_old\"");
    other = told;
    other.members =
        "\"host\":{\"name\":\"a\",\"id\":\"1\"},\"engine\":{\"name\":\"b\",\"id\":\"2\"}";
    push(f, other);
    expect_told(f, "\"reason\":\"other_machine\"");
    other = told;
    other.anonymous = true;
    push(f, other);
    expect_told(f, "\"reason\":\"no_process\"");
    rig_stop(&f->rig);
    f->rig.live = false; /* a replay */
    start(f, RESPOND ",dry_run=no");
    push(f, told);
    expect_told(f, "\"reason\":\"not_live\"");
    assert_true(stranger_is(f->pid, "SR"));
}

static void the_system_and_picket_are_spared(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();

    if (child == 0)
        stranger_sleep();
    start(f, RESPOND ",dry_run=no");
    push_pid(f, 1);
    expect_told(f, "\"reason\":\"init\"");
    push_pid(f, getpid());
    expect_told(f, "\"reason\":\"picket\"");
    push_pid(f, child);
    expect_told(f, "\"reason\":\"picket\"");
    push_pid(f, rig_await_host(&f->rig, 0));
    expect_told(f, "\"reason\":\"picket\"");
    assert_int_equal(0, rig_counters(&f->rig, 0).crashes);
    kill(child, SIGKILL);
    assert_int_equal(child, waitpid(child, NULL, 0));
}

static void no_more_than_the_limit(void **state)
{
    struct fixture *f = *state;

    start(f, RESPOND ",dry_run=no,respond_limit=3,action=stop");
    for (int i = 0; i < 3; i++) {
        push_pid(f, f->pid);
        expect_told(f, "\"outcome\":\"done\"");
    }
    push_pid(f, f->pid);
    expect_told(f, "\"outcome\":\"refused\",\"reason\":\"limit\"");
}

/* Nobody can have picket talk without end. */
static void many_refusals_are_summed(void **state)
{
    struct fixture *f = *state;
    const unsigned count = RESPONSE_TOLD + 500;
    struct delivery_news news = {.kind = DELIVERY_RESPONSE};
    unsigned told = 0;

    start(f, RESPOND ",dry_run=no");
    for (unsigned i = 0; i < count; i++)
        push(f, (struct told){.anonymous = true});
    rig_drain(&f->rig);
    while (delivery_take_news(f->rig.delivery, INT64_MAX, &news) &&
           news.kind == DELIVERY_RESPONSE) {
        told++;
        free(news.message);
        free(news.detail);
    }
    assert_int_equal(DELIVERY_REFUSED, news.kind);
    assert_true(told >= RESPONSE_TOLD);
    assert_int_equal(count, told + news.count);
}

static void a_plugin_asks_once_about_what_it_was_given(void **state)
{
    struct fixture *f = *state;

    start_asker(f, "twice");
    push_pid(f, f->pid);
    expect_told(f, "\"measure\":\"stop\",\"outcome\":\"done\"");
    expect_told(f, "");
    expect_answers(f, "done\nrefused\n");
    stranger_await(f->pid, "T");
}

static void a_plugin_that_misuses_the_service_gets_nothing(void **state)
{
    static const char *const modes[][2] = {
        {"copy", "no\nno\n"}, {"measure", "no\nno\nno\n"}, {"thread", "no\n"}, {"flush", "no\n"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        start_asker(f, modes[i][0]);
        push_pid(f, f->pid);
        expect_told(f, "");
        expect_answers(f, modes[i][1]);
        assert_int_equal(0, rig_counters(&f->rig, 0).garbage);
        assert_int_equal(0, rig_counters(&f->rig, 0).crashes);
        rig_stop(&f->rig);
        assert_int_equal(0, unlink(rig_path(&f->rig, "answers")));
    }
    assert_true(stranger_is(f->pid, "SR"));
}

/* Its host is killed for each, three times; then the alert is rejected. */
static void a_host_that_was_taken_over_gets_nothing(void **state)
{
    static const char *const modes[] = {"frame_index", "frame_batch", "frame_measure",
                                        "frame_long"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        start_asker(f, modes[i]);
        push_pid(f, f->pid);
        expect_told(f, "");
        assert_int_equal(3, rig_counters(&f->rig, 0).garbage);
        assert_int_equal(1, rig_counters(&f->rig, 0).rejected);
        rig_stop(&f->rig);
    }
    assert_true(stranger_is(f->pid, "SR"));
}

/* Without the need, the service is not to be had, whichever way. */
static void a_plugin_that_states_no_need_gets_nothing(void **state)
{
    static const char *const outputs[] = {
        RIG_ASKER "_without.so,mode=ask,path=@/answers",
        RIG_ASKER "_without.so,mode=frame_many,name=second",
        RESPOND ",dry_run=no,respond_to=never",
    };
    struct fixture *f = *state;

    rig_start(&f->rig, outputs, 3);
    push(f, (struct told){.rule = "other", .pid = f->pid, .start = stranger_began(f->pid)});
    expect_told(f, "");
    expect_answers(f, "no\n");
    assert_int_equal(3, rig_counters(&f->rig, 1).garbage);
    assert_true(stranger_is(f->pid, "SR"));
}

/* One decision, however often it is asked for. */
static void a_host_that_never_stops_asking_is_ended(void **state)
{
    struct fixture *f = *state;

    start_asker(f, "frame_many");
    push_pid(f, f->pid);
    expect_told(f, "\"outcome\":\"done\"");
    expect_told(f, "");
    assert_int_equal(3, rig_counters(&f->rig, 0).garbage);
}

static void settings_are_for_those_that_respond(void **state)
{
    static const struct {
        const char *output, *diagnostic;
    } wrong[] = {
        {"respond", "needs its option 'respond_to'"},
        {RESPOND ",respond_to=picket.events_lost", "wants ids of rules; not 'picket.events_lost'"},
        {"respond,respond_to=", "wants ids of rules; not ''"},
        {RESPOND ",respond_limit=0", "from 1 to 1000; not '0'"},
        {RESPOND ",dry_run=maybe", "true or false; not 'maybe'"},
        {RESPOND ",dry_rum=no", "has no option 'dry_rum'; did you mean 'dry_run'?"},
        {"json,path=@/x,dry_run=no", "output 'json' has no option 'dry_run'"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *shown = rig_refuse(&f->rig, &wrong[i].output, 1);

        if (!strstr(shown, wrong[i].diagnostic))
            fail_msg("%s: not '%s' but %s", wrong[i].output, wrong[i].diagnostic, shown);
        diag_list_deinit(&f->rig.diags);
        f->rig.diags = (struct diag_list){0};
    }
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(kills_the_process_of_an_alert),
        TEST(stops_it_where_that_is_asked_for),
        TEST(does_nothing_unless_told_to),
        TEST(gets_alerts_of_its_rules_alone),
        TEST(alerts_of_before_are_judged_by_the_settings_of_now),
        TEST(another_process_of_that_pid_is_spared),
        TEST(what_is_not_this_machines_now_is_refused),
        TEST(the_system_and_picket_are_spared),
        TEST(no_more_than_the_limit),
        TEST(many_refusals_are_summed),
        TEST(a_plugin_asks_once_about_what_it_was_given),
        TEST(a_plugin_that_misuses_the_service_gets_nothing),
        TEST(a_host_that_was_taken_over_gets_nothing),
        TEST(a_plugin_that_states_no_need_gets_nothing),
        TEST(a_host_that_never_stops_asking_is_ended),
        TEST(settings_are_for_those_that_respond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
