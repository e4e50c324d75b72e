#include "rule_fixture.h"

#include "rule/footprint.h"
#include "rule/implication.h"

/* A rule of each of two selections. */
static bool implies(const char *a, const char *b)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    struct implication implication;

    buffer_printf(&text,
                  "rules:\n"
                  "  - {id: a, match: %s, tests: []}\n"
                  "  - {id: b, match: %s, tests: []}\n",
                  a, b);
    CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));

    assert_int_equal(implication_init(&implication), 0);
    bool answer = implication_holds(&implication, rule_of(&load, "a")->expression,
                                    rule_of(&load, "b")->expression);

    implication_deinit(&implication);
    return answer;
}

static void test_what_implies(void **state)
{
    static const char *const pairs[][2] = {
        {"{comm: sh, uid: 0}", "{comm: sh}"},
        {"{comm: sh}", "{comm: [sh, bash]}"},
        {"{comm: sh|bash}", "{comm|is: [zsh, bash, sh]}"},
        {"{comm|is: [sh, bash]}", "{comm: '(ba)?sh'}"},
        {"{exe: /usr/bin/curl}", "{exe|startswith: /usr/}"},
        {"{exe: /usr/bin/curl}", "{exe|endswith: curl}"},
        {"{exe: /usr/bin/curl}", "{exe|contains: bin}"},
        {"{exe: /usr/bin/curl}", "{exe|glob: '/usr/*/curl'}"},
        {"{exe|startswith: /usr/bin/}", "{exe|startswith: /usr/}"},
        {"{exe|startswith: /usr/bin/}", "{exe|contains: bin}"},
        {"{exe|endswith: /bin/sh}", "{exe|endswith: sh}"},
        {"{exe|contains: /bin/sh}", "{exe|contains|nocase: /BIN/}"},
        {"{exe|is|nocase: /BIN/SH}", "{exe|endswith|nocase: sh}"},
        {"{exe|re: a+}", "{exe|exists: true}"},
        {"{uid: 0}", "{uid|lt: 10}"},
        {"{uid|gt: 10}", "{uid|gte: 10}"},
        {"{uid|lte: 8}", "{uid|lt: 10}"},
        {"{exe.setuid: true}", "{exe.setuid|exists: true}"},
        {"{parent: sh}", "{ancestor: sh}"},
        {"{'ancestor[3].exe': /bin/sh}", "{ancestor.exe|startswith: /bin/}"},
        {"{argv: -x}", "{argv|startswith: '-'}"},
        {"{argv|contains|all: [ab, cd]}", "{argv|contains: b}"},
        {"[{uid: 0, comm: sh}, {uid: 1}]", "{uid: [0, 1]}"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!implies(pairs[i][0], pairs[i][1]))
            fail_msg("%s should imply %s", pairs[i][0], pairs[i][1]);
        if (implies(pairs[i][1], pairs[i][0]))
            fail_msg("%s should not imply %s", pairs[i][1], pairs[i][0]);
    }
}

static void test_what_does_not(void **state)
{
    static const char *const pairs[][2] = {
        {"{comm: sh}", "{exe: sh}"},
        {"{comm: sh}", "{parent: sh}"},
        {"{ancestor: sh}", "{parent: sh}"},
        {"{'ancestor[2].comm': sh}", "{parent: sh}"},
        {"{exe|startswith: /usr}", "{exe|endswith: /usr}"},
        {"{exe|endswith: a}", "{exe|startswith: a}"},
        {"{exe|contains: a}", "{exe|startswith: a}"},
        {"{exe|contains|nocase: a}", "{exe|contains: a}"},
        {"{exe|is|nocase: abc}", "{exe|re: abc}"},
        {"{exe|is|nocase: abc}", "{exe|re|i: (?-i)abc}"},
        {"{exe|glob: 'ab*'}", "{exe|contains: '*'}"},
        {"{exe|contains: 'ab*'}", "{exe|glob: 'ab*'}"},
        {"{uid|lt: 10}", "{uid|lt: 9}"},
        {"{uid|gt: 5}", "{uid|lt: 10}"},
        {"{comm: sh}", "{uid|exists: false}"},
        {"{exe|exists: false}", "{exe|exists: true}"},
        {"{exe|fieldref: cwd}", "{exe|is: cwd}"},
        {"{exe|is: cwd}", "{exe|fieldref: cwd}"},
        {"[{uid: 0}, {gid: 1}]", "{uid: 0}"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (implies(pairs[i][0], pairs[i][1]))
            fail_msg("%s does not imply %s", pairs[i][0], pairs[i][1]);
}

/* A number below LIMIT; the same ones every time. */
static unsigned draw(unsigned limit)
{
    static uint64_t state = 1;

    state = state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(state >> 33) % limit;
}

#define PICK(list) ((list)[draw(sizeof(list) / sizeof *(list))])

static void put_predicate(struct buffer *out)
{
    static const char *const keys[] = {
        "comm|is", "comm|startswith", "comm|endswith", "comm|contains",         "comm|is|nocase",
        "comm",    "comm|glob",       "parent|is",     "ancestor|contains",     "ancestor|is",
        "argv|is", "argv|contains",   "comm|re",       "argv|startswith|nocase"};
    static const char *const values[] = {"a", "b", "ab", "ba", "A", "aB", "abb", "a|b", "b|ab"};
    static const char *const numbers[] = {"uid: 1",     "uid|lt: 2",        "uid|gte: 2",
                                          "uid|lte: 1", "uid|exists: true", "comm|exists: false"};

    if (draw(4) == 0)
        buffer_put_string(out, PICK(numbers));
    else
        buffer_printf(out, "%s: [%s, %s]", PICK(keys), PICK(values), PICK(values));
}

static void put_rule(struct buffer *out, unsigned number)
{
    static const char *const conditions[] = {
        "a",     "a and b",       "a or b",    "a and not b", "not (a or b)",
        "not a", "not (a and b)", "a or not b"};
    static const char *const texts[] = {"", "a", "b", "ab", "ba", "aB", "abb", "A"};

    buffer_printf(out, "  - id: r%u\n    where:\n      a: {", number);
    put_predicate(out);
    buffer_put_string(out, "}\n      b: {");
    put_predicate(out);
    buffer_printf(out, "}\n    condition: %s\n    unless: {gid: 9}\n    tests:\n      - quiet: {",
                  PICK(conditions));
    if (draw(6))
        buffer_printf(out, "comm: '%s', ", PICK(texts));
    if (draw(3))
        buffer_printf(out, "uid: %u, ", draw(4));
    buffer_printf(out, "argv: ['%s', '%s'], parent: {comm: '%s', parent: '%s'}}\n", PICK(texts),
                  PICK(texts), PICK(texts), PICK(texts));
}

#define RULES 150

static bool may_imply(const struct expression *a, const struct expression *b)
{
    struct footprint named = footprint_named(a), needed = footprint_needed(b);

    return a->kind == EXPRESSION_NEVER || footprint_covers(&named, &needed);
}

/* Each implication that is claimed holds for every event, and each exclusion; none is lost by
 * looking at footprints first. */
static void test_claims_hold(void **state)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    struct implication implication;
    static bool holds[RULES][RULES]; /* by rule and event */
    unsigned implied = 0, excluded = 0, passed = 0;

    buffer_put_string(&text, "rules:\n");
    for (unsigned i = 0; i < RULES; i++)
        put_rule(&text, i);
    CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));
    const struct rule *const *rules = load.ruleset->rules;

    assert_int_equal(matcher_new(load.ruleset, &matcher), 0);
    assert_int_equal(implication_init(&implication), 0);
    for (unsigned rule = 0; rule < RULES; rule++)
        for (unsigned event = 0; event < RULES; event++)
            holds[rule][event] =
                matcher_holds_as_written(matcher, rules[event]->tests[0].events, rules[rule]);
    for (unsigned a = 0; a < RULES; a++) {
        for (unsigned b = 0; b < RULES; b++) {
            const struct expression *one = rules[a]->expression, *other = rules[b]->expression;
            bool is_implied = a != b && implication_holds(&implication, one, other);
            bool is_excluded = implication_excludes(&implication, one, other);

            implied += is_implied;
            passed += may_imply(one, other);
            if (is_implied && !may_imply(one, other))
                fail_msg("r%u leaves no such footprint as r%u:\n%s", a, b, buffer_string(&text));
            excluded += is_excluded;
            for (unsigned event = 0; event < RULES; event++) {
                if (is_implied && holds[a][event] && !holds[b][event])
                    fail_msg("r%u does not imply r%u:\n%s", a, b, buffer_string(&text));
                if (is_excluded && holds[a][event] && holds[b][event])
                    fail_msg("r%u does not exclude r%u:\n%s", a, b, buffer_string(&text));
            }
        }
    }
    implication_deinit(&implication);
    assert_true(implied > RULES);
    assert_true(excluded > RULES);
    assert_true(passed < RULES * RULES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_implies),
        cmocka_unit_test(test_what_does_not),
        cmocka_unit_test(test_claims_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
