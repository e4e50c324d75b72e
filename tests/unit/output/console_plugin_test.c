#include "rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../terminal.h"
#include "base/clock.h"

static int set_up(void **state)
{
    static struct rig rig;

    rig_init(&rig);
    setenv("TZ", "UTC", 1);
    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    *state = &rig;
    return 0;
}

static int tear_down(void **state)
{
    rig_deinit(*state);
    return 0;
}

static void push(struct rig *rig, int severity, const char *rule, const char *message,
                 const char *event)
{
    const char *json = arena_printf(&rig->arena, "{\"event\":%s}", event);
    const struct delivery_alert alert = {.id = TEXT("1"),
                                         .rule = text_from(rule),
                                         .message = text_from(message),
                                         .json = text_from(json),
                                         .time = (1767225600 + 50602) * NS_PER_S,
                                         .severity = severity};

    assert_int_equal(0, delivery_push(rig->delivery, &alert, DELIVERY_ALL, false));
}

#define SSH                                                                           \
    "{\"comm\":\"curl\",\"parent\":{\"comm\":\"bash\",\"parent\":{\"comm\":\"sshd\"," \
    "\"parent\":{\"comm\":\"systemd\"}}}}"

static void expect(struct rig *rig, const char *text)
{
    struct text got = rig_read(rig, "out");

    if (!text_is(got, text))
        fail_msg("expected:\n%s\ngot:\n%.*s", text, TEXT_ARG(got));
}

static void start(struct rig *rig, const char *argument)
{
    rig_start(rig, &argument, 1);
}

static void lines_are_aligned_and_plain_in_a_file(void **state)
{
    struct rig *rig = *state;

    start(rig, "console,path=@/out");
    push(rig, 3, "tmp-binary", "a program was run from /tmp", SSH);
    push(rig, 4, "reverse-shell-command", "a shell on a socket", "{\"comm\":\"sh\"}");
    push(rig, 0, "tmp-binary", "again", "{}");
    rig_drain(rig);
    expect(rig, "14:03:22  high      tmp-binary            a program was run from /tmp\n"
                "          systemd ─ sshd ─ bash ─ curl\n"
                "14:03:22  critical  reverse-shell-command  a shell on a socket\n"
                "14:03:22  info      tmp-binary             again\n");
}

static void nothing_moves_the_cursor(void **state)
{
    struct rig *rig = *state;

    start(rig, "console,path=@/out");
    push(rig, 2, "r\033[2J",
         "a\nb\r\xe2\x80\xae\xe2\x80\xac"
         "c",
         "{\"comm\":\"\\u001b[31mx\",\"parent\":{\"comm\":\"a\\nb\"}}");
    rig_drain(rig);
    expect(rig, "14:03:22  medium    r\\x1b[2J              a\\nb\\r\\u{202e}\\u{202c}c\n"
                "          a\\nb ─ \\x1b[31mx\n");
}

static void long_chains_lose_their_middle(void **state)
{
    struct rig *rig = *state;
    char event[4096] = "{\"comm\":\"p0\"";

    start(rig, "console,path=@/out");
    for (int i = 1; i < 40; i++)
        snprintf(event + strlen(event), sizeof event - strlen(event),
                 ",\"parent\":{\"comm\":\"process-%d\"", i);
    memset(event + strlen(event), '}', 40);
    push(rig, 1, "r", "m", event);
    rig_drain(rig);
    expect(rig, "14:03:22  low       r                     m\n"
                "          process-39 ─ … ─ process-5 ─ process-4 ─ process-3 ─ process-2 ─ "
                "process-1 ─ p0\n");
}

static void color_is_the_users_choice(void **state)
{
    struct rig *rig = *state;

    start(rig, "console,path=@/out,color=always,ancestry=no");
    push(rig, 3, "r", "m", SSH);
    rig_drain(rig);
    expect(rig, "\033[2m14:03:22\033[0m  \033[1;31mhigh\033[0m      \033[1mr\033[0m"
                "                     m\n");
}

static void reasons_are_told_when_asked(void **state)
{
    struct rig *rig = *state;

    start(rig, "console,path=@/out,ancestry=no,reasons=yes");
    push(rig, 3, "r", "m",
         "{},\"matched\":["
         "{\"field\":\"comm\",\"value\":\"s\\u001bh\",\"at\":\"r.yaml:3:14\"},"
         "{\"field\":\"tty\",\"at\":\"r.yaml:4:20\"}]");
    push(rig, 3, "r", "m", "{}");
    rig_drain(rig);
    expect(rig, "14:03:22  high      r                     m\n"
                "          comm is \"s\\x1bh\"  r.yaml:3:14\n"
                "          tty is absent  r.yaml:4:20\n"
                "14:03:22  high      r                     m\n");
}

#define STEP(rule, time, event) \
    "{\"rule\":\"" rule "\",\"title\":\"A " rule "\",\"time\":\"" time "\"" event "}"
#define RUN(user, cmdline) ",\"event\":{\"user\":\"" user "\",\"cmdline\":\"" cmdline "\"}"

/* An alert of a correlation which leaves out OMITTED of its steps. */
static void push_steps(struct rig *rig, int omitted, const char *const *steps, size_t count)
{
    char event[4096];

    snprintf(event, sizeof event, "{},\"correlation\":{\"omitted\":%d,\"events\":[", omitted);
    for (size_t i = 0; i < count; i++)
        snprintf(event + strlen(event), sizeof event - strlen(event), "%s%s", i ? "," : "",
                 steps[i]);
    snprintf(event + strlen(event), sizeof event - strlen(event), "]}");
    push(rig, 3, "r", "m", event);
}

static void the_steps_of_a_correlation_are_told(void **state)
{
    static const char *const steps[] = {
        STEP("fetch", "2026-01-01T14:03:01.000000000Z", RUN("ann", "curl -O x")),
        STEP("made\\u001b", "2026-01-01T14:03:02Z", ",\"event\":{\"exe\":\"/bin/\\n\"}"),
        STEP("kept-no-event", "2026-01-01T14:03:02Z", ""),
        STEP("chain", "2026-01-01T14:03:03Z", ",\"count\":2,\"events\":[]"),
        STEP("elsewhere", "2026-01-01T14:03:04Z",
             ",\"event\":{\"host\":{\"name\":\"web2\"},\"user\":\"ann\",\"exe\":\"/x\"}"),
    };
    struct rig *rig = *state;

    start(rig, "console,path=@/out");
    push_steps(rig, 0, steps, 5);
    push(rig, 3, "r", "m", "{}");
    rig_drain(rig);
    expect(rig, "14:03:22  high      r                     m\n"
                "          14:03:01  fetch          ann: curl -O x\n"
                "          14:03:02  made\\x1b       /bin/\\n\n"
                "          14:03:02  kept-no-event  A kept-no-event\n"
                "          14:03:03  chain          A chain\n"
                "          14:03:04  elsewhere      ann@web2: /x\n"
                "14:03:22  high      r                     m\n");
}

static void steps_can_be_left_out(void **state)
{
    static const char *const step = STEP("fetch", "2026-01-01T14:03:01Z", RUN("ann", "curl"));
    struct rig *rig = *state;

    start(rig, "console,path=@/out,steps=no");
    push_steps(rig, 0, &step, 1);
    rig_drain(rig);
    expect(rig, "14:03:22  high      r                     m\n");
}

static void steps_of_other_days_have_their_date(void **state)
{
    static const char *const steps[] = {
        STEP("a", "2025-12-31T23:59:59.9Z", RUN("u", "x")),
        STEP("a", "2026-01-01T14:03:21Z", RUN("u", "y")),
        STEP("a", "", ""),
    };
    struct rig *rig = *state;

    start(rig, "console,path=@/out");
    push_steps(rig, 0, steps, 3);
    rig_drain(rig);
    expect(rig, "14:03:22  high      r                     m\n"
                "          2025-12-31 23:59:59  a  u: x\n"
                "          2026-01-01 14:03:21  a  u: y\n"
                "            a  A a\n");
}

/* Ten, and five that the alert itself leaves out: eight are shown. A long command is cut. */
static void many_steps_lose_their_middle(void **state)
{
    static const char *const steps[] = {
        STEP("a", "2026-01-01T14:03:00Z", ""),
        STEP("a", "2026-01-01T14:03:01Z", ""),
        STEP("a", "2026-01-01T14:03:02Z", ""),
        STEP("a", "2026-01-01T14:03:03Z", ""),
        STEP("a", "2026-01-01T14:03:04Z", ""),
        STEP("a", "2026-01-01T14:03:05Z", ""),
        STEP("a", "2026-01-01T14:03:06Z", ""),
        STEP("a", "2026-01-01T14:03:07Z", ""),
        STEP("a", "2026-01-01T14:03:08Z", ""),
        STEP(
            "a", "2026-01-01T14:03:09Z",
            RUN("u", "é--------é--------é--------é--------é--------é--------é--------é--------é-")),
    };
    struct rig *rig = *state;

    start(rig, "console,path=@/out");
    push_steps(rig, 5, steps, 10);
    rig_drain(rig);
    expect(rig, "14:03:22  high      r                     m\n"
                "          14:03:00  a  A a\n"
                "          14:03:01  a  A a\n"
                "          14:03:02  a  A a\n"
                "          14:03:03  a  A a\n"
                "          … and 7 more\n"
                "          14:03:06  a  A a\n"
                "          14:03:07  a  A a\n"
                "          14:03:08  a  A a\n"
                "          14:03:09  a  u: é--------é--------é--------é--------"
                "é--------é--------é--------é--------é…\n");
}

static void terminals_get_color_and_their_width_is_kept(void **state)
{
    struct rig *rig = *state;
    struct winsize size = {.ws_row = 24, .ws_col = 36};
    char bytes[4096] = "";
    int leader, follower;
    size_t len = 0;

    assert_int_equal(terminal_open(&leader, &follower), 0);
    assert_int_equal(ioctl(leader, TIOCSWINSZ, &size), 0);
    start(rig, arena_printf(&rig->arena, "console,path=/proc/self/fd/%d", follower));
    push(rig, 3, "r", "m", SSH);
    rig_drain(rig);
    while (!strstr(bytes, "curl")) {
        ssize_t got = read(leader, bytes + len, sizeof bytes - 1 - len);

        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_non_null(strstr(bytes, "\033[1;31mhigh\033[0m"));
    /* systemd ─ … ─ bash ─ curl: 25 columns of the 26 that are left */
    assert_null(strstr(bytes, "sshd"));
    assert_non_null(strstr(bytes, "…"));
    assert_non_null(strstr(bytes, "bash"));
    close(leader);
    close(follower);
}

static int all_tests(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines_are_aligned_and_plain_in_a_file),
        TEST(nothing_moves_the_cursor),
        TEST(long_chains_lose_their_middle),
        TEST(color_is_the_users_choice),
        TEST(reasons_are_told_when_asked),
        TEST(the_steps_of_a_correlation_are_told),
        TEST(steps_can_be_left_out),
        TEST(many_steps_lose_their_middle),
        TEST(steps_of_other_days_have_their_date),
        TEST(terminals_get_color_and_their_width_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    return rig_main(argc, argv, all_tests);
}
