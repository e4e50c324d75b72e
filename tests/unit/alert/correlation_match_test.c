/* What an alert says and shows of the events that a correlation counted. */
#include "correlation_rig.h"

#include <stdlib.h>

struct shown {
    struct rig rig;
    struct buffer json, message;
    json_t *root; /* of the correlation */
};

static void note(void *context, const struct correlation_match *match)
{
    struct shown *shown = context;
    struct json_writer json = {.buffer = &shown->json};
    struct json_failure failure;
    json_t *root;

    if (!text_is(correlation_match_rule(match)->id, "k"))
        return;
    buffer_clear(&shown->json);
    buffer_clear(&shown->message);
    json_begin(&json, '{');
    correlation_match_put_json(&json, match);
    json_end(&json, '}');
    correlation_match_put_message(&shown->message, match);
    assert_int_equal(json_parse(buffer_text(&shown->json), &root, &failure), 0);
    json_decref(shown->root);
    shown->root = root;
}

static void shown_deinit(struct shown *shown)
{
    rig_deinit(&shown->rig);
    buffer_deinit(&shown->json);
    buffer_deinit(&shown->message);
    json_decref(shown->root);
}

/* Rule ID hits the event of WORD, whatever it is. */
static void feed(struct shown *shown, const char *id, int64_t time)
{
    struct rig *rig = &shown->rig;

    rig->event.process = &rig->process;
    correlator_begin(rig->correlator, &rig->event, time);
    correlator_feed(rig->correlator, rule_of(&rig->load, id));
    correlator_judge(rig->correlator, note, shown);
}

static struct shown show(const char *correlations)
{
    return (struct shown){.rig = rig_new(correlations)};
}

static const json_t *correlation_of(const struct shown *shown)
{
    return json_object_get(shown->root, "correlation");
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void is_as_documented(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(
        RIG_CORRELATION("k", "{type: temporal_ordered, rules: [a, b], group-by: [session, user, "
                             "exe.setuid, comm], timespan: 1m}"));
    struct process *process = &shown.rig.process;

    process_set_number(process, FIELD_SESSION, &process->session, 5);
    process_set_bool(process, FIELD_EXE_SETUID, &process->exe_setuid, true);
    process_set_text(process, FIELD_USER, &process->user, TEXT("x\x1b\n"));
    feed(&shown, "a", 0);
    feed(&shown, "b", 12345 * NS_PER_MS);
    assert_string_equal(
        buffer_string(&shown.json),
        "{\"correlation\":{\"type\":\"temporal_ordered\",\"timespan\":60,\"group\":{\"session\":5,"
        "\"user\":\"x\\u001b\\n\",\"exe.setuid\":true,\"comm\":null},\"count\":2,\"omitted\":0,"
        "\"events\":[{\"rule\":\"a\",\"title\":\"A\",\"time\":\"1970-01-01T00:00:00.000000000Z\","
        "\"event\":{\"exe.setuid\":true,\"user\":\"x\\u001b\\n\",\"session\":5}},"
        "{\"rule\":\"b\",\"title\":\"B\",\"time\":\"1970-01-01T00:00:12.345000000Z\","
        "\"event\":{\"exe.setuid\":true,\"user\":\"x\\u001b\\n\",\"session\":5}}]}}");
    assert_string_equal(buffer_string(&shown.message),
                        "T k: 2 steps within 12.3 s, session 5, user x\\x1b\\n, exe.setuid true, "
                        "comm -");
}

static void many_are_shown_by_the_first_and_the_last(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown =
        show(RIG_CORRELATION("k", "{type: event_count, rules: a, timespan: 1h, condition: {gte: "
                                  "200}}"));

    for (int i = 0; i < 200; i++)
        feed(&shown, "a", i * NS_PER_S);
    const json_t *correlation = correlation_of(&shown);
    const json_t *events = json_object_get(correlation, "events");

    assert_int_equal(number_of(correlation, "count"), 200);
    assert_int_equal(number_of(correlation, "omitted"), 200 - CORRELATION_SHOWN_MAX);
    assert_int_equal(json_array_size(events), CORRELATION_SHOWN_MAX);
    for (size_t i = 0; i < CORRELATION_SHOWN_MAX; i++) {
        char time[TIME_TEXT_LEN + 1] = "";
        struct buffer wanted = {.data = time, .size = TIME_TEXT_LEN};
        size_t second = i < 16 ? i : 200 - CORRELATION_SHOWN_MAX + i;
        const json_t *event = json_array_get(events, i);

        time_put(&wanted, (int64_t)second * NS_PER_S);
        assert_string_equal(json_string_value(json_object_get(event, "time")), time);
        assert_non_null(json_object_get(event, "event"));
    }
}

/* Those that are the first ones only since others are too long ago are there by their time. */
static void the_first_may_be_without_their_events(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown =
        show(RIG_CORRELATION("k", "{type: event_count, rules: a, timespan: 40s, condition: {gte: "
                                  "40}}"));

    for (int64_t i = 0; i < 80; i++)
        feed(&shown, "a", i < 39 ? i * 1100 * NS_PER_MS : (4 + i) * NS_PER_S);
    const json_t *events = json_object_get(correlation_of(&shown), "events");

    assert_int_equal(json_array_size(events), CORRELATION_SHOWN_MAX);
    for (size_t i = 0; i < CORRELATION_SHOWN_MAX; i++)
        assert_non_null(json_object_get(json_array_get(events, i), "time"));
    assert_null(json_object_get(json_array_get(events, 15), "event"));
    for (size_t i = 16; i < CORRELATION_SHOWN_MAX; i++)
        assert_non_null(json_object_get(json_array_get(events, i), "event"));
}

/* Whatever order its rules are told in. */
static void one_event_is_shown_in_the_order_of_the_rules(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown =
        show(RIG_CORRELATION("k", "{type: temporal, rules: [b, c, a], timespan: 1h}"));
    struct rig *rig = &shown.rig;

    rig->event.process = &rig->process;
    correlator_begin(rig->correlator, &rig->event, 0);
    for (size_t i = 0; i < 3; i++)
        correlator_feed(rig->correlator,
                        rule_of(&rig->load, ((const char *const[]){"c", "b", "a"})[i]));
    correlator_judge(rig->correlator, note, &shown);
    const json_t *events = json_object_get(correlation_of(&shown), "events");

    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(events, i), "rule")),
                            ((const char *const[]){"b", "c", "a"})[i]);
}

/* Whatever a process looks like, an alert can be delivered and memory lasts. */
static void long_events_are_abridged(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(RIG_CORRELATION(
        "k",
        "{type: event_count, rules: a, group-by: cmdline, timespan: 1h, condition: {gte: 2}}"));
    struct process *process = &shown.rig.process;
    CLEANUP(freep) char *long_text = malloc(CORRELATION_RECORD_MAX);

    memset(long_text, 'x', CORRELATION_RECORD_MAX);
    process_set_text(process, FIELD_CMDLINE, &process->cmdline,
                     (struct text){long_text, CORRELATION_RECORD_MAX});
    process_set_number(process, FIELD_PID, &process->pid, 7);
    feed(&shown, "a", 0);
    assert_true(correlator_counters(shown.rig.correlator).bytes < CORRELATION_RECORD_MAX / 2);
    feed(&shown, "a", 1);
    const json_t *first = json_object_get(
        json_array_get(json_object_get(correlation_of(&shown), "events"), 0), "event");

    assert_true(json_is_true(json_object_get(first, "abridged")));
    assert_int_equal(number_of(first, "pid"), 7);
    assert_int_equal(json_string_length(json_object_get(first, "cmdline")),
                     CORRELATION_RECORD_TEXT_MAX);
    const json_t *group = json_object_get(correlation_of(&shown), "group");

    assert_int_equal(json_string_length(json_object_get(group, "cmdline")), CORRELATION_VALUE_MAX);
}

/* Values that differ behind what is shown of them are different. */
static void values_are_told_apart_to_their_end(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(RIG_CORRELATION(
        "k",
        "{type: event_count, rules: a, group-by: cmdline, timespan: 1h, condition: {gte: 2}}"));
    struct process *process = &shown.rig.process;
    char text[CORRELATION_VALUE_MAX + 10];

    memset(text, 'x', sizeof text);
    process_set_text(process, FIELD_CMDLINE, &process->cmdline, (struct text){text, sizeof text});
    feed(&shown, "a", 0);
    text[sizeof text - 1] = 'y';
    feed(&shown, "a", 1);
    assert_null(shown.root);
    feed(&shown, "a", 2);
    assert_non_null(shown.root);
}

/* Under a flood of long events it is those that go, not that they were. */
static void events_go_before_groups(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(RIG_CORRELATION(
        "k", "{type: event_count, rules: a, group-by: pid, timespan: 1h, condition: {gte: 2}}"));
    struct process *process = &shown.rig.process;
    const int groups = 8000;
    char text[8000];

    memset(text, 'x', sizeof text);
    process_set_text(process, FIELD_CMDLINE, &process->cmdline, (struct text){text, sizeof text});
    for (int i = 0; i < groups; i++) {
        process_set_number(process, FIELD_PID, &process->pid, i);
        feed(&shown, "a", i);
    }
    struct correlator_counters counters = correlator_counters(shown.rig.correlator);

    assert_int_equal(counters.groups, groups);
    assert_int_equal(counters.evicted, 0);
    assert_in_range(counters.forgotten, groups - CORRELATOR_RULE_BYTES_MAX / 2 / sizeof text,
                    groups);
    for (int i = 0; i < groups; i += groups - 1) {
        process_set_number(process, FIELD_PID, &process->pid, i);
        feed(&shown, "a", groups);
        const json_t *first = json_array_get(json_object_get(correlation_of(&shown), "events"), 0);

        assert_int_equal(number_of(correlation_of(&shown), "count"), 2);
        assert_int_equal(json_object_get(first, "event") != NULL, i > 0);
    }
}

static void a_parent_is_kept_its_parents_are_not(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(
        RIG_CORRELATION("k", "{type: event_count, rules: a, timespan: 1h, condition: {gte: 2}}"));
    struct process line[3] = {{.parent = &line[1]}, {.parent = &line[2]}};

    for (int i = 0; i < 3; i++)
        process_set_number(&line[i], FIELD_PID, &line[i].pid, 10 + i);
    shown.rig.process.parent = line;
    feed(&shown, "a", 0);
    feed(&shown, "a", 1);
    const json_t *first = json_object_get(
        json_array_get(json_object_get(correlation_of(&shown), "events"), 0), "event");
    const json_t *parent = json_object_get(first, "parent");

    assert_int_equal(number_of(parent, "pid"), 10);
    assert_null(json_object_get(parent, "parent"));
    assert_int_equal(number_of(first, "ancestors_omitted"), 2);
}

static void a_chain_shows_its_links(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown =
        show(RIG_CORRELATION("k", "{type: event_count, rules: pair, timespan: 1h, condition: {gte: "
                                  "32}}")
                 RIG_CORRELATION("pair", "{type: temporal_ordered, rules: [a, b], group-by: user, "
                                         "timespan: 1m}"));
    struct process *process = &shown.rig.process;
    CLEANUP(freep) char *text = calloc(1, 6000);

    memset(text, '"', 6000);
    process_set_text(process, FIELD_CWD, &process->cwd, (struct text){text, 6000});
    for (int i = 0; i < 32; i++) {
        feed(&shown, "a", i * NS_PER_S);
        feed(&shown, "b", i * NS_PER_S);
    }
    const json_t *events = json_object_get(correlation_of(&shown), "events");
    const json_t *first = json_array_get(events, 0);

    assert_int_equal(json_array_size(events), CORRELATION_SHOWN_MAX);
    assert_string_equal(json_string_value(json_object_get(first, "rule")), "pair");
    assert_true(json_is_null(json_object_get(json_object_get(first, "group"), "user")));
    assert_int_equal(json_array_size(json_object_get(first, "events")), 2);
    /* All that an alert shows is bounded, and what is beyond is there by its time. */
    assert_true(shown.json.len < CORRELATION_MATCH_MAX + ((size_t)32 << 10));
    assert_null(json_object_get(json_array_get(events, 31), "events"));
    assert_non_null(json_object_get(json_array_get(events, 31), "time"));
}

/* Of the numbers 2 and 4. */
static void says(const char *keys, double value, const char *message)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    buffer_printf(&text, RIG_CORRELATION("k", "{rules: a, timespan: 1h, %s}"), keys);
    CLEANUP(shown_deinit) struct shown shown = show(buffer_string(&text));
    struct process *process = &shown.rig.process;

    process_set_number(process, FIELD_EXE_SIZE, &process->exe_size, 2);
    feed(&shown, "a", 0);
    process_set_number(process, FIELD_EXE_SIZE, &process->exe_size, 4);
    feed(&shown, "a", 1);
    assert_true(fabs(json_number_value(json_object_get(correlation_of(&shown), "value")) - value) <
                1e-9);
    assert_string_equal(buffer_string(&shown.message), message);
}

static void sums_are_said(void **state)
{
    (void)state;
    says("type: value_sum, condition: {field: exe.size, gte: 6}", 6,
         "T k: 2 events within 0.0 s, sum 6");
    says("type: value_avg, condition: {field: exe.size, gte: 2.5}", 3,
         "T k: 2 events within 0.0 s, average 3");
    says("type: value_median, condition: {field: exe.size, gte: 2.5}", 3,
         "T k: 2 events within 0.0 s, median 3");
    says("type: value_percentile, condition: {field: exe.size, percentile: 25, gt: 2}", 2.5,
         "T k: 2 events within 0.0 s, percentile 2.5");
}

static void durations_are_said_in_seconds(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown =
        show("---\nrules: [{id: e, on: exit, match: {comm: e}, tests: []}]\n" RIG_CORRELATION(
            "k",
            "{type: value_sum, rules: e, timespan: 1h, condition: {field: duration, gte: 1s}}"));
    struct event *event = &shown.rig.event;

    event->duration = 5500 * NS_PER_MS;
    field_set_add(&event->has, FIELD_DURATION);
    feed(&shown, "e", 0);
    assert_string_equal(buffer_string(&shown.message), "T k: 1 event within 0.0 s, sum 5.5 s");
}

static void one_is_one(void **state)
{
    (void)state;
    CLEANUP(shown_deinit)
    struct shown shown = show(RIG_CORRELATION("k", "{type: temporal, rules: [a, b], timespan: 1h, "
                                                   "condition: {gte: 1}}"));

    feed(&shown, "a", 0);
    assert_string_equal(buffer_string(&shown.message), "T k: 1 rule within 0.0 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_as_documented),
        cmocka_unit_test(many_are_shown_by_the_first_and_the_last),
        cmocka_unit_test(the_first_may_be_without_their_events),
        cmocka_unit_test(one_event_is_shown_in_the_order_of_the_rules),
        cmocka_unit_test(long_events_are_abridged),
        cmocka_unit_test(values_are_told_apart_to_their_end),
        cmocka_unit_test(events_go_before_groups),
        cmocka_unit_test(a_parent_is_kept_its_parents_are_not),
        cmocka_unit_test(a_chain_shows_its_links),
        cmocka_unit_test(sums_are_said),
        cmocka_unit_test(durations_are_said_in_seconds),
        cmocka_unit_test(one_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
