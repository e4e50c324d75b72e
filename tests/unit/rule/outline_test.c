#include "rule_fixture.h"

#include <errno.h>

#include "rule/outline.h"

/* Every origin of RULE, "PATTERN@LINE:COLUMN " each. */
static const char *origins_of(const struct rule *rule, struct buffer *out)
{
    buffer_clear(out);
    for (size_t i = 0; i < rule->origin_count; i++) {
        const struct rule_origin *origin = &rule->origins[i];

        assert_string_equal(origin->mark.file, "rules.yaml");
        buffer_put_text(out, origin->predicate->text);
        buffer_printf(out, "@%u:%u ", origin->mark.line, origin->mark.column);
    }
    return buffer_string(out);
}

static void test_origins(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(load_deinit)
    struct load load = load_good("lists:\n"
                                 "  inner: [a, b]\n"
                                 "  outer: [$inner, c]\n"
                                 "macros:\n"
                                 "  m: {exe: /m}\n"
                                 "rules:\n"
                                 "- id: lists\n"
                                 "  match: {comm|is: [$outer, d], cwd: /x}\n"
                                 "- id: macros\n"
                                 "  match: [{macro: m, comm: a}, {macro: m}]\n"
                                 "- id: where\n"
                                 "  where: {x: {comm: b}, y: {comm: a}}\n"
                                 "  condition: x or not y or x\n"
                                 "overrides:\n"
                                 "  lists: {unless: {comm: a}}\n");

    assert_string_equal(origins_of(rule_of(&load, "lists"), &out),
                        "a@2:11 b@2:14 c@3:19 d@8:29 /x@8:38 a@15:26 ");
    assert_string_equal(origins_of(rule_of(&load, "macros"), &out), "/m@5:12 a@10:28 /m@5:12 ");
    assert_string_equal(origins_of(rule_of(&load, "where"), &out), "b@12:21 a@12:35 b@12:21 ");
}

/* Parts are what became of them: a rule's outline means what its expression does. */
static void check_meaning(const struct outline *part)
{
    assert_non_null(part->expression);
    if (part->kind == OUTLINE_NOT)
        assert_int_equal(part->count, 1);
    if (part->count == 1 && part->kind != OUTLINE_NOT)
        assert_ptr_equal(part->expression, part->items[0]->expression);
    for (size_t i = 0; i < part->count; i++)
        check_meaning(part->items[i]);
}

static void test_whole(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("rules:\n"
                                 "- id: r\n"
                                 "  match: {comm: [a, b.*], uid: 0}\n"
                                 "  unless: [{exe: /x}, {cwd: /y, user: z}]\n"
                                 "overrides:\n"
                                 "  r: {unless: {comm: b}}\n");
    const struct rule *rule = rule_of(&load, "r");

    assert_ptr_equal(rule->outline->expression, rule->expression);
    assert_ptr_not_equal(rule->expression, rule->written);
    check_meaning(rule->outline);
    assert_int_equal(rule->outline->values, 7);
}

static void test_labels(void **state)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    CLEANUP(load_deinit)
    struct load load =
        load_good("lists: {l: [a, b]}\n"
                  "rules:\n"
                  "- id: r\n"
                  "  match: [{comm|is|nocase: $l, 'ancestor[2].exe': /x}, {uid: 0}]\n");
    const struct outline *match = rule_of(&load, "r")->outline;

    outline_put_label(match, &out);
    buffer_put_string(&out, "; ");
    outline_put_label(match->items[0], &out);
    buffer_put_string(&out, "; ");
    outline_put_label(match->items[0]->items[0], &out);
    buffer_put_string(&out, "; ");
    outline_put_label(match->items[0]->items[1], &out);
    assert_string_equal(buffer_string(&out), "match: any of; comm|is|nocase and ancestor[2].exe; "
                                             "comm|is|nocase: $l, any of 2; ancestor[2].exe: /x");
}

/* Macros of macros unfold to no end: the rule that does is refused, in no time. */
static void test_unfolding(void **state)
{
    CLEANUP(buffer_deinit) struct buffer rules = {0};

    buffer_put_string(&rules, "macros:\n  m0: {comm: [a, b]}\n");
    for (int i = 1; i < 30; i++)
        buffer_printf(&rules, "  m%d: [{macro: m%d}, {macro: m%d, uid: %d}]\n", i, i - 1, i - 1, i);
    buffer_put_string(&rules, "rules:\n- {id: small, match: {macro: m10}}\n"
                              "- {id: large, match: {macro: m29}}\n");
    CLEANUP(load_deinit) struct load load = load_text(buffer_string(&rules));

    assert_int_equal(load.result, -EINVAL);
    assert_int_equal(load.diags.errors, 1);
    assert_diag(&load, "too-many-values", 34, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_unfolding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
