/* The output `nats`, with a real server. */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nats/nats.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "contract.h"
#include "hostile.h"
#include "nats_user.h"
#include "outage.h"

#define SERVER  "/usr/sbin/nats-server"
#define SKIPPED 77

/* Longer than any acknowledgement takes; only a failure is waited for so long. */
#define PATIENCE_MS 30000

struct server {
    struct rig rig;
    char store[64];
    const char *config;
    int port;
    pid_t pid; /* 0: stopped */
};

static pid_t spawn(const char *const *arguments)
{
    pid_t pid;

    assert_int_equal(
        0, posix_spawn(&pid, arguments[0], NULL, NULL, (char *const *)arguments, environ));
    return pid;
}

static int reach(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CLEANUP(closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof address;

    assert_int_equal(0, bind(fd, (const struct sockaddr *)&address, len));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
    return ntohs(address.sin_port);
}

static void start_server(struct server *server)
{
    const char *const arguments[] = {SERVER, "-c", server->config, "-l", "/dev/null", NULL};

    server->pid = spawn(arguments);
    while (reach(server->port) < 0) {
        if (waitpid(server->pid, NULL, WNOHANG) != 0) {
            server->pid = 0;
            fail_msg("the server ended");
        }
        usleep(5000);
    }
}

static void kill_server(struct server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    assert_int_equal(server->pid, waitpid(server->pid, NULL, 0));
    server->pid = 0;
}

/* A server with MORE in its configuration, in which '@' is the rig's folder. */
static void configure(struct server *server, const char *more)
{
    server->config = rig_path(&server->rig, "nats.conf");
    FILE *file = fopen(server->config, "we");

    assert_non_null(file);
    fprintf(file, "listen: \"127.0.0.1:%d\"\njetstream { store_dir: \"%s\" }\n", server->port,
            server->store);
    for (; *more; more++)
        if (*more == '@')
            fputs(server->rig.dir, file);
        else
            fputc(*more, file);
    assert_int_equal(0, fclose(file));
    start_server(server);
}

static int set_up(void **state)
{
    static struct server server;

    server = (struct server){.store = "/tmp/picket-nats-XXXXXX", .port = free_port()};
    assert_non_null(mkdtemp(server.store));
    rig_init(&server.rig);
    *state = &server;
    return 0;
}

static int tear_down(void **state)
{
    struct server *server = *state;
    const char *const arguments[] = {"/bin/rm", "-rf", server->store, NULL};

    rig_stop(&server->rig);
    kill_server(server);
    waitpid(spawn(arguments), NULL, 0);
    rig_deinit(&server->rig);
    return 0;
}

/* The output, with MORE of its options. */
static const char *output(struct server *server, const char *more)
{
    return arena_printf(&server->rig.arena, "nats,servers=nats://127.0.0.1:%d%s", server->port,
                        more);
}

static void start(struct server *server, const char *more)
{
    const char *argument = output(server, more);

    rig_start(&server->rig, &argument, 1);
}

#define INTO_STREAM ",stream=ALERTS,create=true"

struct reader {
    natsConnection *connection;
    natsOptions *options;
    jsCtx *stream;
    natsSubscription *alerts;
};

static void begin(struct reader *reader, const struct server *server)
{
    char url[64];

    *reader = (struct reader){0};
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", server->port);
    assert_int_equal(NATS_OK, natsOptions_Create(&reader->options));
    assert_int_equal(NATS_OK, natsOptions_SetURL(reader->options, url));
}

static void listen_to(struct reader *reader)
{
    jsSubOptions options;

    jsSubOptions_Init(&options);
    options.Ordered = true;
    options.Config.DeliverPolicy = js_DeliverAll;
    assert_int_equal(NATS_OK, natsConnection_Connect(&reader->connection, reader->options));
    assert_int_equal(NATS_OK, natsConnection_JetStream(&reader->stream, reader->connection, NULL));
    assert_int_equal(NATS_OK, js_SubscribeSync(&reader->alerts, reader->stream, "picket.alerts",
                                               NULL, &options, NULL));
}

static void end(struct reader *reader)
{
    natsSubscription_Destroy(reader->alerts);
    jsCtx_Destroy(reader->stream);
    natsConnection_Destroy(reader->connection);
    natsOptions_Destroy(reader->options);
    nats_CloseAndWait(PATIENCE_MS);
}

static natsMsg *next(struct reader *reader)
{
    natsMsg *message;

    assert_int_equal(NATS_OK, natsSubscription_NextMsg(&message, reader->alerts, PATIENCE_MS));
    return message;
}

static void expect_header(natsMsg *message, const char *name, const char *value)
{
    const char *found = NULL;

    assert_int_equal(NATS_OK, natsMsgHeader_Get(message, name, &found));
    assert_string_equal(value, found);
}

static int64_t messages(struct reader *reader)
{
    jsStreamInfo *info;

    assert_int_equal(NATS_OK, js_GetStreamInfo(&info, reader->stream, "ALERTS", NULL, NULL));
    int64_t count = (int64_t)info->State.Msgs;

    jsStreamInfo_Destroy(info);
    return count;
}

/* The stream holds alerts 1 to COUNT, in order, each once, and nothing else. */
static void expect_alerts_of(struct reader *reader, unsigned count)
{
    listen_to(reader);
    assert_int_equal(count, messages(reader));
    for (unsigned i = 1; i <= count; i++) {
        natsMsg *message = next(reader);
        char id[16];

        snprintf(id, sizeof id, "%06u", i);
        expect_header(message, "Nats-Msg-Id", id);
        natsMsg_Destroy(message);
    }
    end(reader);
}

static void expect_alerts(struct server *server, unsigned count)
{
    struct reader reader;

    begin(&reader, server);
    expect_alerts_of(&reader, count);
}

static void alerts_are_messages(void **state)
{
    struct server *server = *state;
    struct reader reader;

    configure(server, "");
    start(server, INTO_STREAM ",format=text,template=%{rule.id}: %{message}");
    rig_push(&server->rig, 1, false);
    rig_drain(&server->rig);
    begin(&reader, server);
    listen_to(&reader);
    natsMsg *message = next(&reader);

    assert_string_equal("tmp-binary: m", natsMsg_GetData(message));
    expect_header(message, "Nats-Msg-Id", "000001");
    expect_header(message, "Picket-Severity", "high");
    natsMsg_Destroy(message);
    end(&reader);
    rig_expect_sum(&server->rig, 0);
}

/* With what tells another engine's rules all they ask for; alerts stay away. */
static void events_are_messages_too(void **state)
{
    static const char line[] =
        "{\"type\":\"exec\",\"host\":{\"name\":\"web1\"},\"pid\":10,\"origin\":{"
        "\"boot\":\"00007b1ce2f046aa\",\"cpu\":3,\"seq\":17}}";
    const struct delivery_alert event = {.id = TEXT("E1"),
                                         .host = TEXT("web1"),
                                         .rule = TEXT(""),
                                         .title = TEXT(""),
                                         .message = TEXT("- started -"),
                                         .json = TEXT(line),
                                         .time = 1767225600 * NS_PER_S,
                                         .kind = PICKET_KIND_EVENT};
    struct server *server = *state;
    struct reader reader;

    configure(server, "");
    start(server, INTO_STREAM ",forward=events");
    rig_push(&server->rig, 3, false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(0, delivery_push(server->rig.delivery, &event, DELIVERY_ALL, false));
    rig_drain(&server->rig);
    begin(&reader, server);
    listen_to(&reader);
    assert_int_equal(1, messages(&reader)); /* by its id, the second is none */
    natsMsg *message = next(&reader);

    assert_string_equal(line, natsMsg_GetData(message));
    expect_header(message, "Nats-Msg-Id", "E1");
    natsMsg_Destroy(message);
    end(&reader);
}

static void await_delivered(struct server *server, size_t count)
{
    int64_t until = clock_monotonic() + 60 * NS_PER_S;

    while (rig_counters(&server->rig, 0).delivered < count) {
        assert_true(clock_monotonic() < until);
        usleep(200);
    }
}

/* Four times in the midst of them. */
static void a_killed_server_loses_and_doubles_nothing(void **state)
{
    struct server *server = *state;

    configure(server, "");
    start(server, INTO_STREAM);
    for (unsigned part = 1; part <= 4; part++) {
        rig_push(&server->rig, 2500, true);
        await_delivered(server, part * 2500 - 2000);
        kill_server(server);
        unsigned long long retries = rig_counters(&server->rig, 0).retries;

        while (rig_counters(&server->rig, 0).retries == retries)
            usleep(1000);
        start_server(server);
    }
    rig_drain(&server->rig);
    assert_int_equal(10000, rig_counters(&server->rig, 0).delivered);
    rig_expect_sum(&server->rig, 0);
    expect_alerts(server, 10000);
}

static void kill_it(void *server)
{
    kill_server(server);
}

static void start_it(void *server)
{
    start_server(server);
}

/* Nothing comes twice either: the stream drops what it has. */
static void alerts_outlast_an_outage(void **state)
{
    struct server *server = *state;
    const struct outage outage = {
        .rig = &server->rig, .server = server, .stop = kill_it, .start = start_it};

    configure(server, "");
    rig_open_journal(&server->rig, "@/alerts.db", JOURNAL_SIZE);
    start(server, INTO_STREAM);
    outage_run(&outage);
    expect_alerts(server, outage_alerts());
}

static void a_host_that_dies_doubles_nothing(void **state)
{
    struct server *server = *state;

    configure(server, "");
    start(server, INTO_STREAM);
    for (unsigned part = 1; part <= 3; part++) {
        pid_t host = rig_await_host(&server->rig, 0);

        rig_push(&server->rig, 2000, true);
        await_delivered(server, part * 2000 - 1500);
        kill(host, SIGKILL);
    }
    rig_drain(&server->rig);
    expect_alerts(server, 6000);
}

/* Nothing is made that was not asked for. */
static void without_a_stream_alerts_wait(void **state)
{
    struct server *server = *state;

    configure(server, "");
    start(server, ",stream=ALERTS");
    rig_push(&server->rig, 3, false);
    while (rig_counters(&server->rig, 0).retries < 2)
        usleep(1000);
    assert_int_equal(0, rig_counters(&server->rig, 0).delivered);
    rig_stop(&server->rig);
    start(server, INTO_STREAM);
    server->rig.pushed = 0;
    rig_push(&server->rig, 3, false);
    rig_drain(&server->rig);
    expect_alerts(server, 3);
}

static void what_is_too_large_is_rejected(void **state)
{
    struct server *server = *state;
    static char message[70000];

    configure(server, "max_payload: 65536\n");
    start(server, INTO_STREAM);
    rig_push(&server->rig, 1, false);
    memset(message, 'm', sizeof message - 1);
    rig_push_json(&server->rig, "m",
                  arena_printf(&server->rig.arena, "{\"message\":\"%s\"}", message));
    rig_drain(&server->rig);
    assert_int_equal(1, rig_counters(&server->rig, 0).delivered);
    assert_int_equal(1, rig_counters(&server->rig, 0).rejected);
    expect_alerts(server, 1);
}

/* Writes SECRET to a file of the rig's; "OPTION.file=PATH" with a comma before. */
static const char *secret(struct server *server, const char *option, const char *secret)
{
    const char *path = rig_path(&server->rig, option);
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fprintf(file, "%s\n", secret);
    assert_int_equal(0, fclose(file));
    assert_int_equal(0, chmod(path, 0600));
    return arena_printf(&server->rig.arena, ",%s.file=%s", option, path);
}

static void expect_one(struct server *server, const char *options)
{
    start(server, arena_printf(&server->rig.arena, INTO_STREAM "%s", options));
    rig_push(&server->rig, 1, false);
    rig_drain(&server->rig);
    assert_int_equal(1, rig_counters(&server->rig, 0).delivered);
    rig_stop(&server->rig);
}

static void expect_none(struct server *server, const char *options)
{
    start(server, arena_printf(&server->rig.arena, INTO_STREAM "%s", options));
    rig_push(&server->rig, 1, false);
    while (rig_counters(&server->rig, 0).retries < 1)
        usleep(1000);
    assert_int_equal(0, rig_counters(&server->rig, 0).delivered);
    rig_stop(&server->rig);
}

static void it_logs_in(void **state)
{
    struct server *server = *state;

    configure(server, "authorization { user: ann, password: \"pass word\" }\n");
    expect_none(server, "");
    expect_none(server, arena_printf(&server->rig.arena, ",user=ann%s",
                                     secret(server, "password", "wrong")));
    expect_one(server, arena_printf(&server->rig.arena, ",user=ann%s",
                                    secret(server, "password", "pass word")));
    kill_server(server);
    configure(server, "authorization { token: \"s3cret\" }\n");
    expect_one(server, secret(server, "token", "s3cret"));
}

static void it_signs_with_a_key(void **state)
{
    struct server *server = *state;

    configure(server, "authorization { users: [ { nkey: " USER_KEY " } ] }\n");
    expect_none(server, "");
    expect_one(server, arena_printf(&server->rig.arena, ",nkey=" USER_KEY "%s",
                                    secret(server, "seed", USER_SEED)));
}

static void it_has_credentials(void **state)
{
    struct server *server = *state;

    configure(server, "operator: " OPERATOR_TOKEN "\nsystem_account: " SYSTEM_KEY
                      "\nresolver: MEMORY\nresolver_preload {\n" SYSTEM_KEY ": " SYSTEM_TOKEN
                      "\n" ACCOUNT_KEY ": " ACCOUNT_TOKEN "\n}\n");
    expect_none(server, "");
    expect_one(server, secret(server, "creds",
                              "-----BEGIN NATS USER JWT-----\n" USER_TOKEN
                              "\n------END NATS USER JWT------\n\n"
                              "-----BEGIN USER NKEY SEED-----\n" USER_SEED
                              "\n------END USER NKEY SEED------\n"));
}

static void push_forbidden(struct rig *rig)
{
    rig_push(rig, 1, false);
    while (rig_counters(rig, 0).retries < 1)
        usleep(1000);
    rig_stop(rig);
}

static void what_is_forbidden_is_told(void **state)
{
    struct server *server = *state;

    configure(server, "authorization { users: [ { user: ann, password: x, permissions: "
                      "{ publish: other, subscribe: \">\" } } ] }\n");
    start(server, arena_printf(&server->rig.arena, ",deadline=1s,user=ann%s",
                               secret(server, "password", "x")));
    struct text log = rig_logged(&server->rig, push_forbidden);

    assert_true(text_contains(log, TEXT("Permissions Violation for Publish")));
}

static void make_certificate(struct server *server, const char *name, const char *subject)
{
    static const char script[] =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=picket -addext subjectAltName=$1 -keyout \"$0.key\" -out \"$0\" 2>/dev/null && "
        "chmod 0644 \"$0\"";
    const char *const arguments[] = {"/bin/sh", "-c", script, rig_path(&server->rig, name),
                                     subject,   NULL};
    int status;

    assert_true(waitpid(spawn(arguments), &status, 0) > 0 && status == 0);
}

#define WITH_TLS "tls { cert_file: \"@/cert\", key_file: \"@/cert.key\" }\n"

static void tls_is_verified(void **state)
{
    struct server *server = *state;
    const char *trusting =
        arena_printf(&server->rig.arena, ",ca=%s", rig_path(&server->rig, "cert"));

    make_certificate(server, "cert", "IP:127.0.0.1");
    configure(server, WITH_TLS);
    expect_none(server, ",tls=true");
    expect_one(server, trusting);
    kill_server(server);
    make_certificate(server, "cert", "DNS:elsewhere.example");
    configure(server, WITH_TLS);
    expect_none(server, trusting);
    kill_server(server);
    /* One that speaks no TLS. */
    configure(server, "");
    expect_none(server, trusting);
}

static void it_shows_a_certificate(void **state)
{
    struct server *server = *state;
    struct rig *rig = &server->rig;

    make_certificate(server, "cert", "IP:127.0.0.1");
    make_certificate(server, "own", "DNS:picket.example");
    configure(server, "tls { cert_file: \"@/cert\", key_file: \"@/cert.key\", ca_file: \"@/own\", "
                      "verify: true }\n");
    expect_none(server, arena_printf(&rig->arena, ",ca=%s", rig_path(rig, "cert")));
    expect_one(server,
               arena_printf(&rig->arena, ",ca=%s,cert=%s,cert_key.file=%s.key",
                            rig_path(rig, "cert"), rig_path(rig, "own"), rig_path(rig, "own")));
}

/* The library waits for such ones for ever. A host that hangs three times with one alert would cost
 * that alert. */
static void servers_that_hang_do_not_cost_the_host(void **state)
{
    static const char *const greetings[] = {
        "", "INFO {\"tls_required\":true,\"max_payload\":1048576}\r\n"};
    struct server *server = *state;

    for (size_t i = 0; i < 2; i++) {
        struct hostile hostile = {0};

        hostile_start(&hostile, HOSTILE_SILENT, greetings[i]);
        server->port = hostile.port;
        start(server, i == 1 ? ",deadline=1s,tls=true" : ",deadline=1s");
        rig_push(&server->rig, 1, false);
        while (rig_counters(&server->rig, 0).retries < 2)
            usleep(1000);
        assert_int_equal(0, rig_counters(&server->rig, 0).hangs);
        hostile_stop(&hostile);
        rig_stop(&server->rig);
    }
}

/* Slowly, for ever, or not to the end. */
static void servers_that_talk_nonsense_do_not_cost_the_host(void **state)
{
    struct server *server = *state;

    for (enum hostility how = HOSTILE_SLOW; how <= HOSTILE_ABRUPT; how++) {
        struct hostile hostile = {0};

        hostile_start(&hostile, how, "INFO {\"max_payload\":1048576}\r\nMSG a 1 99999999\r\n");
        server->port = hostile.port;
        start(server, ",deadline=1s");
        rig_push(&server->rig, 1, false);
        while (rig_counters(&server->rig, 0).retries < 1)
            usleep(1000);
        assert_int_equal(0, rig_counters(&server->rig, 0).hangs);
        assert_int_equal(0, rig_counters(&server->rig, 0).crashes);
        hostile_stop(&hostile);
        rig_stop(&server->rig);
    }
}

static void it_keeps_the_contract(void **state)
{
    struct server *server = *state;

    configure(server, "max_payload: 8388608\n");
    contract_expect(arena_printf(&server->rig.arena, RIG_PLUGIN_DIR "/nats.so%s",
                                 output(server, INTO_STREAM) + strlen("nats")),
                    50);
}

static void expect_refusal(struct server *server, const char *options, const char *why)
{
    const char *argument = output(server, options);
    const char *shown = rig_refuse(&server->rig, &argument, 1);

    if (!strstr(shown, why))
        fail_msg("'%s' is not in: %s", why, shown);
    diag_list_deinit(&server->rig.diags);
    server->rig.diags = (struct diag_list){0};
}

static void what_cannot_be_is_refused(void **state)
{
    struct server *server = *state;

    expect_refusal(server, ",subject=picket.*", "its 'subject' is none");
    expect_refusal(server, ",create=true", "'create' needs a 'stream'");
    expect_refusal(server, ",stream=a.b", "its 'stream' is no name");
    expect_refusal(server, ",servers=nats://ann:x@h", "a user in a server's address");
    expect_refusal(server, ",servers=http://h", "neither nats:// nor tls://");
    expect_refusal(server, ",servers=", "an empty address");
    expect_refusal(server, ",user=ann", "'user' and 'password' go together");
    expect_refusal(server, secret(server, "creds", "nothing"), "hold no token and seed");
    expect_refusal(server, ",ca=/none", "its certificates");
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alerts_are_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(events_are_messages_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_server_loses_and_doubles_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(alerts_outlast_an_outage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_that_dies_doubles_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_stream_alerts_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_large_is_rejected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_logs_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_signs_with_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_has_credentials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forbidden_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tls_is_verified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_shows_a_certificate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(servers_that_hang_do_not_cost_the_host, set_up, tear_down),
        cmocka_unit_test_setup_teardown(servers_that_talk_nonsense_do_not_cost_the_host, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(it_keeps_the_contract, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, set_up, tear_down),
    };

    if (access(SERVER, X_OK) < 0) {
        fprintf(stderr, "there is no " SERVER "\n");
        return getenv("CI") ? 1 : SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
