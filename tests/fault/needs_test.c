/* A plugin gets what it states that it needs, and nothing else. */
#include "rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"

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

static void expect(struct rig *rig, const char *report, const char *what, long long value)
{
    const char *line = arena_printf(&rig->arena, "\n%s %lld\n", what, value);
    struct text got = rig_read(rig, report);

    if (!text_contains(got, text_from(line)))
        fail_msg("%s has no line '%s %lld':\n%.*s", report, what, value, TEXT_ARG(got));
}

static int listen_somewhere(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(fd, 4));
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &len));
    *port = ntohs(address.sin_port);
    return fd;
}

/* Beside one that needs nothing, and gets nothing. */
static void network_is_for_those_that_need_it(void **state)
{
    static const char *const refused[] = {"packet", "vsock", "unspecified", "inet_high_bits",
                                          "netlink_generic"};
    static const char *const allowed[] = {"inet", "inet6", "netlink", "connect"};
    struct rig *rig = *state;
    unsigned port;
    int listener = listen_somewhere(&port);
    const char *const outputs[] = {
        arena_printf(&rig->arena, "%s/prober_network.so,path=@/with,port=%u", RIG_FOLDER, port),
        RIG_PROBER ",path=@/without,name=second",
        arena_printf(&rig->arena, "%s/prober_network.so,path=@/too,port=%u,name=third", RIG_FOLDER,
                     port),
    };

    rig_start(rig, outputs, 3);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect(rig, "with", refused[i], EPERM);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        expect(rig, "with", allowed[i], 0);
    expect(rig, "too", "connect", 0);
    expect(rig, "without", "inet", EPERM);
    expect(rig, "with", "fork", EPERM);
    expect(rig, "with", "execve", EPERM);
    if (!(rig_isolation() & ISOLATION_FILES))
        expect(rig, "with", "tmp", EROFS);
    rig_push(rig, 3, false);
    rig_drain(rig);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(3, rig_counters(rig, i).delivered);
    close(listener);
}

static size_t count_sleepers(void)
{
    CLEANUP(closedirp) DIR *proc = opendir("/proc");
    static const char wanted[] = "sleep\0"
                                 "4242";
    size_t count = 0;

    for (const struct dirent *entry; (entry = readdir(proc));) {
        char path[300], line[64] = "";

        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        CLEANUP(fclosep) FILE *file = fopen(path, "re");
        size_t len = file ? fread(line, 1, sizeof line, file) : 0;

        count += len == sizeof wanted && memcmp(line, wanted, sizeof wanted) == 0;
    }
    return count;
}

static void await_sleepers(size_t count)
{
    int64_t end = clock_monotonic() + 60 * NS_PER_S;

    while (count_sleepers() != count) {
        assert_true(clock_monotonic() < end);
        usleep(10000);
    }
}

static void programs_are_for_those_that_need_them(void **state)
{
    struct rig *rig = *state;
    const char *const outputs[] = {
        arena_printf(&rig->arena, "%s/prober_programs.so,path=@/one,engine=%d", RIG_FOLDER,
                     getpid()),
        arena_printf(&rig->arena, "%s/prober_programs.so,path=@/two,name=second", RIG_FOLDER),
    };
    bool apart = !(rig_isolation() & ISOLATION_PIDS);

    rig_start(rig, outputs, 2);
    expect(rig, "one", "program", 0);
    expect(rig, "one", "inet", EPERM);
    expect(rig, "one", "ptrace", EPERM);
    if (apart) { /* else they may not even signal themselves */
        expect(rig, "one", "program_status", 7);
        expect(rig, "one", "signal_engine", ESRCH);
    }
    await_sleepers(2);
    kill(rig_await_host(rig, 0), SIGKILL); /* and with it its own alone */
    rig_push(rig, 1, false);
    rig_drain(rig);
    await_sleepers(2);
    assert_int_equal(0, rig_counters(rig, 1).restarts);
    delivery_free(rig->delivery);
    rig->delivery = NULL;
    await_sleepers(0);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(network_is_for_those_that_need_it),
        TEST(programs_are_for_those_that_need_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
