#include "rule_fixture.h"

#include <errno.h>

#include "base/clock.h"

struct scene {
    struct process self, parent, elder;
    struct event event;
};

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){
        .self = {.comm = TEXT("sh"),
                 .exe = TEXT("/bin/sh"),
                 .pid = 42,
                 .argv = {"sh\0-c\0a\nb", 9},
                 .cmdline = TEXT("sh -c a\nb"),
                 .filename = TEXT("./\x1b[31m\xff\xe2\x80\xa8"),
                 .exe_setuid = true,
                 .parent = &scene->parent},
        .parent = {.comm = TEXT("nginx"), .parent = &scene->elder},
        .elder = {.exe = TEXT("/sbin/init")},
        .event = {.type = EVENT_EXEC, .time = 1767323045 * NS_PER_S, .process = &scene->self},
    };
    HAS(&scene->self, COMM);
    HAS(&scene->self, EXE);
    HAS(&scene->self, PID);
    HAS(&scene->self, ARGV);
    HAS(&scene->self, CMDLINE);
    HAS(&scene->self, FILENAME);
    HAS(&scene->self, EXE_SETUID);
    HAS(&scene->parent, COMM);
    HAS(&scene->elder, EXE);
    HAS(&scene->event, TIME);
}

static void assert_message(const char *template, const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct scene scene;

    scene_init(&scene);
    buffer_printf(&text, "rules: [{id: r, match: {uid: 0}, message: '%s'}]", template);
    CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));

    message_put(load.ruleset->rules[0]->message, &scene.event, &out);
    assert_string_equal(buffer_string(&out), expected);
}

static void test_put(void **state)
{
    assert_message("plain", "plain");
    assert_message("%{comm}", "sh");
    assert_message("%{parent} ran %{exe} as %{pid}.", "nginx ran /bin/sh as 42.");
    assert_message("%{parent.comm}/%{ancestor[2].exe}", "nginx//sbin/init");
    assert_message("100%% of %{comm}%%", "100% of sh%");
    assert_message("%{exe.setuid} %{time}", "true 2026-01-02T03:04:05.000000000Z");
    assert_message("é %{comm} ü", "é sh ü");
}

static void test_missing(void **state)
{
    assert_message("%{user} %{parent.exe} %{ancestor[9].comm}", "- - -");
}

static void test_printable(void **state)
{
    assert_message("%{argv}", "sh -c a\\nb");
    assert_message("%{cmdline}", "sh -c a\\nb");
    assert_message("%{filename}", "./\\x1b[31m\\xff\\u{2028}");
}

static void test_defaults(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct scene scene;

    scene_init(&scene);
    message_put(message_default(EVENT_EXEC), &scene.event, &out);
    assert_string_equal(buffer_string(&out), "nginx started /bin/sh: sh -c a\\nb");
    buffer_clear(&out);
    message_put(message_default(EVENT_EXEC_FAILED), &scene.event, &out);
    assert_string_equal(buffer_string(&out), "nginx failed to start ./\\x1b[31m\\xff\\u{2028}: -");
    buffer_clear(&out);
    message_put(message_default(EVENT_EXIT), &scene.event, &out);
    assert_string_equal(buffer_string(&out), "/bin/sh (pid 42) ended: sh -c a\\nb");
}

/* The event may have no process at all. */
static void test_bare_event(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct event event = {.type = EVENT_EXEC};

    message_put(message_default(EVENT_EXEC), &event, &out);
    assert_string_equal(buffer_string(&out), "- started -: -");
}

static void test_mistakes(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "- {id: a, match: {uid: 0}, tests: [],\n"
                                 "   message: \"%{com} 50% %{parent.time} %{ancestor.exe}\"}\n"
                                 "- {id: b, match: {uid: 0}, tests: [], message: '%{comm'}\n"
                                 "- {id: c, match: {uid: 0}, tests: [], message: '%{}'}\n"
                                 "- {id: d, match: {uid: 0}, tests: [], message: ''}\n"
                                 "- {id: e, match: {uid: 0}, tests: [], message: [x]}\n");

    assert_int_equal(load.result, -EINVAL);
    assert_diag(&load, "unknown-field", 3, 16);
    assert_diag(&load, "bad-message", 3, 23);
    assert_diag(&load, "unknown-field", 3, 27);
    assert_diag(&load, "bad-message", 3, 42);
    assert_diag(&load, "bad-message", 4, 49);
    assert_diag(&load, "unknown-field", 5, 51);
    assert_diag(&load, "wrong-type", 6, 48);
    assert_diag(&load, "wrong-type", 7, 48);
    assert_int_equal(load.diags.errors, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_printable),  cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_bare_event), cmocka_unit_test(test_mistakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
