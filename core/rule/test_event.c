#include "rule/test_event.h"

#include "base/clock.h"
#include "rule/field_key.h"

struct building {
    struct compiler *compiler;
    const char *scope;
    struct event *event;
    struct machine *host;                        /* made when asked for */
    struct process *processes[ANCESTOR_MAX + 1]; /* by generation; made when asked for */
};

static void *allocate(struct compiler *compiler, size_t size)
{
    void *memory = arena_alloc(&compiler->ruleset->arena, size);

    if (!memory)
        compiler->failed = true;
    return memory;
}

/* The process of that generation, with all between it and the event's own. */
static struct process *process_at(struct building *building, unsigned generation)
{
    for (unsigned i = 0; i <= generation; i++) {
        if (building->processes[i])
            continue;
        building->processes[i] = allocate(building->compiler, sizeof(struct process));
        if (!building->processes[i])
            return NULL;
        if (i > 0)
            building->processes[i - 1]->parent = building->processes[i];
        else
            building->event->process = building->processes[0];
    }
    return building->processes[generation];
}

static struct machine *host_of(struct building *building)
{
    if (!building->host)
        building->host = allocate(building->compiler, sizeof *building->host);
    building->event->host = building->host;
    return building->host;
}

static void diagnose_value(struct building *building, const struct yaml_node *key,
                           const struct yaml_node *value, const struct field *field)
{
    diag_error(building->compiler->diags, value->mark, "bad-value", "'%.*s' in a test must be a %s",
               TEXT_ARG(key->text), field_type_name(field->type));
}

static struct text keep_text(struct building *building, struct text text)
{
    struct text kept = arena_text(&building->compiler->ruleset->arena, text);

    if (!kept.ptr)
        building->compiler->failed = true;
    return kept;
}

/* A list of texts as a TEXT_LIST. */
static bool read_list(struct building *building, const struct yaml_node *value, struct text *out)
{
    CLEANUP(buffer_deinit) struct buffer joined = {0};

    if (value->kind != YAML_LIST)
        return false;
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i]->kind != YAML_SCALAR)
            return false;
        buffer_put_text(&joined, value->items[i]->text);
        buffer_put_char(&joined, '\0');
    }
    building->compiler->failed |= buffer_failed(&joined);
    *out = keep_text(building, buffer_text(&joined));
    return true;
}

static bool read_flags(const struct yaml_node *value, const struct field *field, int64_t *out)
{
    if (value->kind != YAML_LIST)
        return false;
    *out = 0;
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->kind != YAML_SCALAR ||
            flag_names_read(flag_names_of(field->id), value->items[i]->text, out) < 0)
            return false;
    return true;
}

static bool read_number(const struct yaml_node *value, enum field_type type, int64_t *out)
{
    if (value->kind != YAML_SCALAR)
        return false;
    if (type == TYPE_TIME)
        return time_parse(value->text, out) == 0;
    if (text_to_int(value->text, out) == 0)
        return true;
    return type == TYPE_DURATION && text_to_duration(value->text, out) == 0;
}

/* Sets the member of OBJECT (an event, a machine or a process) that FIELD is. */
static bool set_member(struct building *building, void *object, const struct field *field,
                       const struct yaml_node *value)
{
    void *member = (char *)object + field->offset;

    switch (field->type) {
    case TYPE_TEXT:
        if (value->kind != YAML_SCALAR)
            return false;
        *(struct text *)member = keep_text(building, value->text);
        return true;
    case TYPE_TEXT_LIST:
        return read_list(building, value, member);
    case TYPE_BOOL:
        return yaml_is_bool(value, member);
    case TYPE_FLAGS:
        return read_flags(value, field, member);
    default:
        return read_number(value, field->type, member);
    }
}

/* What has the field, and in *HAS that it does; NULL: out of memory. */
static void *owner_of(struct building *building, const struct field_ref *ref,
                      struct field_set **has)
{
    struct process *process;
    struct machine *host;

    switch (ref->field->scope) {
    case SCOPE_HOST:
        host = host_of(building);
        *has = host ? &host->has : NULL;
        return host;
    case SCOPE_PROCESS:
        process = process_at(building, ref->generation);
        *has = process ? &process->has : NULL;
        return process;
    case SCOPE_EVENT:
        break;
    }
    *has = &building->event->has;
    return building->event;
}

static void set_field(struct building *building, const struct yaml_node *key,
                      const struct yaml_node *value, const struct field_ref *ref)
{
    struct event *event = building->event;
    struct field_set *has;
    void *object = owner_of(building, ref, &has);

    if (!object || yaml_is_null(value))
        return;
    if (!set_member(building, object, ref->field, value) ||
        (ref->field->id == FIELD_TYPE && event_type_parse(event->type_name, &event->type) < 0)) {
        diagnose_value(building, key, value, ref->field);
        return;
    }
    field_set_add(has, ref->field->id);
}

static void read_map(struct building *building, const struct yaml_node *map, unsigned generation);

static void read_pair(struct building *building, const struct yaml_node *key,
                      const struct yaml_node *value, unsigned generation)
{
    struct compiler *compiler = building->compiler;
    struct field_ref ref;

    if (value->kind == YAML_MAP && text_is(key->text, "parent") && generation < ANCESTOR_MAX) {
        read_map(building, value, generation + 1);
        return;
    }
    if (!field_name_read(compiler, building->scope, key, key->text, &ref))
        return;
    if (ref.owner == OWNER_ANY_ANCESTOR) {
        diag_error(compiler->diags, key->mark, "bad-field",
                   "a test must say which ancestor has '%.*s', as in ancestor[2].%s",
                   TEXT_ARG(key->text), ref.field->name);
        return;
    }
    ref.generation += generation;
    if (ref.generation > ANCESTOR_MAX || (generation && ref.field->scope != SCOPE_PROCESS))
        diag_error(compiler->diags, key->mark, "bad-field", "'%.*s' cannot be given to an ancestor",
                   TEXT_ARG(key->text));
    else
        set_field(building, key, value, &ref);
}

static void read_map(struct building *building, const struct yaml_node *map, unsigned generation)
{
    for (size_t i = 0; i < map->count; i++)
        read_pair(building, map->keys[i], map->items[i], generation);
}

static void read_event(struct compiler *compiler, const char *scope, const struct yaml_node *map,
                       struct event *event)
{
    struct building building = {.compiler = compiler, .scope = scope, .event = event};

    process_at(&building, 0);
    read_map(&building, map, 0);
    for (unsigned i = 0; i <= ANCESTOR_MAX && building.processes[i]; i++)
        compiler->failed |= process_derive(building.processes[i], &compiler->ruleset->arena) < 0;
    event->type_name = text_from(event_type_name(event->type));
    field_set_add(&event->has, FIELD_TYPE);
    if (!field_set_has(&event->has, FIELD_IS_EXIT)) {
        event->is_exit = event->type == EVENT_EXIT;
        field_set_add(&event->has, FIELD_IS_EXIT);
    }
    if (event->type == EVENT_EXEC)
        field_set_add(&event->has, FIELD_RETVAL);
}

/* A map: one event; of a correlation, also a list of them, in the order they come. */
static bool read_events(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                        const struct rule *rule, struct rule_test *test)
{
    bool list = rule->correlation && node->kind == YAML_LIST;
    size_t count = list ? node->count : 1;
    struct event *events = allocate(compiler, (count + 1) * sizeof *events);

    for (size_t i = 0; events && i < count; i++) {
        const struct yaml_node *map = list ? node->items[i] : node;

        if (map->kind != YAML_MAP) {
            diag_error(compiler->diags, map->mark, "bad-test",
                       rule->correlation
                           ? "a test of a correlation is a list of events, each a "
                             "map of fields and their values"
                           : "'alerts' and 'quiet' take a map of fields and their values");
            return false;
        }
        events[i].type = rule->on;
        read_event(compiler, scope, map, &events[i]);
    }
    test->events = events;
    test->event_count = count;
    return events;
}

/* False when NODE is no test. */
static bool read_test(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                      const struct rule *rule, struct rule_test *test)
{
    const struct yaml_node *key = node->kind == YAML_MAP && node->count == 1 ? node->keys[0] : NULL;
    bool alerts = key && text_is(key->text, "alerts");

    if (!key || (!alerts && !text_is(key->text, "quiet"))) {
        static const char *const names[] = {"alerts", "quiet"};

        diag_error(compiler->diags, key ? key->mark : node->mark, "bad-test",
                   "a test is either 'alerts: {...}' or 'quiet: {...}'%s",
                   diag_hint(compiler->diags, key ? text_nearest(key->text, names, 2) : NULL));
        return false;
    }
    test->mark = compiler_keep_mark(compiler, key->mark);
    test->alerts = alerts;
    return read_events(compiler, scope, node->items[0], rule, test);
}

void test_events_read(struct compiler *compiler, const char *scope, const struct yaml_node *node,
                      struct rule *rule)
{
    if (node->kind != YAML_LIST) {
        diag_error(compiler->diags, node->mark, "wrong-type", "'tests' must be a list");
        return;
    }
    struct rule_test *tests = allocate(compiler, (node->count + 1) * sizeof *tests);

    for (size_t i = 0; tests && i < node->count; i++)
        rule->test_count +=
            read_test(compiler, scope, node->items[i], rule, &tests[rule->test_count]);
    rule->tests = tests;
}
