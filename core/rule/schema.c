#include "rule/schema.h"

#include <errno.h>

#include "base/cleanup.h"
#include "event/event.h"
#include "rule/correlation.h"
#include "rule/draft.h"
#include "rule/modifier.h"

#define TYPES (TYPE_FLAGS + 1)

/* ECMA-262 patterns. A text that begins with '$' may name a list. */
#define LIST "\\$[A-Za-z_][A-Za-z0-9_-]*"

/* What is a boolean to us and a text to an editor's YAML 1.2. */
#define BOOLEAN  "[Yy]es|YES|[Oo]n|ON|[Nn]o|NO|[Oo]ff|OFF"
#define DURATION "([0-9]+(ns|us|ms|s|m|h|d))+"
#define TIME     "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
#define INTEGER  "[+-]?(0[xX][0-9A-Fa-f]+|[0-9]+)"
#define TIMESPAN "0*[1-9][0-9]*[smhdwMy]"
#define SIZE     "[0-9]+(B|kB|KB|MB|GB|KiB|MiB|GiB)"

/* Up to ANCESTOR_MAX. */
#define NUMBERED  "ancestor\\[0*([1-9]|[1-5][0-9]|6[0-4])\\]"
#define OWNER     "(parent|ancestor|" NUMBERED ")"
#define ONE_OWNER "(parent|" NUMBERED ")"

/* Not below a second, nor beyond what days alone say. */
#define WINDOW                                                 \
    "(?=.*[1-9])(?![0-9]{1,9}ns$|[0-9]{1,6}us$|[0-9]{1,3}ms$|" \
    "(3[1-9]|[4-9][0-9]|[1-9][0-9]{2,})d$)"

/* Values that are texts or something else; PATTERN is what the texts among them are like. */
static const struct scalar {
    const char *name, *other, *pattern;
} scalars[] = {
    {"text", "number", ""},
    {"number", "integer", "[0-9.\\[\\\\]|^" LIST "$"},
    {"boolean", "boolean", "^(" BOOLEAN "|" LIST ")$"},
    {"time", "integer", "[0-9\\\\.]|^" LIST "$"},
    {"moment", NULL, TIME "|^" LIST "$"},
    {"duration", "integer", "^(0|" DURATION "|" LIST ")$"},
    {"quantity", "integer", "^(" INTEGER "|" SIZE "|" LIST ")$"},
};
#define SCALARS (sizeof scalars / sizeof *scalars)

static json_t *reference(const char *front, const char *back)
{
    return json_pack("{s:s++}", "$ref", "#/definitions/", front, back);
}

static json_t *list_of(json_t *items, int least)
{
    return json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", least, "items", items);
}

/* A map of these keys and no other. */
static json_t *closed_map(json_t *properties, json_t *patterns)
{
    return json_pack("{s:s, s:o, s:o*, s:b}", "type", "object", "properties", properties,
                     "patternProperties", patterns, "additionalProperties", 0);
}

/* A map of any names, each with such a value. */
static json_t *open_map(json_t *value)
{
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", value);
}

static json_t *either(json_t *one, json_t *other)
{
    return json_pack("{s:[o, o]}", "anyOf", one, other);
}

static json_t *one_of_names(const char *(*name)(int index), int count)
{
    json_t *names = json_array();

    for (int i = 0; i < count; i++)
        json_array_append_new(names, json_string(name(i)));
    return json_pack("{s:o}", "enum", names);
}

static const char *severity_at(int index)
{
    return severity_name((enum severity)index);
}

static const char *event_at(int index)
{
    return event_type_name((enum event_type)index);
}

/* NAME.one is a value, NAME one or a list of them, as a key of a selection takes it. */
static void add_scalar(json_t *definitions, const struct scalar *scalar)
{
    bool of_any = *scalar->pattern == '\0';
    json_t *one =
        json_pack("{s:[s, s*, s*]}", "type", "string", scalar->other, of_any ? "boolean" : NULL);
    char name[32];

    if (!of_any)
        json_object_set_new(one, "pattern", json_string(scalar->pattern));
    if (strcmp(scalar->name, "duration") == 0)
        json_object_set_new(one, "maximum", json_integer(0));
    snprintf(name, sizeof name, "%s.one", scalar->name);
    json_object_set_new(definitions, name, one);
    json_object_set_new(definitions, scalar->name,
                        either(reference(name, ""), list_of(reference(name, ""), 1)));
}

/* What a key without a modifier takes. */
static const char *scalar_of(enum field_type type)
{
    static const char *const names[TYPES] = {
        [TYPE_NUMBER] = "number",
        [TYPE_BOOL] = "boolean",
        [TYPE_TIME] = "time",
        [TYPE_DURATION] = "duration",
    };

    return type < TYPES && names[type] ? names[type] : "text";
}

/* What it takes with one that makes other VALUES. */
static const char *scalar_with(enum field_type type, enum modifier_values values)
{
    switch (values) {
    case MODIFIER_VALUES_BOOLEAN:
        return "boolean";
    case MODIFIER_VALUES_ORDERED:
        return type == TYPE_NUMBER ? "quantity" : type == TYPE_TIME ? "moment" : scalar_of(type);
    case MODIFIER_VALUES_TEXT:
        return "text";
    case MODIFIER_VALUES_FIELD:
        return "field";
    default:
        return scalar_of(type);
    }
}

/* Puts NAME as a pattern, behind a '|' when it is not the first. */
static void put_choice(struct buffer *out, const char *name, bool *first)
{
    if (!*first)
        buffer_put_char(out, '|');
    *first = false;
    for (; *name; name++) {
        if (*name == '.')
            buffer_put_char(out, '\\');
        buffer_put_char(out, *name);
    }
}

/* Puts the names of fields, those of a process or the others; false when there are none. TYPE: of
 * that one, or (TYPES) of any. */
static bool put_names(struct buffer *out, unsigned type, bool process)
{
    bool first = true;

    for (size_t i = 0; i < FIELD_COUNT; i++)
        if ((type == TYPES || field_catalogue[i].type == type) &&
            (field_catalogue[i].scope == SCOPE_PROCESS) == process)
            put_choice(out, field_catalogue[i].name, &first);
    return !first;
}

/* Puts a pattern for the fields of TYPE (or TYPES), asked of whom OWNERS matches. */
static void put_fields(struct buffer *out, unsigned type, const char *owners)
{
    size_t begin = out->len + 1, before;

    buffer_printf(out, "((%s\\.)?(", owners);
    if (put_names(out, type, true))
        buffer_put_char(out, ')');
    else
        out->len = begin;
    if (type == TYPE_TEXT || type == TYPES)
        buffer_printf(out, "|%s", owners);
    before = out->len;
    if (before > begin)
        buffer_put_char(out, '|');
    if (!put_names(out, type, false))
        out->len = before;
    buffer_put_char(out, ')');
}

/* Puts the modifiers that TYPE takes and that make such VALUES; FIRST: none stands before them. */
static bool put_modifiers(struct buffer *out, unsigned type, enum modifier_values values,
                          bool *first)
{
    const struct modifier *modifier;
    bool found = false;

    for (size_t i = 0; (modifier = modifier_at(MODIFIER_NATIVE, i)); i++) {
        if (modifier_values(modifier) != values || !(modifier->types & 1U << type))
            continue;
        put_choice(out, modifier->name, first);
        found = true;
    }
    return found;
}

/* Puts "(\|(is|...))*": those that leave values as they are, and with TEXTS those that take any. */
static void put_more(struct buffer *out, unsigned type, bool texts)
{
    bool first = true;

    buffer_put_string(out, "(\\|(");
    put_modifiers(out, type, MODIFIER_VALUES_SAME, &first);
    if (texts)
        put_modifiers(out, type, MODIFIER_VALUES_TEXT, &first);
    buffer_put_string(out, "))*");
}

/* The keys of a selection that ask a field of TYPE with modifiers that make VALUES. */
static void add_pattern(json_t *patterns, enum field_type type, enum modifier_values values)
{
    CLEANUP(buffer_deinit) struct buffer pattern = {0};
    bool found = true, first = true;

    buffer_put_char(&pattern, '^');
    put_fields(&pattern, type, OWNER);
    put_more(&pattern, type, values == MODIFIER_VALUES_FIELD);
    if (values != MODIFIER_VALUES_SAME) {
        buffer_put_string(&pattern, "\\|(");
        found = put_modifiers(&pattern, type, values, &first);
        buffer_put_char(&pattern, ')');
        put_more(&pattern, type, true);
    }
    buffer_put_char(&pattern, '$');
    if (found)
        json_object_set_new(patterns, buffer_string(&pattern),
                            reference(scalar_with(type, values), ""));
}

/* PROPERTIES: the field, with what it says for those who hover over it. */
static void add_field(json_t *properties, const char *owner, const struct field *field,
                      json_t *value)
{
    char name[96], said[512];

    snprintf(name, sizeof name, "%s%s", owner, field->name);
    snprintf(said, sizeof said, "%s%s%s", field->help, *field->unit ? "; in " : "", field->unit);
    json_object_set_new(properties, name,
                        json_pack("{s:s, s:[o]}", "description", said, "allOf", value));
}

/* A map of a selection. All names of fields are there as properties, which editors complete. */
static json_t *make_fields(void)
{
    json_t *properties = json_object(), *patterns = json_object();

    json_object_set_new(properties, "macro",
                        json_pack("{s:s, s:[o]}", "description", "the name of a macro, or several",
                                  "allOf", reference("text", "")));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &field_catalogue[i];

        add_field(properties, "", field, reference(scalar_of(field->type), ""));
        if (field->scope == SCOPE_PROCESS)
            add_field(properties, "parent.", field, reference(scalar_of(field->type), ""));
    }
    for (unsigned type = 0; type < TYPES; type++)
        for (unsigned values = 0; values <= MODIFIER_VALUES_FIELD; values++)
            add_pattern(patterns, (enum field_type)type, (enum modifier_values)values);
    json_t *map = closed_map(properties, patterns);

    json_object_set_new(map, "minProperties", json_integer(1));
    return map;
}

/* What a field of TYPE has in a test. */
static json_t *make_value(enum field_type type)
{
    static const char *const patterns[TYPES] = {
        [TYPE_NUMBER] = "^" INTEGER "$",
        [TYPE_BOOL] = "^(" BOOLEAN ")$",
        [TYPE_TIME] = TIME,
        [TYPE_DURATION] = "^(" INTEGER "|" DURATION ")$",
    };
    static const char *const others[TYPES] = {
        [TYPE_NUMBER] = "integer", [TYPE_BOOL] = "boolean", [TYPE_DURATION] = "integer"};

    if (type == TYPE_TEXT)
        return either(reference("text.one", ""), json_pack("{s:s}", "type", "null"));
    if (type == TYPE_TEXT_LIST || type == TYPE_FLAGS)
        return json_pack("{s:[s, s], s:o}", "type", "array", "null", "items",
                         reference("text.one", ""));
    return json_pack("{s:[s, s, s*], s:s}", "type", "string", "null", others[type], "pattern",
                     patterns[type]);
}

/* The event of a test, or (PROCESS) one of the processes above it. */
static json_t *make_event(bool process)
{
    json_t *properties = json_object(), *patterns = json_object();

    json_object_set_new(properties, "parent",
                        either(reference("text.one", ""), reference("test.process", "")));
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!process || field_catalogue[i].scope == SCOPE_PROCESS)
            add_field(properties, "", &field_catalogue[i], make_value(field_catalogue[i].type));
    for (unsigned type = 0; type < TYPES; type++) {
        CLEANUP(buffer_deinit) struct buffer pattern = {0};

        buffer_put_string(&pattern, "^" ONE_OWNER "\\.(");
        bool found = put_names(&pattern, type, true);

        buffer_put_string(&pattern, ")$");
        if (found)
            json_object_set_new(patterns, buffer_string(&pattern),
                                make_value((enum field_type)type));
    }
    json_object_set_new(patterns, "^" NUMBERED "$", reference("text.one", ""));
    return closed_map(properties, patterns);
}

/* What happens in a test: an event, or (SEQUENCES) also several in turn. */
static json_t *make_happening(bool sequences)
{
    json_t *event = reference("test.event", "");

    return sequences ? either(event, list_of(reference("test.event", ""), 0)) : event;
}

static json_t *make_tests(bool sequences)
{
    json_t *kinds = json_pack("{s:o, s:o}", "alerts", make_happening(sequences), "quiet",
                              make_happening(sequences));
    json_t *test = closed_map(kinds, NULL);

    json_object_set_new(test, "minProperties", json_integer(1));
    json_object_set_new(test, "maxProperties", json_integer(1));
    return list_of(test, 0);
}

static json_t *make_suppress(void)
{
    json_t *suppress =
        closed_map(json_pack("{s:o, s:{s:s, s:s}}", "by", reference("field", ""), "for", "type",
                             "string", "pattern", "^" WINDOW DURATION "$"),
                   NULL);

    json_object_set_new(suppress, "required", json_pack("[s]", "for"));
    return suppress;
}

/* The names of fields that have one value: of the event, its process or a known ancestor. */
static void add_field_names(json_t *definitions)
{
    CLEANUP(buffer_deinit) struct buffer pattern = {0};

    buffer_put_char(&pattern, '^');
    put_fields(&pattern, TYPES, ONE_OWNER);
    buffer_put_char(&pattern, '$');
    json_object_set_new(
        definitions, "field.one",
        json_pack("{s:s, s:s}", "type", "string", "pattern", buffer_string(&pattern)));
    json_object_set_new(definitions, "field",
                        either(reference("field.one", ""), list_of(reference("field.one", ""), 0)));
}

static json_t *make_shape(enum rule_shape shape)
{
    switch (shape) {
    case RULE_ID:
        return json_pack("{s:[s, s], s:s}", "type", "string", "integer", "pattern",
                         "^(?!picket\\.)[A-Za-z0-9._-]+$");
    case RULE_TEXTS:
        return list_of(reference("text.one", ""), 0);
    case RULE_NAMES:
        return list_of(reference("text.one", ""), 1);
    case RULE_SEVERITY:
        return one_of_names(severity_at, SEVERITIES);
    case RULE_EVENT:
        return one_of_names(event_at, EVENT_TYPES);
    case RULE_SELECTION:
        return reference("selection", "");
    case RULE_SELECTIONS:
        return open_map(reference("selection", ""));
    case RULE_SUPPRESS:
        return make_suppress();
    case RULE_BOOLEAN:
        return json_pack("{s:[s, s], s:s}", "type", "boolean", "string", "pattern",
                         "^(" BOOLEAN ")$");
    case RULE_TESTS:
        return make_tests(false);
    default:
        return json_pack("{s:[s, s, s, s], s:i}", "type", "string", "number", "boolean", "null",
                         "minLength", 1);
    }
}

static json_t *make_keys(bool overriding)
{
    json_t *properties = json_object();
    struct rule_key key;

    for (size_t i = 0; draft_describe(i, &key); i++) {
        if (overriding && !key.overridable)
            continue;
        json_object_set_new(
            properties, key.name,
            json_pack("{s:s, s:[o]}", "description", key.help, "allOf", make_shape(key.shape)));
    }
    return closed_map(properties, NULL);
}

static json_t *make_rule(void)
{
    json_t *rule = make_keys(false);

    json_object_set_new(rule, "required", json_pack("[s]", "id"));
    json_object_set_new(
        rule, "oneOf",
        json_pack("[{s:[s]}, {s:[s, s]}]", "required", "match", "required", "where", "condition"));
    json_object_set_new(rule, "dependencies",
                        json_pack("{s:[s], s:[s]}", "where", "condition", "condition", "where"));
    return rule;
}

static json_t *make_override(void)
{
    json_t *changes = make_keys(true);

    json_object_set_new(changes, "minProperties", json_integer(1));
    return changes;
}

static const char *correlation_type_at(int index)
{
    return correlation_type_name((enum correlation_type)index);
}

/* A text or a list of them. */
static json_t *make_names(void)
{
    return either(reference("text.one", ""), list_of(reference("text.one", ""), 1));
}

/* What a group must hold. */
static json_t *make_threshold(void)
{
    static const char *const operators[] = {"gt", "gte", "lt", "lte", "eq", "neq"};
    json_t *properties = json_pack("{s:o, s:{s:s, s:i, s:i}}", "field", make_names(), "percentile",
                                   "type", "number", "minimum", 0, "maximum", 100);

    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        json_object_set_new(properties, operators[i],
                            json_pack("{s:[s, s], s:s}", "type", "number", "string", "pattern",
                                      "^(" SIZE "|" DURATION ")$|" TIME));
    return closed_map(properties, NULL);
}

static json_t *make_correlation(void)
{
    json_t *properties = json_pack(
        "{s:o, s:o, s:o, s:{s:s, s:s}, s:o, s:o, s:o}", "type",
        one_of_names(correlation_type_at, CORRELATION_TYPES), "rules", make_names(), "group-by",
        make_names(), "timespan", "type", "string", "pattern", "^" TIMESPAN "$", "condition",
        either(json_pack("{s:s, s:i}", "type", "string", "minLength", 1), make_threshold()),
        "aliases", open_map(open_map(reference("text.one", ""))), "generate",
        make_shape(RULE_BOOLEAN));
    json_t *map = closed_map(properties, NULL);

    json_object_set_new(map, "required", json_pack("[s, s]", "type", "timespan"));
    json_object_set_new(map, "if",
                        json_pack("{s:[s], s:{s:{s:s}}}", "required", "type", "properties", "type",
                                  "pattern", "^(event|value)_"));
    json_object_set_new(map, "then", json_pack("{s:[s]}", "required", "condition"));
    return map;
}

/* Sigma's keys that mean something here, and those of native rules; others are let be. */
static json_t *make_correlation_document(void)
{
    static const char *const texts[] = {"title", "name", "description", "author", "status"};
    static const char *const lists[] = {"tags", "references", "falsepositives"};
    json_t *properties = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "correlation", make_correlation(), "id",
        make_shape(RULE_ID), "level", make_shape(RULE_SEVERITY), "message", make_shape(RULE_TEXT),
        "suppress", make_shape(RULE_SUPPRESS), "outputs", make_shape(RULE_NAMES), "enabled",
        make_shape(RULE_BOOLEAN), "tests", make_tests(true));

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(properties, texts[i], make_shape(RULE_TEXT));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        json_object_set_new(properties, lists[i], make_shape(RULE_TEXTS));
    return json_pack("{s:s, s:o}", "type", "object", "properties", properties);
}

static json_t *make_definitions(void)
{
    json_t *definitions = json_object();

    for (size_t i = 0; i < SCALARS; i++)
        add_scalar(definitions, &scalars[i]);
    add_field_names(definitions);
    json_object_set_new(definitions, "fields", make_fields());
    json_object_set_new(definitions, "selection",
                        either(reference("fields", ""), list_of(reference("fields", ""), 1)));
    json_object_set_new(definitions, "test.event", make_event(false));
    json_object_set_new(definitions, "test.process", make_event(true));
    json_object_set_new(definitions, "rule", make_rule());
    json_object_set_new(definitions, "override", make_override());
    json_object_set_new(definitions, "correlation", make_correlation_document());
    return definitions;
}

static json_t *make_document(void)
{
    return closed_map(json_pack("{s:o, s:o, s:o, s:o}", "rules", list_of(reference("rule", ""), 0),
                                "lists", open_map(list_of(reference("text.one", ""), 1)), "macros",
                                open_map(reference("selection", "")), "overrides",
                                open_map(reference("override", ""))),
                      NULL);
}

/* Sigma's rules and filters, which a file may hold as well, have a schema of their own. */
static json_t *make_any_document(void)
{
    return json_pack("{s:{s:[s]}, s:o, s:{s:{s:[{s:[s]}, {s:[s]}]}, s:b, s:o}}", "if", "required",
                     "correlation", "then", reference("correlation", ""), "else", "if", "anyOf",
                     "required", "detection", "required", "filter", "then", 1, "else",
                     make_document());
}

int schema_make(json_t **out)
{
    json_t *schema = json_pack("{s:s, s:s}", "$schema", "http://json-schema.org/draft-07/schema#",
                               "title", "picket rules");

    if (!schema || json_object_update_new(schema, make_any_document()) < 0 ||
        json_object_set_new(schema, "definitions", make_definitions()) < 0) {
        json_decref(schema);
        return -ENOMEM;
    }
    *out = schema;
    return 0;
}
