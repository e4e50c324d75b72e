/* A million groups in a minute: who starts a program under a new name each time wants the memory
 * that correlations keep. It stays under the caps, and each group is accounted for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>

#include "../proc_status.h"
#include "alert/correlation_group.h"
#include "alert/correlator.h"
#include "base/clock.h"
#include "event/event_json.h"

/* The sanitizers keep and pad what is freed, and take ten times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define GROUPS  100000
#define COUNTED 0
#else
#define GROUPS  1000000
#define COUNTED 1 /* what is resident is what was counted */
#endif
#define MINUTE (60 * NS_PER_S)

static const char exec_json[] =
    "{\"type\":\"exec\",\"pid\":4711,\"ppid\":4242,\"exe\":\"/usr/bin/bash\","
    "\"argv\":[\"bash\",\"-c\",\"id\"],\"comm\":\"bash\",\"cwd\":\"/home/ann/src\","
    "\"uid\":1000,\"user\":\"ann\",\"session\":5,"
    "\"parent\":{\"pid\":4242,\"exe\":\"/usr/bin/make\",\"cmdline\":\"make -C src\","
    "\"comm\":\"make\",\"uid\":1000}}";

#define NATIVE                                                     \
    "rules:\n"                                                     \
    "  - {id: first, title: A, match: {comm: bash}, tests: []}\n"  \
    "  - {id: second, title: B, match: {comm: bash}, tests: []}\n" \
    "  - {id: third, title: C, match: {comm: bash}, tests: []}\n"
#define CORRELATION(id, text) "---\ntitle: " id "\nid: " id "\ncorrelation:\n" text

struct flood {
    struct arena arena;
    json_t *root;
    struct event event;
    struct process process; /* the event's, with a name of its own each time */
    char name[32];
    struct ruleset *ruleset;
    struct correlator *correlator;
    uint64_t matches, evicted; /* that were told */
    size_t most;               /* bytes, ever */
};

static void flood_init(struct flood *flood, const char *rules)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    struct rule_source source = {.path = "rules.yaml", .content = text_from(rules)};
    struct event_failure failure;

    *flood = (struct flood){0};
    assert_int_equal(
        event_read_json(TEXT(exec_json), &flood->arena, &flood->event, &flood->root, &failure), 0);
    flood->process = *flood->event.process;
    flood->event.process = &flood->process;
    assert_int_equal(ruleset_load(&source, 1, &diags, &flood->ruleset), 0);
    assert_int_equal(correlator_new(flood->ruleset, &flood->correlator), 0);
}

static void flood_deinit(struct flood *flood)
{
    correlator_free(flood->correlator);
    ruleset_free(flood->ruleset);
    json_decref(flood->root);
    arena_deinit(&flood->arena);
}

static void note(void *context, const struct correlation_match *match)
{
    struct flood *flood = context;

    assert_true(match->part_count > 0);
    flood->matches++;
}

static void take_evicted(struct flood *flood, int64_t now)
{
    struct limit_sum sum;

    while (correlator_take_evicted(flood->correlator, now, &sum))
        flood->evicted += sum.count;
}

/* The rule of that id hits an event in the group of that number. */
static void hit(struct flood *flood, const char *id, uint64_t number, int64_t time)
{
    size_t at = 0;

    while (!text_is(flood->ruleset->rules[at]->id, id))
        at++;
    snprintf(flood->name, sizeof flood->name, "/tmp/%" PRIu64, number);
    flood->process.exe = text_from(flood->name);
    flood->event.time = time;
    correlator_begin(flood->correlator, &flood->event, time);
    correlator_feed(flood->correlator, flood->ruleset->rules[at]);
    correlator_judge(flood->correlator, note, flood);
    size_t bytes = correlator_counters(flood->correlator).bytes;

    flood->most = bytes > flood->most ? bytes : flood->most;
}

static size_t resident(void)
{
    char line[256];

    malloc_trim(0);
    return strtoul(proc_status(getpid(), "RssAnon", line), NULL, 10) * 1024;
}

/* So many events in a minute, each the first of a group of its own; each of COUNT correlations has
 * each group. */
static void flood_groups(struct flood *flood, unsigned count, uint64_t events)
{
    size_t before = resident();

    for (uint64_t i = 0; i < events; i++) {
        hit(flood, "first", i, (int64_t)(i * MINUTE / events));
        if (i % 1000 == 0)
            take_evicted(flood, (int64_t)(i * MINUTE / events));
    }
    struct correlator_counters counters = correlator_counters(flood->correlator);
    size_t after = resident();

    assert_int_equal(counters.hits, events * count);
    assert_int_equal(counters.groups + counters.evicted, events * count);
    assert_true(counters.groups > 0 && counters.evicted > 0);
    assert_int_equal(counters.starved, 0);
    assert_int_equal(counters.matches + flood->matches, 0);
    print_message("%u correlations: %" PRIu64 " groups, %" PRIu64
                  " evicted, %zu bytes, resident %zd\n",
                  count, counters.groups, counters.evicted, flood->most, (ssize_t)(after - before));
    assert_true(!COUNTED || after <= before + flood->most + flood->most / 8);
    take_evicted(flood, INT64_MAX);
    assert_int_equal(flood->evicted, counters.evicted);
}

static void test_one(void **state)
{
    struct flood flood;

    flood_init(&flood, NATIVE CORRELATION("many", "  type: event_count\n  rules: first\n"
                                                  "  group-by: [Image]\n  timespan: 1h\n"
                                                  "  condition: {gte: 2}\n"));
    flood_groups(&flood, 1, GROUPS);
    assert_true(flood.most <= CORRELATOR_RULE_BYTES_MAX);
    /* The newest group is there, the oldest is not. */
    hit(&flood, "first", 0, MINUTE);
    assert_int_equal(flood.matches, 0);
    hit(&flood, "first", GROUPS - 1, MINUTE);
    assert_int_equal(flood.matches, 1);
    flood_deinit(&flood);
}

/* More of them than the cap in all has room for. */
static void test_many(void **state)
{
    struct flood flood;

    flood_init(&flood,
               NATIVE CORRELATION("count", "  type: event_count\n  rules: first\n"
                                           "  group-by: [Image]\n  timespan: 1h\n"
                                           "  condition: {gte: 2}\n")
                   CORRELATION("values", "  type: value_count\n  rules: first\n"
                                         "  group-by: [Image]\n  timespan: 1h\n"
                                         "  condition: {field: pid, gte: 2}\n")
                       CORRELATION("sum", "  type: value_sum\n  rules: first\n"
                                          "  group-by: [Image]\n  timespan: 1h\n"
                                          "  condition: {field: pid, gte: 5000}\n")
                           CORRELATION("any", "  type: temporal\n"
                                              "  rules: [first, second]\n"
                                              "  group-by: [Image]\n  timespan: 1h\n")
                               CORRELATION("steps", "  type: temporal_ordered\n"
                                                    "  rules: [first, second]\n"
                                                    "  group-by: [Image]\n  timespan: 1h\n")
                                   CORRELATION("more", "  type: event_count\n  rules: first\n"
                                                       "  group-by: [Image, pid]\n  timespan: 1h\n"
                                                       "  condition: {gte: 2}\n"));
    flood_groups(&flood, 6, GROUPS / 5);
    assert_true(flood.most <= CORRELATOR_BYTES_MAX);
    assert_true(flood.most > CORRELATOR_BYTES_MAX / 2);
    flood_deinit(&flood);
}

/* Groups whose time is over leave nothing behind. */
static void test_time(void **state)
{
    struct flood flood;

    flood_init(&flood, NATIVE CORRELATION("short", "  type: event_count\n  rules: first\n"
                                                   "  group-by: [Image]\n  timespan: 1s\n"
                                                   "  condition: {gte: 2}\n"));
    for (uint64_t i = 0; i < GROUPS / 10; i++)
        hit(&flood, "first", i, (int64_t)i * NS_PER_MS);
    struct correlator_counters counters = correlator_counters(flood.correlator);

    assert_int_equal(counters.evicted, 0);
    assert_in_range(counters.groups, 1, (NS_PER_S + CORRELATION_DISORDER) / NS_PER_MS + 1);
    assert_true(flood.most < CORRELATOR_RULE_BYTES_MAX);
    flood_deinit(&flood);
}

/* Groups that have matched, too. */
static void test_matches(void **state)
{
    struct flood flood;

    flood_init(&flood, NATIVE CORRELATION("pair", "  type: temporal_ordered\n"
                                                  "  rules: [first, second]\n"
                                                  "  group-by: [Image]\n  timespan: 1h\n"));
    for (uint64_t i = 0; i < GROUPS / 10; i++) {
        hit(&flood, "first", i, (int64_t)(2 * i));
        hit(&flood, "second", i, (int64_t)(2 * i + 1));
    }
    struct correlator_counters counters = correlator_counters(flood.correlator);

    assert_int_equal(flood.matches, GROUPS / 10);
    assert_int_equal(counters.matches, GROUPS / 10);
    assert_int_equal(counters.groups + counters.evicted, 0);
    flood_deinit(&flood);
}

/* Within one group as well: what floods it does not lose the steps before. */
static void test_steps(void **state)
{
    struct flood flood;

    flood_init(&flood, NATIVE CORRELATION("steps", "  type: temporal_ordered\n"
                                                   "  rules: [first, second, third]\n"
                                                   "  group-by: [Image]\n  timespan: 1h\n"));
    hit(&flood, "first", 0, 0);
    for (uint64_t i = 1; i < GROUPS / 10; i++)
        hit(&flood, "second", 0, (int64_t)i);
    assert_true(flood.most < (size_t)1 << 20);
    hit(&flood, "third", 0, MINUTE);
    assert_int_equal(flood.matches, 1);
    flood_deinit(&flood);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),     cmocka_unit_test(test_many),  cmocka_unit_test(test_time),
        cmocka_unit_test(test_matches), cmocka_unit_test(test_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
