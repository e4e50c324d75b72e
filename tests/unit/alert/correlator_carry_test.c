/* What was counted goes on over a reload where the correlation and all of its members do. */
#include "correlation_rig.h"

#include <stdlib.h>

#include "rule/rule_digest.h"

#define COUNT_3(text) \
    RIG_CORRELATION("k", "{type: event_count, rules: a, " text ", condition: {gte: 3}}")
#define MANY \
    RIG_CORRELATION("many", "{type: event_count, rules: a, timespan: 60s, condition: {gte: 3}}")
#define MANY_MORE \
    RIG_CORRELATION("many", "{type: event_count, rules: a, timespan: 60s, condition: {gte: 4}}")
#define THEN_B RIG_CORRELATION("outer", "{type: temporal_ordered, rules: [many, b], timespan: 5m}")
#define OTHER  "---\nrules: [{id: other, match: {comm: o}, tests: []}]\n"

/* Which rule of AFTER is the same as that of BEFORE, by the index of that, or NULL: as the engine
 * finds it. */
static const struct rule **compare(const struct ruleset *before, const struct ruleset *after)
{
    CLEANUP(freep) struct rule_digest *then = calloc(before->count, sizeof *then);
    CLEANUP(freep) struct rule_digest *now = calloc(after->count, sizeof *now);
    const struct rule **became = calloc(before->count, sizeof(struct rule *));

    assert_int_equal(rule_digest_all(before, then), 0);
    assert_int_equal(rule_digest_all(after, now), 0);
    for (size_t i = 0; i < before->count; i++)
        for (size_t k = 0; k < after->count; k++)
            if (text_equal(before->rules[i]->id, after->rules[k]->id) &&
                then[i].hits == now[k].hits)
                became[i] = after->rules[k];
    return became;
}

/* The rig goes over to the rules of RULES, as they stand. */
static void change(struct rig *rig, const char *rules)
{
    struct load load = load_good(rules);
    struct correlator_rules *kept;

    assert_int_equal(correlator_rules_new(load.ruleset, &kept), 0);
    const struct rule **became = compare(rig->load.ruleset, load.ruleset);

    correlator_rules_free(correlator_carry(rig->correlator, kept, became));
    matcher_free(rig->matcher);
    load_deinit(&rig->load);
    rig->load = load;
    assert_int_equal(matcher_new(load.ruleset, &rig->matcher), 0);
    free((void *)became);
}

static void the_same_goes_on(void **state)
{
    (void)state;
    static const char *const rules[] = {
        RIG_RULES COUNT_3("timespan: 60s"),
        RIG_RULES OTHER COUNT_3("timespan: 60s"),
        "title: Else\nid: k\ncorrelation: {type: event_count, rules: [a], timespan: 1m, condition: "
        "{gte: 3}}\n---\n" RIG_RULES,
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        CLEANUP(rig_deinit) struct rig rig = rig_new(COUNT_3("timespan: 60s"));

        rig_expect(&rig, "a@0 a@1", "");
        change(&rig, rules[i]);
        assert_int_equal(correlator_counters(rig.correlator).groups, 1);
        rig_expect(&rig, "a@2", "k():0,1,2 ");
        rig_expect(&rig, "a@3 a@4 a@5", "k():3,4,5 ");
        assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
    }
}

static void another_begins_anew(void **state)
{
    (void)state;
    static const char *const rules[] = {
        RIG_RULES COUNT_3("timespan: 61s"),
        RIG_RULES COUNT_3("group-by: user, timespan: 60s"),
        "rules: [{id: a, match: {comm: a, uid|gte: 0}, tests: []}, "
        "{id: a2, match: {comm: a}, tests: []}]\n" COUNT_3("timespan: 60s"),
        RIG_RULES,
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        CLEANUP(rig_deinit) struct rig rig = rig_new(COUNT_3("timespan: 60s"));

        rig_expect(&rig, "a@0 a@1", "");
        change(&rig, rules[i]);
        assert_int_equal(correlator_counters(rig.correlator).groups, 0);
        assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
        rig_expect(&rig, "a@2", "");
    }
}

/* The outer one holds a match of the inner one, which has no group at that time. */
static void a_chain_goes_on(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(MANY THEN_B);

    rig_expect(&rig, "a@0 a@1 a@2", "many():0,1,2 ");
    change(&rig, RIG_RULES OTHER THEN_B MANY);
    change(&rig, RIG_RULES MANY THEN_B);
    rig_expect(&rig, "b@3", "outer():2,3 ");
}

static void a_chain_ends_with_its_link(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(MANY THEN_B);

    rig_expect(&rig, "a@0 a@1 a@2 a@3", "many():0,1,2 ");
    change(&rig, RIG_RULES MANY_MORE THEN_B);
    assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
    rig_expect(&rig, "b@3", "");
}

/* It is freed with the rules that it went over to. */
static void a_group_ends_with_the_last_rules(void **state)
{
    (void)state;
    for (int reloads = 1; reloads <= 2; reloads++) {
        CLEANUP(rig_deinit) struct rig rig = rig_new(MANY THEN_B);

        rig_expect(&rig, "a@0 a@1 a@2 a@3", "many():0,1,2 ");
        for (int i = 0; i < reloads; i++)
            change(&rig, RIG_RULES THEN_B MANY);
        assert_int_equal(correlator_counters(rig.correlator).groups, 2);
    }
}

#define LEVELS CORRELATION_DEPTH_MAX
#define ACROSS 24

/* Levels of correlations, each of which counts all of the level below: there are more ways through
 * them than anybody could go. */
static void put_lattice(struct buffer *out, const char *condition)
{
    buffer_put_string(out, RIG_RULES);
    for (int level = 0; level < LEVELS; level++) {
        for (int i = 0; i < ACROSS; i++) {
            buffer_printf(out, RIG_CORRELATION("k%d-%d", "{type: event_count, rules: [a"), level, i,
                          level, i, level, i);
            for (int below = 0; level && below < ACROSS; below++)
                buffer_printf(out, ", k%d-%d", level - 1, below);
            buffer_printf(out, "], timespan: 60s, condition: {gte: %s}}\n",
                          level || i ? "3" : condition);
        }
    }
}

static void many_ways_through_chains_are_gone_once(void **state)
{
    (void)state;
    CLEANUP(buffer_deinit) struct buffer rules = {0}, others = {0};

    put_lattice(&rules, "3");
    put_lattice(&others, "4");
    CLEANUP(rig_deinit) struct rig rig = rig_new(buffer_string(&rules) + strlen(RIG_RULES));

    rig_expect(&rig, "a@0", "");
    assert_int_equal(correlator_counters(rig.correlator).groups, LEVELS * ACROSS);
    change(&rig, buffer_string(&rules));
    assert_int_equal(correlator_counters(rig.correlator).groups, LEVELS * ACROSS);
    /* What is above the one that is another now ends as well. */
    change(&rig, buffer_string(&others));
    assert_int_equal(correlator_counters(rig.correlator).groups, ACROSS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_goes_on),
        cmocka_unit_test(another_begins_anew),
        cmocka_unit_test(a_chain_goes_on),
        cmocka_unit_test(a_chain_ends_with_its_link),
        cmocka_unit_test(a_group_ends_with_the_last_rules),
        cmocka_unit_test(many_ways_through_chains_are_gone_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
