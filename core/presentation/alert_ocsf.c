#include "presentation/alert_ocsf.h"

#include "base/clock.h"
#include "presentation/alert_mapping.h"
#include "presentation/alert_tree.h"
#include "presentation/attack_tag.h"
#include "presentation/ocsf_process.h"

/* Numbers of the schema. */
enum {
    ACTIVITY_CREATE = 1,
    ACTIVITY_LAUNCH = 1,
    ACTIVITY_TERMINATE = 2,
    CATEGORY_SYSTEM = 1,
    CLASS_PROCESS_ACTIVITY = 1007,
    SEVERITY_INFORMATIONAL = 1,
    STATUS_SUCCESS = 1,
    STATUS_FAILURE = 2,
    CATEGORY_FINDINGS = 2,
    CLASS_DETECTION_FINDING = 2004,
    STATUS_NEW = 1,
    ANALYTIC_RULE = 1,
    DEVICE_UNKNOWN = 0,
    OS_LINUX = 200,
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
    {"host", "", MAPPING_NONE},
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
    {"host.arch", "unmapped.host.arch", MAPPING_AS_IS},
    {"host.filters", "unmapped.host.filters", MAPPING_AS_IS},
    {"engine", "unmapped.engine", MAPPING_AS_IS},
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

static const struct mapping_table told_table = MAPPING_TABLE(told_items);
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
    struct text os = alert_tree_text(tree, TEXT("host.os"));

    nest_put(nest, "device.hostname", alert_tree_find(tree, TEXT("host.name")), MAPPING_AS_IS);
    nest_int(nest, "device.type_id", DEVICE_UNKNOWN);
    nest_text(nest, "device.type", TEXT("Unknown"));
    nest_put(nest, "device.uid", alert_tree_find(tree, TEXT("host.id")), MAPPING_AS_IS);
    nest_text(nest, "device.os.name", os.ptr ? os : TEXT("Linux"));
    nest_int(nest, "device.os.type_id", OS_LINUX);
    nest_text(nest, "device.os.type", TEXT("Linux"));
    nest_put(nest, "device.os.version", alert_tree_find(tree, TEXT("host.os.version")),
             MAPPING_AS_IS);
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

/* ITEM is what a correlation says of the event, or NULL. */
static void put_evidence(struct json_writer *json, const json_t *event, const json_t *item,
                         struct text host)
{
    struct text own = alert_tree_text(event, TEXT("host.name"));
    struct nest nest = {.json = json};

    host = own.ptr ? own : host;

    json_begin(json, '{');
    nest_put(&nest, "name", json_object_get(item, "rule"), MAPPING_AS_IS);
    nest_put(&nest, "data.title", json_object_get(item, "title"), MAPPING_AS_IS);
    nest_put(&nest, "data.time", json_object_get(item, "time"), MAPPING_AS_IS);
    nest_text(&nest, "data.host", own);
    /* One of a recording may have no pid, and so is no process for the schema. */
    if (!ocsf_process_is(event))
        nest_put(&nest, "data.event", event, MAPPING_AS_IS);
    ocsf_actor_put(&nest, event, host);
    if (ocsf_process_is(event))
        ocsf_process_put(&nest, "process", event, host);
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

static void put_activity(struct nest *nest, const json_t *event)
{
    struct text type = alert_tree_text(event, TEXT("type"));
    bool ended = text_is(type, "exit"), failed = text_is(type, "exec_failed");
    int activity = ended ? ACTIVITY_TERMINATE : ACTIVITY_LAUNCH;

    nest_int(nest, "activity_id", activity);
    nest_text(nest, "activity_name", ended ? TEXT("Terminate") : TEXT("Launch"));
    nest_int(nest, "category_uid", CATEGORY_SYSTEM);
    nest_text(nest, "category_name", TEXT("System Activity"));
    nest_int(nest, "class_uid", CLASS_PROCESS_ACTIVITY);
    nest_text(nest, "class_name", TEXT("Process Activity"));
    nest_int(nest, "type_uid", CLASS_PROCESS_ACTIVITY * 100 + activity);
    nest_text(nest, "type_name",
              ended ? TEXT("Process Activity: Terminate") : TEXT("Process Activity: Launch"));
    nest_int(nest, "severity_id", SEVERITY_INFORMATIONAL);
    nest_text(nest, "severity", TEXT("Informational"));
    nest_int(nest, "status_id", failed ? STATUS_FAILURE : STATUS_SUCCESS);
    nest_text(nest, "status", failed ? TEXT("Failure") : TEXT("Success"));
    nest_put(nest, "status_code", json_object_get(event, "error"), MAPPING_AS_IS);
    nest_put(nest, "exit_code", alert_tree_find(event, TEXT("exit.code")), MAPPING_AS_IS);
}

static void put_event(const json_t *tree, const struct picket_alert *alert,
                      struct json_writer *json)
{
    const json_t *event = json_object_get(tree, "event");
    struct text host = text_from(alert->host);
    struct nest nest = {.json = json};

    json_begin(json, '{');
    put_activity(&nest, event);
    nest_int(&nest, "time", alert->time / NS_PER_MS);
    nest_put(&nest, "message", json_object_get(tree, "message"), MAPPING_AS_IS);
    put_metadata(&nest, tree);
    put_device(&nest, tree);
    ocsf_actor_put(&nest, event, host);
    if (ocsf_process_is(event))
        ocsf_process_put(&nest, "process", event, host);
    mapping_put(&unmapped_table, tree, &nest);
    mapping_put_rest(&told_table, event, &nest, "unmapped.event");
    nest_close(&nest);
    json_end(json, '}');
}

void alert_ocsf_put(const json_t *tree, const struct picket_alert *alert, struct json_writer *json)
{
    struct text host = text_from(alert->host);
    struct nest nest = {.json = json};

    if (alert->kind == PICKET_KIND_EVENT) {
        put_event(tree, alert, json);
        return;
    }
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
