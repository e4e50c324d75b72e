/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <string.h>

#include "alert_schemas.h"
#include "host/alert_batch.h"
#include "output/alert_queue.h"
#include "presentation/alert_tree.h"

#define HEAD                                                                                     \
    "{\"id\":\"01KDVP0M00PXGXM84F0AVV8SNA\",\"time\":\"2026-01-01T00:00:01.250000000Z\","        \
    "\"host\":{\"name\":\"web1\",\"id\":\"0a\",\"kernel\":\"6.1.0\",\"arch\":\"x86_64\",\"os\":" \
    "\"debian\",\"os.version\":\"12\",\"filters\":[\"x\"]},\"rule\":{\"id\":"                    \
    "\"a-rule\",\"title\":\"A rule\",\"severity\":\"high\",\"tags\":[\"attack.execution\","      \
    "\"attack.t1059.004\",\"attack.command-and-control\",\"attack.t1105\",\"cve.2024-1\"],"      \
    "\"description\":\"d\",\"author\":\"me\",\"references\":[\"https://x/1\",\"https://x/2\"],"  \
    "\"false_positives\":[\"f\"]},\"message\":\"the message\""

#define PROCESS                                                                                    \
    "\"start_time\":\"2026-01-01T00:00:00.500000000Z\",\"comm\":\"sh\",\"exe\":\"/usr/bin/sh\","   \
    "\"exe.size\":12,\"exe.mtime\":\"2025-01-01T00:00:00.000000000Z\",\"exe.mode\":\"0755\","      \
    "\"exe.uid\":0,\"exe.owner\":\"root\",\"exe.deleted\":false,\"exe.sha256\":\"00ff\",\"argv\":" \
    "[\"sh\",\"-c\",\"x\"],\"argc\":3,\"cmdline\":\"sh -c x\",\"env\":[\"A=b=c\",\"D=\"],\"cwd\":" \
    "\"/\",\"uid\":33,\"user\":\"www-data\",\"euid\":0,\"euser\":\"root\",\"suid\":0,\"gid\":33,"  \
    "\"group\":\"www-data\",\"egid\":0,\"sgid\":0,\"pgid\":9,\"sid\":8,\"cap\":{\"effective\":[]}" \
    ","                                                                                            \
    "\"cgroup\":{\"id\":1,\"path\":\"/x\"},\"container\":{\"id\":\"c1\",\"runtime\":\"docker\"}"

static const char exec_alert[] = HEAD
    ",\"matched\":[{\"field\":\"comm\",\"value\":\"sh\"}],\"event\":{\"type\":\"exec\",\"time\":"
    "\"2026-01-01T00:00:01.250000000Z\",\"is_exit\":false,\"pid\":10," PROCESS
    ",\"parent\":{\"pid\":9," PROCESS ",\"parent\":{\"pid\":8,\"comm\":\"nginx\",\"parent\":{"
    "\"comm\":\"init\"}}},\"meta\":{\"n\":1.5}}}";

static const char failed_alert[] =
    HEAD ",\"event\":{\"type\":\"exec_failed\",\"retval\":-2,\"error\":\"ENOENT\",\"filename\":"
         "\"/opt/x\",\"pid\":10}}";

static const char exit_alert[] = HEAD
    ",\"event\":{\"type\":\"exit\",\"time\":\"2026-01-01T00:00:01.250000000Z\",\"is_exit\":true,"
    "\"exit\":{\"code\":3,\"signal\":9},\"duration\":750,\"pid\":10," PROCESS "}}";

static const char bare_alert[] = HEAD ",\"event\":{\"type\":\"exec\",\"exe\":\"/x\"}}";

static const char own_alert[] =
    HEAD ",\"detail\":{\"kind\":\"lost\",\"count\":3,\"cpus\":[{\"cpu\":1}]}}";

static const char folded_alert[] =
    HEAD ",\"folded\":{\"count\":42,\"since\":\"2026-01-01T00:00:00.000000000Z\"},\"event\":{"
         "\"type\":\"exec\",\"pid\":10,\"comm\":\"x\"}}";

static const char correlated_alert[] = HEAD
    ",\"engine\":{\"name\":\"centre\",\"id\":\"0c\"},\"correlation\":{\"type\":\"temporal_"
    "ordered\",\"timespan\":60,\"group\":{\"parent.pid\":"
    "5},\"count\":3,\"omitted\":0,\"events\":[{\"rule\":\"first\",\"title\":\"First\",\"time\":"
    "\"2026-01-01T00:00:00.000000000Z\",\"event\":{\"type\":\"exec\",\"host\":{\"name\":\"web2\"},"
    "\"pid\":7," PROCESS
    "}},{\"rule\":\"inner\",\"title\":\"Inner\",\"time\":\"2026-01-01T00:00:00.500000000Z\","
    "\"group\":{\"user\":\"ann\"},\"events\":[{\"rule\":\"second\",\"title\":\"Second\","
    "\"time\":\"2026-01-01T00:00:00.500000000Z\",\"event\":{\"type\":\"exec\",\"comm\":\"y\"}}"
    "]}]},\"event\":{\"type\":\"exec\",\"pid\":10,\"comm\":\"x\"}}";

static const char *const all_alerts[] = {exec_alert, failed_alert, exit_alert,      bare_alert,
                                         own_alert,  folded_alert, correlated_alert};

#define EVENT_HEAD(type)                                                                       \
    "{\"type\":\"" type                                                                        \
    "\",\"time\":\"2026-01-01T00:00:01.250000000Z\",\"host\":{\"name\":\"web1\","              \
    "\"id\":\"0a\",\"kernel\":\"6.1.0\",\"arch\":\"x86_64\",\"os\":\"debian\",\"os.version\":" \
    "\"12\"},"
#define EVENT_TAIL ",\"origin\":{\"boot\":\"00007b1ce2f046aa\",\"cpu\":3,\"seq\":17}}"

static const char exec_event[] =
    EVENT_HEAD("exec") "\"pid\":10," PROCESS ",\"parent\":{\"pid\":9," PROCESS "}" EVENT_TAIL;
static const char exit_event[] =
    EVENT_HEAD("exit") "\"exit\":{\"code\":3},\"duration\":750,\"pid\":10," PROCESS EVENT_TAIL;
static const char failed_event[] =
    EVENT_HEAD("exec_failed") "\"error\":\"ENOENT\",\"pid\":10,\"uid\":1,"
                              "\"filename\":\"/opt/x\"" EVENT_TAIL;

static const char *const all_events[] = {exec_event, exit_event, failed_event};

#define ALERTS (sizeof all_alerts / sizeof *all_alerts)

/* A batch of one alert, as a host has it. */
struct scene {
    struct presentation *presentation;
    struct buffer payload;
    struct alert_batch batch;
    json_t *text; /* of the alert, parsed */
};

static void scene_deinit(struct scene *scene)
{
    json_decref(scene->text);
    alert_batch_deinit(&scene->batch);
    presentation_free(scene->presentation);
    buffer_deinit(&scene->payload);
}

static const struct picket_alert *present(struct scene *scene, const struct alert_look *look,
                                          const char *json)
{
    bool event = text_starts(text_from(json), TEXT("{\"type\""));
    const struct delivery_alert alert = {.id = TEXT("01KDVP0M00PXGXM84F0AVV8SNA"),
                                         .host = TEXT("web1"),
                                         .rule = event ? TEXT("") : TEXT("a-rule"),
                                         .title = event ? TEXT("") : TEXT("A rule"),
                                         .message = TEXT("the message"),
                                         .json = text_from(json),
                                         .time = 1767225601250000000,
                                         .severity = event ? PICKET_INFORMATIONAL : PICKET_HIGH,
                                         .kind = event ? PICKET_KIND_EVENT : PICKET_KIND_ALERT};
    struct presentation_mistake mistake;
    struct queued_alert *queued;

    assert_int_equal(0, presentation_new(look, &scene->presentation, &mistake));
    assert_int_equal(0, queued_alert_new(&alert, &queued));
    payload_put_i64(&scene->payload, 1);
    payload_put_u32(&scene->payload, 1);
    buffer_put_text(&scene->payload, queued_alert_bytes(queued));
    queued_alert_drop(queued);
    scene->batch.presentation = scene->presentation;
    assert_int_equal(0, alert_batch_read(&scene->batch, buffer_text(&scene->payload)));
    return scene->batch.alerts[0];
}

/* The alert in a format whose text is JSON, parsed. */
static const json_t *present_json(struct scene *scene, int64_t format, const char *json)
{
    const struct picket_alert *alert = present(scene, &(struct alert_look){.format = format}, json);
    struct json_failure failure;

    assert_int_equal(alert->text_len, strlen(alert->text));
    assert_null(strchr(alert->text, '\n'));
    assert_int_equal(0, json_parse(text_from(alert->text), &scene->text, &failure));
    return scene->text;
}

static void expect_text(const json_t *document, const char *path, const char *wanted)
{
    struct text found = alert_tree_text(document, text_from(path));

    if (!found.ptr || strcmp(found.ptr, wanted) != 0)
        fail_msg("%s is %s, not %s", path, found.ptr ? found.ptr : "not there", wanted);
}

static void expect_number(const json_t *document, const char *path, int64_t wanted)
{
    const json_t *found = alert_tree_find(document, text_from(path));

    if (!json_is_integer(found) || json_integer_value(found) != wanted)
        fail_msg("%s is %lld, not %lld", path, (long long)json_integer_value(found),
                 (long long)wanted);
}

static void expect_none(const json_t *document, const char *path)
{
    assert_null(alert_tree_find(document, text_from(path)));
}

typedef void check_fn(const json_t *document, struct buffer *out);

static void expect_valid(int64_t format, check_fn *check)
{
    for (size_t i = 0; i < ALERTS + sizeof all_events / sizeof *all_events; i++) {
        CLEANUP(scene_deinit) struct scene scene = {0};
        CLEANUP(buffer_deinit) struct buffer complaints = {0};

        check(present_json(&scene, format, i < ALERTS ? all_alerts[i] : all_events[i - ALERTS]),
              &complaints);
        assert_string_equal("", buffer_string(&complaints));
    }
}

static void ecs_is_as_its_schema_says(void **state)
{
    expect_valid(PRESENTATION_ECS, ecs_check);
}

static void ocsf_is_as_its_schema_says(void **state)
{
    expect_valid(PRESENTATION_OCSF, ocsf_check);
}

static void ecs_tells_the_process(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    const json_t *ecs = present_json(&scene, PRESENTATION_ECS, exec_alert);

    expect_text(ecs, "@timestamp", "2026-01-01T00:00:01.250000000Z");
    expect_text(ecs, "event.id", "01KDVP0M00PXGXM84F0AVV8SNA");
    expect_text(ecs, "event.action", "exec");
    expect_text(ecs, "event.outcome", "success");
    expect_number(ecs, "event.severity", PICKET_HIGH);
    expect_text(ecs, "rule.name", "A rule");
    expect_text(ecs, "host.id", "0a");
    expect_text(ecs, "host.architecture", "x86_64");
    expect_text(ecs, "host.os.platform", "debian");
    expect_text(ecs, "host.os.version", "12");
    expect_text(ecs, "process.executable", "/usr/bin/sh");
    expect_text(ecs, "process.args.2", "x");
    expect_text(ecs, "process.entity_id", "web1/10@2026-01-01T00:00:00.500000000Z");
    expect_text(ecs, "process.hash.sha256", "00ff");
    expect_text(ecs, "process.user.id", "0");
    expect_text(ecs, "process.real_user.name", "www-data");
    expect_number(ecs, "process.parent.pid", 9);
    expect_text(ecs, "user.effective.name", "root");
    expect_text(ecs, "container.id", "c1");
    expect_text(ecs, "related.user.1", "root");
    expect_text(ecs, "threat.tactic.id.1", "TA0011");
    expect_text(ecs, "threat.tactic.name.1", "Command and Control");
    expect_text(ecs, "threat.technique.id.0", "T1059");
    expect_text(ecs, "threat.technique.subtechnique.id.0", "T1059.004");
    expect_text(ecs, "picket.ancestors.0.name", "nginx");
    expect_text(ecs, "picket.event.exe.mode", "0755");
    expect_text(ecs, "picket.matched.0.value", "sh");
    expect_none(ecs, "picket.event.pid");
    expect_none(ecs, "picket.event.container");
    expect_none(ecs, "picket.event.parent");
}

static void ecs_tells_of_ends_and_failures(void **state)
{
    CLEANUP(scene_deinit) struct scene ended = {0}, failed = {0};
    const json_t *ecs = present_json(&ended, PRESENTATION_ECS, exit_alert);

    expect_text(ecs, "event.type.0", "end");
    expect_number(ecs, "event.duration", 750);
    expect_number(ecs, "process.exit_code", 3);
    expect_text(ecs, "process.end", "2026-01-01T00:00:01.250000000Z");
    expect_number(ecs, "picket.event.exit.signal", 9);
    expect_none(ecs, "picket.event.exit.code");
    ecs = present_json(&failed, PRESENTATION_ECS, failed_alert);
    expect_text(ecs, "event.outcome", "failure");
    expect_text(ecs, "error.code", "ENOENT");
    expect_text(ecs, "picket.event.filename", "/opt/x");
}

static void ecs_tells_of_picket_itself(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    const json_t *ecs = present_json(&scene, PRESENTATION_ECS, own_alert);

    expect_text(ecs, "event.category.0", "host");
    expect_number(ecs, "picket.detail.count", 3);
    expect_none(ecs, "process");
    expect_none(ecs, "picket.event");
}

static void ecs_tells_of_correlations(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    const json_t *ecs = present_json(&scene, PRESENTATION_ECS, correlated_alert);

    expect_text(ecs, "picket.correlation.type", "temporal_ordered");
    expect_number(ecs, "picket.correlation.group.parent.pid", 5);
    expect_text(ecs, "picket.engine.name", "centre");
    expect_text(ecs, "picket.correlation.events.0.rule.id", "first");
    expect_text(ecs, "picket.correlation.events.0.host.name", "web2");
    expect_text(ecs, "picket.correlation.events.0.process.entity_id",
                "web2/7@2026-01-01T00:00:00.500000000Z");
    expect_text(ecs, "picket.correlation.events.0.process.command_line", "sh -c x");
    expect_text(ecs, "picket.correlation.events.1.events.0.process.name", "y");
}

static void ocsf_tells_the_process(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    const json_t *ocsf = present_json(&scene, PRESENTATION_OCSF, exec_alert);

    expect_number(ocsf, "time", 1767225601250);
    expect_number(ocsf, "severity_id", 4);
    expect_text(ocsf, "metadata.uid", "01KDVP0M00PXGXM84F0AVV8SNA");
    expect_text(ocsf, "metadata.profiles.1", "container");
    expect_text(ocsf, "finding_info.analytic.uid", "a-rule");
    expect_text(ocsf, "finding_info.src_url", "https://x/1");
    expect_text(ocsf, "finding_info.attacks.1.sub_technique.uid", "T1059.004");
    expect_text(ocsf, "finding_info.attacks.2.tactic.name", "Command and Control");
    expect_text(ocsf, "device.uid", "0a");
    expect_text(ocsf, "device.os.name", "debian");
    expect_text(ocsf, "device.os.version", "12");
    expect_text(ocsf, "device.os.kernel_release", "6.1.0");
    expect_text(ocsf, "unmapped.host.arch", "x86_64");
    expect_number(ocsf, "evidences.0.process.pid", 10);
    expect_text(ocsf, "evidences.0.process.file.name", "sh");
    expect_number(ocsf, "evidences.0.process.file.modified_time", 1735689600000);
    expect_text(ocsf, "evidences.0.process.environment_variables.0.value", "b=c");
    expect_text(ocsf, "evidences.0.process.ancestry.1.name", "nginx");
    expect_number(ocsf, "evidences.0.actor.process.pid", 9);
    expect_text(ocsf, "evidences.0.actor.user.uid", "33");
    expect_text(ocsf, "unmapped.event.exe.mode", "0755");
    expect_text(ocsf, "unmapped.event.argv.0", "sh");
    expect_text(ocsf, "unmapped.rule.false_positives.0", "f");
}

static void ocsf_tells_of_all_kinds_of_alerts(void **state)
{
    CLEANUP(scene_deinit) struct scene own = {0}, folded = {0}, correlated = {0};
    const json_t *ocsf = present_json(&own, PRESENTATION_OCSF, own_alert);

    expect_number(ocsf, "unmapped.detail.count", 3);
    expect_none(ocsf, "evidences");
    ocsf = present_json(&folded, PRESENTATION_OCSF, folded_alert);
    expect_number(ocsf, "count", 42);
    expect_number(ocsf, "start_time", 1767225600000);
    ocsf = present_json(&correlated, PRESENTATION_OCSF, correlated_alert);
    expect_number(ocsf, "finding_info.first_seen_time", 1767225600000);
    expect_number(ocsf, "finding_info.related_events_count", 3);
    expect_text(ocsf, "evidences.1.name", "first");
    expect_text(ocsf, "evidences.1.data.host", "web2");
    expect_text(ocsf, "unmapped.engine.id", "0c");
    expect_text(ocsf, "evidences.2.data.event.comm", "y");
    expect_text(ocsf, "unmapped.correlation.type", "temporal_ordered");
}

/* The message is looked at together with an event, and is no part of it. */
static void events_in_which_nothing_is_secret_stay_as_they_are(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    struct text items[] = {TEXT("(nothing)")};
    struct alert_look look = {.format = PRESENTATION_ECS, .redact = items, .redact_count = 1};
    const struct picket_alert *event = present(&scene, &look, exec_event);
    struct json_failure failure;

    assert_string_equal("the message", event->message);
    assert_string_equal(exec_event, event->json);
    assert_int_equal(0, json_parse(text_from(event->text), &scene.text, &failure));
    expect_text(scene.text, "message", "the message");
    expect_none(scene.text, "picket.event.message");
}

static void events_are_told_without_a_finding(void **state)
{
    CLEANUP(scene_deinit) struct scene as_ecs = {0}, as_ocsf = {0}, exited = {0}, failed = {0};
    const json_t *ecs = present_json(&as_ecs, PRESENTATION_ECS, exec_event);

    expect_text(ecs, "event.kind", "event");
    expect_text(ecs, "event.dataset", "picket.event");
    expect_text(ecs, "event.id", "01KDVP0M00PXGXM84F0AVV8SNA");
    expect_text(ecs, "message", "the message");
    expect_text(ecs, "host.id", "0a");
    expect_text(ecs, "process.executable", "/usr/bin/sh");
    expect_number(ecs, "picket.event.origin.seq", 17);
    expect_none(ecs, "rule");
    expect_none(ecs, "event.severity");
    expect_none(ecs, "picket.event.host");
    const json_t *ocsf = present_json(&as_ocsf, PRESENTATION_OCSF, exec_event);

    expect_text(ocsf, "activity_name", "Launch");
    expect_text(ocsf, "status", "Success");
    expect_text(ocsf, "device.uid", "0a");
    expect_number(ocsf, "process.pid", 10);
    expect_number(ocsf, "actor.process.pid", 9);
    expect_number(ocsf, "unmapped.event.origin.cpu", 3);
    expect_none(ocsf, "unmapped.event.host");
    ocsf = present_json(&exited, PRESENTATION_OCSF, exit_event);
    expect_text(ocsf, "activity_name", "Terminate");
    expect_number(ocsf, "exit_code", 3);
    ocsf = present_json(&failed, PRESENTATION_OCSF, failed_event);
    expect_text(ocsf, "status", "Failure");
    expect_text(ocsf, "status_code", "ENOENT");
}

static void events_have_their_own_line(void **state)
{
    CLEANUP(scene_deinit) struct scene first = {0}, second = {0};
    struct alert_look look = {.format = PRESENTATION_TEXT};

    assert_string_equal("2026-01-01T00:00:01.250000000Z web1 the message",
                        present(&first, &look, exec_event)->text);
    look.template = TEXT("%{event.pid} %{event.parent.comm} %{host.id} %{rule.id}");
    const struct picket_alert *event = present(&second, &look, exec_event);

    assert_string_equal("10 sh 0a ", event->text);
    assert_string_equal("10", alert_batch_value(&second.batch, event, "event.pid"));
    assert_string_equal("web1", alert_batch_value(&second.batch, event, "host.name"));
}

static void an_event_without_secrets_stays_as_it_is(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    struct text items[] = {TEXT("passwords")};
    const struct alert_look look = {.format = PRESENTATION_ECS, .redact = items, .redact_count = 1};
    const struct picket_alert *event = present(&scene, &look, exec_event);

    assert_string_equal("the message", event->message);
    assert_string_equal(exec_event, event->json);
    assert_null(alert_batch_value(&scene.batch, event, "event.message"));
    assert_null(strstr(event->text, "\"event\":{\"message\""));
}

/* Neither in what it is, nor in what it is told as. */
static void secrets_of_events_are_masked(void **state)
{
    static const char json[] =
        "{\"type\":\"exec\",\"start_time\":\"the message\",\"argv\":[\"x\","
        "\"--password\",\"the message\"],\"origin\":{\"boot\":\"the message\"}}";
    struct text items[] = {TEXT("passwords")};

    for (int64_t format = PRESENTATION_PICKET; format <= PRESENTATION_TEXT; format++) {
        CLEANUP(scene_deinit) struct scene scene = {0};
        struct alert_look look = {.format = format, .redact = items, .redact_count = 1};
        const struct picket_alert *event = present(&scene, &look, json);

        assert_string_equal("[redacted]", event->message);
        assert_string_equal("[redacted]", alert_batch_value(&scene.batch, event, "event.argv.2"));
        assert_string_equal("the message", alert_batch_value(&scene.batch, event, "start_time"));
        assert_string_equal("the message", alert_batch_value(&scene.batch, event, "origin.boot"));
        assert_null(strstr(event->json, "\"message\":"));
        assert_non_null(strstr(event->text, "[redacted]"));
    }
}

static void what_is_not_changed_is_not_copied(void **state)
{
    CLEANUP(scene_deinit) struct scene scene = {0};
    const struct picket_alert *alert = present(&scene, &(struct alert_look){0}, exec_alert);

    assert_ptr_equal(alert->text, alert->json);
    assert_true(alert->json > scene.payload.data &&
                alert->json < scene.payload.data + scene.payload.len);
    assert_int_equal(alert->text_len, alert->json_len);
    assert_string_equal("sh", alert_batch_value(&scene.batch, alert, "event.parent.comm"));
    assert_string_equal("0755", alert_batch_value(&scene.batch, alert, "event.parent.exe.mode"));
}

static void text_is_a_line_by_its_template(void **state)
{
    CLEANUP(scene_deinit) struct scene first = {0}, second = {0};
    struct alert_look look = {.format = PRESENTATION_TEXT};

    assert_string_equal("2026-01-01T00:00:01.250000000Z web1 high a-rule: the message",
                        present(&first, &look, exec_alert)->text);
    look.template = TEXT("%{event.pid} %{rule.tags.0}");
    assert_string_equal("10 attack.execution", present(&second, &look, exec_alert)->text);
}

/* In every format, and in all that a plugin can ask for. */
static void secrets_are_masked_everywhere(void **state)
{
    static const char json[] =
        HEAD ",\"event\":{\"pid\":1,\"argv\":[\"x\",\"--password\",\"the message\"],\"cmdline\":"
             "\"x --password the message\"}}";
    struct text items[] = {TEXT("passwords")};

    for (int64_t format = PRESENTATION_PICKET; format <= PRESENTATION_TEXT; format++) {
        CLEANUP(scene_deinit) struct scene scene = {0};
        struct alert_look look = {.format = format, .redact = items, .redact_count = 1};
        const struct picket_alert *alert = present(&scene, &look, json);

        assert_null(strstr(alert->text, "the message"));
        assert_null(strstr(alert->json, "the message"));
        assert_int_equal(alert->json_len, strlen(alert->json));
        assert_string_equal("[redacted]", alert->message);
        assert_string_equal("[redacted]", alert_batch_value(&scene.batch, alert, "event.argv.2"));
        assert_string_equal("3", alert_batch_value(&scene.batch, alert, "redacted.count"));
        if (format != PRESENTATION_TEXT)
            assert_non_null(strstr(alert->text, "\"redacted\":{\"count\":3,"));
    }
}

static void an_alert_that_cannot_be_read_tells_nothing_of_itself(void **state)
{
    struct text items[] = {TEXT("passwords")};

    for (int64_t format = PRESENTATION_PICKET; format <= PRESENTATION_TEXT; format++) {
        CLEANUP(scene_deinit) struct scene scene = {0};
        struct alert_look look = {.format = format, .redact = items, .redact_count = 1};
        const struct picket_alert *alert = present(&scene, &look, "{\"secret\":");

        assert_null(strstr(alert->text, "secret"));
        assert_null(strstr(alert->json, "secret"));
        assert_non_null(strstr(alert->text, "a-rule"));
        assert_string_equal("[redacted]", alert->message);
    }
}

static void mistakes_say_where_they_are(void **state)
{
    struct text items[] = {TEXT("passwords"), TEXT("a(")};
    struct alert_look look = {.template = TEXT("%{x}")};
    struct presentation_mistake mistake;
    struct presentation *presentation = NULL;

    assert_int_equal(-EINVAL, presentation_new(&look, &presentation, &mistake));
    assert_true(mistake.in_template);
    assert_int_equal(2, mistake.offset);
    look = (struct alert_look){.redact = items, .redact_count = 2};
    assert_int_equal(-EINVAL, presentation_new(&look, &presentation, &mistake));
    assert_false(mistake.in_template);
    assert_int_equal(1, mistake.item);
    assert_int_equal(2, mistake.offset);
    assert_null(presentation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ecs_is_as_its_schema_says),
        cmocka_unit_test(ocsf_is_as_its_schema_says),
        cmocka_unit_test(ecs_tells_the_process),
        cmocka_unit_test(ecs_tells_of_ends_and_failures),
        cmocka_unit_test(ecs_tells_of_picket_itself),
        cmocka_unit_test(ecs_tells_of_correlations),
        cmocka_unit_test(ocsf_tells_the_process),
        cmocka_unit_test(ocsf_tells_of_all_kinds_of_alerts),
        cmocka_unit_test(events_are_told_without_a_finding),
        cmocka_unit_test(events_in_which_nothing_is_secret_stay_as_they_are),
        cmocka_unit_test(events_have_their_own_line),
        cmocka_unit_test(an_event_without_secrets_stays_as_it_is),
        cmocka_unit_test(secrets_of_events_are_masked),
        cmocka_unit_test(what_is_not_changed_is_not_copied),
        cmocka_unit_test(text_is_a_line_by_its_template),
        cmocka_unit_test(secrets_are_masked_everywhere),
        cmocka_unit_test(an_alert_that_cannot_be_read_tells_nothing_of_itself),
        cmocka_unit_test(mistakes_say_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
