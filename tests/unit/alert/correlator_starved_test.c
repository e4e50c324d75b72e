/* Out of memory while correlations count: at whatever allocation, it costs a hit or what is shown
 * of an event, and is counted. */
#include "correlation_rig.h"

#include <stdlib.h>

/* Which allocation from now on fails; below 0: none. */
static long fails_in = -1;

/* What is larger fails as well. */
static size_t fails_above = SIZE_MAX;

static bool fails(size_t size)
{
    return size > fails_above || (fails_in >= 0 && fails_in-- == 0);
}

/* The linker puts these in the place of the library's (see CMakeLists.txt). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails(count * size) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails(size) ? NULL : __real_realloc(block, size);
}

#define NUMBER "condition: {field: exe.size, gte: 6}}"

#define CORRELATIONS                                                                             \
    RIG_CORRELATION("count", "{type: event_count, rules: a, group-by: cmdline, timespan: 60s, "  \
                             "condition: {gte: 3}}")                                             \
    RIG_CORRELATION("values", "{type: value_count, rules: a, timespan: 60s, condition: {field: " \
                              "exe.size, gte: 3}}")                                              \
    RIG_CORRELATION("sum", "{type: value_sum, rules: a, timespan: 60s, " NUMBER)                 \
    RIG_CORRELATION("median", "{type: value_median, rules: a, timespan: 60s, " NUMBER)           \
    RIG_CORRELATION("all", "{type: temporal, rules: [a, b, c], group-by: user, timespan: 60s}")  \
    RIG_CORRELATION("steps", "{type: temporal_ordered, rules: [a, b, count], timespan: 60s}")

static const char script[] = "a@0=1 b@1=2 a@2=1 c@3=1 a@4=2 b@5=1 a@3.5=1 a@6=3 c@7=1 a@8=9 b@9=1";

/* Runs SCRIPT, of which the allocation AT fails, and returns whether there was one. */
static bool starve(long at, uint64_t *starved)
{
    CLEANUP(rig_deinit) struct rig rig = rig_new(CORRELATIONS);
    const char *words = script;
    char word[64];
    bool failed;

    buffer_reserve(&rig.log, 1 << 16);
    for (fails_in = at; *words; words += *words == ' ') {
        size_t len = strcspn(words, " ");

        memcpy(word, words, len);
        word[len] = '\0';
        rig_event(&rig, word);
        words += len;
    }
    failed = fails_in < 0;
    fails_in = -1;
    *starved = correlator_counters(rig.correlator).starved;
    correlator_clear(rig.correlator);
    assert_int_equal(correlator_counters(rig.correlator).bytes, 0);
    assert_int_equal(correlator_counters(rig.correlator).groups, 0);
    return failed;
}

static void costs_what_it_fails_in(void **state)
{
    (void)state;
    uint64_t starved;
    long at = 0;

    for (; starve(at, &starved); at++)
        assert_in_range(starved, 1, 6);
    assert_int_equal(starved, 0);
    assert_true(at > 100);
}

/* Without its event, a hit counts. */
static void a_hit_counts_without_its_event(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(
        RIG_CORRELATION("k", "{type: event_count, rules: a, timespan: 60s, condition: {gte: 2}}"));

    rig_event(&rig, "a@0"); /* whatever is made once is there */
    correlator_clear(rig.correlator);
    buffer_reserve(&rig.log, 1 << 10);
    fails_in = 0; /* what is kept of it */
    rig_event(&rig, "a@0");
    assert_int_equal(fails_in, -1);
    rig_expect(&rig, "a@1", "k():0,1 ");
    assert_int_equal(correlator_counters(rig.correlator).starved, 1);
}

/* However many correlations would have kept it. */
static void an_event_is_missed_once(void **state)
{
    (void)state;
    CLEANUP(rig_deinit)
    struct rig rig = rig_new(RIG_CORRELATION("k", "{type: event_count, rules: a, timespan: 60s, "
                                                  "condition: {gte: 2}}")
                                 RIG_CORRELATION("l", "{type: event_count, rules: a, timespan: "
                                                      "60s, condition: {gte: 2}}"));
    char name[8000];

    memset(name, 'x', sizeof name);
    buffer_reserve(&rig.log, 1 << 10);
    rig_event(&rig, "a@0"); /* whatever is made once is there */
    correlator_clear(rig.correlator);
    process_set_text(&rig.process, FIELD_CWD, &rig.process.cwd, (struct text){name, sizeof name});
    fails_above = 4000;
    rig_event(&rig, "a@0");
    fails_above = SIZE_MAX;
    assert_int_equal(correlator_counters(rig.correlator).starved, 1);
    rig_expect(&rig, "a@1", "k():0,1 l():0,1 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_what_it_fails_in),
        cmocka_unit_test(a_hit_counts_without_its_event),
        cmocka_unit_test(an_event_is_missed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
