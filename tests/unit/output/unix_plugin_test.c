#include "rig.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
    rig_await_host(rig, 0);
}

static int subscribe(struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = rig_path(rig, "socket");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(0, connect(fd, (const struct sockaddr *)&address, sizeof address));
    return fd;
}

/* Alerts FIRST to LAST, whole and in order. */
static void expect_lines(FILE *stream, unsigned first, unsigned last)
{
    char line[512], id[32];

    for (unsigned number = first; number <= last; number++) {
        assert_non_null(fgets(line, sizeof line, stream));
        snprintf(id, sizeof id, "{\"id\":\"%06u\",", number);
        assert_memory_equal(id, line, strlen(id));
        assert_non_null(strchr(line, '\n'));
    }
}

/* They come from FD, and nothing behind them is read. */
static void expect_alerts(int fd, unsigned first, unsigned last)
{
    CLEANUP(fclosep) FILE *stream = fdopen(dup(fd), "re");

    assert_non_null(stream);
    setvbuf(stream, NULL, _IONBF, 0);
    expect_lines(stream, first, last);
}

static void every_subscriber_gets_every_alert(void **state)
{
    struct rig *rig = *state;

    start(rig, "unix,path=@/socket");
    CLEANUP(closep) int first = subscribe(rig);
    CLEANUP(closep) int second = subscribe(rig);

    rig_push(rig, 3, true);
    rig_drain(rig);
    CLEANUP(closep) int late = subscribe(rig);

    rig_push(rig, 2, true);
    rig_drain(rig);
    expect_alerts(first, 1, 5);
    expect_alerts(second, 1, 5);
    expect_alerts(late, 4, 5);
    assert_int_equal(5, rig_counters(rig, 0).delivered);
}

static void a_format_is_written(void **state)
{
    struct rig *rig = *state;
    char line[64] = "";

    start(rig, "unix,path=@/socket,format=text,template=%{rule.id} %{event.comm}");
    CLEANUP(closep) int fd = subscribe(rig);

    rig_push(rig, 1, true);
    rig_drain(rig);
    assert_true(read(fd, line, sizeof line - 1) > 0);
    assert_string_equal("tmp-binary x\n", line);
}

static void push_much(struct rig *rig)
{
    rig_push(rig, 20000, true);
    rig_drain(rig);
}

/* More than a socket holds. The one who reads gets all of it. */
static void a_slow_subscriber_is_cut_off(void **state)
{
    struct rig *rig = *state;

    start(rig, "unix,path=@/socket,patience=1s");
    CLEANUP(closep) int slow = subscribe(rig);
    CLEANUP(closep) int quick = subscribe(rig);
    pid_t reader = fork();

    if (reader == 0) {
        expect_lines(fdopen(quick, "re"), 1, 20000);
        _exit(0);
    }
    struct text log = rig_logged(rig, push_much);
    int status;

    assert_int_equal(reader, waitpid(reader, &status, 0));
    assert_int_equal(0, status);
    if (!text_contains(log, TEXT("a subscriber was too slow, and was cut off; so far 1")))
        fail_msg("%.*s", TEXT_ARG(log));
    assert_int_equal(20000, rig_counters(rig, 0).delivered);
    assert_int_equal(0, rig_counters(rig, 0).retries);
    /* What it had been given is whole up to the cut, and then comes the end. */
    char bytes[4096];
    ssize_t got;

    while ((got = read(slow, bytes, sizeof bytes)) > 0)
        continue;
    assert_int_equal(0, got);
}

static void one_that_leaves_costs_nothing(void **state)
{
    struct rig *rig = *state;

    start(rig, "unix,path=@/socket");
    int leaves = subscribe(rig);
    CLEANUP(closep) int stays = subscribe(rig);

    rig_push(rig, 1, true);
    rig_drain(rig);
    close(leaves);
    rig_push(rig, 2, true);
    rig_drain(rig);
    expect_alerts(stays, 1, 3);
}

static void alerts_are_kept_for_the_first_who_comes(void **state)
{
    struct rig *rig = *state;

    start(rig, "unix,path=@/socket,wait=yes");
    rig_push(rig, 10, true);
    while (rig_counters(rig, 0).retries == 0)
        usleep(1000);
    int first = subscribe(rig);

    rig_drain(rig);
    expect_alerts(first, 1, 10);
    close(first);
    rig_push(rig, 1, true);
    unsigned long retries = rig_counters(rig, 0).retries;

    while (rig_counters(rig, 0).retries == retries)
        usleep(1000);
    CLEANUP(closep) int second = subscribe(rig);

    rig_drain(rig);
    expect_alerts(second, 11, 11);
}

static void too_many_are_turned_away(void **state)
{
    struct rig *rig = *state;
    char byte;

    start(rig, "unix,path=@/socket,subscribers=1");
    CLEANUP(closep) int first = subscribe(rig);
    CLEANUP(closep) int second = subscribe(rig);

    rig_push(rig, 1, true);
    rig_drain(rig);
    expect_alerts(first, 1, 1);
    assert_int_equal(0, read(second, &byte, 1));
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_subscriber_gets_every_alert),
        TEST(a_format_is_written),
        TEST(a_slow_subscriber_is_cut_off),
        TEST(one_that_leaves_costs_nothing),
        TEST(alerts_are_kept_for_the_first_who_comes),
        TEST(too_many_are_turned_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
