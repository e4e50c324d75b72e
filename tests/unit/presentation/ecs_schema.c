#include <string.h>

#include "alert_schemas.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum kind { KEYWORD, LONG, DATE, KEYWORDS /* a list: "this field should contain an array" */ };

static const struct field {
    const char *name;
    enum kind kind;
    bool required;
} fields[] = {
    {"@timestamp", DATE, true},
    {"ecs.version", KEYWORD, true},
    {"message", KEYWORD, false},
    {"tags", KEYWORDS, false},
    {"event.kind", KEYWORD, true},
    {"event.category", KEYWORDS, true},
    {"event.type", KEYWORDS, true},
    {"event.action", KEYWORD, false},
    {"event.outcome", KEYWORD, false},
    {"event.duration", LONG, false},
    {"event.id", KEYWORD, true},
    {"event.severity", LONG, false},
    {"event.module", KEYWORD, false},
    {"event.dataset", KEYWORD, false},
    {"event.start", DATE, false},
    {"error.code", KEYWORD, false},
    {"rule.id", KEYWORD, false},
    {"rule.name", KEYWORD, false},
    {"rule.description", KEYWORD, false},
    {"rule.author", KEYWORDS, false},
    {"rule.reference", KEYWORD, false},
    {"host.name", KEYWORD, true},
    {"host.hostname", KEYWORD, true},
    {"host.id", KEYWORD, false},
    {"host.architecture", KEYWORD, false},
    {"host.os.platform", KEYWORD, false},
    {"host.os.version", KEYWORD, false},
    {"host.os.kernel", KEYWORD, false},
    {"host.os.type", KEYWORD, true},
    {"threat.framework", KEYWORD, false},
    {"threat.tactic.id", KEYWORDS, false},
    {"threat.tactic.name", KEYWORDS, false},
    {"threat.technique.id", KEYWORDS, false},
    {"threat.technique.subtechnique.id", KEYWORDS, false},
    {"container.id", KEYWORD, false},
    {"container.runtime", KEYWORD, false},
    {"user.id", KEYWORD, false},
    {"user.name", KEYWORD, false},
    {"user.group.id", KEYWORD, false},
    {"user.group.name", KEYWORD, false},
    {"user.effective.id", KEYWORD, false},
    {"user.effective.name", KEYWORD, false},
    {"related.hosts", KEYWORDS, false},
    {"related.user", KEYWORDS, false},
};

/* Of a process, and of its parent. */
static const struct field process_fields[] = {
    {"entity_id", KEYWORD, false},
    {"pid", LONG, false},
    {"name", KEYWORD, false},
    {"executable", KEYWORD, false},
    {"hash.sha256", KEYWORD, false},
    {"args", KEYWORDS, false},
    {"args_count", LONG, false},
    {"command_line", KEYWORD, false},
    {"env_vars", KEYWORDS, false},
    {"working_directory", KEYWORD, false},
    {"start", DATE, false},
    {"end", DATE, false},
    {"exit_code", LONG, false},
    {"user.id", KEYWORD, false},
    {"user.name", KEYWORD, false},
    {"real_user.id", KEYWORD, false},
    {"real_user.name", KEYWORD, false},
    {"saved_user.id", KEYWORD, false},
    {"group.id", KEYWORD, false},
    {"real_group.id", KEYWORD, false},
    {"real_group.name", KEYWORD, false},
    {"saved_group.id", KEYWORD, false},
    {"group_leader.pid", LONG, false},
    {"session_leader.pid", LONG, false},
};

static bool is_of(const json_t *value, enum kind kind)
{
    int64_t time;

    switch (kind) {
    case KEYWORD:
        return json_is_string(value);
    case LONG:
        return json_is_integer(value);
    case DATE:
        return json_is_string(value) && time_parse(json_as_text(value), &time) == 0;
    case KEYWORDS:
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!json_is_string(json_array_get(value, i)))
                return false;
        return json_array_size(value) > 0;
    }
    return false;
}

static const struct field *find(const char *name, const struct field *table, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

static const struct field *find_field(const char *name)
{
    if (strncmp(name, "process.", 8) != 0)
        return find(name, fields, sizeof fields / sizeof *fields);
    name += strncmp(name, "process.parent.", 15) == 0 ? 15 : 8;
    return find(name, process_fields, sizeof process_fields / sizeof *process_fields);
}

static void check_member(const char *name, const json_t *value, struct buffer *out)
{
    const struct field *field = find_field(name);

    if (!field)
        buffer_printf(out, "%s: no such field\n", name);
    else if (!is_of(value, field->kind))
        buffer_printf(out, "%s: of another type\n", name);
}

static void check_members(const char *front, const json_t *object, struct buffer *out)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        CLEANUP(buffer_deinit) struct buffer name = {0};

        buffer_printf(&name, "%s%s%s", front, *front ? "." : "", key);
        if (strcmp(buffer_string(&name), "picket") == 0)
            continue; /* our own */
        if (json_is_object(value))
            check_members(buffer_string(&name), value, out);
        else
            check_member(buffer_string(&name), value, out);
    }
}

static const json_t *at(const json_t *document, const char *path)
{
    for (struct text rest = text_from(path), name; document && rest.ptr;) {
        name = text_split(&rest, '.');
        document = json_object_getn(document, name.ptr, name.len);
    }
    return document;
}

/* "start" is a type of the category "process", and so on. */
static bool fits(const char *category, const char *type)
{
    static const char *const allowed[][2] = {
        {"process", "start"}, {"process", "end"}, {"process", "info"}, {"host", "info"}};

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(allowed[i][0], category) == 0 && strcmp(allowed[i][1], type) == 0)
            return true;
    return false;
}

static void check_words(const json_t *document, struct buffer *out)
{
    const char *kind = json_string_value(at(document, "event.kind"));
    const char *category = json_string_value(json_array_get(at(document, "event.category"), 0));
    const char *type = json_string_value(json_array_get(at(document, "event.type"), 0));
    const char *outcome = json_string_value(at(document, "event.outcome"));

    if (!kind || strcmp(kind, at(document, "rule.id") ? "alert" : "event") != 0)
        buffer_put_string(out, "event.kind is not alert, or event without a rule\n");
    if (!category || !type || !fits(category, type))
        buffer_put_string(out, "event.type is none of event.category\n");
    if (outcome && strcmp(outcome, "success") != 0 && strcmp(outcome, "failure") != 0)
        buffer_put_string(out, "event.outcome is neither\n");
}

void ecs_check(const json_t *document, struct buffer *out)
{
    check_members("", document, out);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].required && !at(document, fields[i].name))
            buffer_printf(out, "%s is missing\n", fields[i].name);
    check_words(document, out);
}
