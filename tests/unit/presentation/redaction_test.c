/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "presentation/alert_tree.h"
#include "presentation/redaction.h"
#include "presentation/secret_pattern.h"

/* An alert before and after. */
struct trial {
    struct redaction *redaction;
    json_t *tree;
    struct buffer json;
    int count;
};

static void trial_deinit(struct trial *trial)
{
    redaction_free(trial->redaction);
    json_decref(trial->tree);
    buffer_deinit(&trial->json);
}

static void redact_all(struct trial *trial, const struct text *items, size_t count,
                       const char *alert)
{
    struct json_writer writer = {.buffer = &trial->json};
    struct redaction_mistake mistake;
    struct json_failure failure;

    assert_int_equal(0, redaction_new(items, count, &trial->redaction, &mistake));
    assert_int_equal(0, json_parse(text_from(alert), &trial->tree, &failure));
    trial->count = redaction_apply(trial->redaction, trial->tree);
    assert_true(trial->count >= 0);
    assert_int_equal(0, json_tree(&writer, trial->tree));
}

static void redact(struct trial *trial, const char *alert)
{
    const struct text classes[] = {TEXT("passwords"), TEXT("tokens")};

    redact_all(trial, classes, 2, alert);
}

static void expect_member(const struct trial *trial, const char *path, const char *value)
{
    struct text found = alert_tree_text(trial->tree, text_from(path));

    assert_non_null(found.ptr);
    assert_string_equal(value, found.ptr);
}

static void expect_gone(struct trial *trial, const char *secret)
{
    assert_null(strstr(buffer_string(&trial->json), secret));
}

static void nothing_is_touched_where_nothing_is_secret(void **state)
{
    static const char alert[] = "{\"id\":\"1\",\"message\":\"ls -l /etc/passwd\",\"event\":{"
                                "\"argv\":[\"ls\",\"-l\",\"/etc/passwd\"],\"pid\":1}}";
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, alert);
    assert_int_equal(0, trial.count);
    assert_string_equal(alert, buffer_string(&trial.json));
}

static void an_argument_is_masked_wherever_it_is_told(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"message\":\"sh ran x --password my pass word\",\"matched\":[{\"field\":"
                   "\"argv\",\"pattern\":\"my pass word\",\"value\":\"my pass word\"}],\"event\":{"
                   "\"argv\":[\"x\",\"--password\",\"my pass word\"],\"cmdline\":\"x --password "
                   "my pass word\",\"parent\":{\"cmdline\":\"sh -c x my pass word\"}}}");
    expect_member(&trial, "event.argv.2", "[redacted]");
    expect_member(&trial, "event.cmdline", "x --password [redacted]");
    expect_member(&trial, "event.parent.cmdline", "sh -c x [redacted]");
    expect_member(&trial, "message", "sh ran x --password [redacted]");
    expect_member(&trial, "matched.0.value", "[redacted]");
    expect_member(&trial, "matched.0.pattern", "my pass word"); /* the rule says that */
    assert_int_equal(5, trial.count);
}

static void what_was_masked_is_marked(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"message\":\"m\",\"event\":{\"argv\":[\"x\",\"--pass=aaaa\",\"--pass=bbbb\"]"
                   ",\"env\":[\"A_TOKEN=cccc\"]}}");
    assert_non_null(
        strstr(buffer_string(&trial.json),
               ",\"redacted\":{\"count\":3,\"fields\":[\"event.argv\",\"event.env\"]}}"));
}

/* An event that is forwarded has no alert around it. */
static void an_event_alone_is_masked(void **state)
{
    const struct text items[] = {TEXT("passwords"), TEXT("ab\\d")};
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact_all(
        &trial, items, 2,
        "{\"type\":\"exec\",\"exe.sha256\":\"ab1\",\"exe\":\"/ab1\",\"argv\":[\"--pass=\\ufffdc\"],"
        "\"raw\":{\"argv\":[\"LS1wYXNzPf9j\"]},\"origin\":{\"boot\":\"ab1\"},\"engine\":{\"id\":"
        "\"ab1\"}}");
    expect_member(&trial, "exe.sha256", "ab1");
    expect_member(&trial, "exe", "/[redacted]");
    expect_member(&trial, "argv.0", "--pass=[redacted]");
    expect_member(&trial, "origin.boot", "ab1");
    expect_member(&trial, "engine.id", "ab1");
    assert_null(json_object_get(trial.tree, "raw"));
}

/* Patterns are written for command lines. */
static void a_pattern_may_span_arguments(void **state)
{
    const struct text items[] = {TEXT("--pin \\K\\d+"), TEXT("card no \\d+")};
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact_all(&trial, items, 2,
               "{\"message\":\"m 123456\",\"event\":{\"argv\":[\"x\",\"--pin\",\"123456\",\"card "
               "no\",\"987654\"],\"cmdline\":\"x --pin 123456 card no 987654\"}}");
    expect_gone(&trial, "123456");
    expect_gone(&trial, "987654");
    expect_member(&trial, "event.argv.1", "--pin");
    expect_member(&trial, "event.argv.3", REDACTION_MARK);
    expect_member(&trial, "event.cmdline", "x --pin [redacted] [redacted]");
}

/* A command line has no quotes: what is told apart in an argument is known there. */
static void a_header_is_masked_in_command_lines(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial,
           "{\"event\":{\"argv\":[\"curl\",\"-H\",\"Authorization: Hawk id=a, mac=b c\",\"h\"],"
           "\"cmdline\":\"curl -H Authorization: Hawk id=a, mac=b c h\"}}");
    expect_member(&trial, "event.argv.2", "Authorization: Hawk [redacted]");
    expect_member(&trial, "event.cmdline", "curl -H Authorization: Hawk [redacted] h");
}

/* ... and what is told apart in a command line is known in an argument. */
static void an_option_within_an_argument_is_masked(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"event\":{\"argv\":[\"sh\",\"-c\",\"bearer\",\"hunter2hunter2\"],\"cmdline\":"
                   "\"sh -c bearer hunter2hunter2\"}}");
    expect_gone(&trial, "hunter2");
}

static void what_a_switch_says_is_told_elsewhere(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"message\":\"it is true\",\"event\":{\"argv\":[\"x\",\"--token=true\"]}}");
    expect_member(&trial, "message", "it is true");
    expect_member(&trial, "event.argv.1", "--token=[redacted]");
}

static void a_short_secret_is_masked_where_it_stands_alone(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"message\":\"max ran x --password x at 10\",\"event\":{\"argv\":[\"x\","
                   "\"--password\",\"x\"],\"cmdline\":\"x --password x\",\"exe\":\"/bin/x\"}}");
    expect_member(&trial, "message", "max ran [redacted] --password [redacted] at 10");
    expect_member(&trial, "event.exe", "/bin/x"); /* no telling of arguments */
}

static void a_secret_is_known_by_its_shown_form(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"message\":\"x --password a\\\\x1bb c\\\\xff\\\\nd!\",\"event\":{\"argv\":["
                   "\"x\",\"--password\",\"a\\u001bb c\\ufffd\\nd!\"]}}");
    expect_member(&trial, "message", "x --password [redacted]");
}

static void a_cut_secret_is_masked(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial, "{\"matched\":[{\"value\":\"x y correct horse bat...\"}],\"event\":{\"argv\":["
                   "\"x\",\"--passphrase\",\"correct horse battery\"]}}");
    expect_member(&trial, "matched.0.value", "x y [redacted]...");
}

static void bytes_beside_a_masked_text_go(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    /* "--pass=\xffsecret" and "/\xff" */
    redact(&trial, "{\"event\":{\"argv\":[\"--pass=\\ufffdsecret\"],\"exe\":\"/\\ufffd\",\"raw\":{"
                   "\"argv\":[\"LS1wYXNzPf9zZWNyZXQ=\"],\"exe\":\"L/8=\"},\"parent\":{\"argv\":["
                   "\"--pass=\\ufffdsecret\"],\"raw\":{\"argv\":[\"LS1wYXNzPf9zZWNyZXQ=\"]}}}}");
    expect_gone(&trial, "secret");
    expect_gone(&trial, "LS1wYXNz");
    expect_member(&trial, "event.raw.exe", "L/8=");
    assert_null(alert_tree_find(trial.tree, TEXT("event.parent.raw")));
}

static void contributing_events_are_masked(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact(&trial,
           "{\"rule\":{\"id\":\"password=x\"},\"correlation\":{\"group\":{\"cmdline\":"
           "\"x --token abcdef\"},\"events\":[{\"rule\":\"token=x\",\"title\":\"pass=y\","
           "\"event\":{\"argv\":[\"x\",\"--token\",\"abcdef\"]}},{\"rule\":\"c\","
           "\"events\":[{\"rule\":\"d\",\"event\":{\"cmdline\":\"PGPASSWORD=ghijkl\"}}]}]}}");
    expect_gone(&trial, "abcdef");
    expect_gone(&trial, "ghijkl");
    expect_member(&trial, "rule.id", "password=x");
    expect_member(&trial, "correlation.events.0.rule", "token=x");
    expect_member(&trial, "correlation.events.0.title", "pass=y");
}

/* One text with a secret in it, and what it becomes. */
static void expect_text(const char *given, const char *masked)
{
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};
    struct json_writer json = {.buffer = &alert};

    json_begin(&json, '{');
    json_key(&json, TEXT("message"));
    json_text(&json, text_from(given));
    json_end(&json, '}');
    redact(&trial, buffer_string(&alert));
    expect_member(&trial, "message", masked);
}

static void passwords_are_found_in_texts(void **state)
{
    expect_text("sh -c \"mysql --password='a b' -pc d\"",
                "sh -c \"mysql --password='[redacted]' -p[redacted] d\"");
    expect_text("curl -d '{\"user\":\"u\",\"password\": \"a b\"}'",
                "curl -d '{\"user\":\"u\",\"password\": \"[redacted]\"}'");
    expect_text("x {\\\"passwd\\\":\\\"ab\\\",\\\"y\\\":1}",
                "x {\\\"passwd\\\":\\\"[redacted]\\\",\\\"y\\\":1}");
    expect_text("GET /?user=u&password=ab&x=1", "GET /?user=u&password=[redacted]&x=1");
    expect_text("mysql -e ALTER USER a IDENTIFIED BY 'b c' -f",
                "mysql -e ALTER USER a IDENTIFIED BY '[redacted]' -f");
    expect_text("CREATE ROLE a PASSWORD 'b c'; x", "CREATE ROLE a PASSWORD '[redacted]'; x");
    expect_text("python -c password = \"a b\"", "python -c password = \"[redacted]\"");
    expect_text("sh -c echo ann:ab | chpasswd", "sh -c echo ann:[redacted] | chpasswd");
    expect_text("sh -c echo 'ab' | sudo -S id", "sh -c echo '[redacted]' | sudo -S id");
    expect_text("xfreerdp /u:ann /p:ab /v:h", "xfreerdp /u:ann /p:[redacted] /v:h");
    expect_text("openssl -passin pass:ab", "openssl -passin pass:[redacted]");
    expect_text("docker -v /etc/passwd:/etc/passwd:ro", "docker -v /etc/passwd:/etc/passwd:ro");
}

static void tokens_are_found_in_texts(void **state)
{
    expect_text("-H Authorization: Bearer abc.def -v", "-H Authorization: Bearer [redacted] -v");
    expect_text("-H 'authorization: Basic YTpi'", "-H 'authorization: Basic [redacted]'");
    expect_text("git clone https://ann:hunter2@h/x", "git clone https://ann:[redacted]@h/x");
    expect_text("amqp://a:b@c:d@h/ ftp://h/@x", "amqp://a:[redacted]@h/ ftp://h/@x");
    expect_text("https://0123456789abcdef0123@h/", "https://[redacted]@h/");
    expect_text("https://h/?access_token=abc&x=1", "https://h/?access_token=[redacted]&x=1");
    expect_text("https://h/?key=abc&sig=d&page=2",
                "https://h/?key=[redacted]&sig=[redacted]&page=2");
    expect_text("aws configure set aws_secret_access_key abc",
                "aws configure set aws_secret_access_key [redacted]");
    expect_text("https://hooks.slack.com/services/T/B/x y",
                "https://hooks.slack.com/services/[redacted] y");
    expect_text("curl --cookie a=b; c=d h", "curl --cookie [redacted] h");
    expect_text("X-Api-Key: abc; Cookie: a=b; c=d e", "X-Api-Key: [redacted] Cookie: [redacted] e");
    expect_text("k AKIAIOSFODNN7EXAMPLE .", "k [redacted] .");
    expect_text("k ghp_0123456789abcdefghijABCDEFGHIJ012345.", "k [redacted].");
    expect_text("k eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJ!", "k [redacted]!");
    expect_text("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END",
                "-----BEGIN RSA PRIVATE KEY-----[redacted]-----END");
    expect_text("ls AKIA token tokens.txt https://h:80/a@b",
                "ls AKIA token tokens.txt https://h:80/a@b");
}

static void patterns_are_the_users(void **state)
{
    const struct text items[] = {TEXT("acct-\\K\\d+"), TEXT("\xc3"), TEXT("(ann)")};
    CLEANUP(trial_deinit) struct trial trial = {0};

    redact_all(
        &trial, items, 3,
        "{\"id\":\"acct-1\",\"time\":\"acct-1\",\"message\":\"acct-42 --password "
        "x\",\"event\":{\"user\":"
        "\"ann\",\"cwd\":\"/\xc3\xa9/x\",\"time\":\"acct-1\",\"meta\":{\"time\":\"acct-1\"}}}");
    expect_member(&trial, "message", "acct-[redacted] --password x");
    expect_member(&trial, "event.user", "[redacted]");
    expect_member(&trial, "event.cwd", "/[redacted]/x"); /* not half of a character */
    expect_member(&trial, "id", "acct-1");
    expect_member(&trial, "time", "acct-1");
    expect_member(&trial, "event.time", "acct-1");
    expect_member(&trial, "event.meta.time", "acct-[redacted]");
}

static void mistakes_are_told(void **state)
{
    static const struct {
        const char *item, *reason;
        size_t offset;
    } cases[] = {
        {"password",
         "'password' is none of the classes 'passwords' and 'tokens'; a pattern that "
         "is a plain word is written in parentheses",
         0},
        {"", "an empty pattern matches everywhere", 0},
        {"a(b", "not a pattern: missing closing parenthesis", 3},
        {"x*", "not a pattern: it matches an empty text, so everywhere", 0},
        {"(*UTF)x", "not a pattern: using UTF is disabled by the application", 6},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct text items[] = {TEXT("tokens"), text_from(cases[i].item)};
        struct redaction *redaction = NULL;
        struct redaction_mistake mistake;

        assert_int_equal(-EINVAL, redaction_new(items, 2, &redaction, &mistake));
        assert_null(redaction);
        assert_string_equal(cases[i].reason, mistake.reason);
        assert_int_equal(cases[i].offset, mistake.offset);
        assert_int_equal(1, mistake.item);
    }
}

/* {"message": "a", "event": {"cmdline": "<c...>", "exe": "/x"}} */
static void put_long(struct buffer *out, char c, size_t len)
{
    buffer_put_string(out, "{\"message\":\"a\",\"event\":{\"cmdline\":\"");
    for (size_t i = 0; i < len; i++)
        buffer_put_char(out, c);
    buffer_put_string(out, "\",\"exe\":\"/x\"}}");
}

static void what_is_too_expensive_is_masked_as_a_whole(void **state)
{
    const struct text items[] = {TEXT("(a+)+$")};
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

    buffer_put_string(&alert,
                      "{\"event\":{\"cmdline\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\","
                      "\"exe\":\"/x\"}}");
    redact_all(&trial, items, 1, buffer_string(&alert));
    expect_member(&trial, "event.cmdline", REDACTION_MARK);
    expect_member(&trial, "event.exe", "/x");
    assert_non_null(strstr(buffer_string(&trial.json), "{\"count\":1,\"whole\":1,"));
}

static void a_text_that_is_too_long_is_masked_as_a_whole(void **state)
{
    CLEANUP(trial_deinit) struct trial at = {0}, beyond = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

#ifndef __SANITIZE_THREAD__ /* with it, the search takes longer than an alert may */
    put_long(&alert, 'b', SECRET_TEXT_MAX);
    redact(&at, buffer_string(&alert));
    assert_int_equal(0, at.count);
    buffer_clear(&alert);
#endif
    put_long(&alert, 'b', SECRET_TEXT_MAX + 1);
    redact(&beyond, buffer_string(&alert));
    expect_member(&beyond, "event.cmdline", REDACTION_MARK);
}

/* Each find costs little, all of them would cost minutes. */
static void an_alert_as_a_whole_is_bounded(void **state)
{
    const struct text items[] = {TEXT("b.*[cd]")};
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

    put_long(&alert, 'b', SECRET_TEXT_MAX);
    redact_all(&trial, items, 1, buffer_string(&alert));
    expect_member(&trial, "event.cmdline", REDACTION_MARK);
}

/* Who fills an argument hides nothing else by that. */
static void short_texts_are_searched_first(void **state)
{
    const struct text items[] = {TEXT("passwords"), TEXT("b.*[cd]")};
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

    buffer_put_string(&alert, "{\"event\":{\"argv\":[\"x\",\"");
    for (size_t i = 0; i < SECRET_TEXT_MAX; i++)
        buffer_put_char(&alert, 'b');
    buffer_put_string(&alert,
                      "\"],\"exe\":\"/x\",\"parent\":{\"comm\":\"sh\",\"cwd\":\"/p pass=z\"}}}");
    redact_all(&trial, items, 2, buffer_string(&alert));
    expect_member(&trial, "event.argv.1", REDACTION_MARK);
    expect_member(&trial, "event.exe", "/x");
    expect_member(&trial, "event.parent.comm", "sh");
    expect_member(&trial, "event.parent.cwd", "/p pass=[redacted]");
}

/* A secret of control characters, and a text that always nearly has it. */
static void a_search_for_odd_secrets_is_bounded(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

    buffer_put_string(&alert, "{\"event\":{\"argv\":[\"--password=");
    for (int i = 0; i < 16000; i++)
        buffer_put_string(&alert, "\\u0001");
    buffer_put_string(&alert, "\"],\"cmdline\":\"");
    for (int i = 0; i < 15999; i++)
        buffer_put_string(&alert, "\\u0001");
    buffer_put_string(&alert, "\"}}");
    redact(&trial, buffer_string(&alert));
    expect_member(&trial, "event.argv.0", "--password=" REDACTION_MARK);
    expect_member(&trial, "event.cmdline", REDACTION_MARK);
}

static void too_many_secrets_mask_what_tells_them(void **state)
{
    CLEANUP(trial_deinit) struct trial trial = {0};
    CLEANUP(buffer_deinit) struct buffer alert = {0};

    buffer_put_string(&alert,
                      "{\"message\":\"secretpart ends\",\"event\":{\"exe\":\"/x\",\"argv\":[");
    for (int i = 0; i < 70; i++)
        buffer_printf(&alert, "%s\"--password=secretpart%d\"", i ? "," : "", i);
    buffer_put_string(&alert, "]}}");
    redact(&trial, buffer_string(&alert));
    expect_gone(&trial, "secretpart");
    expect_member(&trial, "event.exe", "/x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_touched_where_nothing_is_secret),
        cmocka_unit_test(an_argument_is_masked_wherever_it_is_told),
        cmocka_unit_test(what_was_masked_is_marked),
        cmocka_unit_test(an_event_alone_is_masked),
        cmocka_unit_test(a_pattern_may_span_arguments),
        cmocka_unit_test(a_header_is_masked_in_command_lines),
        cmocka_unit_test(an_option_within_an_argument_is_masked),
        cmocka_unit_test(what_a_switch_says_is_told_elsewhere),
        cmocka_unit_test(a_short_secret_is_masked_where_it_stands_alone),
        cmocka_unit_test(a_secret_is_known_by_its_shown_form),
        cmocka_unit_test(a_cut_secret_is_masked),
        cmocka_unit_test(bytes_beside_a_masked_text_go),
        cmocka_unit_test(contributing_events_are_masked),
        cmocka_unit_test(passwords_are_found_in_texts),
        cmocka_unit_test(tokens_are_found_in_texts),
        cmocka_unit_test(patterns_are_the_users),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(what_is_too_expensive_is_masked_as_a_whole),
        cmocka_unit_test(a_text_that_is_too_long_is_masked_as_a_whole),
        cmocka_unit_test(an_alert_as_a_whole_is_bounded),
        cmocka_unit_test(short_texts_are_searched_first),
        cmocka_unit_test(a_search_for_odd_secrets_is_bounded),
        cmocka_unit_test(too_many_secrets_mask_what_tells_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
