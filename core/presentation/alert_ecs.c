#include "presentation/alert_ecs.h"

#include "presentation/alert_mapping.h"
#include "presentation/alert_tree.h"
#include "presentation/attack_tag.h"

/* What an event has and the fields of a process it becomes. */
static const struct mapping process_items[] = {
    {"pid", "pid", MAPPING_AS_IS},
    {"comm", "name", MAPPING_AS_IS},
    {"exe", "executable", MAPPING_AS_IS},
    {"exe.sha256", "hash.sha256", MAPPING_AS_IS},
    {"argv", "args", MAPPING_AS_IS},
    {"argc", "args_count", MAPPING_AS_IS},
    {"cmdline", "command_line", MAPPING_AS_IS},
    {"env", "env_vars", MAPPING_AS_IS},
    {"cwd", "working_directory", MAPPING_AS_IS},
    {"start_time", "start", MAPPING_AS_IS},
    {"exit.code", "exit_code", MAPPING_AS_IS},
    {"euid", "user.id", MAPPING_TEXT},
    {"euser", "user.name", MAPPING_AS_IS},
    {"uid", "real_user.id", MAPPING_TEXT},
    {"user", "real_user.name", MAPPING_AS_IS},
    {"suid", "saved_user.id", MAPPING_TEXT},
    {"egid", "group.id", MAPPING_TEXT},
    {"gid", "real_group.id", MAPPING_TEXT},
    {"group", "real_group.name", MAPPING_AS_IS},
    {"sgid", "saved_group.id", MAPPING_TEXT},
    {"pgid", "group_leader.pid", MAPPING_AS_IS},
    {"sid", "session_leader.pid", MAPPING_AS_IS},
};

/* ... and those beside the process. */
static const struct mapping event_items[] = {
    {"uid", "user.id", MAPPING_TEXT},
    {"user", "user.name", MAPPING_AS_IS},
    {"gid", "user.group.id", MAPPING_TEXT},
    {"group", "user.group.name", MAPPING_AS_IS},
    {"euid", "user.effective.id", MAPPING_TEXT},
    {"euser", "user.effective.name", MAPPING_AS_IS},
    {"container.id", "container.id", MAPPING_AS_IS},
    {"container.runtime", "container.runtime", MAPPING_AS_IS},
    {"error", "error.code", MAPPING_AS_IS},
};

/* All of these, and what the alert says already: the rest of an event is picket's own. */
static const struct mapping told_items[] = {
    {"pid", "", MAPPING_NONE},          {"comm", "", MAPPING_NONE},
    {"exe", "", MAPPING_NONE},          {"exe.sha256", "", MAPPING_NONE},
    {"argv", "", MAPPING_NONE},         {"argc", "", MAPPING_NONE},
    {"cmdline", "", MAPPING_NONE},      {"env", "", MAPPING_NONE},
    {"cwd", "", MAPPING_NONE},          {"start_time", "", MAPPING_NONE},
    {"exit.code", "", MAPPING_NONE},    {"euid", "", MAPPING_NONE},
    {"euser", "", MAPPING_NONE},        {"uid", "", MAPPING_NONE},
    {"user", "", MAPPING_NONE},         {"suid", "", MAPPING_NONE},
    {"egid", "", MAPPING_NONE},         {"gid", "", MAPPING_NONE},
    {"group", "", MAPPING_NONE},        {"sgid", "", MAPPING_NONE},
    {"pgid", "", MAPPING_NONE},         {"sid", "", MAPPING_NONE},
    {"container.id", "", MAPPING_NONE}, {"container.runtime", "", MAPPING_NONE},
    {"error", "", MAPPING_NONE},        {"type", "", MAPPING_NONE},
    {"time", "", MAPPING_NONE},         {"is_exit", "", MAPPING_NONE},
    {"duration", "", MAPPING_NONE},     {"host", "", MAPPING_NONE},
};

/* An ancestor beyond the parent, for which there is no field. */
static const struct mapping ancestor_items[] = {
    {"pid", "pid", MAPPING_AS_IS},          {"comm", "name", MAPPING_AS_IS},
    {"exe", "executable", MAPPING_AS_IS},   {"cmdline", "command_line", MAPPING_AS_IS},
    {"start_time", "start", MAPPING_AS_IS},
};

static const struct mapping rule_items[] = {
    {"rule.id", "rule.id", MAPPING_AS_IS},
    {"rule.title", "rule.name", MAPPING_AS_IS},
    {"rule.description", "rule.description", MAPPING_AS_IS},
    {"rule.references.0", "rule.reference", MAPPING_AS_IS},
};

/* Of what says where it happened: an alert, or an event by itself. */
static const struct mapping host_items[] = {
    {"host.name", "host.name", MAPPING_AS_IS},
    {"host.name", "host.hostname", MAPPING_AS_IS},
    {"host.id", "host.id", MAPPING_AS_IS},
    {"host.arch", "host.architecture", MAPPING_AS_IS},
    {"host.os", "host.os.platform", MAPPING_AS_IS},
    {"host.os.version", "host.os.version", MAPPING_AS_IS},
    {"host.kernel", "host.os.kernel", MAPPING_AS_IS},
};

/* What there is no field for, beside the event's own. */
static const struct mapping own_items[] = {
    {"rule.severity", "picket.severity", MAPPING_AS_IS},
    {"rule.references", "picket.references", MAPPING_AS_IS},
    {"rule.false_positives", "picket.false_positives", MAPPING_AS_IS},
    {"host.filters", "picket.filters", MAPPING_AS_IS},
    {"engine", "picket.engine", MAPPING_AS_IS},
    {"folded", "picket.folded", MAPPING_AS_IS},
    {"matched", "picket.matched", MAPPING_AS_IS},
    {"matched_truncated", "picket.matched_truncated", MAPPING_AS_IS},
    {"detail", "picket.detail", MAPPING_AS_IS},
    {"redacted", "picket.redacted", MAPPING_AS_IS},
};

static const struct mapping_table process_table = MAPPING_TABLE(process_items);
static const struct mapping_table event_table = MAPPING_TABLE(event_items);
static const struct mapping_table told_table = MAPPING_TABLE(told_items);
static const struct mapping_table ancestor_table = MAPPING_TABLE(ancestor_items);
static const struct mapping_table rule_table = MAPPING_TABLE(rule_items);
static const struct mapping_table host_table = MAPPING_TABLE(host_items);
static const struct mapping_table own_table = MAPPING_TABLE(own_items);

static bool is(const json_t *value, const char *word)
{
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

static void put_list_of_one(struct nest *nest, const char *path, struct text word)
{
    if (!word.ptr)
        return;
    nest_key(nest, path);
    json_begin(nest->json, '[');
    json_text(nest->json, word);
    json_end(nest->json, ']');
}

/* event.*: the words that ECS allows for kind, category, type and outcome. */
static void put_event_kind(struct nest *nest, const json_t *event, bool is_alert)
{
    const json_t *type = json_object_get(event, "type");
    bool ended = is(type, "exit"), failed = is(type, "exec_failed");

    nest_text(nest, "event.kind", is_alert ? TEXT("alert") : TEXT("event"));
    put_list_of_one(nest, "event.category", event ? TEXT("process") : TEXT("host"));
    put_list_of_one(nest, "event.type",
                    !event  ? TEXT("info")
                    : ended ? TEXT("end")
                            : TEXT("start"));
    if (!event)
        return;
    nest_put(nest, "event.action", type, MAPPING_TEXT);
    if (!ended)
        nest_text(nest, "event.outcome", failed ? TEXT("failure") : TEXT("success"));
    nest_put(nest, "event.duration", json_object_get(event, "duration"), MAPPING_AS_IS);
}

static void put_event(struct nest *nest, const json_t *tree, const struct picket_alert *alert)
{
    const json_t *event = json_object_get(tree, "event");
    bool is_alert = alert->kind == PICKET_KIND_ALERT;

    put_event_kind(nest, event, is_alert);
    nest_put(nest, "event.id", json_object_get(tree, "id"), MAPPING_AS_IS);
    if (is_alert)
        nest_int(nest, "event.severity", alert->severity);
    nest_text(nest, "event.module", TEXT("picket"));
    nest_text(nest, "event.dataset", is_alert ? TEXT("picket.alert") : TEXT("picket.event"));
    nest_put(nest, "event.start", alert_tree_find(tree, TEXT("folded.since")), MAPPING_AS_IS);
}

/* An object a tactic or a technique: threat.tactic and the like may be lists. */
static void put_tactics(struct nest *nest, const json_t *tags)
{
    static const char *const paths[] = {"threat.tactic.id", "threat.tactic.name"};
    struct attack_tag tag;

    for (size_t part = 0; part < 2; part++) {
        bool begun = false;

        for (size_t i = 0; i < json_array_size(tags); i++) {
            const json_t *item = json_array_get(tags, i);

            if (!json_is_string(item) || !attack_tag_read(json_as_text(item), &tag) || !tag.tactic)
                continue;
            if (!begun) {
                nest_key(nest, paths[part]);
                json_begin(nest->json, '[');
            }
            begun = true;
            json_text(nest->json, text_from(part ? tag.tactic_name : tag.tactic));
        }
        if (begun)
            json_end(nest->json, ']');
    }
}

static void put_techniques(struct nest *nest, const json_t *tags, bool sub, const char *path)
{
    struct attack_tag tag;
    bool begun = false;

    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *item = json_array_get(tags, i);

        if (!json_is_string(item) || !attack_tag_read(json_as_text(item), &tag) || tag.tactic ||
            (sub && !tag.sub_technique[0]))
            continue;
        if (!begun) {
            nest_key(nest, path);
            json_begin(nest->json, '[');
        }
        begun = true;
        json_text(nest->json, text_from(sub ? tag.sub_technique : tag.technique));
    }
    if (begun)
        json_end(nest->json, ']');
}

static bool has_attack(const json_t *tags)
{
    struct attack_tag tag;

    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *item = json_array_get(tags, i);

        if (json_is_string(item) && attack_tag_read(json_as_text(item), &tag))
            return true;
    }
    return false;
}

static void put_threat(struct nest *nest, const json_t *tags)
{
    if (!has_attack(tags))
        return;
    nest_text(nest, "threat.framework", TEXT("MITRE ATT&CK"));
    put_tactics(nest, tags);
    put_techniques(nest, tags, false, "threat.technique.id");
    put_techniques(nest, tags, true, "threat.technique.subtechnique.id");
}

static void put_process(struct json_writer *json, const json_t *process, struct text host)
{
    const json_t *parent = json_object_get(process, "parent");
    struct nest nest = {.json = json};

    json_begin(json, '{');
    mapping_put_process_id(&nest, "entity_id", host, process);
    mapping_put(&process_table, process, &nest);
    if (is(json_object_get(process, "type"), "exit"))
        nest_put(&nest, "end", json_object_get(process, "time"), MAPPING_AS_IS);
    nest_close(&nest);
    if (json_is_object(parent)) {
        json_key(json, TEXT("parent"));
        json_begin(json, '{');
        mapping_put_process_id(&nest, "entity_id", host, parent);
        mapping_put(&process_table, parent, &nest);
        nest_close(&nest);
        json_end(json, '}');
    }
    json_end(json, '}');
}

static void put_ancestors(struct nest *nest, const json_t *event)
{
    const json_t *ancestor = alert_tree_find(event, TEXT("parent.parent"));

    if (!json_is_object(ancestor))
        return;
    nest_key(nest, "picket.ancestors");
    json_begin(nest->json, '[');
    for (; json_is_object(ancestor); ancestor = json_object_get(ancestor, "parent")) {
        struct nest inner = {.json = nest->json};

        json_begin(nest->json, '{');
        mapping_put(&ancestor_table, ancestor, &inner);
        nest_close(&inner);
        json_end(nest->json, '}');
    }
    json_end(nest->json, ']');
}

static void put_related(struct nest *nest, const json_t *event, struct text host)
{
    static const char *const keys[] = {"user", "euser", "loginuser"};
    const json_t *seen[3];
    size_t count = 0;

    put_list_of_one(nest, "related.hosts", host);
    for (size_t i = 0; i < 3; i++) {
        const json_t *user = json_object_get(event, keys[i]);
        bool again = !json_is_string(user);

        for (size_t k = 0; k < count && !again; k++)
            again = json_equal(seen[k], user);
        if (!again)
            seen[count++] = user;
    }
    if (count == 0)
        return;
    nest_key(nest, "related.user");
    json_begin(nest->json, '[');
    for (size_t i = 0; i < count; i++)
        json_text(nest->json, json_as_text(seen[i]));
    json_end(nest->json, ']');
}

static void put_correlated(struct json_writer *json, const json_t *list, struct text host);

/* An event that contributed, or a correlation that did, with its own. */
static void put_correlated_event(struct json_writer *json, const json_t *item, struct text host)
{
    const json_t *event = json_object_get(item, "event");
    struct text own = alert_tree_text(event, TEXT("host.name"));
    struct nest nest = {.json = json};

    json_begin(json, '{');
    nest_put(&nest, "@timestamp", json_object_get(item, "time"), MAPPING_AS_IS);
    nest_put(&nest, "rule.id", json_object_get(item, "rule"), MAPPING_AS_IS);
    nest_put(&nest, "rule.name", json_object_get(item, "title"), MAPPING_AS_IS);
    nest_put(&nest, "group", json_object_get(item, "group"), MAPPING_AS_IS);
    if (json_is_object(event)) {
        nest_key(&nest, "process");
        put_process(json, event, own.ptr ? own : host);
        mapping_put(&event_table, event, &nest);
        mapping_put(&host_table, event, &nest);
    }
    nest_close(&nest);
    put_correlated(json, json_object_get(item, "events"), host);
    json_end(json, '}');
}

static void put_correlated(struct json_writer *json, const json_t *list, struct text host)
{
    if (!json_is_array(list))
        return;
    json_key(json, TEXT("events"));
    json_begin(json, '[');
    for (size_t i = 0; i < json_array_size(list); i++)
        put_correlated_event(json, json_array_get(list, i), host);
    json_end(json, ']');
}

static void put_correlation(struct nest *nest, const json_t *correlation, struct text host)
{
    const char *key;
    json_t *value;

    if (!json_is_object(correlation))
        return;
    nest_key(nest, "picket.correlation");
    json_begin(nest->json, '{');
    json_object_foreach((json_t *)correlation, key, value)
    {
        if (strcmp(key, "events") == 0)
            continue;
        json_key(nest->json, text_from(key));
        nest->json->buffer->failed |= json_tree(nest->json, value) < 0;
    }
    put_correlated(nest->json, json_object_get(correlation, "events"), host);
    json_end(nest->json, '}');
}

void alert_ecs_put(const json_t *tree, const struct picket_alert *alert, struct json_writer *json)
{
    const json_t *event = json_object_get(tree, "event");
    const json_t *tags = alert_tree_find(tree, TEXT("rule.tags"));
    struct text host = text_from(alert->host);
    struct nest nest = {.json = json};

    json_begin(json, '{');
    nest_put(&nest, "@timestamp", json_object_get(tree, "time"), MAPPING_AS_IS);
    nest_text(&nest, "ecs.version", TEXT(ECS_VERSION));
    nest_put(&nest, "message", json_object_get(tree, "message"), MAPPING_AS_IS);
    nest_put(&nest, "tags", tags, MAPPING_AS_IS);
    put_event(&nest, tree, alert);
    put_list_of_one(&nest, "rule.author", alert_tree_text(tree, TEXT("rule.author")));
    mapping_put(&rule_table, tree, &nest);
    mapping_put(&host_table, tree, &nest);
    nest_text(&nest, "host.os.type", TEXT("linux"));
    put_threat(&nest, tags);
    if (event) {
        nest_key(&nest, "process");
        put_process(json, event, host);
        mapping_put(&event_table, event, &nest);
    }
    put_related(&nest, event, host);
    mapping_put(&own_table, tree, &nest);
    put_correlation(&nest, json_object_get(tree, "correlation"), host);
    put_ancestors(&nest, event);
    mapping_put_rest(&told_table, event, &nest, "picket.event");
    nest_close(&nest);
    json_end(json, '}');
}
