#include "rule_fixture.h"

#include "rule/rule_digest.h"

/* The digest of the rule 'a' in RULES. */
static struct rule_digest digest(const char *rules)
{
    CLEANUP(load_deinit) struct load load = load_text(rules);
    struct rule_digest digests[8], found = {0};

    if (load.result < 0)
        print_diags(&load);
    assert_int_equal(0, load.result);
    assert_true(load.ruleset->count <= 8);
    assert_int_equal(0, rule_digest_all(load.ruleset, digests));
    for (size_t i = 0; i < load.ruleset->count; i++)
        if (text_is(load.ruleset->rules[i]->id, "a"))
            found = digests[i];
    return found;
}

#define REST  "  - {id: b, title: B, match: {cmdline|contains: [q, p]}, tests: []}\n"
#define FIRST "  - {id: c, title: C, match: [{comm: y}, {exe: /x}, {cmdline|re: z}], tests: []}\n"
#define A(more)                                                                                  \
    "  - {id: a, title: A, match: {cmdline|contains: [p, q], comm: [x, y]}, unless: {exe: /x}, " \
    "tests: []" more "}\n"

static void is_of_the_rule_alone(void **state)
{
    struct rule_digest alone = digest("rules:\n" A("")),
                       among = digest("rules:\n" FIRST REST A(""));

    assert_true(alone.meaning == among.meaning);
    assert_true(alone.whole == among.whole);
}

static void order_of_equals_means_nothing(void **state)
{
    assert_true(
        digest("rules: [{id: a, title: A, match: {comm: [x, y], exe: /z}, tests: []}]").meaning ==
        digest("rules: [{id: a, title: A, match: {exe: /z, comm: [y, x]}, tests: []}]").meaning);
}

static void every_word_counts(void **state)
{
    static const char *const others[] = {
        "match: {comm: y}",
        "match: {exe: x}",
        "match: {parent.comm: x}",
        "match: {ancestor.comm: x}",
        "match: {comm|startswith: x}",
        "match: {comm|re: x}",
        "match: {pid: 1}",
        "match: {pid: 2}",
        "match: {comm: [x, y]}",
        "match: {comm: x}, unless: {exe: y}",
        "match: {comm: x}, enabled: false",
        "match: {comm: x}, on: exit",
        "match: {comm: x}, suppress: {for: 1m}",
        "match: {comm: x}, suppress: {for: 2m}",
        "match: {comm: x}, suppress: {for: 1m, by: [exe]}",
        "match: {comm: x}, suppress: {for: 1m, by: [parent.exe]}",
        "match: {comm: x}",
    };
    const size_t count = sizeof others / sizeof *others;
    struct rule_digest digests[sizeof others / sizeof *others];
    char rules[256];

    for (size_t i = 0; i < count; i++) {
        snprintf(rules, sizeof rules, "rules: [{id: a, title: A, tests: [], %s}]", others[i]);
        digests[i] = digest(rules);
        for (size_t k = 0; k < i; k++)
            if (digests[i].meaning == digests[k].meaning)
                fail_msg("'%s' and '%s' mean the same", others[i], others[k]);
    }
}

static void what_an_alert_says_is_no_meaning(void **state)
{
    static const char *const others[] = {
        ", severity: low",       ", message: x",      ", message: \"%{exe}\"",
        ", tags: [attack.t1]",   ", references: [x]", ", false_positives: [x]",
        ", description: x",      ", author: x",       ", outputs: [x]",
        ", message: \"%{pid}\"",
    };
    struct rule_digest plain = digest("rules:\n" A(""));
    char rules[512];

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(rules, sizeof rules,
                 "rules: [{id: a, title: A, match: {cmdline|contains: [p, q], "
                 "comm: [x, y]}, unless: {exe: /x}, tests: []%s}]",
                 others[i]);
        struct rule_digest other = digest(rules);

        assert_true(other.meaning == plain.meaning);
        if (other.whole == plain.whole)
            fail_msg("'%s' goes unnoticed", others[i]);
    }
}

/* What is counted of a rule goes on when but its own alerts are others. */
static void what_it_folds_is_no_hit(void **state)
{
    struct rule_digest plain = digest("rules:\n" A("")),
                       folded = digest("rules:\n" A(", suppress: {for: 1m, by: [exe]}")),
                       silent = digest("rules:\n" A(
                           "") "---\ntitle: X\nid: x\ncorrelation: {type: "
                               "event_count, rules: a, timespan: 1m, condition: {gte: 2}}\n"),
                       off = digest("rules:\n" A(", enabled: false"));

    assert_true(folded.hits == plain.hits && folded.meaning != plain.meaning);
    assert_true(silent.hits == plain.hits && silent.meaning != plain.meaning);
    assert_true(off.hits != plain.hits);
}

/* A text may name other fields elsewhere: what is compared is what counts. */
static void fields_are_told_apart(void **state)
{
#define AUDITD(what)                                                                       \
    "title: A\nid: a\nlogsource: {product: linux, service: auditd}\ndetection: {s: {" what \
    "}, condition: s}\n"
    static const char *const others[] = {
        AUDITD("a0: x"),
        AUDITD("a1: x"),
        AUDITD("a1|fieldref: a2"),
        AUDITD("a1|fieldref: a3"),
    };
    const size_t count = sizeof others / sizeof *others;
    uint64_t hits[sizeof others / sizeof *others];

    for (size_t i = 0; i < count; i++) {
        hits[i] = digest(others[i]).hits;
        for (size_t k = 0; k < i; k++)
            if (hits[i] == hits[k])
                fail_msg("'%s' and '%s' hit alike", others[i], others[k]);
    }
}

/* Macros in macros, each twice: as many nodes as macros, but a tree of two to their power. */
static void shared_parts_are_looked_at_once(void **state)
{
    CLEANUP(buffer_deinit) struct buffer rules = {0};

    buffer_put_string(&rules, "macros:\n  m0: {comm: x, exe: /y}\n");
    for (int i = 1; i < 12; i++)
        buffer_printf(&rules, "  m%d: [{macro: m%d, pid: %d}, {macro: m%d, ppid: %d}]\n", i, i - 1,
                      i, i - 1, i);
    buffer_put_string(&rules, "rules: [{id: a, title: A, match: {macro: m11}, tests: []}]\n");
    assert_true(digest(buffer_string(&rules)).meaning != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_of_the_rule_alone),
        cmocka_unit_test(order_of_equals_means_nothing),
        cmocka_unit_test(every_word_counts),
        cmocka_unit_test(what_an_alert_says_is_no_meaning),
        cmocka_unit_test(what_it_folds_is_no_hit),
        cmocka_unit_test(fields_are_told_apart),
        cmocka_unit_test(shared_parts_are_looked_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
