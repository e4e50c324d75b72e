#include "rule_fixture.h"

#include <errno.h>

#include "rule/predicate.h"

static void test_rule(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "  - id: web.shell-1_x\n"
                                 "    title: A title\n"
                                 "    description: |\n"
                                 "      Long.\n"
                                 "    author: me\n"
                                 "    severity: critical\n"
                                 "    tags: [attack.execution, attack.t1059.004]\n"
                                 "    on: exec_failed\n"
                                 "    match: {comm: sh}\n"
                                 "    outputs: [pager]\n"
                                 "    enabled: no\n"
                                 "    references: [https://a.b/c]\n"
                                 "    false_positives: [x, y, z]\n"
                                 "    tests: [{alerts: {comm: sh}}]\n"
                                 "  - {id: plain, match: {comm: sh}, tests: []}\n");
    const struct rule *rule = rule_of(&load, "web.shell-1_x");

    assert_int_equal(load.diags.count, 0);
    assert_int_equal(load.ruleset->count, 2);
    assert_string_equal(rule->title.ptr, "A title");
    assert_string_equal(rule->description.ptr, "Long.\n");
    assert_string_equal(rule->author.ptr, "me");
    assert_int_equal(rule->severity, SEVERITY_CRITICAL);
    assert_int_equal(rule->tags.count, 2);
    assert_string_equal(rule->tags.items[1].ptr, "attack.t1059.004");
    assert_int_equal(rule->on, EVENT_EXEC_FAILED);
    assert_int_equal(rule->outputs.count, 1);
    assert_false(rule->enabled);
    assert_int_equal(rule->references.count, 1);
    assert_int_equal(rule->false_positives.count, 3);
    assert_int_equal(rule->test_count, 1);
    assert_string_equal(rule->mark.file, "rules.yaml");
    assert_int_equal(rule->mark.line, 2);
    assert_int_equal(rule->mark.column, 9);
    assert_int_equal(load.ruleset->by_type_count[EVENT_EXEC_FAILED], 0);

    rule = rule_of(&load, "plain");
    assert_string_equal(rule->title.ptr, "plain");
    assert_null(rule->description.ptr);
    assert_int_equal(rule->severity, SEVERITY_MEDIUM);
    assert_int_equal(rule->on, EVENT_EXEC);
    assert_true(rule->enabled);
    assert_int_equal(rule->outputs.count, 0);
    assert_int_equal(rule->index, 1);
    assert_ptr_equal(load.ruleset->by_type[EVENT_EXEC][0], rule);
}

struct shell {
    struct process self, parent;
    struct event event;
};

static void shell_init(struct shell *shell, const char *exe, const char *parent)
{
    *shell = (struct shell){
        .self = {.exe = text_from(exe), .uid = 33, .parent = &shell->parent},
        .parent = {.comm = text_from(parent)},
        .event = {.type = EVENT_EXEC, .process = &shell->self},
    };
    HAS(&shell->self, EXE);
    HAS(&shell->self, UID);
    HAS(&shell->parent, COMM);
}

static void assert_hits(const struct ruleset *ruleset, const char *exe, const char *parent,
                        const char *expected)
{
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct shell shell;

    shell_init(&shell, exe, parent);
    assert_string_equal(hits_of(ruleset, &shell.event, &hits), expected);
}

static void test_match_and_unless(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "  - id: all\n"
                                 "    match: {exe: /bin/.*, parent: nginx}\n"
                                 "    unless: {exe: /bin/true, uid: 33}\n"
                                 "  - id: any\n"
                                 "    match: [{exe: /bin/a}, {parent: cron, uid: 33}]\n"
                                 "    unless:\n"
                                 "      - exe: /bin/b\n"
                                 "      - {exe: /bin/c, uid: 0}\n"
                                 "  - {id: off, enabled: false, match: {uid: 33}}\n"
                                 "  - {id: exits, on: exit, match: {uid: 33}}\n");

    assert_hits(load.ruleset, "/bin/a", "nginx", "all any ");
    assert_hits(load.ruleset, "/bin/true", "nginx", "");
    assert_hits(load.ruleset, "/bin/b", "nginx", "all ");
    assert_hits(load.ruleset, "/bin/b", "cron", "");
    assert_hits(load.ruleset, "/bin/c", "cron", "any ");
    assert_hits(load.ruleset, "/sbin/a", "nginx", "");
}

static void test_event_types(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules: [{id: x, match: {uid: 33}},\n"
                                 "        {id: f, on: exec_failed, match: {uid: 33}},\n"
                                 "        {id: e, on: exit, match: {uid: 33}}]\n");
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct shell shell;

    shell_init(&shell, "/x", "y");
    assert_string_equal(hits_of(load.ruleset, &shell.event, &hits), "x ");
    shell.event.type = EVENT_EXEC_FAILED;
    assert_string_equal(hits_of(load.ruleset, &shell.event, &hits), "f ");
    shell.event.type = EVENT_EXIT;
    assert_string_equal(hits_of(load.ruleset, &shell.event, &hits), "e ");
    shell.event.type = EVENT_FORK;
    assert_string_equal(hits_of(load.ruleset, &shell.event, &hits), "");
}

static void test_lists_and_macros(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("lists:\n"
                  "  bins: [/bin/a, $more, /bin/c]\n"
                  "  more: [/bin/b.*]\n"
                  "  uids: [0, 33]\n"
                  "macros:\n"
                  "  web: {parent: [nginx, httpd]}\n"
                  "  web_user: [{macro: web, uid: $uids}]\n"
                  "rules:\n"
                  "  - {id: one, match: {exe: $bins, macro: web_user}}\n"
                  "  - {id: two, match: {exe: [/bin/z, $bins], macro: [web, never]}}\n"
                  "  - {id: text, match: {exe|is: '$bins'}}\n"
                  "--- # names hold in every document\n"
                  "macros:\n"
                  "  never: {uid|lt: 0}\n");

    assert_hits(load.ruleset, "/bin/a", "nginx", "one two ");
    assert_hits(load.ruleset, "/bin/bb", "httpd", "one two ");
    assert_hits(load.ruleset, "/bin/z", "httpd", "two ");
    assert_hits(load.ruleset, "/bin/a", "cron", "");
    assert_hits(load.ruleset, "$bins", "cron", "text ");
    assert_null(find_diag(&load, "unused-macro"));
}

static void test_definitions_mistaken(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("lists:\n"
                                 "  a: [$b]\n"
                                 "  b: [$a]\n"
                                 "  idle: [x]\n"
                                 "  bad: ['(', ok]\n"
                                 "macros:\n"
                                 "  m: {macro: n}\n"
                                 "  n: {macro: m}\n"
                                 "  broken: {nofield: x}\n"
                                 "rules:\n"
                                 "  - {id: r, match: {exe: $a, macro: m}}\n"
                                 "  - {id: s, match: {exe: $bad, uid: $names}}\n"
                                 "  - {id: t, match: {exe: $bad, macro: borken}}\n"
                                 "---\n"
                                 "lists: {idle: [y]}\n"
                                 "macros: {m: {uid: 0}}\n");

    assert_int_equal(load.result, -EINVAL);
    assert_diag(&load, "recursive-name", 3, 7);
    assert_diag(&load, "recursive-name", 8, 14);
    assert_diag(&load, "unused-list", 4, 3);
    assert_diag(&load, "bad-regex", 5, 11);
    assert_diag(&load, "unknown-field", 9, 12);
    assert_diag(&load, "unknown-list", 12, 37);
    assert_diag(&load, "unknown-macro", 13, 39);
    assert_diag(&load, "duplicate-name", 15, 9);
    assert_diag(&load, "duplicate-name", 16, 10);
    /* Those, once each, besides the three rules without tests. */
    assert_int_equal(load.diags.count, 9 + 3);
}

/* Definitions that nothing uses are checked all the same. */
static void test_unused_definitions_mistaken(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("lists:\n"
                                 "  loop1: [$loop2]\n"
                                 "  loop2: [x, $loop1]\n"
                                 "  itself: [$itself]\n"
                                 "  lost: [$nowhere, '$quoted']\n"
                                 "rules: [{id: r, match: {uid: 33}, tests: []}]\n");

    assert_int_equal(load.result, -EINVAL);
    assert_diag(&load, "recursive-name", 3, 14);
    assert_diag(&load, "recursive-name", 4, 12);
    assert_diag(&load, "unknown-list", 5, 10);
    assert_diag(&load, "unused-list", 2, 3);
    assert_diag(&load, "unused-list", 4, 3);
    assert_diag(&load, "unused-list", 5, 3);
    assert_int_equal(load.diags.count, 6);
}

/* COUNT lists, each naming the next in the file, or the one before. */
static struct load load_chain(int count, bool forward)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text, "lists:\n  l%d: [x]\n", forward ? count - 1 : 0);
    for (int i = 1; i < count; i++)
        buffer_printf(&text, "  l%d: [$l%d]\n", forward ? i - 1 : i, forward ? i : i - 1);
    buffer_printf(&text, "rules: [{id: r, match: {exe: $l%d}, tests: []}]\n",
                  forward ? 0 : count - 1);
    return load_text(buffer_string(&text));
}

static void test_chains_of_lists(void **state)
{
    for (int forward = 0; forward < 2; forward++) {
        CLEANUP(load_deinit) struct load deepest = load_chain(64, forward);
        CLEANUP(load_deinit) struct load deeper = load_chain(65, forward);
        CLEANUP(load_deinit) struct load endless = load_chain(90000, forward);

        assert_int_equal(deepest.result, 0);
        assert_int_equal(deeper.result, -EINVAL);
        assert_int_equal(deeper.diags.count, 1);
        assert_non_null(strstr(diag_of(&deeper, "recursive-name")->message, "too deep"));
        assert_int_equal(endless.result, -EINVAL);
        assert_non_null(find_diag(&endless, "recursive-name"));
    }
}

/* What is said of a list's values is said where the list is used. */
static void test_list_of_wrong_type(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("lists:\n"
                                 "  shells: [sh, bash]\n"
                                 "rules:\n"
                                 "  - {id: r, match: {uid: $shells}}\n");

    assert_int_equal(load.result, -EINVAL);
    assert_diag(&load, "bad-value", 4, 26);
    assert_non_null(strstr(diag_of(&load, "bad-value")->message, "'sh' of list $shells"));
}

static void test_definition_bombs(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_put_string(&text, "lists:\n  l0: [a, b]\n");
    for (int i = 1; i < 40; i++)
        buffer_printf(&text, "  l%d: [$l%d, $l%d]\n", i, i - 1, i - 1);
    buffer_put_string(&text, "macros:\n  m0: {uid: 0}\n");
    for (int i = 1; i < 60; i++)
        buffer_printf(&text, "  m%d: [{macro: m%d, uid: %d}, {macro: m%d, euid: %d}]\n", i, i - 1,
                      i, i - 1, i);
    buffer_put_string(&text, "rules: [{id: r, match: {exe: $l39, macro: m25}}]\n");
    CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

    assert_int_equal(load.result, -EINVAL);
    assert_non_null(find_diag(&load, "too-many-values"));
}

static void test_overrides(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "  - {id: a, title: old, severity: high, tags: [x], match: {uid: 33},\n"
                  "     unless: [{exe: /one}], tests: [{alerts: {uid: 33, exe: /two}}]}\n"
                  "  - {id: b, match: {uid: 33}, tests: []}\n"
                  "---\n"
                  "overrides:\n"
                  "  a: {severity: low, title: new, tags: [y, z], unless: [{exe: /two}]}\n"
                  "  b: {enabled: false, message: '%{uid}!', outputs: [siem]}\n"
                  "---\n"
                  "overrides:\n"
                  "  a: {severity: informational, unless: {exe: /three}}\n");
    const struct rule *a = rule_of(&load, "a");
    const struct rule *b = rule_of(&load, "b");

    assert_int_equal(load.diags.count, 0);
    assert_int_equal(a->severity, SEVERITY_INFORMATIONAL);
    assert_string_equal(a->title.ptr, "new");
    assert_int_equal(a->tags.count, 2);
    assert_false(b->enabled);
    assert_string_equal(b->outputs.items[0].ptr, "siem");
    assert_hits(load.ruleset, "/zero", "x", "a ");
    assert_hits(load.ruleset, "/one", "x", "");
    assert_hits(load.ruleset, "/two", "x", "");
    assert_hits(load.ruleset, "/three", "x", "");
    assert_ptr_not_equal(a->expression, a->written);
}

static void test_overrides_mistaken(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "  - {id: noisy, match: {uid: 33}, tests: []}\n"
                                 "  - {id: broken, match: {uid: x}, tests: []}\n"
                                 "overrides:\n"
                                 "  nosy: {enabled: false}\n"
                                 "  noisy: {match: {uid: 0}, severity: lowest, colour: red}\n"
                                 "  broken: {enabled: false}\n");

    assert_diag(&load, "bad-value", 3, 31);
    assert_diag(&load, "unknown-rule", 5, 3);
    assert_non_null(strstr(diag_of(&load, "unknown-rule")->message, "did you mean 'noisy'?"));
    assert_diag(&load, "not-overridable", 6, 11);
    assert_diag(&load, "unknown-severity", 6, 38);
    assert_diag(&load, "unknown-key", 6, 46);
    assert_int_equal(load.diags.count, 5);
}

static void test_warnings(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "  - {id: a, match: {uid: 1, exe: [/x, /y]}, tests: []}\n"
                  "  - {id: b, match: {exe: [/y, /x], uid: 0x1}, tests: []}\n"
                  "  - {id: c, on: exit, match: {exe: [/y, /x], uid: 1}, tests: []}\n"
                  "  - {id: d, match: {uid: 1, parent.uid: 2}, unless: {uid: 1}, tests: []}\n"
                  "  - {id: e, match: {exe: /x, exe|is: /y}, tests: []}\n"
                  "  - {id: f, match: {error: ENOENT}, tests: []}\n"
                  "  - {id: g, match: {type: exit}, tests: []}\n"
                  "  - {id: h, match: {parent: nginx|a-very-long-name-it-is|sh}, tests: []}\n"
                  "  - {id: i, match: {ancestor.comm|startswith: [a-very-long-name, x]}}\n"
                  "  - {id: j, match: {comm|contains: ''}, tests: []}\n");

    assert_diag(&load, "duplicate-rule", 3, 10);
    assert_diag(&load, "never-matches", 5, 10);
    assert_diag(&load, "never-matches", 6, 10);
    assert_diag(&load, "never-matches", 7, 10);
    assert_diag(&load, "never-matches", 8, 10);
    assert_diag(&load, "never-matches", 9, 35);
    assert_diag(&load, "never-matches", 10, 48);
    assert_diag(&load, "missing-tests", 10, 10);
    assert_diag(&load, "empty-value", 11, 36);
    assert_int_equal(load.diags.count, 9);
    assert_int_equal(load.diags.warnings, 9);
}

/* What does not go together, or has a mistake, is looked into all the same; and is not missing. */
static void test_form_in_one_pass(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "  - {id: a, match: {no: 1}, where: {x: {nor: 0}},\n"
                                 "     condition: x or y, tests: []}\n"
                                 "  - {id: b, match: {uid: 0}, condition: x, tests: []}\n"
                                 "  - {id: c, where: {x: {nor: 0}}, tests: []}\n"
                                 "  - {id: d, where: {x: {uid: 0}}, condition: [x], tests: []}\n"
                                 "  - {id: e, where: {x: {uid: 0}}, condition: '', tests: []}\n"
                                 "  - {id: f, where: [], condition: x, tests: []}\n"
                                 "  - {id: g, match: {exe|: x}, tests: [{alert: {}}]}\n");

    assert_diag(&load, "unknown-field", 2, 21);
    assert_diag(&load, "conflicting-keys", 2, 36);
    assert_diag(&load, "unknown-field", 2, 41);
    assert_diag(&load, "unknown-selection", 3, 22);
    assert_diag(&load, "conflicting-keys", 4, 41);
    assert_diag(&load, "missing-key", 5, 10);
    assert_diag(&load, "unknown-field", 5, 25);
    assert_diag(&load, "wrong-type", 6, 46);
    assert_diag(&load, "wrong-type", 7, 46);
    assert_diag(&load, "wrong-type", 8, 20);
    assert_diag(&load, "unknown-modifier", 9, 25);
    assert_string_equal(diag_of(&load, "unknown-modifier")->message,
                        "no modifier behind '|' in rule 'g'");
    assert_diag(&load, "bad-test", 9, 40);
    assert_string_equal(diag_of(&load, "bad-test")->hint, "alerts");
    assert_int_equal(load.diags.count, 12);
}

static void test_form(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules:\n"
                                 "  - 5\n"
                                 "  - {id: a, match: {uid: 0}, where: {x: {uid: 0}}, tests: []}\n"
                                 "  - {id: b, where: {x: {uid: 0}}, tests: []}\n"
                                 "  - {id: c, condition: x, tests: []}\n"
                                 "  - {id: d, match: 7, on: fork, severity: [], tests: 5}\n"
                                 "  - {id: [], match: {uid: 0}, title: '', tags: x, tests: []}\n"
                                 "  - {id: e, match: {uid: 0}, level: high, enabled: 2,\n"
                                 "     outputs: [], message: {}, tests: [3, {alerts: 4}]}\n"
                                 "---\n"
                                 "rules: {}\n"
                                 "lists: []\n"
                                 "ruls: []\n"
                                 "---\n"
                                 "- a\n");

    assert_int_equal(load.result, -EINVAL);
    assert_diag(&load, "wrong-type", 2, 5);
    assert_diag(&load, "conflicting-keys", 3, 37);
    assert_diag(&load, "missing-key", 4, 10);
    assert_diag(&load, "missing-key", 5, 10);
    assert_diag(&load, "wrong-type", 6, 20);
    assert_diag(&load, "unknown-event", 6, 27);
    assert_diag(&load, "wrong-type", 6, 43);
    assert_diag(&load, "wrong-type", 6, 54);
    assert_diag(&load, "wrong-type", 7, 10);
    assert_diag(&load, "wrong-type", 7, 38);
    assert_diag(&load, "wrong-type", 7, 48);
    assert_diag(&load, "unknown-key", 8, 30);
    assert_diag(&load, "wrong-type", 8, 52);
    assert_diag(&load, "wrong-type", 9, 15);
    assert_diag(&load, "wrong-type", 9, 28);
    assert_diag(&load, "bad-test", 9, 40);
    assert_diag(&load, "bad-test", 9, 52);
    assert_diag(&load, "wrong-type", 11, 8);
    assert_diag(&load, "wrong-type", 12, 8);
    assert_diag(&load, "unknown-key", 13, 1);
    assert_non_null(strstr(diag_of(&load, "unknown-key")->message, "did you mean 'rules'?"));
    assert_diag(&load, "wrong-type", 15, 1);
    assert_int_equal(load.diags.count, 21);
}

/* What other engines call a thing is understood, if not accepted. */
static void test_foreign_words(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text("rules: [{id: a, match: {uid: 0}, level: high, tests: []}]\n");

    assert_diag(&load, "unknown-key", 1, 34);
    assert_non_null(strstr(load.diags.items[0].message, "did you mean 'severity'?"));
    assert_int_equal(load.diags.count, 1);
}

static void test_duplicate_ids(void **state)
{
    static const struct rule_source sources[] = {
        {"first.yaml", TEXT("rules: [{id: x, match: {uid: 0}, tests: []}]\n")},
        {"second.yaml", TEXT("\nrules: [{id: x, match: {uid: 1}, tests: []}]\n")},
    };
    CLEANUP(load_deinit) struct load load = {0};

    load.result = ruleset_load(sources, 2, &load.diags, &load.ruleset);
    assert_int_equal(load.result, -EINVAL);
    assert_null(load.ruleset);
    assert_diag(&load, "duplicate-id", 2, 14);
    assert_string_equal(load.diags.items[0].mark.file, "second.yaml");
    assert_non_null(strstr(load.diags.items[0].message, "first.yaml:1:14"));
}

static void test_sigma_is_skipped(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("title: x\n"
                                 "logsource: {product: linux}\n"
                                 "detection: {a: {b: c}, condition: a}\n"
                                 "---\n"
                                 "status: deprecated\n"
                                 "correlation: {type: event_count}\n"
                                 "---\n"
                                 "rules: [{id: x, match: {uid: 33}, tests: []}]\n");

    assert_int_equal(load.ruleset->skipped, 1);
    assert_int_equal(load.ruleset->unsupported, 1);
    assert_diag(&load, "sigma-unsupported", 1, 1);
    assert_diag(&load, "sigma-skipped", 5, 1);
    assert_hits(load.ruleset, "x", "y", "x ");
}

static void test_nothing(void **state)
{
    static const char *const texts[] = {"", "# none\n", "rules: []\n",
                                        "rules: !!python/object []\n", "lists: {}\n---\n"};
    CLEANUP(load_deinit) struct load none = {0};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CLEANUP(load_deinit) struct load load = load_text(texts[i]);

        assert_int_equal(load.result, -EINVAL);
        assert_null(load.ruleset);
        assert_diag(&load, "no-rules", 0, 0);
        assert_string_equal(load.diags.items[0].mark.file, "rules.yaml");
        assert_int_equal(load.diags.count, 1);
    }
    none.result = ruleset_load(NULL, 0, &none.diags, &none.ruleset);
    assert_int_equal(none.result, -EINVAL);
    assert_non_null(find_diag(&none, "no-rules"));
}

/* An empty file beside others is none of anyone's business; and what cannot be read is told
 * alone. */
static void test_nothing_in_a_part(void **state)
{
    static const struct rule_source sources[] = {
        {"empty.yaml", TEXT("rules: []\n")},
        {"full.yaml", TEXT("rules: [{id: x, match: {uid: 33}, tests: []}]\n")},
    };
    CLEANUP(load_deinit) struct load load = {0};
    CLEANUP(load_deinit) struct load broken = load_text("rules: [\n");

    load.result = ruleset_load(sources, 2, &load.diags, &load.ruleset);
    assert_int_equal(load.result, 0);
    assert_int_equal(load.diags.count, 0);
    assert_diag(&broken, "yaml-syntax", 1, 8);
    assert_int_equal(broken.diags.count, 1);
}

/* A value is quoted in part when it is long. */
static void test_long_values(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(buffer_deinit) struct buffer shown = {0};

    buffer_put_string(&text, "rules:\n  - {id: r, match: {comm: ");
    for (int i = 0; i < 1 << 20; i++)
        buffer_put_char(&text, 'x');
    buffer_put_string(&text, "}, tests: []}\n");
    CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));

    assert_diag(&load, "never-matches", 2, 27);
    assert_non_null(strstr(load.diags.items[0].message, "keeps 15 bytes of a comm"));
    diag_render_all(&load.diags, false, &shown);
    assert_in_range(shown.len, 200, 1000);
}

/* A ruleset borrows nothing of what it was loaded from. */
static void test_lifetime(void **state)
{
    struct diag_list diags = {0};
    CLEANUP(ruleset_freep) struct ruleset *ruleset = NULL;
    char *text = strdup("rules: [{id: x, title: t, match: {exe: /bin/.*}, message: 'm%{exe}'}]");
    char *file = strdup("a.yaml");
    struct rule_source source = {.path = file, .content = text_from(text)};

    assert_int_equal(ruleset_load(&source, 1, &diags, &ruleset), 0);
    diag_list_deinit(&diags);
    memset(text, 'x', strlen(text));
    memset(file, 'x', strlen(file));
    free(text);
    free(file);
    assert_hits(ruleset, "/bin/sh", "y", "x ");
    assert_string_equal(ruleset->rules[0]->title.ptr, "t");
    assert_string_equal(ruleset->rules[0]->mark.file, "a.yaml");
}

static bool asks(const char *rule)
{
    CLEANUP(load_deinit) struct load load = load_text(rule);

    assert_int_equal(load.result, 0);
    return ruleset_asks(load.ruleset, FIELD_EXE_SHA256);
}

static void test_what_is_asked(void **state)
{
    assert_true(asks("rules: [{id: r, match: {ancestor.exe.sha256: ab}}]"));
    assert_true(asks("rules: [{id: r, match: {uid: 0}, unless: {exe.sha256|exists: true}}]"));
    assert_true(asks("rules: [{id: r, match: {uid: 0}, message: 'x %{parent.exe.sha256}'}]"));
    assert_true(asks("rules: [{id: r, match: {uid: 0}, suppress: {by: [exe.sha256], for: 1m}}]"));
    assert_true(asks("rules: [{id: r, match: {cmdline|contains|fieldref: exe.sha256}}]"));
    assert_false(asks("rules: [{id: r, match: {exe: a}, message: '%{exe}'}]"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_match_and_unless),
        cmocka_unit_test(test_event_types),
        cmocka_unit_test(test_lists_and_macros),
        cmocka_unit_test(test_definitions_mistaken),
        cmocka_unit_test(test_unused_definitions_mistaken),
        cmocka_unit_test(test_chains_of_lists),
        cmocka_unit_test(test_list_of_wrong_type),
        cmocka_unit_test(test_definition_bombs),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_overrides_mistaken),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_form_in_one_pass),
        cmocka_unit_test(test_foreign_words),
        cmocka_unit_test(test_duplicate_ids),
        cmocka_unit_test(test_sigma_is_skipped),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_nothing_in_a_part),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_what_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
