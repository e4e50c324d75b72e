/* Every sequence of PICKET_CORPUS/correlation-vectors.jsonl: rules, events with their seconds in
 * Sigma's names, and for each group whether the outermost correlation fires. Each as it is, and
 * with neighbours arriving in each other's place: what fires does not depend on that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "../corpus.h"
#include "alert/correlator.h"
#include "base/clock.h"
#include "base/json.h"
#include "rule/matcher.h"
#include "rule/sigma_field.h"

#define LINE_MAX_BYTES (1 << 20)
#define EVENTS_MAX     32

/* One event. */
struct subject {
    struct event event;
    struct process self, parent;
};

struct sequence {
    const char *name;
    struct ruleset *ruleset;
    struct subject subjects[EVENTS_MAX];
    size_t order[EVENTS_MAX]; /* in which they arrive */
    size_t count;
    json_t *fired; /* by group: an object of true */
};

static void set(struct process *process, const struct field *field, const json_t *value)
{
    char *member = (char *)process + field->offset;

    assert_int_equal(field->type, TYPE_TEXT);
    assert_true(json_is_string(value));
    *(struct text *)(void *)member = json_as_text(value);
    field_set_add(&process->has, field->id);
}

static void make(const json_t *fields, struct subject *out)
{
    const char *name;
    json_t *value;

    *out = (struct subject){.event = {.type = EVENT_EXEC, .process = &out->self},
                            .self = {.parent = &out->parent}};
    json_object_foreach((json_t *)fields, name, value)
    {
        struct sigma_field field;

        if (strcmp(name, "t") == 0) {
            out->event.time = json_integer_value(value) * NS_PER_S;
            continue;
        }
        assert_true(sigma_field_find(SIGMA_PROCESS, text_from(name), &field));
        set(field.refs[0].owner == OWNER_SELF ? &out->self : &out->parent, field.refs[0].field,
            value);
    }
}

/* The rules that alert are what a vector is about: of a chain that is the outermost. */
static void note(void *context, const struct correlation_match *match)
{
    struct sequence *sequence = context;
    const struct rule *rule = correlation_match_rule(match);
    CLEANUP(buffer_deinit) struct buffer group = {0};

    for (size_t i = 0; i < rule->correlation->key_count; i++)
        buffer_put_text(&group, match->values[i].text);
    if (!rule->silent)
        json_object_set_new(sequence->fired, buffer_string(&group), json_true());
}

static void arrive(struct sequence *sequence, struct correlator *correlator,
                   struct matcher *matcher, const struct event *event)
{
    const struct rule *const *hits;
    size_t count = matcher_match(matcher, event, &hits);

    correlator_begin(correlator, event, event->time);
    for (size_t i = 0; i < count; i++)
        correlator_feed(correlator, hits[i]);
    correlator_judge(correlator, note, sequence);
}

/* True when just those groups fire that are to. */
static bool play(struct sequence *sequence, const json_t *expected)
{
    CLEANUP(correlator_freep) struct correlator *correlator = NULL;
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const char *group;
    json_t *fires;
    bool right = true;

    assert_int_equal(matcher_new(sequence->ruleset, &matcher), 0);
    assert_int_equal(correlator_new(sequence->ruleset, &correlator), 0);
    json_object_clear(sequence->fired);
    for (size_t i = 0; i < sequence->count; i++)
        arrive(sequence, correlator, matcher, &sequence->subjects[sequence->order[i]].event);
    json_object_foreach((json_t *)expected, group, fires)
    {
        right &= json_is_true(fires) == (json_object_get(sequence->fired, group) != NULL);
    }
    json_object_foreach(sequence->fired, group, fires)
    {
        right &= json_object_get(expected, group) != NULL;
    }
    return right;
}

static void swap(struct sequence *sequence, size_t at)
{
    size_t first = sequence->order[at];

    sequence->order[at] = sequence->order[at + 1];
    sequence->order[at + 1] = first;
}

/* In how many orders of arrival it turns out otherwise. */
static unsigned play_all(struct sequence *sequence, const json_t *expected)
{
    unsigned wrong = 0;

    if (!play(sequence, expected)) {
        print_error("%s\n", sequence->name);
        wrong++;
    }
    for (size_t i = 0; i + 1 < sequence->count; i++) {
        swap(sequence, i);
        if (!play(sequence, expected)) {
            print_error("%s, when event %zu comes before the one before\n", sequence->name, i + 1);
            wrong++;
        }
        swap(sequence, i);
    }
    return wrong;
}

static struct ruleset *load(const char *rules)
{
    CLEANUP(diag_list_deinit) struct diag_list diags = {0};
    CLEANUP(buffer_deinit) struct buffer told = {0};
    struct rule_source source = {.path = "rules.yml", .content = text_from(rules)};
    struct ruleset *ruleset = NULL;
    int r = ruleset_load(&source, 1, &diags, &ruleset);

    diag_render_all(&diags, false, &told);
    if (r < 0)
        print_error("%s", buffer_string(&told));
    assert_int_equal(r, 0);
    return ruleset;
}

static unsigned check_line(struct text line)
{
    static struct sequence sequence;
    CLEANUP(json_freep) json_t *root = NULL;
    CLEANUP(json_freep) json_t *fired = json_object();
    struct json_failure failure;

    assert_int_equal(json_parse(line, &root, &failure), 0);
    const json_t *events = json_object_get(root, "events");

    sequence = (struct sequence){.name = json_string_value(json_object_get(root, "name")),
                                 .ruleset = load(json_string_value(json_object_get(root, "rules"))),
                                 .count = json_array_size(events),
                                 .fired = fired};
    assert_in_range(sequence.count, 1, EVENTS_MAX);
    for (size_t i = 0; i < sequence.count; i++) {
        make(json_array_get(events, i), &sequence.subjects[i]);
        sequence.order[i] = i;
    }
    unsigned wrong = play_all(&sequence, json_object_get(root, "fires"));

    ruleset_free(sequence.ruleset);
    return wrong;
}

static void test_vectors(void **state)
{
    CLEANUP(fclosep) FILE *file = corpus_open("correlation-vectors.jsonl");
    static char line[LINE_MAX_BYTES];
    unsigned vectors = 0, wrong = 0;

    for (; fgets(line, LINE_MAX_BYTES, file); vectors++)
        wrong += check_line(text_from(line));
    assert_int_equal(wrong, 0);
    assert_true(vectors >= 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
