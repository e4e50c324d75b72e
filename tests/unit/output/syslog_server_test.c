/* The syslog output and a real rsyslogd as its server: by UDP, TCP and TLS, there and away. */
#include "rig.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "outage.h"

#define RSYSLOGD "/usr/sbin/rsyslogd"

struct server_rig {
    struct rig rig;
    pid_t daemon; /* 0: away */
    unsigned port;
    int holder; /* of the port */
};

/* A port for the daemon alone: while it is bound here, the kernel gives it to nobody who connects
 * somewhere, and to the daemon because both say SO_REUSEADDR. */
static unsigned hold_port(int *holder)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int yes = 1;

    *holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*holder >= 0);
    assert_int_equal(0, setsockopt(*holder, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes));
    assert_int_equal(0, bind(*holder, (const struct sockaddr *)&address, size));
    assert_int_equal(0, getsockname(*holder, (struct sockaddr *)&address, &size));
    return ntohs(address.sin_port);
}

static int set_up(void **state)
{
    static struct server_rig server;

    server = (struct server_rig){0};
    rig_init(&server.rig);
    server.port = hold_port(&server.holder);
    *state = &server;
    return 0;
}

static void stop(struct server_rig *server)
{
    if (server->daemon == 0)
        return;
    kill(server->daemon, SIGTERM);
    assert_int_equal(server->daemon, waitpid(server->daemon, NULL, 0));
    server->daemon = 0;
}

static int tear_down(void **state)
{
    struct server_rig *server = *state;

    stop(server);
    close(server->holder);
    rig_deinit(&server->rig);
    return 0;
}

static void write_config(struct server_rig *server, const char *input)
{
    struct rig *rig = &server->rig;
    FILE *file = fopen(rig_path(rig, "conf"), "we");

    assert_non_null(file);
    assert_true(fprintf(file,
                        "global(workDirectory=\"%s\" maxMessageSize=\"64k\")\n"
                        "%s\n"
                        "template(name=\"t\" type=\"string\" string=\"%%hostname%% %%app-name%% "
                        "%%procid%% %%msgid%% %%structured-data%% %%msg%%\\n\")\n"
                        "*.* action(type=\"omfile\" file=\"%s/out\" template=\"t\")\n",
                        rig->dir, input, rig->dir) > 0);
    assert_int_equal(0, fclose(file));
}

static void write_tcp_config(struct server_rig *server)
{
    write_config(server, arena_printf(&server->rig.arena,
                                      "module(load=\"imtcp\")\n"
                                      "input(type=\"imtcp\" port=\"%u\")",
                                      server->port));
}

static void start_daemon(struct server_rig *server)
{
    char *const arguments[] = {
        (char *)"rsyslogd", (char *)"-n",   (char *)"-f", (char *)rig_path(&server->rig, "conf"),
        (char *)"-i",       (char *)"NONE", NULL};

    assert_int_equal(0, posix_spawn(&server->daemon, RSYSLOGD, NULL, NULL, arguments, environ));
}

static void start(struct server_rig *server, const char *options)
{
    const char *argument =
        arena_printf(&server->rig.arena, "syslog,server=localhost:%u%s", server->port, options);

    rig_start(&server->rig, &argument, 1);
}

/* What the daemon wrote so far. */
static struct text read_out(struct rig *rig)
{
    return access(rig_path(rig, "out"), R_OK) == 0 ? rig_read(rig, "out") : (struct text){0};
}

/* The number of the first alert that has not come, up to COUNT + 1. */
static unsigned first_missing(struct rig *rig, unsigned count)
{
    bool *seen = arena_array(&rig->arena, count + 1, sizeof *seen);
    struct text rest = read_out(rig);
    unsigned number = 1;

    assert_non_null(seen);
    while (rest.len) {
        struct text line = text_split(&rest, '\n');
        const char *id = memmem(line.ptr, line.len, "id=\"", 4);
        unsigned long got = id ? strtoul(id + 4, NULL, 10) : 0;

        if (got && got <= count)
            seen[got] = true;
    }
    while (number <= count && seen[number])
        number++;
    return number;
}

static void expect_all(struct server_rig *server, unsigned count)
{
    unsigned missing = 0;

    for (int tries = 0; tries < 600; tries++) {
        missing = first_missing(&server->rig, count);
        if (missing > count)
            return;
        usleep(50000);
    }
    fail_msg("alert %u has not come", missing);
}

static void await_retry(struct rig *rig)
{
    unsigned long before = rig_counters(rig, 0).retries;

    while (rig_counters(rig, 0).retries == before)
        usleep(1000);
}

/* Alerts while the server is there, while it is away, and while it comes and goes. */
static void keep_going(struct server_rig *server, unsigned batches, unsigned batch)
{
    struct rig *rig = &server->rig;

    for (unsigned i = 0; i < batches; i++) {
        rig_push(rig, batch, true);
        if (i % 4 == 1) {
            stop(server);
        } else if (i % 4 == 3) {
            await_retry(rig);
            start_daemon(server);
        }
    }
    rig_drain(rig);
    assert_int_equal(batches * batch, rig_counters(rig, 0).delivered);
    rig_stop(rig);
    expect_all(server, batches * batch);
}

static void messages_are_understood_by_tcp(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    write_tcp_config(server);
    start_daemon(server);
    start(server, ",transport=tcp,tag=tag");
    assert_int_equal(0, rig_push_json(rig, "two\nlines", "{\"event\":{\"pid\":42}}"));
    rig_drain(rig);
    expect_all(server, 1);
    struct text got = read_out(rig);

    if (!text_is(got, "h tag - tmp-binary [picket@32473 id=\"000001\" rule=\"tmp-binary\" "
                      "pid=\"42\"] two\\nlines\n"))
        fail_msg("rsyslogd wrote: %.*s", TEXT_ARG(got));
}

static void bsd_messages_tell_the_host(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;
    struct text got = {0};

    write_tcp_config(server);
    start_daemon(server);
    start(server, ",transport=tcp,standard=bsd,content=alert");
    assert_int_equal(0, rig_push_json(rig, "m", "{\"a\":1}"));
    rig_drain(rig);
    while (!text_ends(got, TEXT("\n"))) {
        usleep(1000);
        got = read_out(rig);
    }
    if (!text_is(got, "h picket - - -  {\"a\":1}\n"))
        fail_msg("rsyslogd wrote: %.*s", TEXT_ARG(got));
}

static void nothing_is_lost_by_tcp(void **state)
{
    struct server_rig *server = *state;

    write_tcp_config(server);
    start_daemon(server);
    start(server, ",transport=tcp,resend=1MiB,queue=20000");
    keep_going(server, 20, 500);
}

/* Takes a connection and reads it until alert LAST came; how many came. */
static size_t read_connection(const struct server_rig *server, const char *last)
{
    CLEANUP(closep) int fd = accept(server->holder, NULL, NULL);
    char bytes[16384] = "";
    size_t len = 0, count = 0;

    assert_true(fd >= 0);
    while (!strstr(bytes, last)) {
        ssize_t got = recv(fd, bytes + len, sizeof bytes - 1 - len, 0);

        assert_true(got > 0);
        len += (size_t)got;
        bytes[len] = '\0';
    }
    for (const char *at = bytes; (at = strstr(at, "[picket@")); at++)
        count++;
    return count;
}

/* A server that ends has read more than it has looked at. */
static void what_was_read_last_is_sent_again(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    assert_int_equal(0, listen(server->holder, 4));
    start(server, ",transport=tcp");
    rig_push(rig, 5, true);
    assert_int_equal(5, read_connection(server, "id=\"000005\""));
    rig_push(rig, 1, true);
    assert_int_equal(6, read_connection(server, "id=\"000006\""));
}

/* One that ends a connection that nobody uses has looked at all of it. */
static void what_was_read_long_ago_is_not(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    write_tcp_config(server);
    start_daemon(server);
    start(server, ",transport=tcp");
    rig_push(rig, 5, true);
    rig_drain(rig);
    sleep(6);
    stop(server);
    start_daemon(server);
    rig_push(rig, 1, true);
    rig_drain(rig);
    expect_all(server, 6);
    assert_int_equal(6, rig_count_lines(read_out(rig)));
}

/* UDP loses what a server has not read when it stops: each batch is let through first. */
static void what_nobody_listens_for_waits_by_udp(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    write_config(server, arena_printf(&rig->arena,
                                      "module(load=\"imudp\")\n"
                                      "input(type=\"imudp\" address=\"127.0.0.1\" port=\"%u\")",
                                      server->port));
    start(server, ",transport=udp");
    rig_push(rig, 20, true);
    await_retry(rig);
    start_daemon(server);
    rig_drain(rig);
    expect_all(server, 20);
    stop(server);
    rig_push(rig, 20, true);
    await_retry(rig);
    start_daemon(server);
    rig_drain(rig);
    expect_all(server, 40);
}

/* "both" is 127.0.0.2, then 127.0.0.1; false: that takes another /etc/hosts. */
static bool name_two_addresses(struct rig *rig)
{
    const char *path = rig_path(rig, "hosts");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs("127.0.0.1 localhost\n127.0.0.2 both\n127.0.0.1 both\n", file) > 0);
    assert_int_equal(0, fclose(file));
    assert_int_equal(0, chmod(path, 0644));
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(path, "/etc/hosts", NULL, MS_BIND, NULL) == 0;
}

/* A name may have an address where nobody listens, as localhost often has ::1. */
static void each_address_has_its_turn_by_udp(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    if (!name_two_addresses(rig))
        skip();
    write_config(server, arena_printf(&rig->arena,
                                      "module(load=\"imudp\")\n"
                                      "input(type=\"imudp\" address=\"127.0.0.1\" port=\"%u\")",
                                      server->port));
    start_daemon(server);
    const char *argument =
        arena_printf(&rig->arena, "syslog,server=both:%u,transport=udp", server->port);

    rig_start(rig, &argument, 1);
    rig_push(rig, 20, true);
    rig_drain(rig);
    expect_all(server, 20);
    umount2("/etc/hosts", MNT_DETACH);
}

/* A throw-away authority, and a certificate for "localhost" by it. */
static bool make_certificates(struct rig *rig)
{
    const char *command = arena_printf(
        &rig->arena,
        "cd %s && exec 2>/dev/null && "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=picket-ca -keyout ca.key -out ca.pem && "
        "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost "
        "-keyout key.pem -out csr.pem && echo subjectAltName=DNS:localhost >ext && "
        "openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
        "-extfile ext -out cert.pem",
        rig->dir);

    return system(command) == 0; /* NOLINT(cert-env33-c): names of ours only */
}

static bool begin_tls(struct server_rig *server, const char *mode)
{
    struct rig *rig = &server->rig;

    if (access("/usr/lib/x86_64-linux-gnu/rsyslog/lmnsd_ossl.so", R_OK) < 0 &&
        access("/usr/lib/aarch64-linux-gnu/rsyslog/lmnsd_ossl.so", R_OK) < 0)
        return false;
    assert_true(make_certificates(rig));
    write_config(server, arena_printf(&rig->arena,
                                      "global(defaultNetstreamDriver=\"ossl\" "
                                      "defaultNetstreamDriverCAFile=\"%s/ca.pem\" "
                                      "defaultNetstreamDriverCertFile=\"%s/cert.pem\" "
                                      "defaultNetstreamDriverKeyFile=\"%s/key.pem\")\n"
                                      "module(load=\"imtcp\" StreamDriver.Name=\"ossl\" "
                                      "StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"%s\")\n"
                                      "input(type=\"imtcp\" port=\"%u\")",
                                      rig->dir, rig->dir, rig->dir, mode, server->port));
    start_daemon(server);
    return true;
}

static void nothing_is_lost_by_tls(void **state)
{
    struct server_rig *server = *state;

    if (!begin_tls(server, "anon"))
        skip();
    start(server, ",transport=tls,ca=@/ca.pem,resend=1MiB,queue=20000");
    keep_going(server, 20, 500);
}

static void stop_it(void *server)
{
    stop(server);
}

static void start_it(void *server)
{
    start_daemon(server);
}

static void expect_outage_survived(struct server_rig *server, const char *options)
{
    const struct outage outage = {
        .rig = &server->rig, .server = server, .stop = stop_it, .start = start_it};

    rig_open_journal(&server->rig, "@/alerts.db", JOURNAL_SIZE);
    start(server, options);
    outage_run(&outage);
    outage_expect(&outage, "out", "id=\"");
}

static void alerts_outlast_an_outage_by_tcp(void **state)
{
    write_tcp_config(*state);
    start_daemon(*state);
    expect_outage_survived(*state, ",transport=tcp");
}

static void alerts_outlast_an_outage_by_tls(void **state)
{
    if (!begin_tls(*state, "anon"))
        skip();
    expect_outage_survived(*state, ",transport=tls,ca=@/ca.pem");
}

static void a_certificate_of_ours_is_shown(void **state)
{
    struct server_rig *server = *state;

    if (!begin_tls(server, "x509/certvalid"))
        skip();
    start(server, ",transport=tls,ca=@/ca.pem,certificate=@/cert.pem,key.file=@/key.pem");
    rig_push(&server->rig, 100, true);
    rig_drain(&server->rig);
    expect_all(server, 100);
}

static void push_and_await_retry(struct rig *rig)
{
    rig_push(rig, 1, true);
    await_retry(rig);
}

static void start_openssl(struct server_rig *server)
{
    struct rig *rig = &server->rig;
    char *const arguments[] = {(char *)"openssl",
                               (char *)"s_server",
                               (char *)"-quiet",
                               (char *)"-tls1_3",
                               (char *)"-4",
                               (char *)"-accept",
                               (char *)arena_printf(&rig->arena, "%u", server->port),
                               (char *)"-cert",
                               (char *)rig_path(rig, "cert.pem"),
                               (char *)"-key",
                               (char *)rig_path(rig, "key.pem"),
                               (char *)"-CAfile",
                               (char *)rig_path(rig, "ca.pem"),
                               (char *)"-Verify",
                               (char *)"1",
                               (char *)"-verify_return_error",
                               NULL};

    assert_int_equal(0, posix_spawnp(&server->daemon, "openssl", NULL, NULL, arguments, environ));
}

/* With TLS 1.3 our side of the handshake is over before the server looks for our certificate. */
static void a_server_that_wants_a_certificate_says_so(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;
    struct text log = {0};

    assert_true(make_certificates(rig));
    start_openssl(server);
    start(server, ",transport=tls,ca=@/ca.pem");
    for (int i = 0; i < 20 && !text_contains(log, TEXT("TLS: ")); i++)
        log = rig_logged(rig, push_and_await_retry); /* it may not listen yet */
    if (!text_contains(log, TEXT("TLS: ")))
        fail_msg("%.*s", TEXT_ARG(log));
    assert_int_equal(0, rig_counters(rig, 0).delivered);
}

/* What it sends goes to nobody: neither to one whom others vouch for, nor to one of another name.
 */
static void a_server_that_is_not_the_one_gets_nothing(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    if (!begin_tls(server, "anon"))
        skip();
    start(server, ",transport=tls");
    struct text log = rig_logged(rig, push_and_await_retry);

    if (!text_contains(log, TEXT("TLS: ")))
        fail_msg("%.*s", TEXT_ARG(log));
    rig_stop(rig);
    const char *by_address = arena_printf(
        &rig->arena, "syslog,server=127.0.0.1:%u,transport=tls,ca=@/ca.pem", server->port);

    rig_start(rig, &by_address, 1);
    log = rig_logged(rig, push_and_await_retry);
    if (!text_contains(log, TEXT("TLS: IP address mismatch")))
        fail_msg("%.*s", TEXT_ARG(log));
    assert_int_equal(0, rig_counters(rig, 0).delivered);
    stop(server);
    assert_int_equal(0, read_out(rig).len);
}

static void expect_refusal(struct rig *rig, const char *argument, const char *why)
{
    diag_list_deinit(&rig->diags);
    const char *shown = rig_refuse(rig, &argument, 1);

    if (!strstr(shown, why))
        fail_msg("%s: %s", argument, shown);
}

static void mistakes_are_told_at_start(void **state)
{
    struct server_rig *server = *state;
    struct rig *rig = &server->rig;

    expect_refusal(rig, "syslog,transport=tcp", "without a 'server'");
    expect_refusal(rig, "syslog,transport=tcp,server=a:b", "not HOST or HOST:PORT");
    expect_refusal(rig, "syslog,transport=tcp,server=[::1]x", "not HOST or HOST:PORT");
    expect_refusal(rig, "syslog,transport=tcp,server=a,ca=/x", "are for transport=tls");
    expect_refusal(rig, "syslog,transport=tls,server=a,ca=/nothing", "its 'ca' is no file");
    expect_refusal(rig, "syslog,transport=tls,server=a,key.file=/etc/hostname",
                   "a 'key' without a 'certificate'");
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(mistakes_are_told_at_start),           TEST(messages_are_understood_by_tcp),
        TEST(bsd_messages_tell_the_host),           TEST(nothing_is_lost_by_tcp),
        TEST(what_nobody_listens_for_waits_by_udp), TEST(nothing_is_lost_by_tls),
        TEST(a_certificate_of_ours_is_shown),       TEST(a_server_that_is_not_the_one_gets_nothing),
        TEST(what_was_read_last_is_sent_again),     TEST(what_was_read_long_ago_is_not),
        TEST(each_address_has_its_turn_by_udp),     TEST(a_server_that_wants_a_certificate_says_so),
        TEST(alerts_outlast_an_outage_by_tcp),      TEST(alerts_outlast_an_outage_by_tls),
    };

    return access(RSYSLOGD, X_OK) < 0 ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
