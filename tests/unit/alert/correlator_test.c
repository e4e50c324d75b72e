/* What makes a correlation hold, and what does not. */
#include "correlation_rig.h"

#define COUNT_3 "{type: event_count, rules: a, group-by: user, timespan: 60s, condition: {gte: 3}}"

static void counts_what_lies_within_the_timespan(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@0 a@30 a@60", "k(u):0,30,60 ");
    rig_ask(COUNT_3, "a@0 a@30 a@60.000001", "");
    rig_ask(COUNT_3, "a@0 a@30 a@61 a@90", "k(u):30,61,90 ");
    rig_ask(COUNT_3, "a@0 b@1 x@2 a@3", "");
    rig_ask(COUNT_3, "a@0 a@0 a@0", "k(u):0,0,0 ");
    rig_ask("{type: event_count, rules: a, timespan: 1s, condition: {gt: 0}}", "a@5 a@6",
            "k():5 k():6 ");
}

static void an_event_is_in_one_match(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@0 a@1 a@2 a@3 a@4", "k(u):0,1,2 ");
    rig_ask(COUNT_3, "a@0 a@1 a@2 a@3 a@4 a@5", "k(u):0,1,2 k(u):3,4,5 ");
}

static void an_event_counts_once_however_many_rules_hit_it(void **state)
{
    (void)state;
    const char *keys =
        "{type: event_count, rules: [a, b], group-by: user, timespan: 60s, condition: {gte: 3}}";

    rig_ask(keys, "ab@0 ab@1", "");
    rig_ask(keys, "ab@0 a@1 b@2", "k(u):0,1,2 ");
}

static void groups_are_apart(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@0/x a@1/y a@2/x a@3/y a@4/x", "k(x):0,2,4 ");
    rig_ask("{type: event_count, rules: a, timespan: 60s, condition: {gte: 3}}",
            "a@0/x a@1/y a@2/z", "k():0,1,2 ");
    /* Two values that together have the same bytes are two. */
    rig_ask("{type: event_count, rules: a, group-by: [user, cmdline], timespan: 60s, condition: "
            "{gte: 2}}",
            "a@0/x1=1 a@1/x=11 a@2/x1=1", "k(x1,1):0,2 ");
}

static void a_missing_field_is_a_value(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@0/- a@1/u a@2/- a@3/u a@4/-", "k(none):0,2,4 ");
}

static void what_comes_late_is_put_where_it_belongs(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@0 a@60.5 a@60 a@59.9", "k(u):0,59.9,60 ");
    rig_ask(COUNT_3, "a@100 a@10 a@20 a@50", "k(u):10,20,50 ");
    rig_ask(COUNT_3, "a@60.5 a@0 a@60.2", "");
}

static void a_clock_that_is_set_back_begins_anew(void **state)
{
    (void)state;
    rig_ask(COUNT_3, "a@10000 a@10001 a@1 a@2 a@3", "k(u):1,2,3 ");
    rig_ask("{type: temporal_ordered, rules: [a, b], group-by: user, timespan: 60s}",
            "a@10000 a@1 a@2 b@3", "k(u):2,3 ");
}

#define VALUES_3                                                                                \
    "{type: value_count, rules: a, group-by: user, timespan: 60s, condition: {field: cmdline, " \
    "gte: 3}}"

static void counts_different_values(void **state)
{
    (void)state;
    rig_ask(VALUES_3, "a@0=1 a@1=1 a@2=2 a@3=2 a@4=3", "k(u):1,3,4 ");
    rig_ask(VALUES_3, "a@0=1 a@1=1 a@2=1 a@3=1 a@4=1", "");
    rig_ask(VALUES_3, "a@0=1 a@30=2 a@61=3", "");
    rig_ask(VALUES_3, "a@0=1 a@30=2 a@50=1 a@61=3", "k(u):30,50,61 ");
    rig_ask(VALUES_3, "a@0=1 a@1/v=2 a@2=3 a@3/v=4", "");
    rig_ask("{type: value_count, rules: [a, b], timespan: 60s, condition: {field: [cmdline, "
            "user], gte: 3}}",
            "a@0/x=1 b@1/y=1 a@2/x=1 b@3/x=2", "k():1,2,3 ");
}

/* A thousand values at once and again: each costs no more than the first. */
static void keeps_one_hit_of_a_value(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION(
        "k", "{type: value_count, rules: a, timespan: 60s, condition: {field: cmdline, gte: 3}}"));
    char word[32];
    size_t bytes = 0;

    for (int i = 0; i < 10000; i++) {
        snprintf(word, sizeof word, "a@%d.%d=%d", i / 10, i % 10, i % 2);
        rig_expect(&rig, word, "");
        if (i == 10)
            bytes = correlator_counters(rig.correlator).bytes;
    }
    assert_true(correlator_counters(rig.correlator).bytes <= bytes * 2);
    rig_expect(&rig, "a@1000=2", "k():999.8,999.9,1000 ");
}

#define NUMBERS(type, condition) \
    "{type: " type               \
    ", rules: a, group-by: user, timespan: 60s, condition: {field: exe.size, " condition "}}"

static void sums_up(void **state)
{
    (void)state;
    rig_ask(NUMBERS("value_sum", "gt: 10"), "a@0=5 a@1=5 a@2=1", "k(u):0,1,2 ");
    rig_ask(NUMBERS("value_sum", "gte: 10"), "a@0=5 a@61=5 a@62=4 a@63=1", "k(u):61,62,63 ");
    rig_ask(NUMBERS("value_sum", "gte: 10"), "a@60=5 a@10=4 a@30=1", "k(u):10,30,60 ");
    rig_ask(NUMBERS("value_sum", "gte: 10"), "a@61=5 a@0=5", "");
    rig_ask(NUMBERS("value_avg", "gte: 4"), "a@0=1 a@1=2 a@2=9", "k(u):0,1,2 ");
    rig_ask(NUMBERS("value_avg", "gt: 4"), "a@0=1 a@1=2 a@2=9 a@61=2", "k(u):1,2,61 ");
}

/* A time is a number as well, also that of a group of the level below. */
static void sums_up_times(void **state)
{
    (void)state;
    rig_ask("{type: value_avg, rules: a, timespan: 60s, condition: {field: time, gte: "
            "1970-01-01T00:00:05Z}}",
            "a@4 a@6", "k():4,6 ");
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(
        RIG_CORRELATION("k", "{type: value_sum, rules: pair, timespan: 60s, condition: {field: "
                             "time, gte: 1970-01-01T00:00:12Z}}")
            RIG_CORRELATION("pair", "{type: event_count, rules: a, group-by: [time, exe.size], "
                                    "timespan: 60s, condition: {gte: 2}}")
                RIG_CORRELATION("bytes", "{type: value_sum, rules: pair, timespan: 60s, condition: "
                                         "{field: exe.size, gte: 9}}"));

    rig_expect(&rig, "a@5=3 a@5=3", "pair(1970-01-01T00:00:05.000000000Z,3):5,5 ");
    rig_expect(&rig, "a@7=6 a@7=6",
               "pair(1970-01-01T00:00:07.000000000Z,6):7,7 k():5,7 bytes():5,7 ");
}

/* Years from the end of what a time can be, and before its beginning. */
static void times_have_an_end(void **state)
{
    (void)state;
    const char *keys = "{type: event_count, rules: a, timespan: 100y, condition: {gte: 2}}";
    const char *ordered = "{type: temporal_ordered, rules: [a, b], timespan: 100y}";
    const char *sum = "{type: value_sum, rules: a, timespan: 100y, condition: {field: exe.size, "
                      "gte: 2}}";

    rig_ask(keys, "a@9190000000 a@9190000001", "k():4.61169e+09,4.61169e+09 ");
    rig_ask(keys, "a@-9190000000 a@-9190000001", "k():-4.61169e+09,-4.61169e+09 ");
    rig_ask(keys, "a@-9190000000 a@9190000000", "");
    rig_ask(ordered, "a@9190000000 b@9190000001", "k():4.61169e+09,4.61169e+09 ");
    rig_ask(ordered, "a@9190000000 b@-9190000001 b@9190000000", "");
    rig_ask(sum, "a@9190000000=1 a@-9190000001=1 a@-9190000001=1",
            "k():-4.61169e+09,-4.61169e+09 ");
}

static void finds_the_middle(void **state)
{
    (void)state;
    rig_ask(NUMBERS("value_median", "eq: 4"), "a@0=1 a@1=9 a@2=5 a@3=3", "k(u):0,1,2,3 ");
    rig_ask(NUMBERS("value_median", "gt: 5"), "a@0=1 a@1=9 a@2=7 a@3=5 a@4=7",
            "k(u):0,1,2 k(u):3,4 ");
    rig_ask(NUMBERS("value_percentile", "percentile: 90, gte: 90"),
            "a@0=50 a@1=10 a@2=20 a@3=30 a@4=40 a@5=60 a@6=70 a@7=80 a@8=89 a@9=200 a@10=89",
            "k(u):0,1,2,3,4,5,6,7,8,9 ");
    rig_ask(NUMBERS("value_percentile", "percentile: 95, gte: 3.85"), "a@0=1 a@1=2 a@2=3 a@3=4",
            "k(u):0,1,2,3 ");
    /* What is over is no part of it. */
    rig_ask(NUMBERS("value_median", "lt: 3, gt: 0"), "a@0=9 a@1=8 a@2=7 a@61=1 a@62.5=2",
            "k(u):61,62.5 ");
}

#define ALL_3 "{type: temporal, rules: [a, b, c], group-by: user, timespan: 60s}"

static void all_in_any_order(void **state)
{
    (void)state;
    rig_ask(ALL_3, "c@0 a@10 b@60", "k(u):0,10,60 ");
    rig_ask(ALL_3, "c@0 a@10 b@60.1", "");
    rig_ask(ALL_3, "a@0 a@1 b@2", "");
    rig_ask(ALL_3, "a@0 a@30 b@50 c@80", "k(u):30,50,80 ");
    rig_ask(ALL_3, "abc@7", "k(u):7,7,7 ");
    rig_ask(ALL_3, "a@0/x b@1/y c@2/x", "");
    rig_ask(ALL_3, "a@0 b@1 c@2 a@3 b@4 c@5", "k(u):0,1,2 k(u):3,4,5 ");
}

static void all_with_some_late(void **state)
{
    (void)state;
    rig_ask(ALL_3, "b@50 c@80 a@30", "k(u):30,50,80 ");
    rig_ask(ALL_3, "b@0 c@80 a@30", "");
    rig_ask(ALL_3, "a@0 b@70 c@65 a@61", "k(u):61,65,70 ");
}

static void so_many_of_them(void **state)
{
    (void)state;
    const char *keys = "{type: temporal, rules: [a, b, c], timespan: 60s, condition: {gte: 2}}";

    rig_ask(keys, "a@0 a@1 c@2", "k():1,2 ");
    rig_ask(keys, "a@0 c@61", "");
}

static void as_the_condition_says(void **state)
{
    (void)state;
    const char *keys = "{type: temporal, rules: [a, b, c], timespan: 60s, condition: a and (b or "
                       "c)}";
    const char *without = "{type: temporal, rules: [a, b], timespan: 10s, condition: a and not b}";

    rig_ask(keys, "b@0 c@1 a@2", "k():0,1,2 ");
    rig_ask(keys, "b@0 c@1", "");
    rig_ask(keys, "a@0 c@60", "k():0,60 ");
    rig_ask(without, "b@0 a@5 a@10 a@10.5", "k():10.5 ");
}

#define ORDERED_3 "{type: temporal_ordered, rules: [a, b, c], group-by: user, timespan: 60s}"

static void all_in_their_order(void **state)
{
    (void)state;
    rig_ask(ORDERED_3, "a@0 b@10 c@60", "k(u):0,10,60 ");
    rig_ask(ORDERED_3, "a@0 b@10 c@60.1", "");
    rig_ask(ORDERED_3, "c@0 b@10 a@20", "");
    rig_ask(ORDERED_3, "a@0 c@5 b@10 c@20", "k(u):0,10,20 ");
    rig_ask(ORDERED_3, "a@0 a@50 b@60 c@100", "k(u):50,60,100 ");
    rig_ask(ORDERED_3, "a@0 b@10 a@50 c@65", "");
    rig_ask(ORDERED_3, "a@0/x b@1/y c@2/x", "");
    rig_ask(ORDERED_3, "a@0 b@1 c@2 b@3 c@4", "k(u):0,1,2 ");
}

static void steps_are_different_events(void **state)
{
    (void)state;
    const char *twice = "{type: temporal_ordered, rules: [a, a], timespan: 60s}";

    rig_ask(ORDERED_3, "abc@0", "");
    rig_ask(ORDERED_3, "abc@0 abc@0 abc@0", "k(u):0,0,0 ");
    rig_ask(twice, "a@0", "");
    rig_ask(twice, "a@0 a@61", "");
    rig_ask(twice, "a@0 a@60", "k():0,60 ");
    rig_ask(twice, "a@10 a@5", "k():5,10 ");
    rig_ask("{type: temporal_ordered, rules: [a, b, a], timespan: 60s}", "a@0 a@1 b@2 b@3 a@4",
            "k():1,3,4 ");
}

/* What counts is when they happened. */
static void order_is_of_time_not_of_coming(void **state)
{
    (void)state;
    const char *keys = "{type: temporal_ordered, rules: [a, b], timespan: 60s}";

    rig_ask(keys, "b@10 a@5", "k():5,10 ");
    rig_ask(keys, "a@10 b@5", "");
    rig_ask(keys, "b@5 a@5", "");
    rig_ask(keys, "a@5 b@5", "k():5,5 ");
    rig_ask(ORDERED_3, "c@20 b@10 a@0", "k(u):0,10,20 ");
    rig_ask(ORDERED_3, "b@10 a@0 c@20", "k(u):0,10,20 ");
    rig_ask(ORDERED_3, "c@20 a@0 b@10", "k(u):0,10,20 ");
    rig_ask(ORDERED_3, "c@20 a@0 b@30", "");
    /* A later beginning is what makes it short enough. */
    rig_ask(ORDERED_3, "a@0 b@30 c@70 a@20", "k(u):20,30,70 ");
    rig_ask(ORDERED_3, "a@0 b@30 c@70 b@40 a@35", "k(u):35,40,70 ");
}

/* COUNT events of the program called COMM in the second that begins at FROM. */
static void flood(struct rig *rig, const char *comm, int from, int count)
{
    char word[32];

    for (int i = 0; i < count; i++) {
        snprintf(word, sizeof word, "%s@%d.%05d", comm, from, i);
        rig_event(rig, word);
    }
}

static void a_flood_of_one_step_loses_no_chain(void **state)
{
    (void)state;
    for (const char *comm = "abc"; *comm; comm++) {
        CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", ORDERED_3));
        char name[2] = {*comm, '\0'};

        rig_event(&rig, "a@0");
        if (*comm != 'b')
            rig_event(&rig, "b@0.5");
        if (*comm == 'c') { /* before there is a chain */
            correlator_clear(rig.correlator);
            flood(&rig, "c", 0, 1000);
            rig_expect(&rig, "a@2 b@3 c@4", "k(u):2,3,4 ");
            continue;
        }
        flood(&rig, name, 1, 1000);
        rig_expect(&rig, "c@3", *comm == 'a' ? "k(u):0,0.5,3 " : "k(u):0,1.00999,3 ");
    }
}

/* Nor does one that comes late find none, when what was before it had to go. */
static void a_late_step_takes_over_the_chain_of_the_one_before(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", ORDERED_3));

    rig_event(&rig, "a@0");
    rig_event(&rig, "b@0.5");
    flood(&rig, "a", 1, 2 * CORRELATION_LANE_MAX);
    rig_expect(&rig, "b@0.7 c@2", "k(u):0,0.7,2 ");
}

/* What of a sum's numbers had to go is counted; of a step's hits what one that came late may have
 * been looking for. */
static void what_goes_for_a_bound_is_counted(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig sum = rig_new(RIG_CORRELATION("k", NUMBERS("value_sum", "gt: 1000000")));
    CLEANUP(rig_deinit) struct rig steps = rig_new(RIG_CORRELATION("k", ORDERED_3));
    struct limit_sum told;

    flood(&sum, "a", 1, CORRELATION_COUNT_MAX + 5);
    assert_int_equal(correlator_counters(sum.correlator).dropped, 5);
    assert_true(correlator_take_evicted(sum.correlator, INT64_MAX, &told));
    assert_int_equal(told.count, 5);
    flood(&steps, "a", 1, 1000);
    rig_event(&steps, "b@1.5");
    assert_int_equal(correlator_counters(steps.correlator).dropped, 0);
    rig_event(&steps, "b@1.001");
    assert_int_equal(correlator_counters(steps.correlator).dropped, 1);
}

static void a_flood_of_one_member_loses_no_other(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", ALL_3));

    rig_event(&rig, "a@0");
    flood(&rig, "b", 1, 1000);
    size_t bytes = correlator_counters(rig.correlator).bytes;

    for (int i = 2; i < 20; i++)
        flood(&rig, "b", i, 100);
    assert_true(correlator_counters(rig.correlator).bytes <= bytes * 5 / 4);
    rig_expect(&rig, "c@50", "k(u):0,19.001,50 ");
}

/* A slow stream needs no more than the newest of it. */
static void hidden_hits_are_let_go_of(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", ORDERED_3));
    size_t bytes = 0;

    for (int i = 0; i < 50; i++) {
        flood(&rig, "a", i, 1);
        if (i == 5)
            bytes = correlator_counters(rig.correlator).bytes;
    }
    assert_true(correlator_counters(rig.correlator).bytes < bytes * 3 / 2);
}

static void a_chain(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(
        RIG_CORRELATION("outer",
                        "{type: temporal_ordered, rules: [many, b], group-by: who, aliases: "
                        "{who: {many: user, b: user}}, timespan: 5m}")
            RIG_CORRELATION("many", "{type: event_count, rules: a, group-by: user, timespan: 60s, "
                                    "condition: {gte: 3}}"));

    rig_expect(&rig, "a@0 a@1 a@2 b@60", "many(u):0,1,2 outer(u):2,60 ");
    rig_expect(&rig, "b@100 a@110 a@111 a@112", "many(u):110,111,112 ");
    rig_expect(&rig, "b@1000 a@1100 a@1101 b@1102 a@1103/v", "");
    correlator_clear(rig.correlator);
    /* The third comes late: the chain goes on from the latest of them. */
    rig_expect(&rig, "a@0 a@2 b@60 a@1", "many(u):0,1,2 outer(u):2,60 ");
    /* What completes the inner one is not what follows it. */
    rig_expect(&rig, "a@200 a@201 ab@202", "many(u):200,201,202 ");
    rig_expect(&rig, "b@203", "outer(u):202,203 ");
}

static void one_match_feeds_several(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(
        RIG_CORRELATION("pair", "{type: temporal, rules: [a, b], group-by: user, timespan: 60s}")
            RIG_CORRELATION("pairs", "{type: event_count, rules: pair, timespan: 10m, condition: "
                                     "{gte: 2}}")
                RIG_CORRELATION("users", "{type: value_count, rules: pair, timespan: 10m, "
                                         "condition: {field: user, gte: 2}}"));

    rig_expect(&rig, "a@0 b@1", "pair(u):0,1 ");
    rig_expect(&rig, "a@2 b@3", "pair(u):2,3 pairs():1,3 ");
    rig_expect(&rig, "a@4/v b@5/v", "pair(v):4,5 users():3,5 ");
}

static void set_ancestors(struct process *line, size_t count, const int64_t *pids)
{
    for (size_t i = 0; i < count; i++) {
        line[i] = (struct process){.parent = i + 1 < count ? &line[i + 1] : NULL};
        process_set_number(&line[i], FIELD_PID, &line[i].pid, pids[i]);
    }
}

#define SPREAD "{type: temporal_ordered, rules: [a, b], group-by: ancestor.pid, timespan: 60s}"

/* An event of a process with those ancestors. */
static void descend(struct rig *rig, const char *word, const int64_t *pids, size_t count)
{
    struct process line[8];

    set_ancestors(line, count, pids);
    rig->process.parent = count ? line : NULL;
    rig_event(rig, word);
    rig->process.parent = NULL;
}

static void ancestors_make_groups_the_nearest_first(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", SPREAD));

    /* The shells 30 and 31 are children of 20, their sessions of 10. */
    descend(&rig, "a@0", (int64_t[]){30, 20, 10, 1}, 4);
    assert_int_equal(correlator_counters(rig.correlator).groups, 3); /* and none of init's */
    descend(&rig, "b@1", (int64_t[]){31, 20, 10, 1}, 4);
    assert_string_equal(buffer_string(&rig.log), "k(20):0,1 ");
    buffer_clear(&rig.log);
    /* That of 10 began anew, too: it was complete. */
    descend(&rig, "b@2", (int64_t[]){32, 10, 1}, 3);
    assert_string_equal(buffer_string(&rig.log), "");
    /* Strangers have but init in common. */
    descend(&rig, "a@3", (int64_t[]){50, 1}, 2);
    descend(&rig, "b@4", (int64_t[]){60, 1}, 2);
    assert_string_equal(buffer_string(&rig.log), "");
}

static void no_ancestor_is_a_group_as_well(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", SPREAD));

    descend(&rig, "a@0", NULL, 0);
    descend(&rig, "b@1", (int64_t[]){1}, 1);
    assert_string_equal(buffer_string(&rig.log), "k(none):0,1 ");
}

/* Whatever order its rules are in: an event that is b is no a without b. */
static void an_event_is_judged_whole(void **state)
{
    (void)state;
    const char *const keys[] = {
        "{type: temporal, rules: [a, b], timespan: 10s, condition: a and not b}",
        "{type: temporal, rules: [b, a], timespan: 10s, condition: a and not b}",
        "{type: temporal, rules: [b, a], timespan: 10s, condition: b and not a}",
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        rig_ask(keys[i], "ab@0", "");
    /* The levels above are judged when all of theirs is in. */
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(
        RIG_CORRELATION("outer", "{type: temporal, rules: [two, mid], timespan: 10s, condition: "
                                 "two and not mid}")
            RIG_CORRELATION("mid", "{type: event_count, rules: two, timespan: 10s, condition: "
                                   "{gte: 1}}")
                RIG_CORRELATION("two", "{type: event_count, rules: a, timespan: 10s, condition: "
                                       "{gte: 2}}"));

    rig_expect(&rig, "a@0 a@1", "two():0,1 mid():1 ");
}

/* Whichever of its hits completes what. */
static void the_nearest_ancestor_wins(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION(
        "k", "{type: temporal, rules: [a, b, c], group-by: ancestor.pid, timespan: 60s}"));

    descend(&rig, "b@0", (int64_t[]){31, 20}, 2);
    descend(&rig, "c@1", (int64_t[]){31, 20}, 2);
    descend(&rig, "c@2", (int64_t[]){30, 20}, 2);
    /* By a it completes that of 20, by b that of 30 as well. */
    descend(&rig, "ab@3", (int64_t[]){30, 20}, 2);
    assert_string_equal(buffer_string(&rig.log), "k(30):2,3,3 ");
}

/* Services, which nobody started but init, have nothing to do with each other. */
static void who_has_no_ancestor_is_his_own(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", SPREAD));
    struct process *process = &rig.process;

    process_set_number(process, FIELD_PID, &process->pid, 50);
    descend(&rig, "a@0", (int64_t[]){1}, 1);
    process_set_number(process, FIELD_PID, &process->pid, 51);
    descend(&rig, "b@1", (int64_t[]){1}, 1);
    assert_string_equal(buffer_string(&rig.log), "");
    descend(&rig, "b@2", (int64_t[]){50, 1}, 2); /* what it started has */
    assert_string_equal(buffer_string(&rig.log), "k(50):0,2 ");
}

#define BENEATH                                                               \
    "{type: temporal_ordered, rules: [a, b], group-by: [ancestor.pid, user, " \
    "ancestor.start_time], "                                                  \
    "timespan: 60s}"

/* An event of a process with ancestors that began when STARTS says; 0: that is not known. */
static void descend_from(struct rig *rig, const char *word, const int64_t *pids,
                         const int64_t *starts, size_t count)
{
    struct process line[8];

    set_ancestors(line, count, pids);
    for (size_t i = 0; i < count; i++)
        if (starts[i])
            process_set_number(&line[i], FIELD_START_TIME, &line[i].start_time, starts[i]);
    rig->process.parent = line;
    rig_event(rig, word);
    rig->process.parent = NULL;
}

/* Whose pid another had before has nothing to do with that one. */
static void keys_of_ancestors_are_of_one(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", BENEATH));

    descend_from(&rig, "a@0", (int64_t[]){30, 20, 1}, (int64_t[]){3, 2, 1}, 3);
    assert_int_equal(correlator_counters(rig.correlator).groups, 2);
    descend_from(&rig, "b@1", (int64_t[]){30, 20, 1}, (int64_t[]){4, 5, 1}, 3);
    descend_from(&rig, "b@2", (int64_t[]){20, 30, 1}, (int64_t[]){3, 2, 1}, 3);
    descend_from(&rig, "b@3", (int64_t[]){30, 20, 1}, (int64_t[]){0, 0, 1}, 3);
    assert_string_equal(buffer_string(&rig.log), "");
    descend_from(&rig, "b@4/v", (int64_t[]){40, 20, 1}, (int64_t[]){9, 2, 1}, 3);
    assert_string_equal(buffer_string(&rig.log), "");
    descend_from(&rig, "b@5", (int64_t[]){40, 20, 1}, (int64_t[]){9, 2, 1}, 3);
    assert_string_equal(buffer_string(&rig.log), "k(20,u,1970-01-01T00:00:00.000000002Z):0,5 ");
}

static void who_is_twice_among_the_ancestors_is_one(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", BENEATH));

    descend_from(&rig, "a@0", (int64_t[]){30, 30, 30, 30}, (int64_t[]){3, 0, 3, 0}, 4);
    assert_int_equal(correlator_counters(rig.correlator).groups, 2);
}

static void an_event_makes_one_match(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION(
        "k", "{type: event_count, rules: [a, b], group-by: ancestor.pid, timespan: 60s, condition: "
             "{gte: 1}}"));

    descend(&rig, "ab@0", (int64_t[]){30, 20}, 2);
    assert_string_equal(buffer_string(&rig.log), "k(30):0 ");
    assert_int_equal(correlator_counters(rig.correlator).groups, 0);
}

/* All there is of one group is counted once, whatever it is shared by. */
static void nothing_is_left_over(void **state)
{
    (void)state;
    static const char *const keys[] = {COUNT_3,   VALUES_3, ALL_3,
                                       ORDERED_3, SPREAD,   NUMBERS("value_median", "gt: 1000")};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        CLEANUP(buffer_deinit) struct buffer text = {0};

        buffer_printf(&text, RIG_CORRELATION("k", "%s"), keys[i]);
        CLEANUP(rig_deinit) struct rig rig = rig_new(buffer_string(&text));

        descend(&rig, "a@0=1", (int64_t[]){30, 20}, 2);
        descend(&rig, "b@1=2", (int64_t[]){31, 20}, 2);
        flood(&rig, "a", 2, 200);
        correlator_clear(rig.correlator);
        assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
        assert_int_equal(correlator_counters(rig.correlator).groups, 0);
    }
}

static void idle_groups_go(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", COUNT_3));

    rig_expect(&rig, "a@0/x a@1/y a@2/z", "");
    assert_int_equal(correlator_counters(rig.correlator).groups, 3);
    rig_expect(&rig, "a@62.5/v", "");
    assert_int_equal(correlator_counters(rig.correlator).groups, 2);
    assert_int_equal(correlator_counters(rig.correlator).evicted, 0);
}

/* The program a at TIME, of a process with COUNT ancestors that nobody else has. */
static void descend_alone(struct rig *rig, int64_t time, size_t count, int64_t *pid)
{
    struct process line[ANCESTOR_MAX];
    int64_t pids[ANCESTOR_MAX];

    for (size_t i = 0; i < count; i++)
        pids[i] = ++*pid;
    set_ancestors(line, count, pids);
    strcpy(rig->comm, "a");
    process_set_text(&rig->process, FIELD_COMM, &rig->process.comm, text_from(rig->comm));
    rig->process.parent = count ? line : NULL;
    rig_feed(rig, time);
    rig->process.parent = NULL;
}

static void idle_groups_of_ancestors_go_as_they_come(void **state)
{
    (void)state;
    CLEANUP(rig_deinit) struct rig rig = rig_new(RIG_CORRELATION("k", SPREAD));
    int64_t pid = 100;

    for (int64_t i = 0; i < 10000; i++) {
        descend_alone(&rig, i * 100 * NS_PER_S, ANCESTOR_MAX, &pid);
        assert_int_equal(correlator_counters(rig.correlator).groups, ANCESTOR_MAX);
    }
    assert_int_equal(correlator_counters(rig.correlator).evicted, 0);
}

/* More than a hit removes, when there is no room for its own. */
static void an_idle_group_is_not_evicted(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION(
        "k", "{type: event_count, rules: a, group-by: [ancestor.pid, exe, cwd, tty, filename, "
             "stdin, stdout, stderr, cgroup.path, group], timespan: 60s, condition: {gte: 2}}"));
    struct process *process = &rig.process;
    struct text *long_texts[] = {&process->exe,      &process->cwd,         &process->tty,
                                 &process->filename, &process->stdin,       &process->stdout,
                                 &process->stderr,   &process->cgroup_path, &process->group};
    static const enum field_id ids[] = {FIELD_EXE,      FIELD_CWD,         FIELD_TTY,
                                        FIELD_FILENAME, FIELD_STDIN,       FIELD_STDOUT,
                                        FIELD_STDERR,   FIELD_CGROUP_PATH, FIELD_GROUP};
    const int hits = 8, removed = 2 * 2 * ANCESTOR_MAX; /* by each of them */
    char name[CORRELATION_VALUE_MAX];
    int64_t pid = 100;

    while (correlator_counters(rig.correlator).bytes < CORRELATOR_RULE_BYTES_MAX - (32 << 10))
        descend_alone(&rig, 0, 1, &pid);
    memset(name, 'x', sizeof name);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        process_set_text(process, ids[i], long_texts[i], (struct text){name, sizeof name});
    uint64_t before = correlator_counters(rig.correlator).groups;

    for (int i = 0; i < hits; i++)
        descend_alone(&rig, 100 * NS_PER_S, ANCESTOR_MAX, &pid);
    assert_in_range(correlator_counters(rig.correlator).groups, 1,
                    before + (uint64_t)(hits * (ANCESTOR_MAX - removed)) - 1);
    assert_int_equal(correlator_counters(rig.correlator).evicted, 0);
}

static void memory_goes_back_without_a_hit(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION("k", SPREAD) RIG_CORRELATION(
        "l", "{type: event_count, rules: a, group-by: user, timespan: 1h, condition: {gte: 9}}"));
    int64_t pid = 100;

    for (int i = 0; i < 100; i++)
        descend_alone(&rig, i * NS_PER_MS, 8, &pid);
    assert_int_equal(correlator_counters(rig.correlator).groups, 100 * 8 + 1);
    correlator_expire(rig.correlator, 60 * NS_PER_S);
    assert_int_equal(correlator_counters(rig.correlator).groups, 100 * 8 + 1);
    correlator_expire(rig.correlator, 62 * NS_PER_S);
    assert_int_equal(correlator_counters(rig.correlator).groups, 1);
    correlator_expire(rig.correlator, 3700 * NS_PER_S);
    assert_int_equal(correlator_counters(rig.correlator).groups, 0);
    assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
    assert_int_equal(correlator_counters(rig.correlator).evicted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_lies_within_the_timespan),
        cmocka_unit_test(an_event_is_in_one_match),
        cmocka_unit_test(an_event_counts_once_however_many_rules_hit_it),
        cmocka_unit_test(groups_are_apart),
        cmocka_unit_test(a_missing_field_is_a_value),
        cmocka_unit_test(what_comes_late_is_put_where_it_belongs),
        cmocka_unit_test(a_clock_that_is_set_back_begins_anew),
        cmocka_unit_test(counts_different_values),
        cmocka_unit_test(keeps_one_hit_of_a_value),
        cmocka_unit_test(sums_up),
        cmocka_unit_test(sums_up_times),
        cmocka_unit_test(times_have_an_end),
        cmocka_unit_test(finds_the_middle),
        cmocka_unit_test(all_in_any_order),
        cmocka_unit_test(all_with_some_late),
        cmocka_unit_test(so_many_of_them),
        cmocka_unit_test(as_the_condition_says),
        cmocka_unit_test(all_in_their_order),
        cmocka_unit_test(steps_are_different_events),
        cmocka_unit_test(order_is_of_time_not_of_coming),
        cmocka_unit_test(a_flood_of_one_step_loses_no_chain),
        cmocka_unit_test(a_late_step_takes_over_the_chain_of_the_one_before),
        cmocka_unit_test(what_goes_for_a_bound_is_counted),
        cmocka_unit_test(a_flood_of_one_member_loses_no_other),
        cmocka_unit_test(hidden_hits_are_let_go_of),
        cmocka_unit_test(a_chain),
        cmocka_unit_test(one_match_feeds_several),
        cmocka_unit_test(ancestors_make_groups_the_nearest_first),
        cmocka_unit_test(no_ancestor_is_a_group_as_well),
        cmocka_unit_test(an_event_is_judged_whole),
        cmocka_unit_test(the_nearest_ancestor_wins),
        cmocka_unit_test(who_has_no_ancestor_is_his_own),
        cmocka_unit_test(keys_of_ancestors_are_of_one),
        cmocka_unit_test(who_is_twice_among_the_ancestors_is_one),
        cmocka_unit_test(an_event_makes_one_match),
        cmocka_unit_test(nothing_is_left_over),
        cmocka_unit_test(idle_groups_go),
        cmocka_unit_test(idle_groups_of_ancestors_go_as_they_come),
        cmocka_unit_test(an_idle_group_is_not_evicted),
        cmocka_unit_test(memory_goes_back_without_a_hit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
