#include "receiver.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "hostile.h"
#include "outage.h"

static struct receiver receiver;

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    receiver = (struct receiver){.rig = &rig, .script = HTTP_SERVER};
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

/* The output, to the server as SCHEME and PATH say, with more SETTINGS. */
static void start(struct rig *rig, const char *scheme, const char *settings)
{
    const char *argument = arena_printf(&rig->arena, "webhook,url=%s://127.0.0.1:%d/in%s", scheme,
                                        receiver.port, settings);

    rig_start(rig, &argument, 1);
}

static void expect_arrangement(struct rig *rig, const char *settings, const char *type)
{
    SERVE("--answers", "200");
    start(rig, "http", settings);
    rig_push(rig, 700, true);
    rig_drain(rig);
    rig_expect(rig, "alerts", 700, ONCE);
    CLEANUP(json_freep) json_t *requests = receiver_read(rig, "requests");
    const json_t *first = json_array_get(requests, 0);
    const json_t *last = json_array_get(requests, json_array_size(requests) - 1);

    assert_string_equal(type, receiver_header(first, "Content-Type"));
    assert_string_equal("picket/" PICKET_VERSION, receiver_header(first, "User-Agent"));
    /* One connection for all of them. */
    assert_int_equal(json_integer_value(json_object_get(first, "connection")),
                     json_integer_value(json_object_get(last, "connection")));
}

static void alerts_arrive_as_an_array(void **state)
{
    expect_arrangement(*state, "", "application/json");
}

static void alerts_arrive_as_lines(void **state)
{
    expect_arrangement(*state, ",body=lines", "application/x-ndjson");
}

static void alerts_arrive_one_by_one(void **state)
{
    expect_arrangement(*state, ",body=single", "application/json");
}

static void compressed_bodies_are_understood(void **state)
{
    expect_arrangement(*state, ",compress=yes", "application/json");
}

static void lines_of_the_users_own_are_texts(void **state)
{
    struct rig *rig = *state;

    SERVE("--answers", "200");
    start(rig, "http", ",format=text,template=%{id} \"%{message}\"");
    rig_push(rig, 2, true);
    rig_drain(rig);
    assert_true(text_is(rig_read(rig, "alerts"), "\"000001 \\\"m\\\"\"\n\"000002 \\\"m\\\"\"\n"));
    rig_stop(rig);
    unlink(rig_path(rig, "alerts"));
    receiver_stop(&receiver);
    SERVE("--answers", "200");
    /* Also one that looks like an object. */
    start(rig, "http", ",format=text,template={\"%{message}");
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_true(text_is(rig_read(rig, "alerts"), "\"{\\\"m\"\n"));
}

static void headers_hold_what_is_secret(void **state)
{
    struct rig *rig = *state;

    rig_write(rig, "token", "t0k3n\n");
    rig_write(rig, "password", "pa:ss\n");
    rig_write(rig, "header", "X-Key: k3y\n");
    SERVE("--answers", "200");
    start(rig, "http",
          "/{token}/x,token.file=@/token,user=ann,password.file=@/password,method=PUT,"
          "headers=X-A: 1,headers=X-Token: Bearer {token},secret_headers.file=@/header,"
          "headers=content-type: application/json; v=1");
    rig_push(rig, 1, true);
    rig_drain(rig);
    CLEANUP(json_freep) json_t *requests = receiver_read(rig, "requests");
    const json_t *first = json_array_get(requests, 0);

    assert_string_equal("PUT", receiver_member(first, "method"));
    assert_string_equal("/in/t0k3n/x", receiver_member(first, "path"));
    assert_string_equal("1", receiver_header(first, "X-A"));
    assert_string_equal("Bearer t0k3n", receiver_header(first, "X-Token"));
    assert_string_equal("k3y", receiver_header(first, "X-Key"));
    assert_string_equal("Basic YW5uOnBhOnNz", receiver_header(first, "Authorization"));
    assert_string_equal("application/json; v=1", receiver_header(first, "content-type"));
    assert_null(receiver_header(first, "Expect"));
}

static void expect_signed(struct rig *rig, const char *form, const char *key)
{
    rig_write(rig, "hmac", key);
    SERVE("--hmac", form, "--hmac-key", key);
    start(rig, "http",
          arena_printf(&rig->arena, ",hmac=%s,hmac_key.file=@/hmac,compress=yes", form));
    rig_push(rig, 20, true);
    rig_drain(rig);
    rig_expect(rig, "alerts", 20, ONCE);
    rig_expect_settled(rig, 20, 0);
}

static void signatures_are_verified_with_a_time(void **state)
{
    expect_signed(*state, "timestamp", "a key of some length");
}

static void signatures_are_verified_as_githubs(void **state)
{
    expect_signed(*state, "github", "a key of some length");
}

static void signatures_are_verified_as_standard_webhooks(void **state)
{
    expect_signed(*state, "standard", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

/* Of request INDEX and the one after it. */
static double seconds_between(struct rig *rig, size_t index)
{
    CLEANUP(json_freep) json_t *requests = receiver_read(rig, "requests");

    assert_true(json_array_size(requests) > index + 1);
    return json_real_value(json_object_get(json_array_get(requests, index + 1), "time")) -
           json_real_value(json_object_get(json_array_get(requests, index), "time"));
}

/* By itself it would come back within 0.4 s. */
static void retry_after_is_honoured(void **state)
{
    struct rig *rig = *state;

    SERVE("--answers", "429;Retry-After: 1|503;Retry-After: date+2|200");
    start(rig, "http", "");
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_true(seconds_between(rig, 0) >= 1);
    assert_true(seconds_between(rig, 1) >= 1); /* dates are whole seconds */
    assert_int_equal(2, rig_counters(rig, 0).retries);
    rig_expect_settled(rig, 1, 0);
}

static void absurd_times_to_retry_are_not(void **state)
{
    struct rig *rig = *state;

    SERVE("--answers", "503;Retry-After: 99999999999999999999|200");
    start(rig, "http", "");
    rig_push(rig, 1, true);
    rig_drain(rig);
    rig_expect_settled(rig, 1, 0);
}

static void redirects_are_not_followed(void **state)
{
    struct rig *rig = *state;

    SERVE("--answers", "301;Location: /x|200");
    start(rig, "http", "");
    rig_push(rig, 3, true);
    rig_drain(rig);
    rig_expect(rig, "alerts", 3, ONCE);
    assert_int_equal(1, rig_counters(rig, 0).retries);
    CLEANUP(json_freep) json_t *requests = receiver_read(rig, "requests");

    for (size_t i = 0; i < json_array_size(requests); i++)
        assert_string_equal("/in", receiver_member(json_array_get(requests, i), "path"));
}

static void one_alert_at_fault_is_rejected_alone(void **state)
{
    struct rig *rig = *state;

    SERVE("--refuse", "poison");
    start(rig, "http", "");
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(0, rig_push_json(rig, "m", i % 100 == 50 ? "{\"id\":\"poison\"}" : "{}"));
    rig_drain(rig);
    rig_expect_settled(rig, 297, 3);
}

static void bodies_are_as_small_as_the_server_wants(void **state)
{
    struct rig *rig = *state;

    SERVE("--most", "2000");
    start(rig, "http", "");
    rig_push(rig, 200, true);
    rig_drain(rig);
    rig_expect(rig, "alerts", 200, ONCE);
    rig_expect_settled(rig, 200, 0);
}

static void push_poison(struct rig *rig, unsigned count)
{
    while (count--)
        assert_int_equal(0, rig_push_json(rig, "m", "{\"id\":\"poison\"}"));
}

/* Alerts FIRST to LAST came, each once. */
static void expect_each(struct rig *rig, unsigned first, unsigned last)
{
    struct text alerts = rig_read(rig, "alerts");

    for (unsigned i = first; i <= last; i++)
        assert_true(
            text_contains(alerts, text_from(arena_printf(&rig->arena, "{\"id\":\"%06u\"", i))));
    assert_int_equal(last - first + 1, rig_count_lines(alerts));
}

/* Somebody who knows what a filter before the receiver refuses cannot silence the output. */
static void many_alerts_at_fault_keep_none_back(void **state)
{
    struct rig *rig = *state;

    SERVE("--refuse", "poison", "--refusal", "403");
    start(rig, "http", "");
    push_poison(rig, 200);
    rig_push(rig, 300, true);
    rig_drain(rig);
    expect_each(rig, 201, 500);
    rig_expect_settled(rig, 300, 200);
}

static void an_alert_that_breaks_the_server_is_rejected_alone(void **state)
{
    struct rig *rig = *state;

    SERVE("--refuse", "poison", "--refusal", "reset");
    start(rig, "http", "");
    push_poison(rig, 1);
    rig_push(rig, 9, true);
    rig_drain(rig);
    expect_each(rig, 2, 10);
    rig_expect_settled(rig, 9, 1);
}

static void push_and_wait(struct rig *rig)
{
    rig_push(rig, 10, true);
    rig_await_retries(rig, 2);
    rig_expect_settled(rig, 0, 0);
}

/* A token that has expired, a receiver that is put up anew. */
static void when_all_is_refused_nothing_is_lost(void **state)
{
    struct rig *rig = *state;

    rig_write(rig, "token", "t0k3n\n");
    SERVE("--answers", "404", "--say", "no such hook");
    start(rig, "http", "/{token},token.file=@/token");
    struct text log = rig_logged(rig, push_and_wait);

    assert_true(text_contains(
        log, text_from(arena_printf(&rig->arena, "http://127.0.0.1:%d answers 404: no such hook",
                                    receiver.port))));
    assert_false(text_contains(log, TEXT("t0k3n")));
    receiver_stop(&receiver);
    SERVE("--answers", "200");
    rig_drain(rig);
    rig_expect(rig, "alerts", 10, ONCE);
    rig_expect_settled(rig, 10, 0);
}

/* What was taken is not sent again because the rest of the answer never comes, or never ends. */
static void an_answer_counts_however_it_ends(void **state)
{
    static const char *const answers[] = {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\n\r\n"};
    struct rig *rig = *state;

    for (enum hostility how = HOSTILE_SILENT; how <= HOSTILE_ABRUPT; how++) {
        struct hostile hostile = {0};

        hostile_start(&hostile, how, answers[how == HOSTILE_ENDLESS]);
        receiver.port = hostile.port;
        start(rig, "http", ",timeout=300ms");
        rig_push(rig, 1, true);
        rig_drain(rig);
        rig_expect_settled(rig, 1, 0);
        assert_int_equal(0, rig_counters(rig, 0).retries);
        hostile_stop(&hostile);
        rig_stop(rig);
        rig->pushed = 0;
    }
}

static void what_is_no_answer_is_none(void **state)
{
    static const char *const answers[] = {"", "HTTP/1.1 ", "\xff\xfe nonsense",
                                          "HTTP/1.1 100 Continue\r\n\r\n"};
    struct rig *rig = *state;

    for (size_t i = 0; i < 4; i++) {
        struct hostile hostile = {0};

        hostile_start(&hostile, (enum hostility)i, answers[i]);
        receiver.port = hostile.port;
        start(rig, "http", ",deadline=1s");
        rig_push(rig, 1, true);
        rig_await_retries(rig, 1);
        rig_expect_settled(rig, 0, 0);
        hostile_stop(&hostile);
        rig_stop(rig);
        rig->pushed = 0;
    }
}

static void push_and_stop(struct rig *rig)
{
    rig_push(rig, 10, true);
    rig_await_retries(rig, 1);
    rig_stop(rig);
}

static void what_a_server_says_of_a_secret_is_not_told(void **state)
{
    struct rig *rig = *state;

    rig_write(rig, "token", "t0k3n\n");
    rig_write(rig, "password", "s3cret\n");
    SERVE("--answers", "403", "--say", "t0k3n is no token");
    start(rig, "http", ",headers=X-Token: {token},token.file=@/token");
    struct text log = rig_logged(rig, push_and_stop);

    assert_true(text_contains(log, TEXT(" answers 403")));
    assert_false(text_contains(log, TEXT("t0k3n")));
    receiver_stop(&receiver);
    SERVE("--answers", "403", "--say", "you said: Authorization: Basic YW5uOnMzY3JldA==");
    start(rig, "http", ",user=ann,password.file=@/password");
    log = rig_logged(rig, push_and_stop);
    assert_true(text_contains(log, TEXT(" answers 403")));
    assert_false(text_contains(log, TEXT("YW5uOnMzY3JldA")));
}

static void a_server_is_verified(void **state)
{
    struct rig *rig = *state;

    receiver_make_certificate(rig, "server");
    receiver_make_certificate(rig, "other");
    SERVE("--tls", "@/server");
    start(rig, "https", ",ca=@/other");
    rig_push(rig, 1, true);
    rig_await_retries(rig, 2);
    rig_stop(rig);
    start(rig, "https", ""); /* nor does the system vouch for it */
    rig_push(rig, 1, true);
    rig_await_retries(rig, 1);
    rig_stop(rig);
    assert_int_equal(0, rig_read(rig, "requests").len);
    chmod(rig_path(rig, "server"), 0644);
    start(rig, "https", ",ca=@/server");
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

/* Vouched for, but for 127.0.0.1. */
static void a_server_of_another_name_is_not_trusted(void **state)
{
    struct rig *rig = *state;

    receiver_make_certificate(rig, "server");
    chmod(rig_path(rig, "server"), 0644);
    SERVE("--tls", "@/server");
    const char *argument =
        arena_printf(&rig->arena, "webhook,url=https://localhost:%d/,ca=@/server", receiver.port);

    rig_start(rig, &argument, 1);
    rig_push(rig, 1, true);
    rig_await_retries(rig, 1);
    rig_stop(rig);
    assert_int_equal(0, rig_read(rig, "requests").len);
}

static void a_proxy_gets_what_is_for_it(void **state)
{
    struct rig *rig = *state;

    rig_write(rig, "login", "ann:s3cret\n");
    SERVE("--answers", "200");
    const char *argument = arena_printf(&rig->arena,
                                        "webhook,url=http://receiver.invalid/in,proxy=http://"
                                        "127.0.0.1:%d,proxy_login.file=@/login",
                                        receiver.port);

    rig_start(rig, &argument, 1);
    rig_push(rig, 1, true);
    rig_drain(rig);
    CLEANUP(json_freep) json_t *requests = receiver_read(rig, "requests");
    const json_t *first = json_array_get(requests, 0);

    assert_string_equal("http://receiver.invalid/in", receiver_member(first, "path"));
    assert_string_equal("Basic YW5uOnMzY3JldA==", receiver_header(first, "Proxy-Authorization"));
}

static void a_client_shows_its_certificate(void **state)
{
    struct rig *rig = *state;

    receiver_make_certificate(rig, "server");
    receiver_make_certificate(rig, "client");
    SERVE("--tls", "@/server", "--client-ca", "@/client");
    start(rig, "https", ",ca=@/server");
    rig_push(rig, 1, true);
    rig_await_retries(rig, 1);
    rig_stop(rig);
    assert_int_equal(0, rig_read(rig, "requests").len);
    start(rig, "https", ",ca=@/server,cert=@/client,key.file=@/client.key");
    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_int_equal(1, rig_counters(rig, 0).delivered);
}

static void serve_again(void *nothing)
{
    SERVE("--answers", "200");
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
    start(rig, "http", "");
    outage_run(&outage);
    outage_expect(&outage, "alerts", "\"id\":\"");
    rig_expect_settled(rig, outage_alerts(), 0);
}

/* An alert whose texts are chosen by somebody who knows the receiver. */
static void push_hostile(struct rig *rig)
{
    assert_int_equal(0, rig_push_json(rig, "<!channel> @all *b* [x](http://e) \"\\",
                                      "{\"id\":\"000001\",\"event\":{\"exe\":\"/tmp/<@U1>\"}}"));
}

static json_t *expect_body(struct rig *rig, const char *service)
{
    CLEANUP(json_freep) json_t *requests = NULL;
    struct json_failure failure;
    json_t *body = NULL;

    rig_write(rig, "token", "t0k3n");
    SERVE("--answers", "202");
    start(rig, "http", arena_printf(&rig->arena, ",service=%s,token.file=@/token", service));
    push_hostile(rig);
    rig_drain(rig);
    rig_expect_settled(rig, 1, 0);
    requests = receiver_read(rig, "requests");
    const char *sent = receiver_member(json_array_get(requests, 0), "body");

    assert_non_null(sent);
    assert_int_equal(0, json_parse(text_from(sent), &body, &failure));
    return body;
}

static const char *attachment(const json_t *body, const char *name)
{
    return receiver_member(json_array_get(json_object_get(body, "attachments"), 0), name);
}

static void slack_shows_what_is_there(void **state)
{
    CLEANUP(json_freep) json_t *body = expect_body(*state, "slack");

    assert_string_equal("&lt;!channel&gt; @all *b* [x](http://e) \"\\", attachment(body, "text"));
    assert_string_equal("A program was run from /tmp", attachment(body, "title"));
    assert_string_equal("#e65100", attachment(body, "color"));
    assert_string_equal("000001", attachment(body, "footer"));
}

static void mattermost_shows_what_is_there(void **state)
{
    CLEANUP(json_freep) json_t *body = expect_body(*state, "mattermost");

    assert_string_equal("\\<\\!channel\\> @\xe2\x80\x8b"
                        "all \\*b\\* \\[x\\]\\(http\\://e\\) \"\\\\",
                        attachment(body, "text"));
}

static void teams_shows_what_is_there(void **state)
{
    CLEANUP(json_freep) json_t *body = expect_body(*state, "teams");
    const json_t *attached = json_array_get(json_object_get(body, "attachments"), 0);
    const json_t *card = json_object_get(attached, "content");
    const json_t *items =
        json_object_get(json_array_get(json_object_get(card, "body"), 0), "items");
    const json_t *run = json_array_get(json_object_get(json_array_get(items, 1), "inlines"), 0);

    assert_string_equal("application/vnd.microsoft.card.adaptive",
                        receiver_member(attached, "contentType"));
    assert_string_equal("AdaptiveCard", receiver_member(card, "type"));
    assert_string_equal("RichTextBlock", receiver_member(json_array_get(items, 1), "type"));
    assert_string_equal("<!channel> @all *b* [x](http://e) \"\\", receiver_member(run, "text"));
}

static void pagerduty_gets_an_event(void **state)
{
    CLEANUP(json_freep) json_t *body = expect_body(*state, "pagerduty");
    const json_t *payload = json_object_get(body, "payload");

    assert_string_equal("trigger", receiver_member(body, "event_action"));
    assert_string_equal("000001", receiver_member(body, "dedup_key"));
    assert_string_equal("t0k3n", receiver_member(body, "routing_key"));
    assert_string_equal("error", receiver_member(payload, "severity"));
    assert_string_equal("h", receiver_member(payload, "source"));
    assert_string_equal("2026-01-01T00:00:00.000Z", receiver_member(payload, "timestamp"));
    assert_string_equal(
        "/tmp/<@U1>",
        receiver_member(json_object_get(json_object_get(payload, "custom_details"), "event"),
                        "exe"));
}

static void alertmanager_gets_alerts(void **state)
{
    CLEANUP(json_freep) json_t *body = expect_body(*state, "alertmanager");
    const json_t *alert = json_array_get(body, 0);
    const json_t *labels = json_object_get(alert, "labels");

    assert_string_equal("tmp-binary", receiver_member(labels, "alertname"));
    assert_string_equal("high", receiver_member(labels, "severity"));
    assert_string_equal("h", receiver_member(labels, "instance"));
    assert_string_equal("000001", receiver_member(labels, "id"));
    assert_string_equal("2026-01-01T00:00:00.000Z", receiver_member(alert, "startsAt"));
    assert_string_equal("A program was run from /tmp",
                        receiver_member(json_object_get(alert, "annotations"), "summary"));
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

    expect_refusal(rig, "webhook", "needs its option 'url'");
    expect_refusal(rig, "webhook,url=ftp://x/", "not of one of these schemes: http,https");
    expect_refusal(rig, "webhook,url=http://", "its address cannot be read");
    expect_refusal(rig, "webhook,url=http://ann:x@h/", "a user in its address");
    expect_refusal(rig, "webhook,url=http://h/,proxy=http://a:b@p", "a user in its proxy");
    expect_refusal(rig, "webhook,url=http://h/{token}", "needs its option 'token'");
    expect_refusal(rig, "webhook,url=http://h/,service=pagerduty", "needs its option 'token'");
    expect_refusal(rig, "webhook,url=http://h/,token=x", "exposed-secret");
    expect_refusal(rig, "webhook,url=http://h/,headers=no header", "is not 'Name: value'");
    expect_refusal(rig, "webhook,url=http://h/,headers=A b: c", "is not 'Name: value'");
    expect_refusal(rig, "webhook,url=http://h/,headers=A: b\nC: d", "is not 'Name: value'");
    expect_refusal(rig, "webhook,url=https://h/,ca=/no/such", "cannot be read by the user");
    expect_refusal(rig, "webhook,url=http://h/,hmac_header=a b", "'hmac_header' is no name");
    expect_refusal(rig, "webhook,url=http://h/,hmac_header=X-S", "'hmac_header' needs 'hmac_key'");
    rig_write(rig, "key", "k");
    expect_refusal(rig, "webhook,url=http://h/,password.file=@/key", "'password' needs 'user'");
    expect_refusal(rig, "webhook,url=http://h/,key.file=@/key", "its key needs a certificate");
    rig_write(rig, "hmac", "not base64!");
    expect_refusal(rig, "webhook,url=http://h/,hmac=standard,hmac_key.file=@/hmac",
                   "'hmac_key' is no such key");
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(alerts_arrive_as_an_array),
        TEST(alerts_arrive_as_lines),
        TEST(alerts_arrive_one_by_one),
        TEST(compressed_bodies_are_understood),
        TEST(lines_of_the_users_own_are_texts),
        TEST(headers_hold_what_is_secret),
        TEST(signatures_are_verified_with_a_time),
        TEST(signatures_are_verified_as_githubs),
        TEST(signatures_are_verified_as_standard_webhooks),
        TEST(retry_after_is_honoured),
        TEST(redirects_are_not_followed),
        TEST(one_alert_at_fault_is_rejected_alone),
        TEST(bodies_are_as_small_as_the_server_wants),
        TEST(absurd_times_to_retry_are_not),
        TEST(many_alerts_at_fault_keep_none_back),
        TEST(an_alert_that_breaks_the_server_is_rejected_alone),
        TEST(when_all_is_refused_nothing_is_lost),
        TEST(an_answer_counts_however_it_ends),
        TEST(what_is_no_answer_is_none),
        TEST(what_a_server_says_of_a_secret_is_not_told),
        TEST(a_server_is_verified),
        TEST(a_server_of_another_name_is_not_trusted),
        TEST(a_proxy_gets_what_is_for_it),
        TEST(a_client_shows_its_certificate),
        TEST(alerts_outlast_an_outage),
        TEST(slack_shows_what_is_there),
        TEST(mattermost_shows_what_is_there),
        TEST(teams_shows_what_is_there),
        TEST(pagerduty_gets_an_event),
        TEST(alertmanager_gets_alerts),
        TEST(mistakes_are_told),
    };

    return receiver_is_possible(HTTP_SERVER) ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
