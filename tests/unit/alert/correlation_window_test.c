/* Random hits, some late, against what the rules of correlation say when nothing is let go of:
 * every match, and when. */
#include "correlation_rig.h"

#include <stdlib.h>

#define TIMESPAN (4 * NS_PER_S)
#define HITS     400
#define ROUNDS   60
#define VALUES   5

struct hit {
    int64_t time;
    int comm; /* 0 to 2: a, b, c */
    int value;
};

/* The hits since the last match, in the order of time; of equal times in that of coming. */
struct oracle {
    struct hit hits[HITS];
    size_t count;
};

static size_t add(struct oracle *oracle, struct hit hit)
{
    size_t at = oracle->count++;

    for (; at > 0 && oracle->hits[at - 1].time > hit.time; at--)
        oracle->hits[at] = oracle->hits[at - 1];
    oracle->hits[at] = hit;
    return at;
}

/* Whether the hits FROM to UNTIL, which is one of them, make it hold. */
typedef bool holds_fn(const struct hit *hits, size_t count);

static bool three(const struct hit *hits, size_t count)
{
    return count >= 3;
}

static bool three_values(const struct hit *hits, size_t count)
{
    bool seen[VALUES] = {false};
    int different = 0;

    for (size_t i = 0; i < count; i++) {
        different += !seen[hits[i].value];
        seen[hits[i].value] = true;
    }
    return different >= 3;
}

static bool each(const struct hit *hits, size_t count)
{
    bool seen[3] = {false};

    for (size_t i = 0; i < count; i++)
        seen[hits[i].comm] = true;
    return seen[0] && seen[1] && seen[2];
}

static bool each_in_order(const struct hit *hits, size_t count)
{
    int step = 0;

    for (size_t i = 0; i < count && step < 3; i++)
        step += hits[i].comm == step;
    return step == 3;
}

/* Every window that holds the hit at AT. */
static bool completes(const struct oracle *oracle, size_t at, holds_fn *holds)
{
    for (size_t from = 0; from <= at; from++)
        for (size_t until = at; until < oracle->count; until++)
            if (oracle->hits[until].time - oracle->hits[from].time <= TIMESPAN &&
                holds(&oracle->hits[from], until - from + 1))
                return true;
    return false;
}

static struct hit draw(int64_t *now, int64_t pause, int64_t late)
{
    *now += random() % pause;
    return (struct hit){
        .time = *now - (late ? random() % late : 0),
        .comm = (int)(random() % 3),
        .value = (int)(random() % VALUES),
    };
}

static bool matches(struct rig *rig, const struct hit *hit)
{
    char word[64];

    snprintf(word, sizeof word, "%c@%.9f=%d", 'a' + hit->comm, (double)hit->time / (double)NS_PER_S,
             hit->value);
    buffer_clear(&rig->log);
    rig_event(rig, word);
    return rig->log.len > 0;
}

/* Times are of milliseconds, so that some are equal and the border is met. */
static void compare(const char *keys, holds_fn *holds, int64_t pause, int64_t late)
{
    CLEANUP(rig_deinit) struct rig rig = rig_new(keys);
    struct oracle oracle = {.count = 0};
    int64_t now = 100 * NS_PER_S;
    size_t found = 0;

    for (int i = 0; i < HITS; i++) {
        struct hit hit = draw(&now, pause, late);

        hit.time = hit.time / NS_PER_MS * NS_PER_MS;
        bool wanted = completes(&oracle, add(&oracle, hit), holds);

        assert_int_equal(matches(&rig, &hit), wanted);
        if (wanted)
            oracle.count = 0;
        found += wanted;
    }
    assert_true(found > 0);
}

static void compare_often(const char *keys, holds_fn *holds, int64_t late)
{
    srandom(1);
    for (int i = 0; i < ROUNDS; i++)
        compare(keys, holds, (1 + i % 6) * NS_PER_S, late);
}

static void event_count(void **state)
{
    (void)state;
    const char *keys = RIG_CORRELATION("k", "{type: event_count, rules: [a, b, c], timespan: 4s, "
                                            "condition: {gte: 3}}");

    compare_often(keys, three, 0);
    compare_often(keys, three, CORRELATION_DISORDER);
}

static void value_count(void **state)
{
    (void)state;
    compare_often(RIG_CORRELATION("k", "{type: value_count, rules: [a, b, c], timespan: 4s, "
                                       "condition: {field: cmdline, gte: 3}}"),
                  three_values, 0);
}

/* An event that brings two values, at one moment. */
static bool completes_with_both(struct oracle *oracle, int64_t time, const int values[2])
{
    add(oracle, (struct hit){time, 0, values[0]});
    return completes(oracle, add(oracle, (struct hit){time, 0, values[1]}), three_values);
}

/* The events of COMM, one or (TWICE) two of them, each with both values. */
static bool pair_matches(struct rig *rig, const char *comm, bool twice, int64_t time,
                         const int values[2])
{
    char word[64];

    buffer_clear(&rig->log);
    for (int i = twice; i >= 0; i--) {
        snprintf(word, sizeof word, "%s@%.9f/%d=%d", comm,
                 (double)time / (double)NS_PER_S - i * 0.25, values[0], values[1]);
        rig_event(rig, word);
    }
    return strstr(buffer_string(&rig->log), "k(") != NULL;
}

static void compare_pairs(const char *keys, const char *comm, bool twice, int64_t pause)
{
    CLEANUP(rig_deinit) struct rig rig = rig_new(keys);
    struct oracle oracle = {.count = 0};
    int64_t now = 100 * NS_PER_S;
    size_t found = 0;

    for (int i = 0; i < HITS / 2; i++) {
        int values[2] = {(int)(random() % VALUES), (int)(random() % VALUES)};

        now += NS_PER_S / 2 + random() % pause / NS_PER_MS * NS_PER_MS;
        bool wanted = completes_with_both(&oracle, now, values);

        assert_int_equal(pair_matches(&rig, comm, twice, now, values), wanted);
        if (wanted)
            oracle.count = 0;
        found += wanted;
    }
    assert_true(found > 0);
}

static void compare_pairs_often(const char *keys, const char *comm, bool twice)
{
    srandom(2);
    for (int i = 0; i < ROUNDS; i++)
        compare_pairs(keys, comm, twice, (1 + i % 6) * NS_PER_S);
}

static void two_values_of_an_event(void **state)
{
    (void)state;
    compare_pairs_often(RIG_CORRELATION("k", "{type: value_count, rules: [a, b], timespan: 4s, "
                                             "aliases: {v: {a: user, b: cmdline}}, condition: "
                                             "{field: v, gte: 3}}"),
                        "ab", false);
}

/* Each pair of events completes both, with the second. */
static void two_matches_by_an_event(void **state)
{
    (void)state;
    compare_pairs_often(
        RIG_CORRELATION("p", "{type: event_count, rules: a, group-by: user, timespan: 4s, "
                             "condition: {gte: 2}}")
            RIG_CORRELATION("q", "{type: event_count, rules: a, group-by: cmdline, timespan: 4s, "
                                 "condition: {gte: 2}}")
                RIG_CORRELATION("k", "{type: value_count, rules: [p, q], timespan: 4s, aliases: "
                                     "{v: {p: user, q: cmdline}}, condition: {field: v, gte: 3}}"),
        "a", true);
}

static void temporal(void **state)
{
    (void)state;
    const char *keys = RIG_CORRELATION("k", "{type: temporal, rules: [a, b, c], timespan: 4s}");

    compare_often(keys, each, 0);
    compare_often(keys, each, CORRELATION_DISORDER);
}

static void temporal_ordered(void **state)
{
    (void)state;
    const char *keys =
        RIG_CORRELATION("k", "{type: temporal_ordered, rules: [a, b, c], timespan: 4s}");

    compare_often(keys, each_in_order, 0);
    compare_often(keys, each_in_order, CORRELATION_DISORDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_count),
        cmocka_unit_test(value_count),
        cmocka_unit_test(two_values_of_an_event),
        cmocka_unit_test(two_matches_by_an_event),
        cmocka_unit_test(temporal),
        cmocka_unit_test(temporal_ordered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
