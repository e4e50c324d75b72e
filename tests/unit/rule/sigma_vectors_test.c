/* Every conformance vector of PICKET_CORPUS/sigma-vectors.jsonl: a rule, events in Sigma's names,
 * and for each whether it matches; and rules that must be refused. */
#include "rule_fixture.h"

#include <stdlib.h>

#include "../corpus.h"
#include "base/json.h"
#include "rule/sigma_field.h"

#define LINE_MAX_BYTES (1 << 20)

struct vector {
    const char *name;
    struct load load;
    const json_t *events, *expected;
};

/* What one event is made of. */
struct subject {
    struct event event;
    struct process self, parent;
};

static void set(struct process *process, const struct field *field, const json_t *value)
{
    char *member = (char *)process + field->offset;
    int64_t number = json_integer_value(value);

    if (field->type == TYPE_TEXT) {
        assert_true(json_is_string(value));
        *(struct text *)(void *)member = json_as_text(value);
    } else {
        assert_int_equal(field->type, TYPE_NUMBER);
        if (json_is_string(value))
            assert_int_equal(text_to_int(json_as_text(value), &number), 0);
        *(int64_t *)(void *)member = number;
    }
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

        assert_true(sigma_field_find(SIGMA_PROCESS, text_from(name), &field));
        set(field.refs[0].owner == OWNER_SELF ? &out->self : &out->parent, field.refs[0].field,
            value);
    }
}

/* By the index and by evaluating all, which is to be the same. */
static bool matches(const struct vector *vector, const struct event *event)
{
    CLEANUP(matcher_freep) struct matcher *matcher = NULL;
    const struct rule *const *hits;

    if (!vector->load.ruleset)
        return false;
    assert_int_equal(matcher_new(vector->load.ruleset, &matcher), 0);
    size_t indexed = matcher_match(matcher, event, &hits);

    assert_int_equal(indexed, matcher_match_plainly(matcher, event, &hits));
    return indexed > 0;
}

/* How many of the events turn out otherwise. */
static unsigned check_events(const struct vector *vector)
{
    unsigned wrong = 0;

    assert_int_equal(json_array_size(vector->events), json_array_size(vector->expected));
    for (size_t i = 0; i < json_array_size(vector->events); i++) {
        struct subject subject;
        bool expected = json_is_true(json_array_get(vector->expected, i));

        make(json_array_get(vector->events, i), &subject);
        if (matches(vector, &subject.event) == expected)
            continue;
        print_error("%s: event %zu should %smatch\n", vector->name, i, expected ? "" : "not ");
        wrong++;
    }
    return wrong;
}

/* A rule that is not loaded matches nothing; only a mistake of the rule refuses it. */
static bool is_refused(const struct load *load)
{
    for (size_t i = 0; i < load->diags.count; i++)
        if (load->diags.items[i].severity == DIAG_ERROR &&
            strcmp(load->diags.items[i].code, "no-rules") != 0)
            return true;
    return false;
}

struct tally {
    unsigned vectors, refusals, wrong;
};

static void check_line(struct text line, struct tally *tally)
{
    CLEANUP(json_freep) json_t *root = NULL;
    struct json_failure failure;

    assert_int_equal(json_parse(line, &root, &failure), 0);
    struct vector vector = {.name = json_string_value(json_object_get(root, "name")),
                            .load = load_text(json_string_value(json_object_get(root, "rule"))),
                            .events = json_object_get(root, "events"),
                            .expected = json_object_get(root, "expect")};
    bool refuse = json_is_true(json_object_get(root, "reject"));

    if (is_refused(&vector.load) != refuse) {
        print_error("%s: should %sbe refused\n", vector.name, refuse ? "" : "not ");
        print_diags(&vector.load);
        tally->wrong++;
    } else if (!refuse && check_events(&vector) > 0) {
        tally->wrong++;
    }
    tally->vectors += !refuse;
    tally->refusals += refuse;
    load_deinit(&vector.load);
}

static void test_vectors(void **state)
{
    CLEANUP(fclosep) FILE *file = corpus_open("sigma-vectors.jsonl");
    static char line[LINE_MAX_BYTES];
    struct tally tally = {0};

    while (fgets(line, LINE_MAX_BYTES, file))
        check_line(text_from(line), &tally);
    assert_int_equal(tally.wrong, 0);
    assert_true(tally.vectors >= 88);
    assert_true(tally.refusals >= 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
