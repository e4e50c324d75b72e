#include "presentation/alert_ocsf.h"

#include "base/clock.h"
#include "presentation/alert_mapping.h"
#include "presentation/alert_tree.h"
#include "presentation/attack_tag.h"

/* Numbers of the schema. */
enum {
    ACTIVITY_CREATE = 1,
    CATEGORY_FINDINGS = 2,
    CLASS_DETECTION_FINDING = 2004,
    STATUS_NEW = 1,
    ANALYTIC_RULE = 1,
    DEVICE_UNKNOWN = 0,
    FILE_REGULAR = 1,
    HASH_SHA256 = 3,
    OS_LINUX = 200,
};

static const struct mapping process_items[] = {
    {"pid", "pid", MAPPING_AS_IS},
    {"comm", "name", MAPPING_AS_IS},
    {"cmdline", "cmd_line", MAPPING_AS_IS},
    {"cwd", "working_directory", MAPPING_AS_IS},
    {"start_time", "created_time", MAPPING_MILLISECONDS},
    {"uid", "user.uid", MAPPING_TEXT},
    {"user", "user.name", MAPPING_AS_IS},
    {"container.id", "container.uid", MAPPING_AS_IS},
    {"container.runtime", "container.runtime", MAPPING_AS_IS},
};

static const struct mapping file_items[] = {
    {"exe", "file.name", MAPPING_FILE_NAME},
    {"exe", "file.path", MAPPING_AS_IS},
    {"exe.size", "file.size", MAPPING_AS_IS},
    {"exe.mtime", "file.modified_time", MAPPING_MILLISECONDS},
    {"exe.deleted", "file.is_deleted", MAPPING_AS_IS},
    {"exe.uid", "file.owner.uid", MAPPING_TEXT},
    {"exe.owner", "file.owner.name", MAPPING_AS_IS},
};

/* All of these: the rest of an event is unmapped. */
static const struct mapping told_items[] = {
    {"pid", "", MAPPING_NONE},         {"comm", "", MAPPING_NONE},
    {"cmdline", "", MAPPING_NONE},     {"cwd", "", MAPPING_NONE},
    {"start_time", "", MAPPING_NONE},  {"uid", "", MAPPING_NONE},
    {"user", "", MAPPING_NONE},        {"container.id", "", MAPPING_NONE},
    {"exe", "", MAPPING_NONE},         {"container.runtime", "", MAPPING_NONE},
    {"exe.size", "", MAPPING_NONE},    {"exe.mtime", "", MAPPING_NONE},
    {"exe.deleted", "", MAPPING_NONE}, {"exe.uid", "", MAPPING_NONE},
    {"exe.owner", "", MAPPING_NONE},   {"exe.sha256", "", MAPPING_NONE},
    {"env", "", MAPPING_NONE},         {"time", "", MAPPING_NONE},
};

static const struct mapping entity_items[] = {
    {"pid", "pid", MAPPING_AS_IS},
    {"comm", "name", MAPPING_AS_IS},
    {"exe", "path", MAPPING_AS_IS},
    {"cmdline", "cmd_line", MAPPING_AS_IS},
    {"start_time", "created_time", MAPPING_MILLISECONDS},
};

static const struct mapping finding_items[] = {
    {"id", "finding_info.uid", MAPPING_AS_IS},
    {"rule.title", "finding_info.title", MAPPING_AS_IS},
    {"rule.description", "finding_info.desc", MAPPING_AS_IS},
    {"rule.references.0", "finding_info.src_url", MAPPING_AS_IS},
    {"rule.id", "finding_info.analytic.uid", MAPPING_AS_IS},
    {"rule.title", "finding_info.analytic.name", MAPPING_AS_IS},
};

static const struct mapping unmapped_items[] = {
    {"rule.tags", "unmapped.rule.tags", MAPPING_AS_IS},
    {"rule.author", "unmapped.rule.author", MAPPING_AS_IS},
    {"rule.references", "unmapped.rule.references", MAPPING_AS_IS},
    {"rule.false_positives", "unmapped.rule.false_positives", MAPPING_AS_IS},
    {"host.filters", "unmapped.host.filters", MAPPING_AS_IS},
    {"matched", "unmapped.matched", MAPPING_AS_IS},
    {"matched_truncated", "unmapped.matched_truncated", MAPPING_AS_IS},
    {"folded", "unmapped.folded", MAPPING_AS_IS},
    {"detail", "unmapped.detail", MAPPING_AS_IS},
    {"redacted", "unmapped.redacted", MAPPING_AS_IS},
    {"correlation.type", "unmapped.correlation.type", MAPPING_AS_IS},
    {"correlation.timespan", "unmapped.correlation.timespan", MAPPING_AS_IS},
    {"correlation.group", "unmapped.correlation.group", MAPPING_AS_IS},
    {"correlation.count", "unmapped.correlation.count", MAPPING_AS_IS},
    {"correlation.value", "unmapped.correlation.value", MAPPING_AS_IS},
    {"correlation.omitted", "unmapped.correlation.omitted", MAPPING_AS_IS},
};

static const struct mapping_table process_table = MAPPING_TABLE(process_items);
static const struct mapping_table file_table = MAPPING_TABLE(file_items);
static const struct mapping_table told_table = MAPPING_TABLE(told_items);
static const struct mapping_table entity_table = MAPPING_TABLE(entity_items);
static const struct mapping_table finding_table = MAPPING_TABLE(finding_items);
static const struct mapping_table unmapped_table = MAPPING_TABLE(unmapped_items);

static void put_classes(struct nest *nest, const struct picket_alert *alert)
{
    static const char *const words[] = {"Informational", "Low", "Medium", "High", "Critical"};
    int severity = alert->severity;

    nest_int(nest, "activity_id", ACTIVITY_CREATE);
    nest_text(nest, "activity_name", TEXT("Create"));
    nest_int(nest, "category_uid", CATEGORY_FINDINGS);
    nest_text(nest, "category_name", TEXT("Findings"));
    nest_int(nest, "class_uid", CLASS_DETECTION_FINDING);
    nest_text(nest, "class_name", TEXT("Detection Finding"));
    nest_int(nest, "type_uid", CLASS_DETECTION_FINDING * 100 + ACTIVITY_CREATE);
    nest_text(nest, "type_name", TEXT("Detection Finding: Create"));
    if (severity < PICKET_INFORMATIONAL || severity > PICKET_CRITICAL)
        severity = PICKET_INFORMATIONAL;
    nest_int(nest, "severity_id", severity + 1);
    nest_text(nest, "severity", text_from(words[severity]));
    nest_int(nest, "status_id", STATUS_NEW);
    nest_text(nest, "status", TEXT("New"));
    nest_key(nest, "is_alert");
    json_bool(nest->json, true);
}

/* An alert that stands for others says how many, and since when. */
static void put_times(struct nest *nest, const json_t *tree, const struct picket_alert *alert)
{
    const json_t *folded = json_object_get(tree, "folded");

    nest_int(nest, "time", alert->time / NS_PER_MS);
    if (!json_is_object(folded))
        return;
    nest_put(nest, "count", json_object_get(folded, "count"), MAPPING_AS_IS);
    nest_put(nest, "start_time", json_object_get(folded, "since"), MAPPING_MILLISECONDS);
    nest_int(nest, "end_time", alert->time / NS_PER_MS);
}

static void put_metadata(struct nest *nest, const json_t *tree)
{
    bool contained = alert_tree_find(tree, TEXT("event.container.id"));

    nest_text(nest, "metadata.version", TEXT(OCSF_VERSION));
    nest_text(nest, "metadata.product.name", TEXT("picket"));
    nest_text(nest, "metadata.product.vendor_name", TEXT("picket"));
    nest_text(nest, "metadata.product.version", TEXT(PICKET_VERSION));
    nest_put(nest, "metadata.uid", json_object_get(tree, "id"), MAPPING_AS_IS);
    nest_key(nest, "metadata.profiles");
    json_begin(nest->json, '[');
    json_text(nest->json, TEXT("host"));
    if (contained)
        json_text(nest->json, TEXT("container"));
    json_end(nest->json, ']');
}

static void put_device(struct nest *nest, const json_t *tree)
{
    nest_put(nest, "device.hostname", alert_tree_find(tree, TEXT("host.name")), MAPPING_AS_IS);
    nest_int(nest, "device.type_id", DEVICE_UNKNOWN);
    nest_text(nest, "device.type", TEXT("Unknown"));
    nest_text(nest, "device.os.name", TEXT("Linux"));
    nest_int(nest, "device.os.type_id", OS_LINUX);
    nest_text(nest, "device.os.type", TEXT("Linux"));
    nest_put(nest, "device.os.kernel_release", alert_tree_find(tree, TEXT("host.kernel")),
             MAPPING_AS_IS);
}

static void put_attack(struct json_writer *json, const struct attack_tag *tag)
{
    struct nest nest = {.json = json};

    json_begin(json, '{');
    if (tag->tactic) {
        nest_text(&nest, "tactic.uid", text_from(tag->tactic));
        nest_text(&nest, "tactic.name", text_from(tag->tactic_name));
    } else {
        nest_text(&nest, "technique.uid", text_from(tag->technique));
        if (tag->sub_technique[0])
            nest_text(&nest, "sub_technique.uid", text_from(tag->sub_technique));
    }
    nest_close(&nest);
    json_end(json, '}');
}

static void put_attacks(struct nest *nest, const json_t *tags)
{
    bool begun = false;

    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *item = json_array_get(tags, i);
        struct attack_tag tag;

        if (!json_is_string(item) || !attack_tag_read(json_as_text(item), &tag))
            continue;
        if (!begun) {
            nest_key(nest, "finding_info.attacks");
            json_begin(nest->json, '[');
        }
        begun = true;
        put_attack(nest->json, &tag);
    }
    if (begun)
        json_end(nest->json, ']');
}

static void put_finding(struct nest *nest, const json_t *tree, const struct picket_alert *alert)
{
    const json_t *correlation = json_object_get(tree, "correlation");

    mapping_put(&finding_table, tree, nest);
    nest_int(nest, "finding_info.analytic.type_id", ANALYTIC_RULE);
    nest_text(nest, "finding_info.analytic.type", TEXT("Rule"));
    nest_int(nest, "finding_info.created_time", alert->time / NS_PER_MS);
    nest_put(nest, "finding_info.first_seen_time",
             alert_tree_find(correlation, TEXT("events.0.time")), MAPPING_MILLISECONDS);
    nest_put(nest, "finding_info.related_events_count", json_object_get(correlation, "count"),
             MAPPING_AS_IS);
    put_attacks(nest, alert_tree_find(tree, TEXT("rule.tags")));
}

static void put_file(struct nest *nest, const json_t *process)
{
    struct text hash = alert_tree_text(process, TEXT("exe.sha256"));

    if (!json_is_string(json_object_get(process, "exe")))
        return;
    nest_int(nest, "file.type_id", FILE_REGULAR);
    nest_text(nest, "file.type", TEXT("Regular File"));
    if (hash.ptr) {
        struct nest inner = {.json = nest->json};

        nest_key(nest, "file.hashes");
        json_begin(nest->json, '[');
        json_begin(nest->json, '{');
        nest_int(&inner, "algorithm_id", HASH_SHA256);
        nest_text(&inner, "algorithm", TEXT("SHA-256"));
        nest_text(&inner, "value", hash);
        json_end(nest->json, '}');
        json_end(nest->json, ']');
    }
    mapping_put(&file_table, process, nest);
}

static void put_environment(struct nest *nest, const json_t *list)
{
    if (json_array_size(list) == 0)
        return;
    nest_key(nest, "environment_variables");
    json_begin(nest->json, '[');
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct nest inner = {.json = nest->json};
        const json_t *item = json_array_get(list, i);
        struct text value = json_is_string(item) ? json_as_text(item) : TEXT("");
        struct text name = text_split(&value, '=');

        json_begin(nest->json, '{');
        nest_text(&inner, "name", name);
        nest_text(&inner, "value", value.ptr ? value : TEXT(""));
        json_end(nest->json, '}');
    }
    json_end(nest->json, ']');
}

static void put_ancestry(struct nest *nest, const json_t *parent, struct text host)
{
    if (!json_is_object(parent))
        return;
    nest_key(nest, "ancestry");
    json_begin(nest->json, '[');
    for (; json_is_object(parent); parent = json_object_get(parent, "parent")) {
        struct nest inner = {.json = nest->json};

        json_begin(nest->json, '{');
        mapping_put_process_id(&inner, "uid", host, parent);
        mapping_put(&entity_table, parent, &inner);
        nest_close(&inner);
        json_end(nest->json, '}');
    }
    json_end(nest->json, ']');
}

/* The members of a process: it needs a pid, or a uid. */
static void put_process_members(struct nest *nest, const json_t *process, struct text host)
{
    mapping_put_process_id(nest, "uid", host, process);
    mapping_put(&process_table, process, nest);
    put_file(nest, process);
    put_environment(nest, json_object_get(process, "env"));
}

static bool has_pid(const json_t *process)
{
    return json_is_integer(json_object_get(process, "pid"));
}

static void put_process(struct nest *nest, const char *path, const json_t *process,
                        struct text host)
{
    const json_t *parent = json_object_get(process, "parent");
    struct nest inner = {.json = nest->json};

    nest_key(nest, path);
    json_begin(nest->json, '{');
    put_process_members(&inner, process, host);
    if (text_equal(alert_tree_text(process, TEXT("type")), TEXT("exit")))
        nest_put(&inner, "terminated_time", json_object_get(process, "time"), MAPPING_MILLISECONDS);
    if (has_pid(parent)) {
        struct nest of_parent = {.json = nest->json};

        nest_key(&inner, "parent_process");
        json_begin(nest->json, '{');
        put_process_members(&of_parent, parent, host);
        nest_close(&of_parent);
        json_end(nest->json, '}');
    }
    put_ancestry(&inner, parent, host);
    nest_close(&inner);
    json_end(nest->json, '}');
}

/* Who did it: the parent, and the user of the process. */
static void put_actor(struct nest *nest, const json_t *event, struct text host)
{
    const json_t *parent = json_object_get(event, "parent");

    if (has_pid(parent)) {
        struct nest inner = {.json = nest->json};

        nest_key(nest, "actor.process");
        json_begin(nest->json, '{');
        put_process_members(&inner, parent, host);
        nest_close(&inner);
        json_end(nest->json, '}');
    }
    nest_put(nest, "actor.user.uid", json_object_get(event, "uid"), MAPPING_TEXT);
    nest_put(nest, "actor.user.name", json_object_get(event, "user"), MAPPING_AS_IS);
}

/* ITEM is what a correlation says of the event, or NULL. */
static void put_evidence(struct json_writer *json, const json_t *event, const json_t *item,
                         struct text host)
{
    struct nest nest = {.json = json};

    json_begin(json, '{');
    nest_put(&nest, "name", json_object_get(item, "rule"), MAPPING_AS_IS);
    nest_put(&nest, "data.title", json_object_get(item, "title"), MAPPING_AS_IS);
    nest_put(&nest, "data.time", json_object_get(item, "time"), MAPPING_AS_IS);
    /* One of a recording may have no pid, and so is no process for the schema. */
    if (!has_pid(event))
        nest_put(&nest, "data.event", event, MAPPING_AS_IS);
    put_actor(&nest, event, host);
    if (has_pid(event))
        put_process(&nest, "process", event, host);
    nest_close(&nest);
    json_end(json, '}');
}

/* The events of a correlation, and of those that contributed to it. */
static void put_contributors(struct json_writer *json, const json_t *list, struct text host)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *event = json_object_get(item, "event");

        if (json_is_object(event))
            put_evidence(json, event, item, host);
        put_contributors(json, json_object_get(item, "events"), host);
    }
}

static void put_evidences(struct nest *nest, const json_t *tree, struct text host)
{
    const json_t *event = json_object_get(tree, "event");

    if (!json_is_object(event))
        return;
    nest_key(nest, "evidences");
    json_begin(nest->json, '[');
    put_evidence(nest->json, event, NULL, host);
    put_contributors(nest->json, alert_tree_find(tree, TEXT("correlation.events")), host);
    json_end(nest->json, ']');
}

void alert_ocsf_put(const json_t *tree, const struct picket_alert *alert, struct json_writer *json)
{
    struct text host = text_from(alert->host);
    struct nest nest = {.json = json};

    json_begin(json, '{');
    put_classes(&nest, alert);
    put_times(&nest, tree, alert);
    nest_put(&nest, "message", json_object_get(tree, "message"), MAPPING_AS_IS);
    put_metadata(&nest, tree);
    put_finding(&nest, tree, alert);
    put_device(&nest, tree);
    put_evidences(&nest, tree, host);
    mapping_put(&unmapped_table, tree, &nest);
    mapping_put_rest(&told_table, json_object_get(tree, "event"), &nest, "unmapped.event");
    nest_close(&nest);
    json_end(json, '}');
}
