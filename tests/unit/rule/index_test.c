#include "rule_fixture.h"

#include "rule/index.h"
#include "rule/pattern_set.h"
#include "rule/pattern_trial.h"

struct family {
    struct process self, parent, elder;
    struct event event;
};

static void family_init(struct family *family)
{
    *family = (struct family){
        .self = {.comm = TEXT("bash"),
                 .exe = TEXT("/usr/bin/Bash"),
                 .uid = 33,
                 .argv = {"bash\0-c\0curl x", 15},
                 .cap_effective = 1 << 13,
                 .exe_setuid = true,
                 .parent = &family->parent},
        .parent = {.comm = TEXT("nginx"), .uid = 0, .parent = &family->elder},
        .elder = {.comm = TEXT("systemd")},
        .event = {.type = EVENT_EXEC, .process = &family->self},
    };
    HAS(&family->self, COMM);
    HAS(&family->self, EXE);
    HAS(&family->self, UID);
    HAS(&family->self, ARGV);
    HAS(&family->self, CAP_EFFECTIVE);
    HAS(&family->self, EXE_SETUID);
    HAS(&family->parent, COMM);
    HAS(&family->parent, UID);
    HAS(&family->elder, COMM);
}

static struct load load_selection(const char *selection)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text, "rules: [{id: r, match: {%s}, tests: []}]", selection);
    return load_good(buffer_string(&text));
}

/* Whether the family's event makes the rule a candidate, and by which kind of lookup. */
static void assert_found(const char *selection, const char *lookup, bool found)
{
    CLEANUP(load_deinit) struct load load = load_selection(selection);
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const struct predicate *const *predicates;
    const struct rule *const *hits;
    struct family family;
    size_t count;

    print_message("%s\n", selection);
    if (strcmp(lookup, "automaton") == 0 && !pattern_trial())
        return; /* not here */
    family_init(&family);
    assert_true(ruleset_witness(load.ruleset, load.ruleset->rules[0], &predicates, &count));
    assert_int_equal(count, 1);
    assert_string_equal(index_lookup_name(predicates[0]), lookup);
    assert_int_equal(ruleset_always(load.ruleset, EVENT_EXEC), 0);
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    for (unsigned i = 0; i < 2; i++) /* then from the cache */
        assert_int_equal(matcher_match(matcher, &family.event, &hits), found);
    assert_int_equal(matcher_counters(matcher).candidates, found ? 2 : 0);
}

static void test_lookups(void **state)
{
    assert_found("comm|is: bash", "hash", true);
    assert_found("comm|is: BASH", "hash", false);
    assert_found("comm|is|nocase: BASH", "hash", true);
    assert_found("parent: nginx", "hash", true);
    assert_found("ancestor: systemd", "hash", true);
    assert_found("ancestor: bash", "hash", false);
    assert_found("'ancestor[2].comm': systemd", "hash", true);
    assert_found("'ancestor[1].comm': systemd", "hash", false);
    assert_found("'ancestor[9].comm': systemd", "hash", false);
    assert_found("exe|startswith: /usr/", "automaton", true);
    assert_found("exe|startswith: usr/", "automaton", false);
    assert_found("exe|endswith: ash", "automaton", true);
    assert_found("exe|endswith: Bas", "automaton", false);
    assert_found("exe|endswith|nocase: BASH", "automaton", true);
    assert_found("exe|glob: '/usr/*/Bas?'", "automaton", true);
    assert_found("exe|glob: '/usr/*/Bas'", "automaton", false);
    assert_found("exe: '.*/[A-Z]ash'", "automaton", true);
    assert_found("exe: '/[A-Z]ash'", "automaton", false);
    assert_found("argv|contains: 'url '", "automaton", true);
    assert_found("argv|is: -c", "hash", true);
    assert_found("cap.effective: cap_net_raw", "hash", true);
    assert_found("cap.effective: cap_net_.*", "automaton", true);
    assert_found("cap.effective: cap_kill", "hash", false);
    assert_found("uid: 33", "sorted", true);
    assert_found("uid: 34", "sorted", false);
    assert_found("uid: 3+", "automaton", true);
    assert_found("uid|lt: 33", "sorted", false);
    assert_found("uid|lt: 34", "sorted", true);
    assert_found("uid|lte: 33", "sorted", true);
    assert_found("uid|lte: 32", "sorted", false);
    assert_found("uid|gt: 32", "sorted", true);
    assert_found("uid|gt: 33", "sorted", false);
    assert_found("uid|gte: 33", "sorted", true);
    assert_found("uid|gte: 34", "sorted", false);
    assert_found("ancestor.uid: 0", "sorted", true);
    assert_found("exe.setuid: true", "sorted", true);
    assert_found("exe.setuid: false", "sorted", false);
    assert_found("parent.uid|exists: true", "presence", true);
    assert_found("parent.exe|exists: true", "presence", false);
}

/* At the end of a text, where Vectorscan 5.4.9 misses some: see pattern_trial.h. */
static void test_ends(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- {id: sh, tests: [], match: {exe|endswith: sh}}\n"
                                 "- {id: xshbash, tests: [], match: {exe|endswith: xshbash}}\n"
                                 "- {id: end, tests: [], match: {exe|re: 'sh$'}}\n"
                                 "- {id: line, tests: [], match: {exe|re|m: 's[h]$'}}\n"
                                 "- {id: very, tests: [], match: {exe|re: 'as?h\\Z'}}\n"
                                 "- {id: not, tests: [], match: {exe|re: '[$]h'}}\n"
                                 "- {id: class, tests: [], match: {exe|re: '[[:alpha:]$]h\\z'}}\n"
                                 "- {id: quote, tests: [], match: {exe|re: '\\Qsh\\E$'}}\n");
    CLEANUP(buffer_deinit) struct buffer ids = {0};
    struct process process = {.exe = TEXT("/usr/bin/Abinnginxbash")};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, EXE);
    assert_string_equal(hits_of(load.ruleset, &event, &ids), "sh end line very class quote ");
    assert_int_equal(ruleset_always(load.ruleset, EVENT_EXEC), 1);
}

/* What may begin or end anyhow is looked for without its ends, and found all the same. */
static void test_open_ends(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- {id: front, tests: [], match: {exe: '/usr.*'}}\n"
                                 "- {id: back, tests: [], match: {exe: '.*sh'}}\n"
                                 "- {id: lazy, tests: [], match: {exe: '.*?sh.*'}}\n"
                                 "- {id: greedy, tests: [], match: {exe: '.*+sh'}}\n"
                                 "- {id: some, tests: [], match: {exe: '/usr/.+'}}\n"
                                 "- {id: none, tests: [], match: {exe: '/usr/bin/a.sh.+'}}\n"
                                 "- {id: branch, tests: [], match: {exe: 'x|/usr.*'}}\n"
                                 "- {id: other, tests: [], match: {exe: '.*x|/usr/bin/a.sh'}}\n"
                                 "- {id: dots, tests: [], match: {exe: '/usr/bin/a.sh\\.*'}}\n"
                                 "- {id: less, tests: [], match: {exe: '/usr/bin\\.*'}}\n"
                                 "- {id: any, tests: [], match: {exe: '.*'}}\n"
                                 "- {id: glob, tests: [], match: {exe|glob: '*bin*'}}\n"
                                 "- {id: stars, tests: [], match: {exe|glob: '**'}}\n"
                                 "- {id: star, tests: [], match: {exe|glob: '*sh\\*'}}\n"
                                 "- {id: slash, tests: [], match: {exe|glob: '/usr/bin/a\\\\*'}}\n"
                                 "- {id: quote, tests: [], match: {exe: '\\Q/usr.*'}}\n");
    CLEANUP(buffer_deinit) struct buffer ids = {0};
    struct process process = {.exe = TEXT("/usr/bin/a\\sh")};
    struct event event = {.type = EVENT_EXEC, .process = &process};

    HAS(&process, EXE);
    assert_string_equal(hits_of(load.ruleset, &event, &ids),
                        "front back lazy some branch other dots any glob stars slash ");
    process.exe = TEXT("/usr/bin/xsh*");
    assert_string_equal(hits_of(load.ruleset, &event, &ids),
                        "front lazy some branch any glob stars star ");
    process.exe = TEXT("/usr.*");
    assert_string_equal(hits_of(load.ruleset, &event, &ids), "front branch any stars quote ");
}

/* What cannot be looked for is evaluated each time, and never a reason not to load. */
static void test_always(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        "rules:\n"
        "- {id: huge, tests: [], match: {exe: '((a{1,100}){1,100}b{100}){1,3}|.*sh'}}\n"
        "- {id: recursive, tests: [], match: {exe: '(a|/(?R)|.)*'}}\n"
        "- {id: negated, tests: [], where: {s: {comm: zsh}}, condition: not s}\n"
        "- {id: absent, tests: [], match: {parent.exe|exists: false}}\n"
        "- {id: on-exit, on: exit, tests: [], where: {s: {comm: zsh}}, condition: not s}\n"
        "- {id: off, enabled: false, tests: [], where: {s: {comm: zsh}}, condition: not s}\n"
        "- {id: found, tests: [], match: {comm: bash}, unless: {comm: zsh}}\n");
    CLEANUP(buffer_deinit) struct buffer ids = {0};
    const struct predicate *const *predicates;
    struct family family;
    size_t count;

    family_init(&family);
    family.self.exe = TEXT("/bin/sh");
    assert_string_equal(hits_of(load.ruleset, &family.event, &ids),
                        "huge recursive negated absent found ");
    assert_int_equal(ruleset_always(load.ruleset, EVENT_EXIT), 1);
    assert_in_range(ruleset_always(load.ruleset, EVENT_EXEC), 3, 5);
    assert_false(ruleset_witness(load.ruleset, rule_of(&load, "negated"), &predicates, &count));
    assert_false(ruleset_witness(load.ruleset, rule_of(&load, "huge"), &predicates, &count));
    assert_true(ruleset_witness(load.ruleset, rule_of(&load, "found"), &predicates, &count));
    assert_int_equal(count, 1);
    assert_string_equal(predicates[0]->text.ptr, "bash");
}

/* Near it, likewise. */
static void test_tails(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- {id: has, tests: [], match: {exe|contains: Ax}}\n"
                                 "- {id: not, tests: [], match: {exe|contains: bbx}}\n");
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    char value[256];
    struct process process = {0};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *hits;

    HAS(&process, EXE);
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    for (size_t len = 2; len <= sizeof value; len += len == 70 ? 57 : len == 129 ? 126 : 1) {
        for (size_t behind = 0; behind + 2 <= len && behind < 64; behind++) {
            memset(value, 'c', sizeof value);
            value[len - behind - 2] = 'A';
            value[len - behind - 1] = 'x';
            process.exe = (struct text){value, len};
            assert_int_equal(matcher_match(matcher, &event, &hits), 1);
        }
    }
}

/* In the rules' order, however they were found and however many there are. */
static void test_many(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0}, ids = {0}, expected = {0};
    struct family family;

    family_init(&family);
    buffer_put_string(&text, "rules:\n");
    for (unsigned i = 0; i < 2000; i++) {
        static const char *const hitting[] = {"comm: bash", "uid: 33", "exe|endswith: 'ash'",
                                              "parent: 'ng.nx'"};
        bool hits = i % 97 == 0;

        buffer_printf(&text, "- {id: r%u, tests: [], match: {", i);
        if (hits)
            buffer_printf(&text, "%s}}\n", hitting[i % 4]);
        else
            buffer_printf(&text, "%s: 'n-%u[a-z]?'}}\n", i % 2 ? "comm" : "exe", i);
        if (hits)
            buffer_printf(&expected, "r%u ", i);
    }
    CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));

    assert_string_equal(hits_of(load.ruleset, &family.event, &ids), buffer_string(&expected));
}

static void test_limited(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- {id: fine, tests: [], match: {exe|startswith: aaa}}\n"
                                 "- {id: slow, tests: [], match: {exe|re: '^(a+)+$'}}\n"
                                 "- {id: same, tests: [], match: {exe|re: '^(a+)+$', uid: 0}}\n"
                                 "- {id: not, tests: [], match: {uid: 0}, unless: "
                                 "{exe|re: '^(a+)+$'}}\n");
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    static char value[100000];
    struct process process = {.exe = {value, sizeof value}};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *rules;

    HAS(&process, EXE);
    HAS(&process, UID);
    memset(value, 'a', sizeof value);
    value[sizeof value - 1] = 'b';
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    assert_int_equal(matcher_match(matcher, &event, &rules), 2);
    assert_string_equal(rules[1]->id.ptr, "not");
    assert_int_equal(matcher_counters(matcher).limits, 1);
    assert_int_equal(matcher_limited(matcher, &rules), 3);
    assert_string_equal(rules[0]->id.ptr, "slow");
    assert_string_equal(rules[1]->id.ptr, "same");
    assert_string_equal(rules[2]->id.ptr, "not");
    process.exe.len = 3;
    assert_int_equal(matcher_match(matcher, &event, &rules), 3);
    assert_int_equal(matcher_limited(matcher, &rules), 0);
    assert_int_equal(matcher_counters(matcher).limits, 1);
}

static void test_too_long(void **state)
{
    CLEANUP(load_deinit) struct load load = load_selection("exe|contains: sh");
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    CLEANUP(freep) char *value = calloc(1, PATTERN_TEXT_MAX + 1);
    struct process process = {.exe = {value, PATTERN_TEXT_MAX + 1}};
    struct event event = {.type = EVENT_EXEC, .process = &process};
    const struct rule *const *hits;

    assert_non_null(value);
    value[PATTERN_TEXT_MAX - 1] = 's';
    value[PATTERN_TEXT_MAX] = 'h';
    HAS(&process, EXE);
    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    assert_int_equal(matcher_match(matcher, &event, &hits), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookups),  cmocka_unit_test(test_ends),
        cmocka_unit_test(test_tails),    cmocka_unit_test(test_always),
        cmocka_unit_test(test_many),     cmocka_unit_test(test_limited),
        cmocka_unit_test(test_too_long), cmocka_unit_test(test_open_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
