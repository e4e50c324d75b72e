#include "rig.h"

#include <errno.h>
#include <regex.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENT                                                                \
    "{\"rule\":{\"severity\":\"critical\"},\"event\":{\"pid\":42,\"uid\":0," \
    "\"exe\":\"/tmp/a \\\"b\\\"]\"}}"

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    setenv("TZ", "UTC", 1);
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
}

/* A datagram socket anyone may write to, as /dev/log is. */
static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, chmod(path, 0666));
    return fd;
}

static void push(struct rig *rig, int severity, const char *message, const char *json)
{
    const struct delivery_alert alert = {.id = TEXT("01ABC"),
                                         .host = TEXT("web 1"),
                                         .rule = TEXT("tmp-binary"),
                                         .message = text_from(message),
                                         .json = text_from(json),
                                         .time = (1767225600 + 50602) * NS_PER_S + 123456789,
                                         .severity = severity};

    assert_int_equal(0, delivery_push(rig->delivery, &alert, DELIVERY_ALL, false));
}

static void expect_datagram(int fd, const char *pattern)
{
    static char bytes[1 << 20];
    ssize_t got = recv(fd, bytes, sizeof bytes - 1, 0);
    regex_t regex;

    assert_true(got > 0);
    bytes[got] = '\0';
    assert_int_equal(0, regcomp(&regex, pattern, REG_EXTENDED));
    if (regexec(&regex, bytes, 0, NULL, 0) != 0)
        fail_msg("'%s' does not match '%s'", bytes, pattern);
    regfree(&regex);
}

static void messages_look_like_those_of_syslog_3(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));

    start(rig, "syslog,socket=@/log,facility=local3");
    push(rig, 4, "first\nsecond", EVENT);
    push(rig, 0, "third", "{}");
    rig_drain(rig);
    /* local3 is 19: 19 * 8 + 2 for critical, + 6 for informational */
    expect_datagram(fd, "^<154>Jan  1 14:03:22 picket: tmp-binary \\[critical\\] "
                        "first\\\\nsecond$");
    expect_datagram(fd, "^<158>Jan  1 14:03:22 picket: tmp-binary \\[-\\] third$");
}

static void structured_data_is_escaped(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));

    start(rig, "syslog,socket=@/log,standard=rfc5424,tag=my tag");
    push(rig, 3, "m", EVENT);
    rig_drain(rig);
    expect_datagram(fd, "^<83>1 2026-01-01T14:03:22\\.123456Z web_1 my_tag - tmp-binary "
                        "\\[picket@32473 id=\"01ABC\" rule=\"tmp-binary\" severity=\"critical\" "
                        "pid=\"42\" uid=\"0\" exe=\"/tmp/a \\\\\"b\\\\\"\\\\\\]\"\\] m$");
}

static void json_is_sent_whole_or_not_at_all(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));
    size_t len = 400000; /* no socket takes this as a datagram */
    char *json = arena_alloc(&rig->arena, len + 1);

    assert_non_null(json);
    memset(json, ' ', len);
    json[0] = '{';
    json[len - 1] = '}';
    start(rig, "syslog,socket=@/log,content=alert");
    push(rig, 3, "m", "{\"a\":1}");
    push(rig, 3, "too long a JSON", json);
    rig_drain(rig);
    expect_datagram(fd, "picket: \\{\"a\":1\\}$");
    expect_datagram(fd, "picket: tmp-binary \\[-\\] too long a JSON$");
}

static void long_messages_are_cut(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));
    char message[8000];

    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = '\0';
    start(rig, "syslog,socket=@/log");
    push(rig, 3, message, "{}");
    rig_drain(rig);
    expect_datagram(fd, "xxxx…$");
}

/* What a hostile program calls itself leaves the message below the 8 KiB that servers take. */
static void long_parameters_are_cut(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));
    char json[5000] = "{\"event\":{\"exe\":\"", message[8000], got[16384];
    size_t len = strlen(json);

    memset(json + len, ']', 4000);
    memcpy(json + len + 4000, "\"}}", 4);
    memset(message, 'x', sizeof message);
    message[sizeof message - 1] = '\0';
    start(rig, "syslog,socket=@/log,standard=rfc5424");
    push(rig, 3, message, json);
    rig_drain(rig);
    ssize_t size = recv(fd, got, sizeof got - 1, 0);

    assert_true(size > 6000 && size < 8192);
    got[size] = '\0';
    assert_non_null(strstr(got, "\\]\\]…\"] xxx"));
}

static void a_daemon_that_is_away_is_waited_for(void **state)
{
    struct rig *rig = *state;

    start(rig, "syslog,socket=@/log");
    push(rig, 3, "while away", "{}");
    while (rig_counters(rig, 0).retries == 0)
        usleep(1000);
    int fd = listen_at(rig_path(rig, "log"));

    rig_drain(rig);
    expect_datagram(fd, "while away$");
    /* Started anew, it has another socket behind the same path. */
    close(fd);
    unlink(rig_path(rig, "log"));
    CLEANUP(closep) int again = listen_at(rig_path(rig, "log"));

    push(rig, 3, "after a restart", "{}");
    rig_drain(rig);
    expect_datagram(again, "after a restart$");
    assert_int_equal(2, rig_counters(rig, 0).delivered);
}

/* How many datagrams wait at a socket before its senders do. */
static unsigned datagrams_max(void)
{
    CLEANUP(fclosep) FILE *file = fopen("/proc/sys/net/unix/max_dgram_qlen", "re");
    char line[16] = "";

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    return (unsigned)strtoul(line, NULL, 10) + 1;
}

/* Each alert waits a moment; all together wait longer than the deadline. */
static void a_busy_daemon_does_not_cost_the_host(void **state)
{
    struct rig *rig = *state;
    CLEANUP(closep) int fd = listen_at(rig_path(rig, "log"));
    unsigned waiting = datagrams_max(), slow = 16;

    start(rig, "syslog,socket=@/log,deadline=2s");
    for (unsigned i = 0; i < waiting + slow; i++)
        push(rig, 3, arena_printf(&rig->arena, "number %u", i), "{}");
    for (unsigned i = 0; i < waiting + slow; i++) {
        if (i < slow)
            usleep(150000);
        expect_datagram(fd, arena_printf(&rig->arena, "number %u$", i));
    }
    rig_drain(rig);
    assert_true(rig_counters(rig, 0).retries > 0);
    assert_int_equal(0, rig_counters(rig, 0).hangs);
    assert_int_equal(waiting + slow, rig_counters(rig, 0).delivered);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(0, fclose(file));
}

static pid_t start_rsyslogd(struct rig *rig)
{
    char *const arguments[] = {
        (char *)"rsyslogd", (char *)"-n",   (char *)"-f", (char *)rig_path(rig, "conf"),
        (char *)"-i",       (char *)"NONE", NULL};
    pid_t pid = 0;

    write_file(rig_path(rig, "conf"),
               arena_printf(&rig->arena,
                            "module(load=\"imuxsock\" SysSock.Use=\"off\")\n"
                            "input(type=\"imuxsock\" Socket=\"%s/log\")\n"
                            "template(name=\"t\" type=\"string\" string=\"%%syslogfacility-text%%."
                            "%%syslogseverity-text%% %%programname%%:%%msg%%\\n\")\n"
                            "*.* action(type=\"omfile\" file=\"%s/out\" template=\"t\")\n",
                            rig->dir, rig->dir));
    assert_int_equal(0, posix_spawnp(&pid, "/usr/sbin/rsyslogd", NULL, NULL, arguments, environ));
    while (access(rig_path(rig, "log"), W_OK) < 0)
        usleep(1000);
    return pid;
}

static void rsyslogd_understands(void **state)
{
    struct rig *rig = *state;
    struct text got = {0};
    int status;

    if (access("/usr/sbin/rsyslogd", X_OK) < 0)
        skip();
    pid_t daemon = start_rsyslogd(rig);

    start(rig, "syslog,socket=@/log,facility=auth");
    push(rig, 3, "real one", EVENT);
    rig_drain(rig);
    while (!text_ends(got, TEXT("\n"))) {
        usleep(1000);
        if (access(rig_path(rig, "out"), R_OK) == 0)
            got = rig_read(rig, "out");
    }
    kill(daemon, SIGTERM);
    assert_int_equal(daemon, waitpid(daemon, &status, 0));
    if (!text_contains(got, TEXT("auth.err picket: tmp-binary [critical] real one\n")))
        fail_msg("rsyslogd wrote: %.*s", TEXT_ARG(got));
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(messages_look_like_those_of_syslog_3),
        TEST(structured_data_is_escaped),
        TEST(json_is_sent_whole_or_not_at_all),
        TEST(long_messages_are_cut),
        TEST(long_parameters_are_cut),
        TEST(a_daemon_that_is_away_is_waited_for),
        TEST(a_busy_daemon_does_not_cost_the_host),
        TEST(rsyslogd_understands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
