#include "presentation/presentation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "presentation/alert_ecs.h"
#include "presentation/alert_ocsf.h"
#include "presentation/alert_template.h"
#include "presentation/redaction.h"

struct presentation {
    enum presentation_format format;
    struct alert_template *template, *of_events;
    struct redaction *redaction; /* NULL: nothing is masked */
    struct buffer out;
};

static int make_template(struct presentation *presentation, struct text source,
                         struct presentation_mistake *mistake)
{
    struct alert_template_mistake wrong;
    int r = alert_template_new(source.len ? source : TEXT(ALERT_TEMPLATE_DEFAULT),
                               &presentation->template, &wrong);

    if (r == 0)
        r = alert_template_new(source.len ? source : TEXT(ALERT_TEMPLATE_DEFAULT_EVENT),
                               &presentation->of_events, &wrong);

    if (r != -EINVAL)
        return r;
    *mistake = (struct presentation_mistake){
        .in_template = true, .offset = wrong.offset, .len = wrong.len};
    snprintf(mistake->reason, sizeof mistake->reason, "%s", wrong.reason);
    return r;
}

static int make_redaction(struct presentation *presentation, const struct alert_look *look,
                          struct presentation_mistake *mistake)
{
    struct redaction_mistake wrong;
    int r = look->redact_count == 0
                ? 0
                : redaction_new(look->redact, look->redact_count, &presentation->redaction, &wrong);

    if (r != -EINVAL)
        return r;
    *mistake = (struct presentation_mistake){.item = wrong.item, .offset = wrong.offset};
    snprintf(mistake->reason, sizeof mistake->reason, "%s", wrong.reason);
    return r;
}

int presentation_new(const struct alert_look *look, struct presentation **out,
                     struct presentation_mistake *mistake)
{
    CLEANUP(presentation_freep) struct presentation *presentation = calloc(1, sizeof *presentation);

    if (!presentation)
        return -ENOMEM;
    presentation->format = (enum presentation_format)look->format;
    int r = make_template(presentation, look->template, mistake);

    if (r == 0)
        r = make_redaction(presentation, look, mistake);
    if (r < 0)
        return r;
    *out = presentation;
    presentation = NULL;
    return 0;
}

void presentation_free(struct presentation *presentation)
{
    if (!presentation)
        return;
    alert_template_free(presentation->template);
    alert_template_free(presentation->of_events);
    redaction_free(presentation->redaction);
    buffer_deinit(&presentation->out);
    free(presentation);
}

static const struct alert_template *template_of(const struct presentation *presentation,
                                                const struct picket_alert *alert)
{
    return alert->kind == PICKET_KIND_EVENT ? presentation->of_events : presentation->template;
}

static bool needs_tree(const struct presentation *presentation, const struct picket_alert *alert)
{
    switch (presentation->format) {
    case PRESENTATION_PICKET:
        break;
    case PRESENTATION_ECS:
    case PRESENTATION_OCSF:
        return true;
    case PRESENTATION_TEXT:
        if (!alert_template_is_plain(template_of(presentation, alert)))
            return true;
        break;
    }
    return presentation->redaction;
}

static json_t *time_text(int64_t time)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};

    time_put(&text, time);
    return json_stringn(text.data, text.len);
}

/* What is known of an alert without its JSON; the message may hold a secret that nothing can be
 * searched for. */
static json_t *stand_in(const struct picket_alert *alert)
{
    return json_pack("{s:s, s:o*, s:{s:s}, s:{s:s, s:s}, s:s, s:{s:i, s:i, s:[s]}}", "id",
                     alert->id, "time", time_text(alert->time), "host", "name", alert->host, "rule",
                     "id", alert->rule, "title", alert->title, "message", REDACTION_MARK,
                     "redacted", "count", 1, "whole", 1, "fields", "message");
}

static int parse(const struct picket_alert *alert, json_t **tree, bool *read)
{
    struct json_failure failure;
    int r = json_parse((struct text){alert->json, alert->json_len}, tree, &failure);

    *read = r == 0 && json_is_object(*tree);
    if (r == -ENOMEM || *read)
        return r;
    if (r == 0)
        json_decref(*tree);
    *tree = stand_in(alert);
    return *tree ? 0 : -ENOMEM;
}

/* Puts the tree in the place of what ALERT says. */
static int replace(struct presentation *presentation, struct picket_alert *alert,
                   const json_t *tree, struct arena *arena)
{
    struct json_writer writer = {.buffer = &presentation->out};

    buffer_clear(&presentation->out);
    int r = json_tree(&writer, tree);
    struct text json = arena_text(arena, buffer_text(&presentation->out));

    if (r < 0 || !json.ptr)
        return -ENOMEM;
    alert->json = json.ptr;
    alert->json_len = json.len;
    return 0;
}

/* That of an event is not in its JSON: it is put there to be searched with the rest. */
static int mask_tree(struct presentation *presentation, struct picket_alert *alert,
                     struct arena *arena, json_t *tree)
{
    bool is_event = alert->kind == PICKET_KIND_EVENT;

    if (is_event && json_object_set_new(tree, "message", json_string(alert->message)) < 0)
        return -ENOMEM;
    int masked = redaction_apply(presentation->redaction, tree);
    const char *message = json_string_value(json_object_get(tree, "message"));

    if (masked > 0)
        alert->message = arena_string(arena, message ? message : "");
    if (is_event)
        json_object_del(tree, "message");
    return alert->message ? masked : -ENOMEM;
}

static int redact(struct presentation *presentation, struct picket_alert *alert,
                  struct arena *arena, json_t *tree, bool read)
{
    if (!presentation->redaction)
        return 0;
    int masked = read ? mask_tree(presentation, alert, arena, tree) : 0;

    if (!read)
        alert->message = REDACTION_MARK;
    if (masked < 0)
        return masked;
    if (masked || !read)
        return replace(presentation, alert, tree, arena);
    if (alert->kind == PICKET_KIND_EVENT)
        json_object_del(tree, "message");
    return 0;
}

/* What an alert about the event would have, but for what rules say. */
static json_t *wrap(const struct picket_alert *alert, json_t *event)
{
    return json_pack("{s:s, s:O*, s:O*, s:s, s:O}", "id", alert->id, "time",
                     json_object_get(event, "time"), "host", json_object_get(event, "host"),
                     "message", alert->message, "event", event);
}

static void put_text(const struct presentation *presentation, const struct picket_alert *alert,
                     json_t *tree, struct buffer *out)
{
    struct json_writer writer = {.buffer = out};
    bool wraps = alert->kind == PICKET_KIND_EVENT && presentation->format != PRESENTATION_TEXT;
    CLEANUP(json_freep) json_t *told = wraps ? wrap(alert, tree) : json_incref(tree);

    if (wraps && !told) {
        out->failed = true;
        return;
    }

    switch (presentation->format) {
    case PRESENTATION_PICKET:
        break;
    case PRESENTATION_ECS:
        alert_ecs_put(told, alert, &writer);
        break;
    case PRESENTATION_OCSF:
        alert_ocsf_put(told, alert, &writer);
        break;
    case PRESENTATION_TEXT:
        alert_template_put(template_of(presentation, alert), alert, tree, out);
        break;
    }
}

static int format(struct presentation *presentation, struct picket_alert *alert,
                  struct arena *arena, json_t *tree)
{
    alert->text = alert->json;
    alert->text_len = alert->json_len;
    if (presentation->format == PRESENTATION_PICKET)
        return 0;
    buffer_clear(&presentation->out);
    put_text(presentation, alert, tree, &presentation->out);
    if (buffer_failed(&presentation->out))
        return -ENOMEM;
    struct text text = arena_text(arena, buffer_text(&presentation->out));

    alert->text = text.ptr;
    alert->text_len = text.len;
    return text.ptr ? 0 : -ENOMEM;
}

int presentation_apply(struct presentation *presentation, struct picket_alert *alert,
                       struct arena *arena, json_t **tree)
{
    static struct presentation plain = {.format = PRESENTATION_PICKET};
    bool read = false;
    int r = 0;

    *tree = NULL;
    if (!presentation)
        return format(&plain, alert, arena, NULL);
    if (needs_tree(presentation, alert))
        r = parse(alert, tree, &read);
    if (r == 0)
        r = redact(presentation, alert, arena, *tree, read || !*tree);
    if (r == 0)
        r = format(presentation, alert, arena, *tree);
    if (r < 0) {
        json_decref(*tree);
        *tree = NULL;
    }
    return r;
}
