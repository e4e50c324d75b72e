#include "engine/arrival.h"

#include <errno.h>

#include "alert/internal_alert.h"
#include "base/clock.h"
#include "base/json.h"

/* How far ahead of the stream's clock a machine's may be, ns. */
#define AHEAD_MOST (60 * NS_PER_S)

/* Values of a message: read, one takes up to 200 bytes and more, of three. */
#define VALUES_MOST ((size_t)1 << 20)

void arrival_deinit(struct arrival *arrival)
{
    arena_deinit(&arrival->arena);
    buffer_deinit(&arrival->line);
}

static int refuse(struct event_failure *failure, const char *reason)
{
    *failure = (struct event_failure){0};
    snprintf(failure->reason, sizeof failure->reason, "%s", reason);
    return -EINVAL;
}

/* A text of an object; "" when it has none. */
static struct text text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? json_as_text(value) : TEXT("");
}

static bool is_id(struct text id)
{
    if (id.len != ALERT_ID_LEN)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!(id.ptr[i] >= '0' && id.ptr[i] <= '9') && !(id.ptr[i] >= 'A' && id.ptr[i] <= 'Z'))
            return false;
    return true;
}

/* The alert of ROOT, which borrows from it. */
static int read_alert(const json_t *root, struct delivery_alert *out, struct event_failure *failure)
{
    const json_t *rule = json_object_get(root, "rule");
    enum severity severity;

    *out = (struct delivery_alert){
        .id = text_of(root, "id"),
        .host = text_of(json_object_get(root, "host"), "name"),
        .rule = text_of(rule, "id"),
        .title = text_of(rule, "title"),
        .message = text_of(root, "message"),
    };
    if (!is_id(out->id))
        return refuse(failure, "an alert without an id that picket gives");
    if (out->rule.len == 0)
        return refuse(failure, "an alert without the id of its rule");
    if (time_parse(text_of(root, "time"), &out->time) < 0)
        return refuse(failure, "an alert without a time");
    if (severity_parse(text_of(rule, "severity"), &severity) < 0)
        return refuse(failure, "an alert whose rule has no severity");
    out->severity = (int)severity;
    return 0;
}

/* As it came, in one line. */
static int put_line(struct arrival *arrival, struct text data, const json_t *root)
{
    struct json_writer json = {.buffer = &arrival->line};
    bool is_line = !memchr(data.ptr, '\n', data.len) && !memchr(data.ptr, '\r', data.len);

    buffer_clear(&arrival->line);
    if (is_line)
        buffer_put_text(&arrival->line, data);
    else if (json_tree(&json, root) < 0)
        return -ENOMEM;
    return buffer_failed(&arrival->line) ? -ENOMEM : 0;
}

/* Where alerts of the rule of that id go. */
static uint64_t find_route(const struct detector *detector, struct text id)
{
    const struct rulebook *book = detector_rulebook(detector);

    for (size_t i = 0; i < book->rules->count; i++)
        if (text_equal(book->rules->rules[i]->id, id))
            return book->routes[i];
    return DELIVERY_ALL;
}

/* One that says no time, or one that is yet to come, has that of the stream: windows of other
 * machines' events go by it, too, and nobody is to end them. The same each time it comes. */
static void settle_time(struct event *event, const struct stream_message *message)
{
    if (field_set_has(&event->has, FIELD_TIME) && event->time <= message->stored + AHEAD_MOST)
        return;
    event->time = message->stored;
    field_set_add(&event->has, FIELD_TIME);
}

static int take_alert(struct arrival *arrival, const struct stream_message *message,
                      const json_t *root, struct event_failure *failure)
{
    struct delivery_alert alert;
    struct event event;
    int r = read_alert(root, &alert, failure);

    if (r < 0)
        return r;
    r = event_read_tree(root, &arrival->arena, &event, failure);
    if (r == -EINVAL || r == -ENOMEM)
        return r;
    if (put_line(arrival, text_trim(message->data), root) < 0)
        return -ENOMEM;
    alert.json = buffer_text(&arrival->line);
    /* What goes wrong is in the outputs' counters, and in the mark of what was pushed. */
    delivery_push(arrival->delivery, &alert, find_route(arrival->detector, alert.rule), false);
    arrival->alerts++;
    if (r == 0) { /* else it is about none */
        settle_time(&event, message);
        event.host = machine_or_here(event.host, arrival->machine);
        detector_on_alert(arrival->detector, &event, alert.rule);
    }
    return 0;
}

static int take_event(struct arrival *arrival, const struct stream_message *message,
                      const json_t *root, struct event_failure *failure)
{
    struct event event;
    int r = event_read_tree(root, &arrival->arena, &event, failure);

    if (r < 0)
        return r;
    settle_time(&event, message);
    /* What does not say which it is, is named by its place: when it comes again, so do the ids of
     * alerts. */
    if (event.origin[0] == 0) {
        event.origin[1] = (uint64_t)message->stored;
        event.origin[2] = message->sequence;
    }
    arrival->time = event.time;
    event.host = machine_or_here(event.host, arrival->machine);
    arrival->events++;
    detector_on_event(arrival->detector, &event);
    return 0;
}

static bool has_too_many_values(struct text data)
{
    size_t values = 0;
    bool quoted = false;

    if (data.len <= VALUES_MOST)
        return false;
    for (size_t i = 0; i < data.len; i++) {
        char c = data.ptr[i];

        if (c == '"')
            quoted = !quoted;
        else if (quoted)
            i += c == '\\';
        else
            values += c == ',' || c == '[' || c == '{';
    }
    return values > VALUES_MOST;
}

int arrival_take(struct arrival *arrival, const struct stream_message *message,
                 struct event_failure *failure)
{
    CLEANUP(json_freep) json_t *root = NULL;
    struct text data = text_trim(message->data);
    struct json_failure syntax;

    *failure = (struct event_failure){0};
    arena_clear(&arrival->arena);
    if (data.len > STREAM_MESSAGE_MAX)
        return refuse(failure, "longer than 16 MiB");
    if (has_too_many_values(data))
        return refuse(failure, "of more than a million values");
    int r = json_parse(data, &root, &syntax);

    if (r == -EINVAL)
        return refuse(failure, "not JSON");
    if (r < 0)
        return r;
    if (!json_is_object(root))
        return refuse(failure, "no JSON object");
    return json_is_object(json_object_get(root, "rule"))
               ? take_alert(arrival, message, root, failure)
               : take_event(arrival, message, root, failure);
}
