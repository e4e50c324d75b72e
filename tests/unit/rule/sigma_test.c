/* What Sigma rules mean here beyond the conformance vectors: the two truths of a path, log sources,
 * what is passed over, metadata. */
#include "rule_fixture.h"

#include <errno.h>

#define HEAD      "title: A rule\nid: r\nlogsource: {product: linux, category: process_creation}\n"
#define AUDITD    "title: A rule\nid: r\nlogsource: {product: linux, service: auditd}\n"
#define DETECTION "detection: {s: {Image|endswith: /sh}, condition: s}\n"

/* Whether the one rule of TEXT holds for EVENT, by the index and without it. */
static bool holds_in(const struct load *load, const struct event *event)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const struct rule *const *hits;

    assert_int_equal(matcher_new(load->ruleset, &matcher), 0);
    size_t count = matcher_match(matcher, event, &hits);

    assert_int_equal(count, matcher_match_plainly(matcher, event, &hits));
    return count > 0;
}

static bool holds(const char *text, const struct event *event)
{
    CLEANUP(load_deinit) struct load load = load_good(text);

    return holds_in(&load, event);
}

/* dash, started by the name "sh" that links to it, and as it was given. */
static struct process dash(const char *filename, const char *absolute)
{
    struct process process = {.exe = TEXT("/usr/bin/dash"), .filename = text_from(filename)};

    HAS(&process, EXE);
    HAS(&process, FILENAME);
    if (absolute)
        process_set_text(&process, FIELD_FILENAME_ABSOLUTE, &process.filename_absolute,
                         text_from(absolute));
    return process;
}

static void test_truths_of_a_path(void **state)
{
    static const struct {
        const char *detection;
        bool expected;
    } cases[] = {
        /* What execve was given makes a match hold ... */
        {"{s: {Image|endswith: /sh}, condition: s}", true},
        {"{s: {Image: /bin/sh}, condition: s}", true},
        {"{s: {Image|endswith: /dash}, condition: s}", true},
        {"{s: {Image|endswith: /bash}, condition: s}", false},
        {"{s: {Image|re: '^/bin/s'}, condition: s}", true},
        {"{s: {Image|endswith: /sh}, condition: not not s}", true},
        {"{s: {Image|endswith: /sh}, f: {Image|endswith: /bash}, condition: not (f or not s)}",
         true},
        {"{s: {Image|neq: /bin/bash}, condition: s}", true},
        {"{s: [sh], condition: s}", true},
        /* ... but takes nothing out: that is for the kernel's path alone. */
        {"{s: {Image: '*'}, f: {Image: /bin/sh}, condition: s and not f}", true},
        {"{s: {Image: '*'}, f_1: {Image: /bin/sh}, condition: s and not 1 of f_*}", true},
        {"{s: {Image: '*'}, f: {Image: /usr/bin/dash}, condition: s and not f}", false},
        {"{s: {Image: '*'}, f: [/bin/sh], condition: s and not f}", true},
        {"{s: {Image|neq: /bin/sh}, condition: s}", true},
        {"{s: {Image|neq: /usr/bin/dash}, condition: s}", false},
        {"{s: {Image: '*'}, f: {Image|neq: /bin/sh}, condition: s and not f}", true},
        {"{s: {Image: null}, condition: s}", false},
        {"{s: {Image|exists: true}, condition: s}", true},
    };
    struct process process = dash("/bin/sh", NULL);
    struct event event = {.type = EVENT_EXEC, .process = &process};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, HEAD "detection: %s\n", cases[i].detection);
        if (holds(buffer_string(&text), &event) != cases[i].expected)
            fail_msg("%s", cases[i].detection);
    }
}

static void test_relative_paths(void **state)
{
    struct process process = dash("sh", "/bin/sh");
    struct event event = {.type = EVENT_EXEC, .process = &process};
    struct process child = {.parent = &process};
    struct event next = {.type = EVENT_EXEC, .process = &child};

    assert_true(holds(HEAD DETECTION, &event));
    assert_true(holds(HEAD "detection: {s: {Image: /bin/sh}, condition: s}\n", &event));
    assert_false(holds(HEAD "detection: {s: {Image: /sbin/sh}, condition: s}\n", &event));
    assert_true(holds(HEAD "detection: {s: {ParentImage: /bin/sh}, condition: s}\n", &next));
    assert_true(holds(HEAD "detection: {s: {ParentImage: '*'}, f: {ParentImage: /bin/sh}, "
                           "condition: s and not f}\n",
                      &next));
}

static void test_logsources(void **state)
{
    static const struct {
        const char *source;
        const char *why; /* NULL: nothing speaks against it */
    } cases[] = {
        {"{product: linux, category: process_creation}", NULL},
        {"{category: process_creation}", NULL},
        {"{product: linux}", NULL},
        {"{product: linux, definition: 'auditd with rules'}", NULL},
        {"{product: linux, service: auditd}", NULL},
        {"{product: windows, category: process_creation}", "it is for product 'windows'"},
        {"{product: linux, category: file_event}", "it is for category 'file_event'"},
        {"{product: linux, service: sshd}", "it is for service 'sshd'"},
        {"{category: webserver}", "it is for category 'webserver'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, "title: A rule\nid: r\nlogsource: %s\n" DETECTION, cases[i].source);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        assert_int_equal(load.result, cases[i].why ? -EINVAL : 0);
        if (!cases[i].why)
            continue;
        if (!strstr(diag_of(&load, "sigma-skipped")->message, cases[i].why))
            fail_msg("%s: %s", cases[i].source, diag_of(&load, "sigma-skipped")->message);
        assert_non_null(find_diag(&load, "no-rules"));
    }
}

/* What is loaded without its log source saying so is told. */
static void test_vague_logsource(void **state)
{
    CLEANUP(load_deinit)
    struct load vague = load_good("title: A rule\nid: r\nlogsource: {product: linux}\n" DETECTION);
    CLEANUP(load_deinit) struct load plain = load_good(HEAD DETECTION);

    assert_diag(&vague, "sigma-logsource", 3, 12);
    assert_null(find_diag(&plain, "sigma-logsource"));
}

static void test_any_logsource(void **state)
{
    static const char text[] =
        "title: A rule\nid: r\nlogsource: {product: macos}\n" DETECTION "---\n" HEAD DETECTION;
    struct rule_source source = {.path = "rules.yaml", .content = TEXT(text)};
    struct ruleset_options options = {.any_logsource = true};
    CLEANUP(load_deinit) struct load load = {0};
    CLEANUP(load_deinit) struct load strict = load_good(text);

    assert_int_equal(strict.ruleset->skipped, 1);
    assert_int_equal(strict.ruleset->foreign, 0);
    source.content.len -= strlen("---\n" HEAD DETECTION);
    assert_int_equal(ruleset_load_with(&source, 1, &options, &load.diags, &load.ruleset), 0);
    assert_int_equal(load.ruleset->count, 1);
    assert_int_equal(load.ruleset->foreign, 1);
    assert_diag(&load, "sigma-logsource", 3, 12);
}

static void test_min_level(void **state)
{
    static const char text[] = HEAD DETECTION "level: medium\n";
    struct rule_source source = {.path = "rules.yaml", .content = TEXT(text)};
    struct ruleset_options options = {0};

    for (int level = 0; level < SEVERITIES; level++) {
        CLEANUP(load_deinit) struct load load = {0};

        options.min_level = (enum severity)level;
        assert_int_equal(ruleset_load_with(&source, 1, &options, &load.diags, &load.ruleset), 0);
        assert_int_equal(load.ruleset->count, 1);
        assert_int_equal(load.ruleset->by_type_count[EVENT_EXEC], level <= SEVERITY_MEDIUM);
    }
}

/* A rule that would say nothing for want of a field is not loaded; one that only has a part so is.
 */
static void test_fields_that_are_not(void **state)
{
    static const struct {
        const char *detection;
        const char *code;
    } cases[] = {
        {"{s: {Hashes|contains: x}, condition: s}", "sigma-unsupported"},
        {"{s: {Image: /x, Hashes|contains: x}, condition: s}", "sigma-unsupported"},
        {"{s: {commandline: x}, condition: s}", "sigma-unsupported"},
        {"{s: {Company: x}, condition: not s}", "sigma-unsupported"},
        {"{s: {Image|lt: 5}, condition: s}", "sigma-unsupported"},
        {"{s: {ProcessId|hour: 5}, condition: s}", "sigma-unsupported"},
        {"{s: {Image: /x}, f: {Company: x}, condition: s and not f}", "sigma-field"},
        {"{s: [{Image: /x}, {OriginalFileName: x}], condition: s}", "sigma-field"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, HEAD "detection: %s\n", cases[i].detection);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        if (!find_diag(&load, cases[i].code))
            fail_msg("%s", cases[i].detection);
        assert_int_equal(load.result == 0, strcmp(cases[i].code, "sigma-field") == 0);
    }
    CLEANUP(load_deinit)
    struct load near = load_text(HEAD "detection: {s: {CommandLin: x}, condition: s}\n");

    assert_non_null(strstr(diag_of(&near, "sigma-unsupported")->message, "'CommandLine'?"));
}

static void test_auditd(void **state)
{
    static const struct {
        const char *detection;
        bool expected;
    } cases[] = {
        {"{s: {type: EXECVE, a0: nc, a1: -e}, condition: s}", true},
        {"{s: {type: execve, a1|startswith: '-'}, condition: s}", true},
        {"{s: {type: EXECVE, a0: -e}, condition: s}", false},
        {"{s: {type: EXECVE, a3|contains: ''}, condition: s}", false},
        {"{s: {type: SYSCALL, syscall: execve, exe|endswith: /nc}, condition: s}", true},
        {"{s: {type: SYSCALL, syscall: [59, open], auid: 1000}, condition: s}", true},
        {"{s: {type: SYSCALL, success: 'no', a0: nc}, f: {exe: '*'}, condition: s or f}", true},
        {"{s: {type: EXECVE}, k: ['/bin/sh'], condition: s and k}", true},
        {"{s: {type: EXECVE}, k: {'|all': [nc, lost]}, condition: s and k}", false},
        {"{s: {type: EXECVE, a2|re: '^/bin/.*sh$'}, condition: s}", true},
    };
    struct process process = {.exe = TEXT("/usr/bin/nc"),
                              .argv = TEXT("nc\0-e\0/bin/sh\0"),
                              .cmdline = TEXT("nc -e /bin/sh"),
                              .loginuid = 1000};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, EXE);
    HAS(&process, ARGV);
    HAS(&process, CMDLINE);
    HAS(&process, LOGINUID);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, AUDITD "detection: %s\n", cases[i].detection);
        if (holds(buffer_string(&text), &event) != cases[i].expected)
            fail_msg("%s", cases[i].detection);
    }
    CLEANUP(load_deinit)
    struct load path = load_text(AUDITD "detection: {s: {type: PATH, name: x}, condition: s}\n");

    assert_non_null(find_diag(&path, "sigma-unsupported"));
    CLEANUP(load_deinit)
    struct load twice =
        load_good(AUDITD "detection: {s: {a0: nc}, t: {a0: sh}, condition: s and t}\n");

    assert_non_null(find_diag(&twice, "never-matches"));
    CLEANUP(load_deinit)
    struct load both =
        load_good(AUDITD "detection: {s: {a0: nc}, t: {a1: sh}, condition: s and t}\n");

    assert_null(find_diag(&both, "never-matches"));
}

/* What the specification says of values, where the vectors say nothing. */
static void test_values(void **state)
{
    static const struct {
        const char *selection;
        const char *cmdline;
        bool expected;
    } cases[] = {
        {"CommandLine: '?'", "\xc3\xa9", true},
        {"CommandLine|endswith: '\\*'", "rm *", true},
        {"CommandLine|endswith: '\\*'", "rm x", false},
        {"CommandLine: '*'", "", true},
        {"CommandLine: 'a**b'", "ab", true},
        {"CommandLine: '\\\\\\*'", "\\*", true},
        {"CommandLine|contains: ''", "x", true},
        {"CommandLine: 10", "10", true},
        {"CommandLine: true", "True", true},
        {"CommandLine|contains|neq: x", "axb", false},
        {"CommandLine|neq: [a, b]", "c", true},
        {"CommandLine|cased: X", "x", false},
        {"CommandLine|re|i: ^X$", "x", true},
        {"CommandLine|windash|contains: ' -a*b'", "c /axxb", true},
        {"ProcessId|gt: 1.5", NULL, true},
        {"ProcessId|lt: 2.5", NULL, true},
        {"ProcessId|lt: 2", NULL, false},
        {"ProcessId|gte: 2.5", NULL, false},
        {"ProcessId: 2.0", NULL, true},
        {"ProcessId: 2.5", NULL, false},
        {"ProcessId: '2'", NULL, true},
        {"ProcessId|contains: '2'", NULL, true},
        {"ProcessId|re: '^[13]'", NULL, false},
        {"pid: 2", NULL, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};
        struct process process = {.pid = 2};
        struct event event = {.type = EVENT_EXEC, .process = &process};

        HAS(&process, PID);
        if (cases[i].cmdline)
            process_set_text(&process, FIELD_CMDLINE, &process.cmdline,
                             text_from(cases[i].cmdline));
        buffer_printf(&text, HEAD "detection:\n  s:\n    %s\n  condition: s\n", cases[i].selection);
        if (holds(buffer_string(&text), &event) != cases[i].expected)
            fail_msg("%s", cases[i].selection);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text;
        const char *code;
        unsigned line, column;
    } cases[] = {
        {HEAD "detection: {s: {Image: [a, null]}, condition: s}\n", "bad-value", 4, 28},
        {HEAD "detection: {s: {Image|contains: null}, condition: s}\n", "bad-value", 4, 33},
        {HEAD "detection: {s: {Image|base64: 'a*'}, condition: s}\n", "bad-value", 4, 31},
        {HEAD "detection: {s: {Image|base64offset: ''}, condition: s}\n", "bad-value", 4, 37},
        {HEAD "detection: {s: {Image|expand: '%none%'}, condition: s}\n", "unknown-list", 4, 32},
        {HEAD "detection: {s: {Image|re|contains: x}, condition: s}\n", "conflicting-modifiers", 4,
         26},
        {HEAD "detection: {s: {Image|contains|i: x}, condition: s}\n", "conflicting-modifiers", 4,
         32},
        {HEAD "detection: {s: {Image|fieldref|re: x}, condition: s}\n", "conflicting-modifiers", 4,
         23},
        {HEAD "detection: {s: {Image|endwith: x}, condition: s}\n", "unknown-modifier", 4, 23},
        {HEAD "detection: {s: {Image: []}, condition: s}\n", "empty-selection", 4, 24},
        {HEAD "detection: {s: {}, condition: s}\n", "empty-selection", 4, 16},
        {HEAD "detection: {s: {Image: {a: b}}, condition: s}\n", "wrong-type", 4, 24},
        {HEAD "detection: {s: [[a]], condition: s}\n", "wrong-type", 4, 17},
        {HEAD "detection: {s: {Image: a}, condition: [s, [s]]}\n", "wrong-type", 4, 43},
        {HEAD "detection: {s: {Image: a}, condition: s | near s}\n", "bad-condition", 4, 41},
        {HEAD "detection: {s: {Image: a}, condition: (s|count() > 3)}\n", "bad-condition", 4, 41},
        {HEAD "detection: {s: {Image: a}, condition: s || s}\n", "bad-condition", 4, 41},
        {HEAD "detection: {s: {Image: a}, condition: (s AND s) or s}\n", "bad-condition", 4, 42},
        {HEAD "detection: {s: {Image: a}, condition: s Or s}\n", "bad-condition", 4, 41},
        {HEAD "detection: [s]\n", "wrong-type", 4, 12},
        {HEAD DETECTION "level: severe\n", "unknown-severity", 5, 8},
        {HEAD DETECTION "---\n" HEAD DETECTION, "duplicate-id", 7, 5},
        {"title: A rule\n" DETECTION, "missing-key", 1, 1},
        {"logsource: {}\n" DETECTION, "missing-key", 1, 1},
        {"title: A rule\nlogsource: linux\n" DETECTION, "wrong-type", 2, 12},
        {"action: global\ntitle: A rule\nlogsource: {product: linux}\n---\n" DETECTION,
         "sigma-action", 1, 9},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(load_deinit) struct load load = load_text(cases[i].text);

        assert_int_equal(load.result, -EINVAL);
        assert_diag(&load, cases[i].code, cases[i].line, cases[i].column);
        assert_int_equal(load.diags.errors, 1);
    }
}

/* What the conditions of a list unfold to is bounded over all of them, and told once. */
static void test_values_are_bounded(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_put_string(&text, HEAD "detection:\n  s: {Image: [");
    for (unsigned i = 0; i < 2000; i++)
        buffer_printf(&text, "a%u,", i);
    buffer_put_string(&text, "]}\n  condition:\n");
    for (unsigned i = 0; i < 300; i++)
        buffer_put_string(&text, "  - s\n");
    CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

    assert_diag(&load, "too-many-values", 7 + 100, 5);
    assert_int_equal(load.diags.errors, 1);
}

static void test_metadata(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("title: Some Rule (1)\n"
                                 "status: test\n"
                                 "author: A. Nother\n"
                                 "description: What it is about\n"
                                 "references: [https://example.org]\n"
                                 "date: 2024-01-31\n"
                                 "tags: [attack.t1059]\n"
                                 "logsource: {category: process_creation, product: linux}\n"
                                 "falsepositives: Unknown\n"
                                 "custom: {any: thing}\n"
                                 "level: high\n" DETECTION);
    const struct rule *rule = rule_of(&load, "some-rule-1");

    assert_int_equal(load.diags.count, 0);
    assert_string_equal(rule->title.ptr, "Some Rule (1)");
    assert_string_equal(rule->author.ptr, "A. Nother");
    assert_string_equal(rule->description.ptr, "What it is about");
    assert_int_equal(rule->severity, SEVERITY_HIGH);
    assert_string_equal(rule->tags.items[0].ptr, "attack.t1059");
    assert_string_equal(rule->references.items[0].ptr, "https://example.org");
    assert_string_equal(rule->false_positives.items[0].ptr, "Unknown");
}

static void test_status(void **state)
{
    CLEANUP(load_deinit) struct load old = load_text(HEAD "status: deprecated\n" DETECTION);
    CLEANUP(load_deinit) struct load not_for_us = load_text(HEAD "status: unsupported\n" DETECTION);

    assert_diag(&old, "sigma-skipped", 1, 1);
    assert_diag(&not_for_us, "sigma-unsupported", 1, 1);
}

/* Native documents work upon Sigma's rules: overrides by id, lists for `expand`. */
static void test_with_native_documents(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(HEAD "detection: {s: {User|expand: '%admins%'}, condition: s}\n"
                                      "---\n"
                                      "lists: {admins: [root, 'adm*']}\n"
                                      "overrides: {r: {severity: low, unless: [{uid: 7}]}}\n");
    struct process process = {.user = TEXT("Admin")};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, USER);
    assert_int_equal(load.ruleset->rules[0]->severity, SEVERITY_LOW);
    assert_true(holds_in(&load, &event));
    process_set_number(&process, FIELD_UID, &process.uid, 7);
    assert_false(holds_in(&load, &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truths_of_a_path),
        cmocka_unit_test(test_relative_paths),
        cmocka_unit_test(test_logsources),
        cmocka_unit_test(test_vague_logsource),
        cmocka_unit_test(test_any_logsource),
        cmocka_unit_test(test_min_level),
        cmocka_unit_test(test_fields_that_are_not),
        cmocka_unit_test(test_auditd),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_values_are_bounded),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_with_native_documents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
