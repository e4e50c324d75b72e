/* Sigma's filters: which rules they are joined to and how, and what is wrong with them. */
#include "rule_fixture.h"

#include <errno.h>

#include "rule/explain.h"

#define PROCESS "logsource: {product: linux, category: process_creation}\n"
#define AUDITD  "logsource: {product: linux, service: auditd}\n"
#define SHELL                                          \
    "title: Shell\nid: shell\nname: a_shell\n" PROCESS \
    "detection: {s: {Image|endswith: /sh}, condition: s}\n"
#define ROOTS "title: Root\nid: root\n" PROCESS "detection: {s: {User: root}, condition: s}\n"
#define AUDIT \
    "title: Audit\nid: audit\n" AUDITD "detection: {s: {type: EXECVE, a0: sh}, condition: s}\n"
#define NATIVE                                                                               \
    "rules:\n- {id: native, match: {comm: sh}, tests: [{alerts: {comm: sh, user: root}}]}\n" \
    "- {id: ended, 'on': exit, match: {comm: sh}, tests: []}\n"
#define MORE         "---\n"
#define FILTER(body) MORE "title: A filter\nid: f\n" PROCESS "filter: " body "\n"
#define NOT_ROOT     "u: {User: root}, condition: not u}"

/* sh, a link to dash, started by USER. */
struct subject {
    struct process process;
    struct event event;
};

static void make_subject(struct subject *out, const char *user)
{
    *out = (struct subject){.event.process = &out->process};
    process_set_text(&out->process, FIELD_EXE, &out->process.exe, TEXT("/usr/bin/dash"));
    process_set_text(&out->process, FIELD_FILENAME, &out->process.filename, TEXT("/bin/sh"));
    process_set_text(&out->process, FIELD_COMM, &out->process.comm, TEXT("sh"));
    process_set_text(&out->process, FIELD_ARGV, &out->process.argv, (struct text){"sh\0-c\0", 6});
    process_set_text(&out->process, FIELD_CMDLINE, &out->process.cmdline, TEXT("sh -c"));
    process_set_text(&out->process, FIELD_USER, &out->process.user, text_from(user));
}

static void assert_hits(const char *text, const char *user, const char *expected)
{
    CLEANUP(load_deinit) struct load load = load_good(text);
    CLEANUP(buffer_deinit) struct buffer hits = {0};
    struct subject subject;

    make_subject(&subject, user);
    if (strcmp(hits_of(load.ruleset, &subject.event, &hits), expected) != 0)
        fail_msg("%s\nby %s: %s, expected %s", text, user, buffer_string(&hits), expected);
}

/* As it is written, it must hold besides. */
static void test_conditions(void **state)
{
    assert_hits(SHELL FILTER("{rules: [shell], " NOT_ROOT), "root", "");
    assert_hits(SHELL FILTER("{rules: [shell], " NOT_ROOT), "eve", "shell ");
    assert_hits(SHELL FILTER("{rules: [shell], u: {User: root}, condition: u}"), "root", "shell ");
    assert_hits(SHELL FILTER("{rules: [shell], u: {User: root}, condition: u}"), "eve", "");
    assert_hits(SHELL FILTER("{rules: [shell], u: {User: root}, v: {User: eve}, "
                             "condition: not 1 of them}"),
                "eve", "");
    assert_hits(SHELL FILTER("{rules: shell, " NOT_ROOT)
                    FILTER("{rules: shell, u: {User: eve}, condition: not u}"),
                "eve", "");
    assert_hits(SHELL FILTER("{rules: shell, timeframe: 5m, " NOT_ROOT), "root", "");
}

static void test_names(void **state)
{
    static const char *const ways[] = {"shell", "a_shell", "[a_shell]", "[shell, a_shell, shell]",
                                       "any",   "All"};

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        CLEANUP(buffer_deinit) struct buffer after = {0}, before = {0};

        buffer_printf(&after, SHELL FILTER("{rules: %s, " NOT_ROOT), ways[i]);
        assert_hits(buffer_string(&after), "root", "");
        assert_hits(buffer_string(&after), "eve", "shell ");
        /* Documents stand in any order. */
        buffer_printf(&before,
                      "title: A filter\n" PROCESS "filter: {rules: %s, " NOT_ROOT "\n" MORE SHELL,
                      ways[i]);
        assert_hits(buffer_string(&before), "root", "");
    }
    assert_hits(SHELL MORE ROOTS FILTER("{rules: shell, " NOT_ROOT), "root", "root ");
    assert_hits(SHELL MORE ROOTS FILTER("{rules: any, " NOT_ROOT), "root", "");
}

static void test_native_rules(void **state)
{
    assert_hits(NATIVE MORE SHELL FILTER("{rules: native, " NOT_ROOT), "root", "shell ");
    assert_hits(NATIVE MORE SHELL FILTER("{rules: any, " NOT_ROOT), "root", "");
    assert_hits(NATIVE MORE SHELL FILTER("{rules: any, " NOT_ROOT), "eve", "native shell ");
    /* Tests are of the rule as it is written. */
    CLEANUP(load_deinit) struct load load = load_good(NATIVE FILTER("{rules: native, " NOT_ROOT));
    const struct rule *rule = rule_of(&load, "native");

    assert_ptr_not_equal(rule->written, rule->expression);
    assert_ptr_equal(rule_of(&load, "ended")->written, rule_of(&load, "ended")->expression);
}

/* A filter is for rules whose log source says all that its own does. */
static void test_logsources(void **state)
{
    CLEANUP(load_deinit)
    struct load named = load_good(NATIVE FILTER("{rules: [native, ended], " NOT_ROOT));
    CLEANUP(load_deinit)
    struct load wide = load_good(NATIVE MORE "title: F\nlogsource: {product: linux}\n"
                                             "filter: {rules: [native, ended], " NOT_ROOT "\n");
    CLEANUP(load_deinit) struct load none = load_good(AUDIT FILTER("{rules: any, " NOT_ROOT));

    assert_diag(&named, "unused-filter", 8, 26);
    assert_null(find_diag(&wide, "unused-filter"));
    assert_ptr_not_equal(rule_of(&wide, "ended")->written, rule_of(&wide, "ended")->expression);
    assert_diag(&none, "unused-filter", 6, 1);
    assert_hits(AUDIT MORE SHELL FILTER("{rules: any, " NOT_ROOT), "root", "audit ");
    /* Fields are those of the rule's log source. */
    assert_hits(AUDIT MORE SHELL MORE "title: F\nlogsource: {product: linux}\n"
                                      "filter: {rules: any, u: {a1: -c}, condition: not u}\n",
                "root", "shell ");
    assert_hits(AUDIT MORE "title: F\n" AUDITD
                           "filter: {rules: audit, u: {a1: -x}, condition: not u}\n",
                "root", "audit ");
}

/* What keeps rules from firing is not open to a path that an attacker chose. */
static void test_truths_of_a_path(void **state)
{
    assert_hits(SHELL FILTER("{rules: shell, i: {Image: /bin/sh}, condition: not i}"), "eve",
                "shell ");
    assert_hits(SHELL FILTER("{rules: shell, i: {Image: /usr/bin/dash}, condition: not i}"), "eve",
                "");
    assert_hits(SHELL FILTER("{rules: shell, i: {Image: /bin/sh}, condition: i}"), "eve", "shell ");
    assert_hits(SHELL FILTER("{rules: shell, i: {Image: /bin/sh}, condition: not not i}"), "eve",
                "shell ");
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *code;
    } cases[] = {
        {SHELL FILTER("{rules: nowhere, " NOT_ROOT), "unknown-rule"},
        {SHELL FILTER("{rules: [any], " NOT_ROOT), "unknown-rule"},
        {SHELL FILTER("{rules: [], " NOT_ROOT), "wrong-type"},
        {SHELL FILTER("{rules: [[shell]], " NOT_ROOT), "wrong-type"},
        {SHELL FILTER("{rules: {a: shell}, " NOT_ROOT), "wrong-type"},
        {SHELL FILTER("{" NOT_ROOT), "missing-key"},
        {SHELL FILTER("{rules: shell, u: {User: root}}"), "missing-key"},
        {SHELL FILTER("{rules: shell, u: {User: root}, condition: [u]}"), "wrong-type"},
        {SHELL FILTER("{rules: shell, u: {User: root}, condition: not v}"), "unknown-selection"},
        {SHELL FILTER("{rules: shell, u: {User|like: root}, condition: u}"), "unknown-modifier"},
        {SHELL FILTER("{rules: nowhere, u: {User|like: root}, condition: u}"), "unknown-modifier"},
        {AUDIT FILTER("{rules: any, u: {User|like: root}, condition: u}"), "unknown-modifier"},
        {SHELL FILTER("[rules]"), "wrong-type"},
        {SHELL MORE "title: C\nname: many\ncorrelation: {type: event_count, rules: shell, "
                    "timespan: 1m, condition: {gte: 5}}\n" FILTER("{rules: many, " NOT_ROOT),
         "bad-filter"},
        {SHELL MORE "title: F\nfilter: {rules: shell, " NOT_ROOT "\n", "missing-key"},
        {SHELL MORE PROCESS "filter: {rules: shell, " NOT_ROOT "\n", "missing-key"},
        {SHELL MORE "title: {a: b}\n" PROCESS "filter: {rules: shell, " NOT_ROOT "\n",
         "wrong-type"},
        {SHELL MORE "title: F\nlogsource: linux\nfilter: {rules: shell, " NOT_ROOT "\n",
         "wrong-type"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_text(cases[i].text);

        assert_int_equal(load.result, -EINVAL);
        if (!find_diag(&load, cases[i].code)) {
            print_diags(&load);
            fail_msg("%s: no '%s'", cases[i].text, cases[i].code);
        }
    }
    CLEANUP(load_deinit)
    struct load near = load_text(SHELL FILTER("{rules: a_shel, " NOT_ROOT));

    assert_string_equal(diag_of(&near, "unknown-rule")->hint, "a_shell");
}

/* A correlation is none of those that 'any' means. */
static void test_correlations(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        SHELL MORE
        "title: C\nid: c\ncorrelation: {type: event_count, "
        "rules: shell, timespan: 1m, condition: {gte: 5}}\n" FILTER("{rules: any, " NOT_ROOT));

    assert_ptr_not_equal(rule_of(&load, "shell")->written, rule_of(&load, "shell")->expression);
    assert_ptr_equal(rule_of(&load, "c")->written, rule_of(&load, "c")->expression);
}

/* What is told although it does no harm; the load goes on. */
static void test_warnings(void **state)
{
    static const struct {
        const char *text, *code;
        size_t skipped, unsupported;
    } cases[] = {
        {SHELL FILTER("{rules: shell, v: {User: x}, " NOT_ROOT), "unused-selection", 0, 0},
        {SHELL FILTER("{rules: shell, h: {Hashes: x}, condition: not h}"), "sigma-unsupported", 0,
         1},
        {SHELL FILTER("{rules: shell, h: {Hashes: x}, condition: h}"), "sigma-unsupported", 0, 1},
        {SHELL FILTER("{rules: shell, h: {Hashes: x}, u: {User: root}, condition: not (u or h)}"),
         "sigma-field", 0, 0},
        {SHELL MORE "title: W\nlogsource: {product: windows}\nfilter: {rules: shell, " NOT_ROOT
                    "\n",
         "sigma-skipped", 1, 0},
        {SHELL MORE "title: W\nid: w\nlogsource: {product: windows}\ndetection: {}\n" FILTER(
             "{rules: w, " NOT_ROOT),
         "sigma-skipped", 2, 0},
        {SHELL MORE AUDIT MORE "title: F\nlogsource: {product: linux}\n"
                               "filter: {rules: any, u: {a1: -c}, condition: not u}\n",
         "sigma-field", 0, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_good(cases[i].text);

        if (!find_diag(&load, cases[i].code))
            fail_msg("%s: no '%s'", cases[i].text, cases[i].code);
        assert_int_equal(load.ruleset->skipped, cases[i].skipped);
        assert_int_equal(load.ruleset->unsupported, cases[i].unsupported);
    }
}

/* Told once, although it is compiled for the rules of each log source. */
static void test_told_once(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good(SHELL MORE AUDIT MORE "title: F\nlogsource: {product: linux}\n"
                                        "filter: {rules: any, v: {User: x}, u: {User: root}, "
                                        "w: {Hashes: x}, condition: not (u or w)}\n");

    assert_int_equal(load.diags.count, 2);
    assert_non_null(find_diag(&load, "unused-selection"));
    assert_non_null(find_diag(&load, "sigma-field"));
}

static void test_explained(void **state)
{
    CLEANUP(load_deinit) struct load load = load_good(SHELL FILTER("{rules: shell, " NOT_ROOT));
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct subject subject;
    struct explanation explanation = {
        .event = &subject.event, .rule = rule_of(&load, "shell"), .out = &out};

    make_subject(&subject, "root");
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    explanation.matcher = matcher;
    explain_put_text(&explanation);
    buffer_deinit(&explanation.scratch);
    assert_non_null(strstr(buffer_string(&out), "stopped by\n  filter A filter: User: root  "
                                                "user is \"root\""));
    assert_non_null(strstr(buffer_string(&out), "false  filter A filter"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_native_rules),     cmocka_unit_test(test_logsources),
        cmocka_unit_test(test_truths_of_a_path), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_warnings),         cmocka_unit_test(test_told_once),
        cmocka_unit_test(test_explained),        cmocka_unit_test(test_correlations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
