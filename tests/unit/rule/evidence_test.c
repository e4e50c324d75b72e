#include "rule_fixture.h"

#include "rule/evidence.h"

struct fixture {
    struct load load;
    struct matcher *matcher;
    struct evidence evidence;
    struct process process, parent, grandparent;
    struct event event;
    struct buffer json, scratch;
};

static void fixture_deinit(struct fixture *f)
{
    matcher_free(f->matcher);
    load_deinit(&f->load);
    buffer_deinit(&f->json);
    buffer_deinit(&f->scratch);
}

static void fixture_init(struct fixture *f, const char *rules)
{
    *f = (struct fixture){.load = load_good(rules)};
    assert_int_equal(matcher_new(f->load.ruleset, &f->matcher), 0);
    f->event.process = &f->process;
    f->process.parent = &f->parent;
    f->parent.parent = &f->grandparent;
}

static void set_comm(struct process *process, const char *comm)
{
    process_set_text(process, FIELD_COMM, &process->comm, text_from(comm));
}

/* Matches, and collects the evidence of the only hit; as JSON. */
static const char *collect(struct fixture *f)
{
    const struct rule *const *hits;

    assert_int_equal(matcher_match(f->matcher, &f->event, &hits), 1);
    evidence_collect(f->matcher, &f->event, hits[0], &f->evidence);
    buffer_clear(&f->json);
    evidence_put_json(&f->json, &f->evidence, &f->scratch);
    assert_false(buffer_failed(&f->json));
    return buffer_string(&f->json);
}

/* Of alternatives those that hold, of a list its place in the list, nothing beneath a NOT. */
static void test_what_holds(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;

    fixture_init(&f, "lists:\n"
                     "  shells: [sh, bash]\n"
                     "rules:\n"
                     "- id: r\n"
                     "  match:\n"
                     "  - {comm|is: $shells, uid|gte: 5}\n"
                     "  - {comm|startswith: ba}\n"
                     "  - {comm: zsh}\n"
                     "  unless: {uid: 3}\n");
    set_comm(&f.process, "bash");
    process_set_number(&f.process, FIELD_UID, &f.process.uid, 7);
    assert_string_equal(
        collect(&f),
        "\"matched\":["
        "{\"field\":\"comm\",\"operator\":\"is\",\"pattern\":\"bash\",\"value\":\"bash\","
        "\"at\":\"rules.yaml:2:16\"},"
        "{\"field\":\"uid\",\"operator\":\"gte\",\"pattern\":\"5\",\"value\":\"7\","
        "\"at\":\"rules.yaml:6:33\"},"
        "{\"field\":\"comm\",\"operator\":\"startswith\",\"pattern\":\"ba\",\"value\":\"bash\","
        "\"at\":\"rules.yaml:7:23\"}]");
}

/* The opposite of the opposite is evidence again; what is absent has no value. */
static void test_not(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;

    fixture_init(&f, "rules:\n"
                     "- id: r\n"
                     "  where:\n"
                     "    a: {comm: x}\n"
                     "    b: {comm: y, tty|exists: false}\n"
                     "  condition: not a and not (a or not b)\n");
    set_comm(&f.process, "y");
    assert_string_equal(
        collect(&f),
        "\"matched\":["
        "{\"field\":\"comm\",\"operator\":\"matches\",\"pattern\":\"y\",\"value\":\"y\","
        "\"at\":\"rules.yaml:5:15\"},"
        "{\"field\":\"tty\",\"operator\":\"exists\",\"pattern\":\"false\","
        "\"at\":\"rules.yaml:5:30\"}]");
}

/* Of a list, a set and the ancestors: the one that fits. */
static void test_one_of_many(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;

    fixture_init(&f, "rules:\n"
                     "- id: r\n"
                     "  match:\n"
                     "    argv|startswith: -e\n"
                     "    cap.effective: cap_net_raw\n"
                     "    ancestor.comm: ng.*\n"
                     "    parent|exists: true\n");
    set_comm(&f.parent, "sh");
    set_comm(&f.grandparent, "nginx");
    process_set_text(&f.process, FIELD_ARGV, &f.process.argv, TEXT("nc\0-e\0-ex\0"));
    process_set_number(&f.process, FIELD_CAP_EFFECTIVE, &f.process.cap_effective, 1 << 13 | 1);
    assert_string_equal(
        collect(&f),
        "\"matched\":["
        "{\"field\":\"argv\",\"operator\":\"startswith\",\"pattern\":\"-e\",\"value\":\"-e\","
        "\"at\":\"rules.yaml:4:22\"},"
        "{\"field\":\"cap.effective\",\"operator\":\"matches\",\"pattern\":\"cap_net_raw\","
        "\"value\":\"cap_net_raw\",\"at\":\"rules.yaml:5:20\"},"
        "{\"field\":\"ancestor[2].comm\",\"operator\":\"matches\",\"pattern\":\"ng.*\","
        "\"value\":\"nginx\",\"at\":\"rules.yaml:6:20\"},"
        "{\"field\":\"parent.comm\",\"operator\":\"exists\",\"pattern\":\"true\","
        "\"value\":\"sh\",\"at\":\"rules.yaml:7:20\"}]");
}

/* A value is cut between characters, and says so. */
static void test_long_value(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;
    char exe[4000];

    fixture_init(&f, "rules: [{id: r, match: {exe|contains: x}}]\n");
    memset(exe, 'x', sizeof exe);
    /* From an odd place on: the last byte that is shown would be half a character. */
    for (size_t i = 3; i + 1 < sizeof exe; i += 2) {
        exe[i] = '\xc3';
        exe[i + 1] = '\xa9';
    }
    process_set_text(&f.process, FIELD_EXE, &f.process.exe, (struct text){exe, sizeof exe});
    const char *json = collect(&f);

    assert_non_null(strstr(json, "\xc3\xa9...\",\"at\""));
    assert_null(strstr(json, "\xef\xbf\xbd"));
    assert_true(strlen(json) < EVIDENCE_TEXT_MAX + 200);
}

/* However many values hold, and however they look in JSON, it stays short and says so. */
static void test_bounds(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;
    CLEANUP(buffer_deinit) struct buffer rules = {0};
    char exe[600] = "0123456789x";

    buffer_put_string(&rules, "rules: [{id: r, match: {exe|contains: [x");
    for (int i = 0; i < 200; i++)
        buffer_printf(&rules, ", \"%s%d\"", "", i % 10);
    buffer_put_string(&rules, ", \"\\x01\"]}}]\n");
    fixture_init(&f, buffer_string(&rules));
    memset(exe + 11, 1, sizeof exe - 11);
    process_set_text(&f.process, FIELD_EXE, &f.process.exe, (struct text){exe, sizeof exe});
    const char *json = collect(&f);

    assert_int_equal(f.evidence.count, EVIDENCE_MAX);
    assert_true(f.evidence.truncated);
    assert_true(strlen(json) <= EVIDENCE_JSON_MAX + 100);
    assert_non_null(strstr(json, "],\"matched_truncated\":true"));
}

/* Of a long list only the front is looked at, and what is found there is kept. */
static void test_looks(void **state)
{
    CLEANUP(fixture_deinit) struct fixture f;
    CLEANUP(buffer_deinit) struct buffer rules = {0};

    buffer_put_string(&rules, "rules: [{id: r, match: {exe|is: [/bin/x");
    for (int i = 0; i < 2 * EVIDENCE_LOOK_MAX; i++)
        buffer_printf(&rules, ", /bin/%d", i);
    buffer_put_string(&rules, "], comm: sh}}]\n");
    fixture_init(&f, buffer_string(&rules));
    set_comm(&f.process, "sh");
    process_set_text(&f.process, FIELD_EXE, &f.process.exe, TEXT("/bin/x"));
    const char *json = collect(&f);

    assert_int_equal(f.evidence.count, 1);
    assert_true(f.evidence.truncated);
    assert_non_null(strstr(json, "\"value\":\"/bin/x\""));
    assert_non_null(strstr(json, "],\"matched_truncated\":true"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_holds),  cmocka_unit_test(test_not),
        cmocka_unit_test(test_one_of_many), cmocka_unit_test(test_long_value),
        cmocka_unit_test(test_bounds),      cmocka_unit_test(test_looks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
