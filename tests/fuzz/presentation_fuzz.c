/* How alerts are presented: a template and a pattern of the user's on the first two lines, and the
 * JSON of an alert behind them, whatever it is. What comes out is one line, valid where it is JSON,
 * and a secret among the arguments is in none of the texts that tell them. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "presentation/alert_template.h"
#include "presentation/alert_tree.h"
#include "presentation/presentation.h"
#include "presentation/redaction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "xyzzy plugh 4711"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_line(const struct picket_alert *alert)
{
    require(strlen(alert->text) == alert->text_len && strlen(alert->json) == alert->json_len);
    for (size_t i = 0; i < alert->text_len; i++)
        require((unsigned char)alert->text[i] >= 0x20 || alert->text[i] == '\t');
}

static void require_json(struct text t)
{
    CLEANUP(json_freep) json_t *tree = NULL;
    struct json_failure failure;

    require(json_parse(t, &tree, &failure) == 0);
}

static void present_as(uint32_t kind, const struct alert_look *look, struct text json)
{
    CLEANUP(presentation_freep) struct presentation *presentation = NULL;
    CLEANUP(arena_deinit) struct arena arena = {0};
    CLEANUP(json_freep) json_t *tree = NULL;
    struct presentation_mistake mistake;
    struct picket_alert alert = {.id = "1",
                                 .host = "h",
                                 .rule = "r",
                                 .title = "t",
                                 .message = "m",
                                 .severity = (int32_t)json.len,
                                 .kind = kind,
                                 .json = arena_text(&arena, json).ptr};
    int r = presentation_new(look, &presentation, &mistake);

    if (r < 0) {
        require(mistake.in_template ? mistake.offset + mistake.len <= look->template.len
                                    : mistake.offset <= look->redact[mistake.item].len);
        require(*mistake.reason);
        return;
    }
    alert.json_len = strlen(alert.json);
    require(presentation_apply(presentation, &alert, &arena, &tree) == 0);
    require_json((struct text){alert.json, alert.json_len});
    if (look->format == PRESENTATION_ECS || look->format == PRESENTATION_OCSF)
        require_json((struct text){alert.text, alert.text_len});
    if (look->format != PRESENTATION_PICKET)
        require_line(&alert);
}

static void present(const struct alert_look *look, struct text json)
{
    present_as(PICKET_KIND_ALERT, look, json);
    present_as(PICKET_KIND_EVENT, look, json);
}

/* PART within an alert that has the secret among its arguments. */
static void mask(const struct alert_look *look, json_t *part)
{
    CLEANUP(redaction_freep) struct redaction *redaction = NULL;
    CLEANUP(json_freep)
    json_t *alert = json_pack("{s:s, s:{s:O, s:[s,s,s], s:s}}", "message",
                              "ran x --password " SECRET " y", "event", "parent", part, "argv", "x",
                              "--password", SECRET, "cmdline", "x --password " SECRET);
    static const char *const paths[] = {"message", "event.argv.2", "event.cmdline"};
    struct redaction_mistake mistake;

    if (redaction_new(look->redact, look->redact_count, &redaction, &mistake) < 0)
        return;
    require(redaction_apply(redaction, alert) >= 3);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        require(!text_contains(alert_tree_text(alert, text_from(paths[i])), TEXT(SECRET)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(json_freep) json_t *part = NULL;
    struct text rest = {(const char *)data, size};
    struct text template = text_split(&rest, '\n');
    struct text pattern = rest.ptr ? text_split(&rest, '\n') : TEXT("");
    struct text redact[] = {TEXT("passwords"), TEXT("tokens"), pattern};
    struct alert_look look = {
        .template = template, .redact = redact, .redact_count = pattern.len ? 3 : 2};
    struct text json = rest.ptr ? rest : TEXT("{}");
    struct json_failure failure;

    for (; look.format <= PRESENTATION_TEXT; look.format++)
        present(&look, json);
    if (json_parse(json, &part, &failure) == 0)
        mask(&look, part);
    return 0;
}
