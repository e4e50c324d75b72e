/* Sigma correlations, loaded: what each clause of a document becomes, how rules and correlations
 * find each other, what is said of mistakes. What correlations then do is elsewhere
 * (tests/unit/alert). */
#include "rule_fixture.h"

#include <stdlib.h>

#include "../corpus.h"
#include "base/clock.h"
#include "base/json.h"
#include "rule/correlation.h"
#include "rule/rule_digest.h"

#define LOGSOURCE "logsource: {product: linux, category: process_creation}\n"
#define RULE(name)                                                           \
    "---\ntitle: Rule " name "\nid: id-" name "\nname: " name "\n" LOGSOURCE \
    "detection: {s: {Image|endswith: /" name "}, condition: s}\n"
#define RULES RULE("a") RULE("b") RULE("c")

/* A correlation of that id beside the rules a, b and c. */
#define DOCUMENT(id, top, body) \
    "---\ntitle: Of " id "\nid: " id "\n" top "correlation: {" body "}\n"
#define ONE(body) DOCUMENT("x", "", body) RULES

static const struct correlation *correlation_of(const struct load *load, const char *id)
{
    const struct rule *rule = rule_of(load, id);

    assert_non_null(rule->correlation);
    return rule->correlation;
}

static void assert_text(struct text text, const char *expected)
{
    if (!text_is(text, expected))
        fail_msg("'%.*s', not '%s'", TEXT_ARG(text), expected);
}

/* Where the member of that index has the value of the first key: "exe", "parent.user", "key 1". */
static void assert_source(const struct correlation_source *source, const char *expected)
{
    char found[64];

    if (source->key >= 0)
        snprintf(found, sizeof found, "key %d", source->key);
    else if (source->ref.owner == OWNER_ANY_ANCESTOR)
        snprintf(found, sizeof found, "ancestor.%s", source->ref.field->name);
    else if (source->ref.owner == OWNER_ANCESTOR)
        snprintf(found, sizeof found, "ancestor[%u].%s", source->ref.generation,
                 source->ref.field->name);
    else
        snprintf(found, sizeof found, "%s", source->ref.field->name);
    assert_string_equal(found, expected);
}

static void test_whole(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good("title: Three of them\n"
                                 "id: x\n"
                                 "name: three\n"
                                 "author: someone\n"
                                 "level: high\n"
                                 "tags: [attack.t1059]\n"
                                 "references: [https://example.org]\n"
                                 "falsepositives: builds\n"
                                 "custom: ignored\n"
                                 "message: \"%{exe} again\"\n"
                                 "suppress: {by: user, for: 10m}\n"
                                 "outputs: [pager]\n"
                                 "correlation:\n"
                                 "  type: event_count\n"
                                 "  rules: [a, id-b, a]\n"
                                 "  group-by: [User, ParentImage, User]\n"
                                 "  timespan: 5m\n"
                                 "  condition: {gt: 2, lte: 10}\n" RULES);
    const struct rule *rule = rule_of(&load, "x");
    const struct correlation *made = correlation_of(&load, "x");

    assert_text(rule->title, "Three of them");
    assert_text(rule->name, "three");
    assert_text(rule->author, "someone");
    assert_int_equal(rule->severity, SEVERITY_HIGH);
    assert_int_equal(rule->tags.count, 1);
    assert_int_equal(rule->false_positives.count, 1);
    assert_text(rule->outputs.items[0], "pager");
    assert_int_equal(rule->suppress.window, 600 * NS_PER_S);
    assert_ptr_not_equal(rule->message, message_default(EVENT_EXEC));
    assert_true(rule->enabled && !rule->silent);

    assert_int_equal(made->type, CORRELATION_EVENT_COUNT);
    assert_int_equal(made->timespan, 300 * NS_PER_S);
    assert_int_equal(made->needed, 3);
    assert_int_equal(made->member_count, 2);
    assert_ptr_equal(made->members[0].rule, rule_of(&load, "id-a"));
    assert_ptr_equal(made->members[1].rule, rule_of(&load, "id-b"));
    assert_int_equal(made->key_count, 2);
    assert_text(made->keys[1], "ParentImage");
    assert_source(&made->members[1].keys[0], "user");
    assert_source(&made->members[1].keys[1], "ancestor[1].exe");

    /* What it is made of is silent and feeds it; what is not goes on as ever. */
    const struct rule *part = rule_of(&load, "id-b"), *other = rule_of(&load, "id-c");

    assert_true(part->enabled && part->silent);
    assert_int_equal(part->feed_count, 1);
    assert_ptr_equal(part->feeds[0].rule, rule);
    assert_int_equal(part->feeds[0].member, 1);
    assert_true(other->enabled && !other->silent);
    assert_int_equal(other->feed_count, 0);
    assert_int_equal(load.ruleset->by_type_count[EVENT_EXEC], 3);
    /* It names a rule twice, by its id at last. */
    assert_int_equal(load.diags.count, 1);
    assert_diag(&load, "repeated-rule", 15, 20);
}

static void test_timespans(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* 0: a mistake */
    } cases[] = {
        {"1s", 1},
        {"90s", 90},
        {"5m", 300},
        {"2h", 7200},
        {"1d", 86400},
        {"2w", 1209600},
        {"1M", 2629746},
        {"1y", 31556952},
        {"100y", 3155695200},
        {"0s", 0},
        {"-1s", 0},
        {"5", 0},
        {"m", 0},
        {"5x", 0},
        {"1h30m", 0},
        {"0x5m", 0},
        {"1.5h", 0},
        {"'5 m'", 0},
        {"101y", 0},
        {"99999999999999999999s", 0},
        {"[5m]", 0},
        {"9223372036854775807d", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text,
                      "title: T\nid: x\ncorrelation: {type: event_count, rules: a, timespan: %s, "
                      "condition: {gte: 3}}\n" RULES,
                      cases[i].text);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        if (cases[i].seconds && load.result == 0)
            assert_int_equal(correlation_of(&load, "x")->timespan, cases[i].seconds * NS_PER_S);
        else if (cases[i].seconds)
            fail_msg("%s", cases[i].text);
        else
            assert_non_null(find_diag(&load, "bad-value"));
    }
}

/* What a condition becomes: "needs 3", "numbers", "none", or the code of what is said of it. */
struct condition_case {
    const char *type, *condition, *expected;
};

static void assert_condition(const struct condition_case *wanted)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    char found[32];

    buffer_printf(
        &text, "title: T\nid: x\ncorrelation: {type: %s, rules: [a, b], timespan: 1m%s%s}\n" RULES,
        wanted->type, *wanted->condition ? ", condition: " : "", wanted->condition);
    CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));
    const struct rule *rule =
        load.result == 0 && load.ruleset->unsupported == 0 ? rule_of(&load, "x") : NULL;

    if (!rule || load.diags.count) {
        if (!find_diag(&load, wanted->expected)) {
            print_diags(&load);
            fail_msg("%s, %s: not %s", wanted->type, wanted->condition, wanted->expected);
        }
        return;
    }
    if (rule->correlation->condition)
        snprintf(found, sizeof found, "words");
    else if (correlation_is_numeric(rule->correlation->type))
        snprintf(found, sizeof found, "%zu bounds", rule->correlation->bound_count);
    else
        snprintf(found, sizeof found, "needs %zu", rule->correlation->needed);
    if (strcmp(found, wanted->expected) != 0)
        fail_msg("%s, %s: %s, not %s", wanted->type, wanted->condition, found, wanted->expected);
}

static const struct condition_case condition_cases[] = {
    {"event_count", "{gte: 3}", "needs 3"},
    {"event_count", "{gt: 3}", "needs 4"},
    {"event_count", "{eq: 3}", "needs 3"},
    {"event_count", "{gt: 2, lte: 4}", "needs 3"},
    {"event_count", "{gte: 3, neq: 3}", "needs 4"},
    {"event_count", "{gt: 2, neq: 3, lt: 5}", "needs 4"},
    {"event_count", "{gte: 3.0}", "needs 3"},
    {"event_count", "{neq: 1}", "needs 2"},
    {"event_count", "{gte: 10000}", "needs 10000"},
    {"Event_Count", "{gte: 3}", "needs 3"},
    {"event_count", "{gte: 10001}", "bad-correlation"},
    {"event_count", "{gte: 9000000000000000000}", "bad-correlation"},
    {"event_count", "{gte: 1}", "lone-event"},
    {"event_count", "{lt: 5}", "lone-event"},
    {"event_count", "{gte: 0}", "lone-event"},
    {"event_count", "{lt: 1}", "bad-correlation"},
    {"event_count", "{eq: 0}", "bad-correlation"},
    {"event_count", "{gt: 5, lt: 6}", "bad-correlation"},
    {"event_count", "{gte: 3, lte: 3, neq: 3}", "bad-correlation"},
    {"event_count", "{eq: 2, gt: 2}", "bad-correlation"},
    {"event_count", "{gte: 2.5}", "bad-value"},
    {"event_count", "{gte: -1}", "bad-value"},
    {"event_count", "{gte: three}", "bad-value"},
    {"event_count", "{gte: '3'}", "bad-value"},
    {"event_count", "{gte: [3]}", "bad-value"},
    {"event_count", "{ge: 3}", "unknown-key"},
    {"event_count", "{}", "missing-key"},
    {"event_count", "", "missing-key"},
    {"event_count", "[3]", "wrong-type"},
    {"event_count", "a and b", "bad-correlation"},
    {"event_count", "{gte: 3, field: User}", "bad-correlation"},
    {"event_count", "{gte: 3, percentile: 5}", "bad-correlation"},
    {"event_counts", "{gte: 3}", "bad-correlation"},
    {"[event_count]", "{gte: 3}", "wrong-type"},
    {"value_count", "{gte: 3, field: User}", "needs 3"},
    {"value_count", "{gte: 3, field: [User, Image]}", "needs 3"},
    {"value_count", "{gte: 3}", "missing-key"},
    {"value_count", "{field: User}", "missing-key"},
    {"value_count", "{gte: 3, field: {}}", "wrong-type"},
    {"value_count", "{gte: 3, field: ancestor.exe}", "bad-field"},
    {"value_count", "{gte: 3, field: Hashes}", "sigma-unsupported"},
    {"value_sum", "{gt: 2.5, field: exe.size}", "1 bounds"},
    {"value_sum", "{gt: 1.5, lt: 2.5, field: exe.size}", "2 bounds"},
    {"value_sum", "{gt: -1, lt: 0.5, field: exe.size}", "lone-event"},
    {"value_sum", "{lt: 100, field: exe.size}", "lone-event"},
    {"value_sum", "{gt: 0, field: exe.size}", "lone-event"},
    {"value_sum", "{gt: 10MiB, field: exe.size}", "1 bounds"},
    {"value_sum", "{gt: 5m, field: exe.size}", "bad-value"},
    {"value_sum", "{gt: [3], field: exe.size}", "bad-value"},
    {"value_sum", "{gt: '3', field: exe.size}", "1 bounds"},
    {"value_sum", "{gt: 5m, field: duration}", "1 bounds"},
    {"value_sum", "{gt: 10MiB, field: duration}", "bad-value"},
    {"value_sum", "{gt: 300, field: duration}", "bad-value"},
    {"value_sum", "{gt: 0, field: duration}", "lone-event"},
    {"value_avg", "{gt: 2026-01-31T12:00:00Z, field: start_time}", "1 bounds"},
    {"value_avg", "{gt: 5m, field: start_time}", "bad-value"},
    {"value_sum", "{gt: 1, lt: 1, field: exe.size}", "bad-correlation"},
    {"value_sum", "{gt: 5, lt: 3, field: exe.size}", "bad-correlation"},
    {"value_sum", "{eq: 5, neq: 5, field: exe.size}", "bad-correlation"},
    {"value_sum", "{gt: 5, field: User}", "bad-field"},
    {"value_sum", "{gt: 5, field: [exe.size, pid]}", "bad-correlation"},
    {"value_avg", "{gte: 10, field: ProcessId}", "1 bounds"},
    {"value_median", "{gte: 10, field: pid}", "1 bounds"},
    {"value_percentile", "{gte: 10, field: pid, percentile: 95}", "1 bounds"},
    {"value_percentile", "{gte: 10, field: pid}", "missing-key"},
    {"value_percentile", "{gte: 10, field: pid, percentile: 101}", "bad-value"},
    {"temporal", "", "needs 2"},
    {"temporal", "{gte: 2}", "needs 2"},
    {"temporal", "{gte: 1}", "lone-event"},
    {"temporal", "{gte: 3}", "bad-correlation"},
    {"temporal", "a and not b", "words"},
    {"temporal", "1 of them", "lone-event"},
    {"temporal", "a or b", "lone-event"},
    {"temporal", "a or not b", "lone-event"},
    {"temporal", "(a or b) and not (a and b)", "words"},
    {"temporal", "a", "unused-selection"},
    {"temporal", "a and b and c", "unknown-rule"},
    {"temporal", "a and", "bad-condition"},
    {"temporal", "a AND b", "bad-condition"},
    {"temporal", "''", "wrong-type"},
    {"temporal", "a and not a and b", "never-matches"},
    {"temporal_ordered", "", "needs 2"},
    {"temporal_ordered", "a and b", "needs 2"},
    {"temporal_ordered", "all of them", "needs 2"},
    {"temporal_ordered", "a or b", "sigma-unsupported"},
    {"temporal_ordered", "a and not b", "sigma-unsupported"},
    {"temporal_ordered", "{gte: 1}", "sigma-unsupported"},
    {"temporal_ordered", "{gte: 3}", "bad-correlation"},
};

static void test_conditions(void **state)
{
    for (size_t i = 0; i < sizeof condition_cases / sizeof *condition_cases; i++)
        assert_condition(&condition_cases[i]);
}

static void test_lone_rules(void **state)
{
    static const char *const types[] = {"temporal", "temporal_ordered"};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text,
                      "title: T\nid: x\ncorrelation: {type: %s, rules: a, timespan: 1m}\n" RULES,
                      types[i]);
        CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));

        assert_diag(&load, "lone-event", 3, 15 + 7 + (unsigned)strlen(types[i]) + 8);
    }
}

/* What a field is compared with is written as rules write it. */
static void test_measures(void **state)
{
    static const struct {
        const char *condition;
        enum field_type type;
        double value;
    } cases[] = {
        {"{gt: 10MiB, field: exe.size}", TYPE_NUMBER, 10 << 20},
        {"{gt: 2.5, field: exe.size}", TYPE_NUMBER, 2.5},
        {"{gt: 1h30m, field: duration}", TYPE_DURATION, 5400e9},
        {"{gt: 1970-01-01T00:00:01Z, field: start_time}", TYPE_TIME, 1e9},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text,
                      "title: T\nid: x\ncorrelation: {type: value_avg, rules: a, timespan: 1m, "
                      "condition: %s}\n" RULES,
                      cases[i].condition);
        CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));
        const struct correlation *made = correlation_of(&load, "x");

        assert_int_equal(made->value_type, cases[i].type);
        assert_true(made->bounds[0].value >= cases[i].value &&
                    made->bounds[0].value <= cases[i].value);
    }
    CLEANUP(load_deinit)
    struct load mixed = load_text(ONE("type: value_sum, rules: [a, b], timespan: 1m, "
                                      "condition: {gt: 0, field: n}, "
                                      "aliases: {n: {a: exe.size, b: duration}}"));

    assert_non_null(strstr(diag_of(&mixed, "bad-field")->message,
                           "is a number in one rule and a duration in another"));
}

/* A condition in words over rules that are named nowhere else. */
static void test_words(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good(ONE("type: temporal, timespan: 1m, condition: (b or id-c) and not a"));
    const struct correlation *made = correlation_of(&load, "x");

    assert_int_equal(made->member_count, 3);
    assert_ptr_equal(made->members[0].rule, rule_of(&load, "id-b"));
    assert_ptr_equal(made->members[1].rule, rule_of(&load, "id-c"));
    assert_ptr_equal(made->members[2].rule, rule_of(&load, "id-a"));
    assert_true(correlation_holds(made, (bool[]){true, false, false}));
    assert_true(correlation_holds(made, (bool[]){false, true, false}));
    assert_true(correlation_holds(made, (bool[]){true, true, false}));
    assert_false(correlation_holds(made, (bool[]){true, true, true}));
    assert_false(correlation_holds(made, (bool[]){false, false, false}));
}

static void test_numbers(void **state)
{
    CLEANUP(load_deinit)
    struct load some = load_good(ONE("type: temporal, rules: [a, b, c], timespan: 1m, "
                                     "condition: {gte: 2}"));
    CLEANUP(load_deinit)
    struct load sum = load_good(ONE("type: value_sum, rules: [a, b, c], timespan: 1m, "
                                    "condition: {gt: 1.5, lte: 4, neq: 3, field: exe.size}"));
    const struct correlation *of_some = correlation_of(&some, "x");
    const struct correlation *of_sum = correlation_of(&sum, "x");

    assert_true(correlation_holds(of_some, (bool[]){true, false, true}));
    assert_true(correlation_holds(of_some, (bool[]){true, true, true}));
    assert_false(correlation_holds(of_some, (bool[]){false, true, false}));
    assert_false(correlation_accepts(of_sum, 1.5));
    assert_true(correlation_accepts(of_sum, 1.6));
    assert_false(correlation_accepts(of_sum, 3));
    assert_true(correlation_accepts(of_sum, 4));
    assert_false(correlation_accepts(of_sum, 4.1));
    assert_int_equal(of_sum->value_count, 1);
    assert_source(&of_sum->members[2].values[0], "exe.size");
}

/* The same rule twice is one member, and two steps. */
static void test_order(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(ONE("type: temporal_ordered, rules: [b, a, id-b], timespan: 1m"));
    const struct correlation *made = correlation_of(&load, "x");
    const size_t order[] = {0, 1, 0};

    assert_int_equal(made->member_count, 2);
    assert_int_equal(made->order_count, 3);
    assert_memory_equal(made->order, order, sizeof order);
    assert_int_equal(made->needed, 3);
}

static void test_native_rules(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n"
                  "  - {id: download, title: D, match: {comm: curl}, tests: []}\n"
                  "  - {id: gone, title: G, on: exit, match: {comm: x}, tests: []}\n"
                  "---\n"
                  "title: T\n"
                  "id: x\n"
                  "tests:\n"
                  "  - alerts: [{comm: curl}, {comm: b}, {type: exec, comm: x}]\n"
                  "  - quiet: {comm: curl}\n"
                  "correlation:\n"
                  "  type: temporal_ordered\n"
                  "  rules: [gone, download, b]\n"
                  "  group-by: [session, ancestor.comm, 'ancestor[3].pid', parent, ancestor.pid]\n"
                  "  timespan: 1m\n" RULES);
    const struct rule *rule = rule_of(&load, "x");
    const struct correlation *made = rule->correlation;

    assert_ptr_equal(made->members[0].rule, rule_of(&load, "gone"));
    assert_true(rule_of(&load, "download")->silent);
    assert_source(&made->members[0].keys[0], "session");
    assert_source(&made->members[0].keys[1], "ancestor.comm");
    assert_source(&made->members[1].keys[2], "ancestor[3].pid");
    assert_source(&made->members[2].keys[3], "ancestor[1].comm");
    /* Of any ancestor may be several: of the same one. */
    assert_source(&made->members[2].keys[4], "ancestor.pid");
    assert_true(correlation_source_spreads(&made->members[2].keys[4]));
    assert_false(correlation_source_spreads(&made->members[2].keys[2]));
    assert_ptr_equal(made->members[0].keys, made->members[2].keys);
    assert_int_equal(rule->on, EVENT_EXIT);
    assert_ptr_equal(rule->message, message_default(EVENT_EXIT));
    assert_int_equal(rule->test_count, 2);
    assert_int_equal(rule->tests[0].event_count, 3);
    assert_int_equal(rule->tests[0].events[0].type, EVENT_EXIT);
    assert_int_equal(rule->tests[0].events[2].type, EVENT_EXEC);
    assert_int_equal(rule->tests[1].event_count, 1);
}

static void test_aliases(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text(ONE("type: temporal, rules: [a, b], timespan: 1m, "
                                     "group-by: [who, Image], aliases: {"
                                     "who: {a: User, id-b: ParentUser}, unused: {a: User}}"));

    assert_int_equal(load.result, 0);
    const struct correlation *made = correlation_of(&load, "x");

    assert_text(made->keys[0], "who");
    assert_source(&made->members[0].keys[0], "user");
    assert_source(&made->members[1].keys[0], "ancestor[1].user");
    assert_source(&made->members[1].keys[1], "exe");
    assert_int_equal(load.diags.count, 1);
    assert_non_null(find_diag(&load, "unused-alias"));
}

/* auditd's names mean something in auditd's rules alone. */
static void test_names_of_auditd(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_text("title: A\nid: audit\n"
                  "logsource: {product: linux, service: auditd}\n"
                  "detection: {s: {type: EXECVE, a0: x}, condition: s}\n"
                  "---\ntitle: X\nid: x\ncorrelation: {type: event_count, "
                  "rules: audit, timespan: 1m, group-by: a1, condition: {gte: 2}}\n"
                  "---\ntitle: Y\nid: y\ncorrelation: {type: event_count, "
                  "rules: a, timespan: 1m, group-by: a1, condition: {gte: 2}}\n"
                  "---\ntitle: Z\nid: z\ncorrelation: {type: event_count, "
                  "rules: x, timespan: 1m, group-by: a2, condition: {gte: 2}}\n" RULE("a"));

    assert_int_equal(load.result, 0);
    assert_int_equal(load.ruleset->unsupported, 1);
    assert_int_equal(correlation_of(&load, "x")->members[0].keys[0].ref.item, 2);
    assert_int_equal(correlation_of(&load, "z")->members[0].keys[0].ref.item, 3);
    assert_non_null(strstr(diag_of(&load, "sigma-unsupported")->message,
                           "rule 'y' is not loaded: no process execution has a field 'a1'"));
    assert_true(rule_of(&load, "id-a")->enabled);
}

#define COUNT_OF(what) "type: event_count, rules: [" what "], timespan: 1m, condition: {gte: 2}"

/* An inner correlation's own keys come before fields of that name. */
static void test_chains(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        DOCUMENT("outer", "",
                 "type: temporal_ordered, rules: [many, c], timespan: 5m, "
                 "group-by: [User, Image, ancestor.exe]")
            DOCUMENT("inner", "name: many\n",
                     "type: event_count, rules: [a, b], timespan: 1m, condition: {gte: 3}, "
                     "group-by: [Image, User], aliases: {User: {a: ParentUser, b: User}}") RULES);
    const struct correlation *outer = correlation_of(&load, "outer");
    const struct rule *inner = rule_of(&load, "inner");

    assert_ptr_equal(outer->members[0].rule, inner);
    assert_source(&outer->members[0].keys[0], "key 1");
    assert_source(&outer->members[0].keys[1], "key 0");
    assert_source(&outer->members[0].keys[2], "ancestor.exe");
    assert_source(&outer->members[1].keys[0], "user");
    assert_source(&inner->correlation->members[0].keys[1], "ancestor[1].user");
    assert_true(inner->silent && inner->enabled);
    assert_ptr_equal(inner->feeds[0].rule, rule_of(&load, "outer"));
    assert_false(rule_of(&load, "outer")->silent);
    assert_int_equal(rule_of(&load, "id-a")->feed_count, 1);
}

static void test_values_through_chains(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text(
        DOCUMENT("outer", "",
                 "type: value_sum, rules: inner, timespan: 5m, "
                 "condition: {gt: 5, field: n}")
            DOCUMENT("other", "",
                     "type: value_sum, rules: inner, timespan: 5m, "
                     "condition: {gt: 5, field: who}")
                DOCUMENT("inner", "",
                         COUNT_OF("a") ", group-by: [n, who], "
                                       "aliases: {n: {a: exe.size}, who: {a: User}}") RULES);

    assert_int_equal(load.result, -EINVAL);
    assert_int_equal(load.diags.errors, 1);
    assert_non_null(strstr(diag_of(&load, "bad-field")->message, "'who' is a text"));
}

/* Whichever of the inner rules it is that has no number there. */
static void test_values_of_any_rule(void **state)
{
#define SUM                                              \
    DOCUMENT("sum", "",                                  \
             "type: value_sum, rules: o, timespan: 5m, " \
             "condition: {gt: 5, field: n}")
#define OVER(id, rule, aliases) \
    DOCUMENT(id, "", COUNT_OF(rule) ", group-by: n, aliases: {n: {" aliases "}}")
    CLEANUP(load_deinit)
    struct load good = load_good(SUM DOCUMENT("o", "", COUNT_OF("i") ", group-by: n")
                                     OVER("i", "a, b", "a: exe.size, b: pid") RULES);
    CLEANUP(load_deinit)
    struct load bad = load_text(SUM DOCUMENT("o", "", COUNT_OF("i") ", group-by: n")
                                    OVER("i", "a, b", "a: exe.size, b: User") RULES);

    assert_non_null(correlation_of(&good, "sum"));
    assert_int_equal(bad.result, -EINVAL);
    assert_non_null(strstr(diag_of(&bad, "bad-field")->message, "'n' is a text"));
}

/* One that feeds two has both, by their places in the rules. */
static void test_feeds(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(DOCUMENT("x", "", COUNT_OF("b, a"))
                                     DOCUMENT("y", "", COUNT_OF("a") ", generate: true")
                                         DOCUMENT("z", "enabled: false\n", COUNT_OF("a, c")) RULES);
    const struct rule *a = rule_of(&load, "id-a"), *b = rule_of(&load, "id-b"),
                      *c = rule_of(&load, "id-c");

    assert_int_equal(a->feed_count, 2);
    assert_ptr_equal(a->feeds[0].rule, rule_of(&load, "x"));
    assert_int_equal(a->feeds[0].member, 1);
    assert_ptr_equal(a->feeds[1].rule, rule_of(&load, "y"));
    assert_int_equal(a->feeds[1].member, 0);
    assert_false(a->silent); /* as one asks for */
    assert_true(b->silent && b->enabled);
    /* What is part of a correlation that is switched off does not begin to alert. */
    assert_true(c->silent);
    assert_false(c->enabled);
    assert_int_equal(c->feed_count, 0);
    assert_false(rule_of(&load, "z")->enabled);
    assert_int_equal(load.ruleset->by_type_count[EVENT_EXEC], 2);
}

static void test_generate_beside(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(DOCUMENT("x", "generate: true\n", COUNT_OF("a")) RULES);

    assert_false(rule_of(&load, "id-a")->silent);
    assert_int_equal(rule_of(&load, "id-a")->feed_count, 1);
}

static struct load load_above(enum severity level, const char *text)
{
    struct load load = {0};
    struct rule_source source = {.path = "rules.yaml", .content = text_from(text)};
    struct ruleset_options options = {.min_level = level};

    load.result = ruleset_load_with(&source, 1, &options, &load.diags, &load.ruleset);
    assert_int_equal(load.result, 0);
    return load;
}

/* A level cuts alerts, not what they are made of. */
static void test_levels(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_above(
        SEVERITY_HIGH, DOCUMENT("high", "level: high\n", COUNT_OF("low") ", generate: true")
                           DOCUMENT("low", "level: low\n", COUNT_OF("a") ", generate: true")
                               DOCUMENT("useless", "level: low\n", COUNT_OF("b")) RULES);

    assert_true(rule_of(&load, "high")->enabled && !rule_of(&load, "high")->silent);
    assert_true(rule_of(&load, "low")->enabled && rule_of(&load, "low")->silent);
    assert_true(rule_of(&load, "id-a")->enabled && rule_of(&load, "id-a")->silent);
    assert_false(rule_of(&load, "useless")->enabled);
    assert_false(rule_of(&load, "id-b")->enabled);
    assert_false(rule_of(&load, "id-c")->enabled);
    assert_int_equal(load.ruleset->by_type_count[EVENT_EXEC], 1);
}

static void test_overrides(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        "overrides:\n"
        "  x: {severity: low, message: m, suppress: {for: 1h}, outputs: [o], enabled: false}\n"
        "  id-b: {enabled: false, unless: {uid: 0}}\n"
        "  y: {title: Other}\n" DOCUMENT("x", "", COUNT_OF("a, b"))
            DOCUMENT("y", "", COUNT_OF("b, c"))
                DOCUMENT("z", "", "type: temporal, rules: [a, b], timespan: 1m") RULES);
    const struct rule *x = rule_of(&load, "x");

    assert_int_equal(x->severity, SEVERITY_LOW);
    assert_false(x->enabled);
    assert_int_equal(x->suppress.window, 3600 * NS_PER_S);
    assert_text(rule_of(&load, "y")->title, "Other");
    /* Where a rule that is disabled is needed, nothing holds any more. */
    assert_int_equal(load.diags.count, 1);
    assert_non_null(strstr(diag_of(&load, "never-matches")->message, "rule 'z' can never hold"));

    CLEANUP(load_deinit)
    struct load unless =
        load_text("overrides: {x: {unless: {uid: 0}}}\n" DOCUMENT("x", "", COUNT_OF("a")) RULES);

    assert_diag(&unless, "not-overridable", 1, 25);
}

/* Through a chain, and a condition in words, too. */
static void test_what_can_never_hold(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        "overrides: {id-a: {enabled: false}}\n" DOCUMENT(
            "outer", "", "type: temporal, rules: [inner, c], timespan: 1m")
            DOCUMENT("inner", "", COUNT_OF("a")) DOCUMENT("good", "", COUNT_OF("a, b"))
                DOCUMENT("words", "", "type: temporal, timespan: 1m, condition: a and (b or c)")
                    DOCUMENT("either", "", "type: temporal, timespan: 1m, condition: b and not a")
                        RULES);
    const char *const never[] = {"'inner'", "'outer'", "'words'"};
    size_t count = 0;

    for (size_t i = 0; i < load.diags.count; i++) {
        if (strcmp(load.diags.items[i].code, "never-matches") != 0)
            continue;
        size_t known = 0;

        for (size_t k = 0; k < 3; k++)
            known += strstr(load.diags.items[i].message, never[k]) != NULL;
        assert_int_equal(known, 1);
        count++;
    }
    assert_int_equal(count, 3);
    assert_int_equal(load.diags.count, 3);
}

/* What refers to a rule that is not loaded is not, either, and for that reason. */
static void test_omissions(void **state)
{
    static const char *const passed_over =
        "---\ntitle: W\nname: win\nlogsource: {product: windows}\ndetection: {s: {a: b}, "
        "condition: s}\n"
        "---\ntitle: H\nid: hashed\n" LOGSOURCE "detection: {s: {Hashes: b}, condition: s}\n"
        "---\ntitle: O\nid: old\nstatus: deprecated\ncorrelation: {}\n"
        "---\ntitle: U\nid: not-yet\nstatus: unsupported\ncorrelation: {}\n";
    static const struct {
        const char *rule, *code, *reason;
    } cases[] = {
        {"win", "sigma-skipped", "'win', which it refers to, is skipped: it is for product"},
        {"hashed", "sigma-unsupported", "'hashed', which it refers to, is not loaded: no process"},
        {"old", "sigma-skipped", "'old', which it refers to, is skipped: its status"},
        {"not-yet", "sigma-unsupported", "'not-yet', which it refers to, is not loaded: its"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text,
                      "title: Outer\nid: outer\ncorrelation: {type: event_count, timespan: 1m, "
                      "rules: x, condition: {gte: 2}}\n"
                      "---\ntitle: X\nid: x\ncorrelation: {type: event_count, timespan: 1m, rules: "
                      "[a, %s], condition: {gte: 2}}\n%s" RULES,
                      cases[i].rule, passed_over);
        CLEANUP(load_deinit) struct load load = load_good(buffer_string(&text));
        size_t told = 0;

        assert_int_equal(load.ruleset->count, 3);
        assert_true(rule_of(&load, "id-a")->enabled && !rule_of(&load, "id-a")->silent);
        for (size_t k = 0; k < load.diags.count; k++)
            told += strcmp(load.diags.items[k].code, cases[i].code) == 0 &&
                    strstr(load.diags.items[k].message, cases[i].reason);
        assert_int_equal(told, 2);
        assert_int_equal(load.ruleset->skipped + load.ruleset->unsupported, 6);
    }
}

/* A correlation that is not loaded is as if it were not there: its rules alert. */
static void test_omitted_correlations_silence_nobody(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_good(
        DOCUMENT("elsewhere", "", COUNT_OF("a, b, inner") ", group-by: SourceIp")
            DOCUMENT("old", "status: deprecated\n", COUNT_OF("b") ", generate: true")
                DOCUMENT("not-yet", "status: unsupported\n", COUNT_OF("b"))
                    DOCUMENT("inner", "", COUNT_OF("c"))
                        DOCUMENT("talker", "", COUNT_OF("c") ", group-by: SourceIp, generate: true")
                            RULES);
    static const char *const loud[] = {"id-a", "id-b", "inner"};

    assert_int_equal(load.ruleset->skipped, 1);
    assert_int_equal(load.ruleset->unsupported, 3);
    for (size_t i = 0; i < sizeof loud / sizeof *loud; i++)
        assert_true(rule_of(&load, loud[i])->enabled && !rule_of(&load, loud[i])->silent);
    assert_true(rule_of(&load, "id-c")->enabled && rule_of(&load, "id-c")->silent);
}

/* Who writes rules for this has mistaken the name of a field. */
static void test_fields_of_native_rules(void **state)
{
#define NATIVE                                                          \
    "rules:\n  - {id: n, match: {comm: x}, tests: []}\n---\ntitle: T\n" \
    "id: x\ncorrelation: "
    CLEANUP(load_deinit)
    struct load group = load_text(NATIVE "{" COUNT_OF("n") ", group-by: [usr]}\n");
    CLEANUP(load_deinit)
    struct load value = load_text(NATIVE "{type: value_count, rules: n, timespan: 1m, "
                                         "condition: {gte: 2, field: exe.siz}}\n");
    CLEANUP(load_deinit)
    struct load mixed = load_text(NATIVE "{" COUNT_OF("n, a") ", group-by: [usr]}\n" RULES);

    assert_diag(&group, "unknown-field", 6, 92);
    assert_string_equal(diag_of(&group, "unknown-field")->message,
                        "unknown field 'usr' in rule 'x'; did you mean 'user'?");
    assert_non_null(strstr(diag_of(&value, "unknown-field")->message, "mean 'exe.size'?"));
    assert_int_equal(mixed.result, 0);
    assert_non_null(find_diag(&mixed, "sigma-unsupported"));
}

/* An id is of one rule, whatever others are called. */
static void test_ids_before_names(void **state)
{
    static const char *const orders[] = {
        DOCUMENT("x", "", COUNT_OF("b")) RULE("b") "---\nrules: [{id: b, match: {comm: x}, tests: "
                                                   "[]}]\n",
        "rules: [{id: b, match: {comm: x}, tests: []}]\n" RULE("b") RULE("c")
            DOCUMENT("y", "name: b\n", COUNT_OF("c")) DOCUMENT("x", "", COUNT_OF("b")),
    };

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        CLEANUP(load_deinit) struct load load = load_good(orders[i]);

        assert_ptr_equal(correlation_of(&load, "x")->members[0].rule, rule_of(&load, "b"));
    }
}

#define PART(id, level) "  - {id: " id ", severity: " level ", match: {comm: " id "}, tests: []}\n"

/* Who switches a correlation off is told which alerts go with it. */
static void test_rules_that_fall_silent(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good("rules:\n" PART("high", "high") PART("part", "informational") PART("fed", "high")
                      PART("off", "high") "overrides: {off: {enabled: false}}\n" DOCUMENT(
                          "x", "enabled: false\n", COUNT_OF("high, part, fed, off"))
                          DOCUMENT("y", "level: high\n", COUNT_OF("fed")));

    assert_int_equal(load.diags.count, 1);
    assert_string_equal(
        diag_of(&load, "silent-rule")->message,
        "rule 'high' raises no alert: it is part of rule 'x', which is not enabled");
    assert_ptr_equal(rule_of(&load, "high")->silencer, rule_of(&load, "x"));
    assert_ptr_equal(rule_of(&load, "part")->silencer, rule_of(&load, "x"));
    assert_null(rule_of(&load, "fed")->silencer);
    assert_null(rule_of(&load, "off")->silencer);

    CLEANUP(load_deinit)
    struct load above =
        load_above(SEVERITY_HIGH, "rules:\n" PART("high", "high") PART("low", "low")
                                      DOCUMENT("x", "level: medium\n", COUNT_OF("high, low")));

    assert_int_equal(above.diags.count, 1);
    assert_non_null(strstr(diag_of(&above, "silent-rule")->message, "rule 'high' raises"));
}

/* That it is nothing but what is passed over is said. */
static void test_nothing_left(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text(
        DOCUMENT("x", "", COUNT_OF("win")) "---\ntitle: W\nname: win\n"
                                           "logsource: {product: windows}\ndetection: {}\n");

    assert_int_equal(load.result, -EINVAL);
    assert_non_null(find_diag(&load, "no-rules"));
}

/* A rule that has a mistake is there all the same. */
static void test_members_with_mistakes(void **state)
{
    CLEANUP(load_deinit)
    struct load load = load_text(DOCUMENT("outer", "", COUNT_OF("x") ", group-by: who") DOCUMENT(
        "x", "",
        COUNT_OF("d, e, c") ", group-by: who") "---\ntitle: D\nname: d\ndetection: {}\n"
                                               "---\ntitle: E\nid: e\n" LOGSOURCE
                                               "detection: {s: {Image: x}, condition: t}\n" RULES);

    assert_int_equal(load.result, -EINVAL);
    assert_int_equal(load.diags.errors, 2);
    assert_non_null(find_diag(&load, "missing-key"));
    assert_non_null(find_diag(&load, "unknown-selection"));
}

static void assert_mistake(const char *text, const char *code, const char *message)
{
    CLEANUP(load_deinit) struct load load = load_text(text);
    bool told = false;

    for (size_t i = 0; i < load.diags.count; i++)
        told |= strcmp(load.diags.items[i].code, code) == 0 &&
                strstr(load.diags.items[i].message, message);
    if (load.result != -EINVAL || !told) {
        print_diags(&load);
        fail_msg("%s: not '%s': %s", text, code, message);
    }
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *code, *message;
    } cases[] = {
        {ONE("type: event_count, rules: aa, timespan: 1m, condition: {gte: 2}"), "unknown-rule",
         "there is no rule 'aa', which rule 'x' refers to; did you mean 'a'?"},
        {DOCUMENT("x", "", COUNT_OF("b")) RULE("b") DOCUMENT("y", "name: b\n", COUNT_OF("id-b")),
         "ambiguous-rule", "two rules are called 'b'"},
        {DOCUMENT("x", "", COUNT_OF("x")) RULES, "recursive-name", "rule 'x' refers to itself"},
        {DOCUMENT("x", "", COUNT_OF("y")) DOCUMENT("y", "", COUNT_OF("z"))
             DOCUMENT("z", "", COUNT_OF("a, x")) RULES,
         "recursive-name", "refers to itself, by way of rule '"},
        {ONE("type: event_count, rules: [], timespan: 1m, condition: {gte: 2}"), "empty-selection",
         "'rules' of rule 'x' is empty"},
        {ONE("type: event_count, rules: {}, timespan: 1m, condition: {gte: 2}"), "wrong-type",
         "'rules' of rule 'x'"},
        {ONE("type: event_count, rules: [[a]], timespan: 1m, condition: {gte: 2}"), "wrong-type",
         "'rules' of rule 'x'"},
        {ONE("type: event_count, timespan: 1m, condition: {gte: 2}"), "missing-key", "no 'rules'"},
        {ONE("type: event_count, rules: a, condition: {gte: 2}"), "missing-key", "no 'timespan'"},
        {ONE("rules: a, timespan: 1m, condition: {gte: 2}"), "missing-key", "no 'type'"},
        {ONE("timeframe: 1m"), "unknown-key", "did you mean 'timespan'?"},
        {ONE("groupby: User"), "unknown-key", "did you mean 'group-by'?"},
        {ONE(COUNT_OF("a") ", generate: perhaps"), "wrong-type", "'generate' of rule 'x'"},
        {ONE(COUNT_OF("a") ", group-by: {a: b}"), "wrong-type", "'group-by' of rule 'x'"},
        {ONE(COUNT_OF("a") ", group-by: [[User]]"), "wrong-type", "'group-by' of rule 'x'"},
        {ONE(COUNT_OF("a") ", group-by: [a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2, b3, b4, b5, "
                           "b6, b7, b8]"),
         "too-many-values", "'group-by' of rule 'x' has more than 16"},
        {ONE(COUNT_OF("a, b") ", group-by: who, aliases: {who: {a: User}}"), "bad-correlation",
         "the alias 'who' of rule 'x' does not say which field it is in rule 'id-b'"},
        {ONE(COUNT_OF("a") ", group-by: who, aliases: {who: {a: User, b: User}}"), "unknown-rule",
         "'b' is none of the rules of rule 'x'"},
        {ONE(COUNT_OF("a") ", group-by: who, aliases: {who: {a: User, d: User}}"), "unknown-rule",
         "there is no rule 'd'"},
        {ONE(COUNT_OF("a") ", aliases: [who]"), "wrong-type", "'aliases' of rule 'x'"},
        {ONE(COUNT_OF("a") ", aliases: {who: User}"), "wrong-type", "the alias 'who'"},
        {ONE(COUNT_OF("a") ", aliases: {who: {a: [User]}}"), "wrong-type", "the alias 'who'"},
        {"title: T\nid: x\ncorrelation: []\n" RULES, "wrong-type", "'correlation' of rule 'x'"},
        {"title: T\nid: x\ndetection: {}\ncorrelation: {}\n" RULES, "conflicting-keys",
         "a document is one rule"},
        {"id: x\ncorrelation: {" COUNT_OF("a") "}\n" RULES, "missing-key", "has no 'title'"},
        {DOCUMENT("x", "message: \"%{no}\"\n", COUNT_OF("a")) RULES, "unknown-field",
         "unknown field 'no'"},
        {DOCUMENT("x", "suppress: 5m\n", COUNT_OF("a")) RULES, "wrong-type", "'suppress'"},
        {DOCUMENT("x", "tests: [{alerts: [5]}]\n", COUNT_OF("a")) RULES, "bad-test", "events"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_mistake(cases[i].text, cases[i].code, cases[i].message);
}

/* N correlations, each of which refers to the one after or before it, the last to a rule. */
static void put_chain(struct buffer *out, int count, bool forwards)
{
    for (int i = 1; i <= count; i++) {
        int at = forwards ? i : count + 1 - i;

        buffer_printf(out,
                      "---\ntitle: C\nid: c%d\ncorrelation: {type: event_count, timespan: 1m, "
                      "condition: {gte: 2}, rules: ",
                      at);
        if (at == count)
            buffer_put_string(out, "a}\n");
        else
            buffer_printf(out, "c%d}\n", at + 1);
    }
    buffer_put_string(out, RULES);
}

static void test_long_chains(void **state)
{
    for (int forwards = 0; forwards < 2; forwards++) {
        CLEANUP(buffer_deinit) struct buffer good = {0};
        CLEANUP(buffer_deinit) struct buffer bad = {0};

        put_chain(&good, CORRELATION_DEPTH_MAX, forwards);
        put_chain(&bad, 2000, forwards);
        CLEANUP(load_deinit) struct load loaded = load_good(buffer_string(&good));
        CLEANUP(load_deinit) struct load refused = load_text(buffer_string(&bad));

        assert_false(rule_of(&loaded, "c1")->silent);
        assert_true(rule_of(&loaded, "c2")->silent);
        assert_int_equal(refused.result, -EINVAL);
        assert_int_equal(refused.diags.errors, 1);
        assert_non_null(strstr(diag_of(&refused, "recursive-name")->message,
                               "rule 'c1992' ends a chain of more than 8 correlations"));
    }
}

static void test_many_rules(void **state)
{
    for (int excess = 0; excess < 2; excess++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_put_string(&text, "title: T\nid: x\ncorrelation: {type: temporal, timespan: 1m, "
                                 "group-by: [User, Image], rules: [");
        for (int i = 0; i < CORRELATION_MEMBERS_MAX + excess; i++)
            buffer_printf(&text, "r%d, ", i);
        buffer_put_string(&text, "]}\n---\nrules:\n");
        for (int i = 0; i < CORRELATION_MEMBERS_MAX + excess; i++)
            buffer_printf(&text, "- {id: r%d, title: R, match: {pid: %d}, tests: []}\n", i, i);
        CLEANUP(load_deinit) struct load load = load_text(buffer_string(&text));

        if (excess)
            assert_non_null(find_diag(&load, "too-many-values"));
        else
            assert_int_equal(correlation_of(&load, "x")->needed, CORRELATION_MEMBERS_MAX);
    }
}

static bool asks_sha256(const char *text)
{
    CLEANUP(load_deinit) struct load load = load_good(text);

    return ruleset_asks(load.ruleset, FIELD_EXE_SHA256);
}

static void test_what_is_asked(void **state)
{
    assert_false(asks_sha256(ONE(COUNT_OF("a"))));
    assert_true(asks_sha256(ONE(COUNT_OF("a") ", group-by: [User, sha256]")));
    assert_true(asks_sha256(ONE("type: value_count, rules: a, timespan: 1m, "
                                "condition: {gte: 2, field: parent.exe.sha256}")));
}

/* Neither duplicates nor rules that can never match are what correlations are. */
static void test_no_false_warnings(void **state)
{
    CLEANUP(load_deinit)
    struct load load =
        load_good(DOCUMENT("x", "", COUNT_OF("a")) DOCUMENT("y", "", COUNT_OF("a")) RULES
                  "---\nrules: [{id: same, title: S, match: {comm: x}, tests: []},"
                  "{id: copy, title: S, match: {comm: x}, tests: []}]\n"
                  "---\ntitle: Z\nid: z\ncorrelation: {type: event_count, "
                  "timespan: 1m, rules: copy, condition: {gte: 2}}\n");
    const struct predicate *const *predicates;
    size_t count;

    assert_int_equal(load.diags.count, 0);
    assert_false(ruleset_witness(load.ruleset, rule_of(&load, "x"), &predicates, &count));
}

static struct rule_digest digest(const char *text)
{
    CLEANUP(load_deinit) struct load load = load_text(text);
    struct rule_digest digests[8], found;

    assert_int_equal(load.result, 0);
    assert_int_equal(rule_digest_all(load.ruleset, digests), 0);
    found = digests[rule_of(&load, "x")->index];
    return found;
}

static void test_digests(void **state)
{
    static const char *const others[] = {
        ONE("type: temporal, rules: [a, b], timespan: 1m"),
        ONE("type: temporal, rules: [a, c], timespan: 1m"),
        ONE("type: temporal, rules: [b, a], timespan: 1m"),
        ONE("type: temporal, rules: [a, b], timespan: 2m"),
        ONE("type: temporal, rules: [a, b, c], timespan: 1m"),
        ONE("type: temporal, rules: [a, b, c], timespan: 1m, condition: {gte: 2}"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, condition: a and not b"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, condition: not a or b"),
        ONE("type: temporal_ordered, rules: [a, b], timespan: 1m"),
        ONE("type: temporal_ordered, rules: [a, b, a], timespan: 1m"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, group-by: User"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, group-by: user"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, group-by: Image"),
        ONE("type: temporal, rules: [a, b], timespan: 1m, group-by: who, aliases: {who: {a: User, "
            "b: ParentUser}}"),
        ONE("type: event_count, rules: [a, b], timespan: 1m, condition: {gte: 2}"),
        ONE("type: value_count, rules: [a, b], timespan: 1m, condition: {gte: 2, field: User}"),
        ONE("type: value_count, rules: [a, b], timespan: 1m, condition: {gte: 2, field: Image}"),
        ONE("type: value_sum, rules: a, timespan: 1m, condition: {gt: 1, field: pid}"),
        ONE("type: value_sum, rules: a, timespan: 1m, condition: {gte: 1, field: pid}"),
        ONE("type: value_sum, rules: a, timespan: 1m, condition: {gt: 2, field: pid}"),
        ONE("type: value_percentile, rules: a, timespan: 1m, condition: {gt: 2, field: pid, "
            "percentile: 5}"),
        ONE("type: value_percentile, rules: a, timespan: 1m, condition: {gt: 2, field: pid, "
            "percentile: 6}"),
    };
    uint64_t hits[sizeof others / sizeof *others];

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        hits[i] = digest(others[i]).hits;
        assert_true(hits[i] == digest(others[i]).hits);
        for (size_t k = 0; k < i; k++)
            if (hits[i] == hits[k])
                fail_msg("%s and %s hit alike", others[i], others[k]);
    }
}

/* A count fires at the least number that its bounds allow, however they are put. */
static void test_digests_of_bounds(void **state)
{
    static const char *const same[] = {
        ONE("type: event_count, rules: a, timespan: 1m, condition: {gt: 2}"),
        ONE("type: event_count, rules: a, timespan: 1m, condition: {gte: 3}"),
        ONE("type: event_count, rules: a, timespan: 1m, condition: {gt: 1, neq: 2, lte: 9}"),
    };

    for (size_t i = 1; i < sizeof same / sizeof *same; i++)
        assert_true(digest(same[i]).hits == digest(same[0]).hits);
}

/* What a member's alerts say is nothing to it, what the member matches is. */
static void test_digests_of_members(void **state)
{
#define TEMPORAL DOCUMENT("x", "", "type: temporal, rules: [inner, b], timespan: 1m")
#define INNER    DOCUMENT("inner", "", COUNT_OF("a"))
    uint64_t plain = digest(TEMPORAL INNER RULES).hits;

    assert_true(plain == digest("overrides: {id-a: {severity: low}}\n" TEMPORAL INNER RULES).hits);
    assert_true(
        plain ==
        digest(TEMPORAL DOCUMENT("inner", "", COUNT_OF("a") ", generate: true") RULES).hits);
    assert_true(plain !=
                digest("overrides: {id-a: {unless: {uid: 0}}}\n" TEMPORAL INNER RULES).hits);
    assert_true(plain !=
                digest("overrides: {inner: {enabled: false}}\n" TEMPORAL INNER RULES).hits);
    assert_true(plain != digest(TEMPORAL DOCUMENT("inner", "", COUNT_OF("c")) RULES).hits);
}

/* All documents of the corpus, in the order they stand there and in the reverse. */
static void test_vectors(void **state)
{
    CLEANUP(fclosep) FILE *file = corpus_open("correlation-vectors.jsonl");
    char *line = NULL;
    size_t size = 0, count = 0;

    while (getline(&line, &size, file) > 0) {
        CLEANUP(json_freep) json_t *vector = NULL;
        struct json_failure failure;

        assert_int_equal(json_parse(text_from(line), &vector, &failure), 0);
        const char *text = json_string_value(json_object_get(vector, "rules"));
        CLEANUP(load_deinit) struct load load = load_good(text);
        size_t correlations = 0;

        for (size_t i = 0; i < load.ruleset->count; i++)
            correlations += load.ruleset->rules[i]->correlation != NULL;
        assert_int_equal(correlations, strstr(text, "\ntitle: many a\n") ? 2 : 1);
        assert_int_equal(load.diags.count, 0);
        count++;
    }
    free(line);
    assert_int_equal(count, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_timespans),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_lone_rules),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_native_rules),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_names_of_auditd),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_values_through_chains),
        cmocka_unit_test(test_values_of_any_rule),
        cmocka_unit_test(test_feeds),
        cmocka_unit_test(test_generate_beside),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_what_can_never_hold),
        cmocka_unit_test(test_omissions),
        cmocka_unit_test(test_omitted_correlations_silence_nobody),
        cmocka_unit_test(test_fields_of_native_rules),
        cmocka_unit_test(test_ids_before_names),
        cmocka_unit_test(test_rules_that_fall_silent),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_members_with_mistakes),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_long_chains),
        cmocka_unit_test(test_many_rules),
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_no_false_warnings),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_digests_of_bounds),
        cmocka_unit_test(test_digests_of_members),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
