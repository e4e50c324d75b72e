#include "receiver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "hostile.h"
#include "outage.h"

static struct receiver receiver;

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    receiver = (struct receiver){.rig = &rig, .script = SMTP_SERVER};
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    receiver_stop(&receiver);
    rig_deinit(*state);
    return 0;
}

#define SERVE(...) receiver_start(&receiver, (const char *const[]){__VA_ARGS__, NULL})

static void start(struct rig *rig, const char *settings)
{
    const char *argument = arena_printf(
        &rig->arena, "smtp,server=smtp://127.0.0.1:%d,from=picket@a.example,to=soc@b.example%s",
        receiver.port, settings);

    rig_start(rig, &argument, 1);
}

#define PLAIN ",tls=never,every=0s"

static void a_mail_has_an_alert(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "nobody@b.example");
    start(rig, PLAIN);
    rig_push(rig, 1, true);
    rig_drain(rig);
    CLEANUP(json_freep) json_t *mails = receiver_read(rig, "mails");
    const json_t *mail = json_array_get(mails, 0);

    assert_int_equal(1, json_array_size(mails));
    assert_string_equal("picket@a.example", receiver_member(mail, "sender"));
    assert_string_equal("picket@a.example", receiver_header(mail, "From"));
    assert_string_equal("soc@b.example", receiver_header(mail, "To"));
    assert_string_equal("high: - on -", receiver_header(mail, "Subject"));
    assert_string_equal("<000001.1@a.example>", receiver_header(mail, "Message-ID"));
    assert_string_equal("auto-generated", receiver_header(mail, "Auto-Submitted"));
    assert_non_null(receiver_header(mail, "Date"));
    assert_ptr_equal(receiver_member(mail, "text"),
                     strstr(receiver_member(mail, "text"), "t\nm\n\nTime: "));
    rig_expect(rig, "alerts", 1, ONCE);
}

static void push_at_intervals(struct rig *rig)
{
    start(rig, ",tls=never,every=1s,batch=50");
    rig_push(rig, 1, true);
    while (rig_counters(rig, 0).delivered < 1)
        usleep(1000);
    rig_push(rig, 40, true);
    rig_drain(rig);
}

/* Which is nothing that the log is to tell. */
static void alerts_are_gathered_for_a_while(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "nobody@b.example");
    assert_int_equal(0, rig_logged(rig, push_at_intervals).len);
    rig_expect(rig, "alerts", 41, ONCE);
    CLEANUP(json_freep) json_t *mails = receiver_read(rig, "mails");
    const json_t *second = json_array_get(mails, 1);

    assert_int_equal(2, json_array_size(mails));
    assert_string_equal("high: - on - (and 39 more)", receiver_header(second, "Subject"));
    assert_true(json_real_value(json_object_get(second, "time")) -
                    json_real_value(json_object_get(json_array_get(mails, 0), "time")) >=
                0.9);
}

static void serve_again(void *nothing)
{
    SERVE("--unknown", "nobody@b.example");
}

static void stop_serving(void *nothing)
{
    receiver_stop(&receiver);
}

static void alerts_outlast_an_outage(void **state)
{
    struct rig *rig = *state;
    const struct outage outage = {.rig = rig, .stop = stop_serving, .start = serve_again};

    serve_again(NULL);
    rig_open_journal(rig, "@/alerts.db", JOURNAL_SIZE);
    start(rig, PLAIN);
    outage_run(&outage);
    outage_expect(&outage, "alerts", "\"id\":\"");
    rig_expect_settled(rig, outage_alerts(), 0);
}

static void nothing_gets_into_the_header(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "nobody@b.example");
    start(rig, PLAIN ",subject=%{event.exe}|100%%");
    assert_int_equal(0, rig_push_json(rig, "m",
                                      "{\"event\":{\"exe\":\"x\\r\\nBcc: eve@e.example\\r\\n\\r\\n"
                                      ".\\r\\nürgent \xe2\x80\xae\xe2\x80\xac =?utf-8?Q?a?=\"}}"));
    rig_drain(rig);
    CLEANUP(json_freep) json_t *mails = receiver_read(rig, "mails");
    const json_t *mail = json_array_get(mails, 0);

    assert_null(receiver_header(mail, "Bcc"));
    assert_string_equal("x\\r\\nBcc: eve@e.example\\r\\n\\r\\n.\\r\\nürgent \\u{202e}\\u{202c} "
                        "=?utf-8?Q?a?=|100%",
                        receiver_header(mail, "Subject"));
    assert_int_equal(1, json_array_size(json_object_get(mail, "to")));
}

/* Lines that begin with a dot, that are long, that end with spaces: each its own alert. */
static void bodies_arrive_as_they_are(void **state)
{
    struct rig *rig = *state;
    char line[3000];

    SERVE("--unknown", "nobody@b.example");
    start(rig, PLAIN ",format=text,template=%{message}");
    memset(line, '.', sizeof line);
    line[sizeof line - 1] = '\0';
    assert_int_equal(0, rig_push_json(rig, ".", "{\"message\":\".\"}"));
    assert_int_equal(0, rig_push_json(rig, "..a=b ", "{\"message\":\"..a=b \"}"));
    assert_int_equal(0, rig_push_json(rig, "From ü", "{\"message\":\"From ü\"}"));
    assert_int_equal(
        0, rig_push_json(rig, line, arena_printf(&rig->arena, "{\"message\":\"%s\"}", line)));
    rig_drain(rig);
    CLEANUP(json_freep) json_t *mails = receiver_read(rig, "mails");
    CLEANUP(buffer_deinit) struct buffer all = {0};

    for (size_t i = 0; i < json_array_size(mails); i++)
        buffer_put_string(&all, receiver_member(json_array_get(mails, i), "text"));
    assert_string_equal(arena_printf(&rig->arena, ".\n..a=b \nFrom ü\n%s\n", line),
                        buffer_string(&all));
}

static void a_server_is_verified(void **state)
{
    struct rig *rig = *state;

    receiver_make_certificate(rig, "server");
    receiver_make_certificate(rig, "other");
    rig_write(rig, "password", "s3cret\n");
    chmod(rig_path(rig, "server"), 0644);
    chmod(rig_path(rig, "other"), 0644);
    SERVE("--tls", "@/server", "--login", "ann:s3cret");
    start(rig, ",every=0s,ca=@/other,user=ann,password.file=@/password");
    rig_push(rig, 1, true);
    rig_await_retries(rig, 1);
    rig_stop(rig);
    assert_int_equal(0, rig_read(rig, "mails").len);
    start(rig, ",every=0s,ca=@/server,user=ann,password.file=@/password");
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

/* Somebody between the two takes STARTTLS out of what the server offers. */
static void a_server_without_tls_gets_nothing(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "nobody@b.example");
    start(rig, ",every=0s");
    rig_push(rig, 1, true);
    rig_await_retries(rig, 2);
    assert_int_equal(0, rig_read(rig, "mails").len);
    rig_stop(rig);
}

static void push_one(struct rig *rig)
{
    rig_push(rig, 1, true);
    rig_await_retries(rig, 2);
    rig_stop(rig);
}

static void a_password_is_not_told(void **state)
{
    struct rig *rig = *state;

    receiver_make_certificate(rig, "server");
    chmod(rig_path(rig, "server"), 0644);
    rig_write(rig, "password", "wr0ng\n");
    SERVE("--tls", "@/server", "--login", "ann:s3cret");
    start(rig, ",every=0s,deadline=1s,ca=@/server,user=ann,password.file=@/password");
    struct text log = rig_logged(rig, push_one);

    assert_true(text_contains(log, TEXT("cannot deliver for now")));
    assert_false(text_contains(log, TEXT("wr0ng")));
    assert_int_equal(0, rig_read(rig, "mails").len);
}

static void a_busy_server_is_tried_again(void **state)
{
    struct rig *rig = *state;

    SERVE("--busy", "2");
    start(rig, PLAIN);
    rig_push(rig, 3, true);
    rig_drain(rig);
    rig_expect(rig, "alerts", 3, ONCE);
    assert_int_equal(2, rig_counters(rig, 0).retries);
}

static void one_alert_at_fault_is_rejected_alone(void **state)
{
    struct rig *rig = *state;

    SERVE("--refuse", "poison");
    start(rig, PLAIN);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(0, rig_push_json(rig, "m", i == 50 ? "{\"id\":\"poison\"}" : "{}"));
    rig_drain(rig);
    rig_expect_settled(rig, 99, 1);
}

/* Ten in a row. */
static void many_alerts_at_fault_keep_none_back(void **state)
{
    struct rig *rig = *state;

    SERVE("--refuse", "poison");
    start(rig, PLAIN);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(0, rig_push_json(rig, "m", "{\"id\":\"poison\"}"));
    rig_push(rig, 20, true);
    rig_drain(rig);
    rig_expect_settled(rig, 20, 10);
    assert_int_equal(20, rig_count_lines(rig_read(rig, "alerts")));
}

static void push_to_nobody(struct rig *rig)
{
    rig_push(rig, 2, true);
    rig_await_retries(rig, 2);
    rig_expect_settled(rig, 0, 0);
}

/* A mailbox that is gone, a relay that takes nothing of us: somebody will see to it. */
static void mails_to_nobody_wait(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "soc@b.example");
    start(rig, PLAIN);
    struct text log = rig_logged(rig, push_to_nobody);

    assert_true(text_contains(log, TEXT(" answers 550: 5.1.1 nobody of that name")));
    receiver_stop(&receiver);
    SERVE("--unknown", "nobody@b.example");
    rig_drain(rig);
    rig_expect_settled(rig, 2, 0);
}

static void push_to_two(struct rig *rig)
{
    start(rig, PLAIN ",to=other@b.example");
    rig_push(rig, 1, true);
    rig_drain(rig);
    rig_push(rig, 1, true);
    rig_drain(rig);
}

static void one_who_is_gone_keeps_mails_from_nobody(void **state)
{
    struct rig *rig = *state;

    SERVE("--unknown", "soc@b.example");
    struct text log = rig_logged(rig, push_to_two);

    rig_expect_settled(rig, 2, 0);
    assert_true(text_contains(log, TEXT("not to everybody")));
    assert_int_equal(1, rig_count_lines(log));
}

static void servers_that_talk_nonsense_do_not_cost_the_host(void **state)
{
    static const char *const greetings[] = {"220 x\r\n", "220 x\r\n250 ", "\xff\xfe", "220 x\r\n"};
    struct rig *rig = *state;

    for (enum hostility how = HOSTILE_SILENT; how <= HOSTILE_ABRUPT; how++) {
        struct hostile hostile = {0};

        hostile_start(&hostile, how, greetings[how]);
        receiver.port = hostile.port;
        start(rig, PLAIN ",deadline=1s");
        rig_push(rig, 1, true);
        rig_await_retries(rig, 1);
        rig_expect_settled(rig, 0, 0);
        hostile_stop(&hostile);
        rig_stop(rig);
        rig->pushed = 0;
    }
}

static void expect_refusal(struct rig *rig, const char *argument, const char *why)
{
    const char *shown = rig_refuse(rig, &argument, 1);

    if (!strstr(shown, why))
        fail_msg("%s: not '%s' but %s", argument, why, shown);
    diag_list_deinit(&rig->diags);
}

static void mistakes_are_told(void **state)
{
    struct rig *rig = *state;

    rig_write(rig, "password", "x");
    expect_refusal(rig, "smtp,from=a@b,to=c@d", "needs its option 'server'");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b", "needs its option 'to'");
    expect_refusal(rig, "smtp,server=http://h,from=a@b,to=c@d", "schemes: smtp,smtps");
    expect_refusal(rig, "smtp,server=smtp://a:b@h,from=a@b,to=c@d", "a user in its address");
    expect_refusal(rig, "smtp,server=smtp://h,from=ann,to=c@d", "'from' is no address: ann");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b\r\nBcc: e@f,to=c@d", "is no address");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b,to=<c@d>", "no address that mails can go");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b,to=c@d,subject=%x", "neither %% nor");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b,to=c@d,subject=%{x", "neither %% nor");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b,to=c@d,password=x", "exposed-secret");
    expect_refusal(rig, "smtp,server=smtp://h,from=a@b,to=c@d,user=u",
                   "'user' and 'password' go together");
    expect_refusal(rig,
                   "smtp,server=smtp://h,from=a@b,to=c@d,tls=offered,user=u,"
                   "password.file=@/password",
                   "a password needs 'tls: always'");
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_mail_has_an_alert),
        TEST(alerts_are_gathered_for_a_while),
        TEST(alerts_outlast_an_outage),
        TEST(nothing_gets_into_the_header),
        TEST(bodies_arrive_as_they_are),
        TEST(a_server_is_verified),
        TEST(a_server_without_tls_gets_nothing),
        TEST(a_password_is_not_told),
        TEST(a_busy_server_is_tried_again),
        TEST(one_alert_at_fault_is_rejected_alone),
        TEST(many_alerts_at_fault_keep_none_back),
        TEST(mails_to_nobody_wait),
        TEST(one_who_is_gone_keeps_mails_from_nobody),
        TEST(servers_that_talk_nonsense_do_not_cost_the_host),
        TEST(mistakes_are_told),
    };

    return receiver_is_possible(SMTP_SERVER) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
