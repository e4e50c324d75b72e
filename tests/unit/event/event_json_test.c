#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "event/event_json.h"

struct fixture {
    struct arena arena;
    struct event event;
    json_t *root;
    struct event_failure failure;
    struct buffer out;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    json_decref(f->root);
    arena_deinit(&f->arena);
    buffer_deinit(&f->out);
    free(f);
    return 0;
}

static int read_text(struct fixture *f, struct text t)
{
    json_decref(f->root);
    f->root = NULL;
    return event_read_json(t, &f->arena, &f->event, &f->root, &f->failure);
}

static const char *write_back(struct fixture *f)
{
    struct json_writer json = {.buffer = &f->out};

    buffer_clear(&f->out);
    event_put_json(&json, &f->event);
    return buffer_string(&f->out);
}

static void assert_text(struct text t, const char *expected)
{
    assert_int_equal(t.len, strlen(expected));
    assert_memory_equal(t.ptr, expected, t.len);
}

static const char full[] =
    "{\"type\":\"exit\",\"time\":\"2026-01-01T00:00:00.000000001Z\",\"retval\":3,\"is_exit\":true,"
    "\"exit\":{\"code\":3,\"signal\":9},\"duration\":5,\"pid\":10,\"ppid\":9,"
    "\"start_time\":\"2025-12-31T23:59:59.000000000Z\",\"comm\":\"x\",\"exe\":\"/bin/x\","
    "\"exe.device\":\"254:0\",\"exe.inode\":77,\"exe.mode\":\"0755\",\"exe.setuid\":false,"
    "\"argv\":[\"x\",\"\",\"a b\\n\"],\"argc\":3,\"cmdline\":\"x  a b\\n\",\"cmdline.length\":7,"
    "\"uid\":0,\"loginuid\":4294967295,\"cgroup\":{\"id\":1},"
    "\"parent\":{\"pid\":9,\"comm\":\"sh\",\"parent\":{\"comm\":\"systemd\"}},"
    "\"meta\":{\"n\":[1,2.5,null]}}";

static void writes_what_it_read(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT(full)), 0);
    assert_string_equal(write_back(f), full);
    assert_int_equal(f->event.type, EVENT_EXIT);
    assert_text(f->event.process->parent->parent->comm, "systemd");
    assert_null(f->event.process->parent->parent->parent);
}

static void derives_from_argv(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT("{\"argv\":[\"a\",\"b c\"]}")), 0);
    assert_int_equal(f->event.type, EVENT_EXEC);
    assert_text(f->event.process->cmdline, "a b c");
    assert_int_equal(f->event.process->argc, 2);
    assert_int_equal(f->event.process->cmdline_length, 5);
    assert_int_equal(read_text(f, TEXT("{\"argv\":[],\"cmdline\":\"given\"}")), 0);
    assert_text(f->event.process->cmdline, "given");
    assert_int_equal(f->event.process->argc, 0);
}

static void derives_what_a_relative_path_means(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT("{\"filename\":\"./sh\",\"cwd\":\"/bin\"}")), 0);
    assert_text(f->event.process->filename_absolute, "/bin/sh");
    assert_int_equal(read_text(f, TEXT("{\"filename\":\"/bin/sh\",\"cwd\":\"/bin\"}")), 0);
    assert_false(field_set_has(&f->event.process->has, FIELD_FILENAME_ABSOLUTE));
    assert_int_equal(read_text(f, TEXT("{\"filename\":\"sh\"}")), 0);
    assert_false(field_set_has(&f->event.process->has, FIELD_FILENAME_ABSOLUTE));
    assert_int_equal(
        read_text(f, TEXT("{\"type\":\"exec_failed\",\"filename\":\"sh\",\"cwd\":\"/\"}")), 0);
    assert_false(field_set_has(&f->event.process->has, FIELD_FILENAME_ABSOLUTE));
}

static void sets_are_lists_of_names(void **state)
{
    static const char some[] =
        "{\"type\":\"exec\",\"is_exit\":false,\"cap\":{\"effective\":[\"cap_net_raw\",\"cap_41\"],"
        "\"permitted\":[\"all\"],\"inheritable\":"
        "[\"all\",\"-cap_chown\",\"-cap_kill\",\"cap_63\"],\"ambient\":[]},"
        "\"securebits\":[\"noroot\",\"keep_caps_locked\"]}";
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT(some)), 0);
    const struct process *process = f->event.process;

    assert_int_equal(process->cap_effective, 1LL << 13 | 1LL << 41);
    assert_int_equal(process->cap_permitted, (1LL << 41) - 1);
    assert_true((uint64_t)process->cap_inheritable == (1ULL << 63 | ((1ULL << 41) - 1 - 33)));
    assert_int_equal(process->cap_ambient, 0);
    assert_true(field_set_has(&process->has, FIELD_CAP_AMBIENT));
    assert_int_equal(process->securebits, 1 | 1 << 5);
    assert_string_equal(write_back(f), some);
}

/* Each number of capabilities, from none to all, is written and read back as it is. */
static void every_number_of_names_comes_back(void **state)
{
    struct fixture *f = *state;
    struct process process = {0};

    field_set_add(&process.has, FIELD_CAP_EFFECTIVE);
    for (unsigned bits = 0; bits <= 64; bits++) {
        uint64_t set = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

        process.cap_effective = (int64_t)set;
        f->event = (struct event){.process = &process};
        CLEANUP(freep) char *written = strdup(write_back(f));

        assert_true((strstr(written, "\"all\"") != NULL) == (bits > 20));
        assert_int_equal(read_text(f, text_from(written)), 0);
        assert_true((uint64_t)f->event.process->cap_effective == set);
    }
}

static void null_is_absence(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT("{\"uid\":null,\"parent\":null,\"exe\":\"/x\"}")), 0);
    assert_false(field_set_has(&f->event.process->has, FIELD_UID));
    assert_true(field_set_has(&f->event.process->has, FIELD_EXE));
    assert_null(f->event.process->parent);
}

static void takes_dotted_and_nested_names(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT("{\"cgroup.id\":5,\"type\":\"exit\",\"exit.code\":1}")), 0);
    assert_int_equal(f->event.process->cgroup_id, 5);
    assert_int_equal(f->event.exit_code, 1);
}

/* Bytes that are not UTF-8 survive a round trip, and what is written is valid JSON in UTF-8. */
static void keeps_every_byte(void **state)
{
    struct fixture *f = *state;
    struct process process = {
        .exe = TEXT("/tmp/\xff\xfe"), .argv = TEXT("a\0\xc3\x28\0"), .comm = TEXT("ok")};

    field_set_add(&process.has, FIELD_EXE);
    field_set_add(&process.has, FIELD_ARGV);
    field_set_add(&process.has, FIELD_COMM);
    f->event = (struct event){.process = &process};
    CLEANUP(freep) char *written = strdup(write_back(f));

    assert_true(text_is_utf8(text_from(written)));
    assert_non_null(
        strstr(written, "\"raw\":{\"exe\":\"L3RtcC///g==\",\"argv\":[\"YQ==\",\"wyg=\"]}"));
    assert_int_equal(read_text(f, text_from(written)), 0);
    assert_text(f->event.process->exe, "/tmp/\xff\xfe");
    assert_int_equal(f->event.process->argv.len, 5);
    assert_memory_equal(f->event.process->argv.ptr, "a\0\xc3\x28\0", 5);
}

static void names_the_mistake(void **state)
{
    static const struct {
        const char *json;
        const char *reason;
    } cases[] = {
        {"", "not JSON"},
        {"{\"pid\":1", "not JSON"},
        {"[1]", "an event is an object, not a list"},
        {"{\"pid\":\"1\"}", "field 'pid' wants a whole number, not a text"},
        {"{\"pid\":1.5}", "field 'pid' wants a whole number, not a fraction"},
        {"{\"exe\":7}", "field 'exe' wants a text, not a number"},
        {"{\"argv\":\"x\"}", "field 'argv' wants a list of texts, not a text"},
        {"{\"argv\":[\"x\",1]}", "field 'argv': item 2 is not a text"},
        {"{\"time\":\"now\"}", "field 'time': 'now' is not a time"},
        {"{\"exe.setuid\":1}", "field 'exe.setuid' wants true or false, not a number"},
        {"{\"securebits\":7}", "field 'securebits' wants a list of names, not a number"},
        {"{\"securebits\":[\"all\"]}", "field 'securebits': 'all' is none of its names"},
        {"{\"cap.effective\":[\"CAP_KILL\"]}",
         "field 'cap.effective': 'CAP_KILL' is none of its names"},
        {"{\"cap.effective\":[\"-all\"]}", "field 'cap.effective': '-all' is none of its names"},
        {"{\"securebits\":[\"-noroot\"]}", "field 'securebits': '-noroot' is none of its names"},
        {"{\"cap\":{\"ambient\":[1]}}", "field 'cap.ambient': item 1 is not a text"},
        {"{\"raw\":{\"cap.ambient\":\"eA==\"}}", "'raw' has no place for 'cap.ambient'"},
        {"{\"parent\":\"sh\"}", "'parent' wants an object, not a text"},
        {"{\"parent\":{\"retval\":1}}", "field 'retval' belongs to the event, not to a parent"},
        {"{\"type\":\"fork\"}", "type 'fork' is none of exec, exec_failed and exit"},
        {"{\"raw\":{\"pid\":\"eA==\"}}", "'raw' has no place for 'pid'"},
        {"{\"raw\":{\"exe\":\"?\"}}", "'raw' wants base64 in 'exe'"},
        {"{\"raw\":{\"exe\":\"L2IAYw==\"}}", "'raw' wants base64 in 'exe'"},
        {"{\"raw\":{\"argv\":[\"AA==\"]}}", "field 'argv': item 1 is not a text in base64"},
        {"{\"exe\":\"a\\u0000b\"}", "not JSON"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(f, text_from(cases[i].json)), -EINVAL);
        if (strncmp(f->failure.reason, cases[i].reason, strlen(cases[i].reason)) != 0)
            assert_string_equal(f->failure.reason, cases[i].reason);
    }
}

static void refuses_endless_nesting(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buffer_deinit) struct buffer brackets = {0};
    CLEANUP(buffer_deinit) struct buffer parents = {0};

    for (size_t i = 0; i < 1U << 20; i++)
        buffer_put_char(&brackets, '[');
    assert_int_equal(read_text(f, buffer_text(&brackets)), -EINVAL);
    for (size_t i = 0; i <= ANCESTOR_MAX; i++)
        buffer_put_string(&parents, "{\"parent\":");
    buffer_put_string(&parents, "{}");
    for (size_t i = 0; i <= ANCESTOR_MAX; i++)
        buffer_put_char(&parents, '}');
    assert_int_equal(read_text(f, buffer_text(&parents)), -EINVAL);
    assert_string_equal(f->failure.reason, "more than 64 parents inside each other");
}

/* Names that an attacker chose do not make an event endless: far ancestors are left out, by number.
 */
static void long_ancestors_are_left_out(void **state)
{
    struct fixture *f = *state;
    static char name[8192];
    static struct process chain[ANCESTOR_MAX + 1];

    memset(name, 1, sizeof name);
    for (size_t i = 0; i <= ANCESTOR_MAX; i++) {
        chain[i] = (struct process){.exe = {name, sizeof name}};
        field_set_add(&chain[i].has, FIELD_EXE);
        chain[i].parent = i < ANCESTOR_MAX ? &chain[i + 1] : NULL;
    }
    f->event = (struct event){.process = chain};
    CLEANUP(freep) char *written = strdup(write_back(f));

    assert_true(strlen(written) < 2 * (size_t)EVENT_ANCESTORS_MAX);
    assert_non_null(strstr(written, "\"ancestors_omitted\":58"));
    assert_int_equal(read_text(f, text_from(written)), 0);
    assert_string_equal(f->failure.unknown, "");
    assert_non_null(event_ancestor(&f->event, 6));
    assert_null(event_ancestor(&f->event, 7));
}

#define HOST                                                                                     \
    "{\"name\":\"web1\",\"id\":\"0a\",\"kernel\":\"6.1\",\"arch\":\"x86_64\",\"os\":\"debian\"," \
    "\"os.version\":\"12\"}"

static const char located[] =
    "{\"type\":\"exec\",\"is_exit\":false,\"host\":" HOST
    ",\"pid\":10,\"origin\":{\"boot\":\"00007b1ce2f046aa\",\"cpu\":3,\"seq\":17}}";

static const char *write_line(struct fixture *f)
{
    struct json_writer json = {.buffer = &f->out};

    buffer_clear(&f->out);
    event_put_line(&json, &f->event);
    return buffer_string(&f->out);
}

static void a_line_says_where_it_is_from(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT(located)), 0);
    assert_string_equal(f->failure.unknown, "");
    assert_text(f->event.host->os_version, "12");
    assert_false(f->event.host->is_here);
    assert_true(f->event.origin[0] == 0x7b1ce2f046aa);
    assert_int_equal(f->event.origin[1], 3);
    assert_int_equal(f->event.origin[2], 17);
    assert_string_equal(write_line(f), located);
    assert_string_equal(write_back(f), "{\"type\":\"exec\",\"is_exit\":false,\"pid\":10}");
    assert_int_equal(read_text(f, TEXT("{\"pid\":10,\"host\":null,\"origin\":null}")), 0);
    assert_null(f->event.host);
    assert_true(f->event.origin[0] == 0);
}

static void origins_that_are_none_are_refused(void **state)
{
    static const char *const origins[] = {"1",
                                          "{}",
                                          "{\"boot\":\"\",\"cpu\":0,\"seq\":0}",
                                          "{\"boot\":\"0\",\"cpu\":0,\"seq\":0}",
                                          "{\"boot\":\"00007b1ce2f046aa1\",\"cpu\":0,\"seq\":0}",
                                          "{\"boot\":\"1G\",\"cpu\":0,\"seq\":0}",
                                          "{\"boot\":\"1\",\"cpu\":-1,\"seq\":0}",
                                          "{\"boot\":\"1\",\"cpu\":0}"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        CLEANUP(buffer_deinit) struct buffer line = {0};

        buffer_printf(&line, "{\"pid\":1,\"origin\":%s}", origins[i]);
        assert_int_equal(read_text(f, buffer_text(&line)), -EINVAL);
        assert_non_null(strstr(f->failure.reason, "'origin' wants"));
    }
    assert_int_equal(read_text(f, TEXT("{\"parent\":{\"host\":{\"name\":\"x\"}}}")), -EINVAL);
    assert_non_null(strstr(f->failure.reason, "belongs to the event"));
}

#define ALERT(rule, event)                                                                \
    "{\"id\":\"01KDVP0M00PXGXM84F0AVV8SNA\",\"time\":\"2026-01-01T00:00:00.000000000Z\"," \
    "\"host\":" HOST ",\"rule\":{\"id\":\"" rule "\"},\"message\":\"m\"" event "}"
#define EXEC ",\"event\":{\"type\":\"exec\",\"pid\":10}"

/* All alerts about an event lead to the same one. */
static void an_alert_is_read_as_its_event(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT(ALERT("a", EXEC))), 0);
    assert_string_equal(f->failure.unknown, "");
    assert_text(f->event.host->name, "web1");
    assert_int_equal(f->event.process->pid, 10);
    CLEANUP(freep) char *first = strdup(write_line(f));

    assert_non_null(strstr(first, "\"origin\":{\"boot\":\""));
    assert_int_equal(read_text(f, TEXT(ALERT("b", EXEC))), 0);
    assert_string_equal(write_line(f), first);
    assert_int_equal(read_text(f, text_from(first)), 0);
    assert_string_equal(write_line(f), first);
    assert_int_equal(read_text(f, TEXT(ALERT("picket.x", ""))), -ENODATA);
    assert_int_equal(read_text(f, TEXT(ALERT("a", ",\"event\":{\"pid\":\"x\"}"))), -EINVAL);
}

static void tells_unknown_keys(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(read_text(f, TEXT("{\"exe\":\"/x\",\"exit\":{\"colour\":1},\"foo\":1}")), 0);
    assert_string_equal(f->failure.unknown, "exit.colour");
    assert_int_equal(read_text(f, TEXT("{\"exe\":\"/x\"}")), 0);
    assert_string_equal(f->failure.unknown, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_what_it_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(derives_from_argv, set_up, tear_down),
        cmocka_unit_test_setup_teardown(derives_what_a_relative_path_means, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sets_are_lists_of_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_number_of_names_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(null_is_absence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_dotted_and_nested_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_every_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_the_mistake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_endless_nesting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_ancestors_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_says_where_it_is_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(origins_that_are_none_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alert_is_read_as_its_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_unknown_keys, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
