#include "alert/alert.h"

static void put_text(struct json_writer *json, struct text key, struct text value)
{
    if (!value.ptr)
        return;
    json_key(json, key);
    json_text(json, value);
}

static void put_time(struct json_writer *json, struct text key, int64_t time)
{
    json_key(json, key);
    json_time(json, time);
}

static void put_texts(struct json_writer *json, struct text key, struct rule_texts texts)
{
    if (texts.count == 0)
        return;
    json_key(json, key);
    json_begin(json, '[');
    for (size_t i = 0; i < texts.count; i++)
        json_text(json, texts.items[i]);
    json_end(json, ']');
}

static void put_json(struct json_writer *json, struct text key, struct text value)
{
    if (!value.ptr)
        return;
    json_key(json, key);
    json_raw(json, value);
}

static void put_filters(struct json_writer *json, const struct alert_engine *engine)
{
    if (engine->filter_count == 0)
        return;
    json_key(json, TEXT("filters"));
    json_begin(json, '[');
    for (size_t i = 0; i < engine->filter_count; i++)
        json_text(json, text_from(engine->filters[i]));
    json_end(json, ']');
}

/* What another machine leaves out nobody here knows. */
void alert_place_put_json(struct json_writer *json, const struct alert_engine *engine,
                          const struct machine *host)
{
    bool is_here = machine_is_same(host, engine->machine);

    json_key(json, TEXT("host"));
    json_begin(json, '{');
    machine_put_members(json, host);
    if (is_here)
        put_filters(json, engine);
    json_end(json, '}');
    if (is_here)
        return;
    json_key(json, TEXT("engine"));
    json_begin(json, '{');
    put_text(json, TEXT("name"), engine->machine->name);
    put_text(json, TEXT("id"), engine->machine->id);
    json_end(json, '}');
}

static void put_rule(struct json_writer *json, const struct rule *rule)
{
    json_key(json, TEXT("rule"));
    json_begin(json, '{');
    put_text(json, TEXT("id"), rule->id);
    put_text(json, TEXT("title"), rule->title);
    put_text(json, TEXT("severity"), text_from(severity_name(rule->severity)));
    put_texts(json, TEXT("tags"), rule->tags);
    put_text(json, TEXT("description"), rule->description);
    put_text(json, TEXT("author"), rule->author);
    put_texts(json, TEXT("references"), rule->references);
    put_texts(json, TEXT("false_positives"), rule->false_positives);
    json_end(json, '}');
}

void alert_put_json(struct json_writer *json, const struct alert *alert)
{
    json_begin(json, '{');
    put_text(json, TEXT("id"), text_from(alert->id.text));
    put_time(json, TEXT("time"), alert->time);
    json_raw(json, alert->place.json);
    put_rule(json, alert->rule);
    put_text(json, TEXT("message"), alert->message);
    if (alert->fold.count) {
        json_key(json, TEXT("folded"));
        json_begin(json, '{');
        json_key(json, TEXT("count"));
        json_int(json, (int64_t)alert->fold.count);
        put_time(json, TEXT("since"), alert->fold.since);
        json_end(json, '}');
    }
    if (alert->matched.len)
        json_raw(json, alert->matched);
    put_json(json, TEXT("event"), alert->event);
    put_json(json, TEXT("detail"), alert->detail);
    json_end(json, '}');
}
