#include "output/trial_alert.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"

#define TRIAL_TIME (1767225600 * NS_PER_S)

/* With what is beside the message in it, this is as much as an alert may have. */
#define LARGEST_MESSAGE (DELIVERY_ALERT_MAX / 2 - 4096)

#define HUGE_ARGUMENTS ((size_t)1 << 20)

const char *trial_alert_name(enum trial_alert_kind kind)
{
    static const char *const names[] = {
        [TRIAL_USUAL] = "an alert",
        [TRIAL_CONTROLS] = "an alert with control characters",
        [TRIAL_BROKEN] = "an alert with bytes that were no UTF-8",
        [TRIAL_EMPTY] = "an alert of empty texts",
        [TRIAL_QUOTES] = "an alert with quotes, formats and markup",
        [TRIAL_LINES] = "an alert with line breaks",
        [TRIAL_EPOCH] = "an alert of 1970",
        [TRIAL_HUGE] = "an alert with 1 MiB of arguments",
        [TRIAL_LARGEST] = "an alert as large as there can be",
        [TRIAL_EVENT] = "an event",
    };

    return names[kind];
}

static void put_controls(struct buffer *out)
{
    for (char c = 1; c < 0x20; c++)
        buffer_put_char(out, c);
    buffer_put_string(out, "\x7f\xc2\x9b"
                           "2J\033[2J\033]0;title\a\xe2\x80\xae"
                           "gnp.exe\xe2\x80\xac\xef\xbb\xbf\xe2\x80\xa8");
}

static void put_much(struct buffer *out, size_t len)
{
    char *room = buffer_reserve(out, len);

    if (!room)
        return;
    for (size_t i = 0; i < len; i++)
        room[i] = (char)('a' + i % 26);
    out->len += len;
}

static void put_message(struct buffer *out, enum trial_alert_kind kind)
{
    switch (kind) {
    case TRIAL_CONTROLS:
        put_controls(out);
        break;
    case TRIAL_BROKEN:
        buffer_put_string(out, "a\xff\xfe\xc0\x80\xed\xa0\x80\xf5z");
        break;
    case TRIAL_EMPTY:
        break;
    case TRIAL_QUOTES:
        buffer_put_string(out, "%s%n%1$*2$d ${IFS}`id`$(id)'\";-- </script><b>&amp;{{x}}{%x%}"
                               "../../etc/passwd\\\\x00,=:@|~#");
        break;
    case TRIAL_LINES:
        for (int i = 0; i < 1000; i++)
            buffer_put_string(out, "line\r\n.\r\n\n");
        break;
    case TRIAL_LARGEST:
        put_much(out, LARGEST_MESSAGE);
        break;
    case TRIAL_EVENT:
        buffer_put_string(out, "sh started /tmp/x: x");
        break;
    default:
        buffer_put_string(out, "/tmp/x was run from a folder anyone may write to");
        break;
    }
}

static void put_event_members(struct json_writer *json, enum trial_alert_kind kind,
                              struct text message)
{
    CLEANUP(buffer_deinit) struct buffer much = {0};

    json_key(json, TEXT("pid"));
    json_int(json, 4711);
    json_key(json, TEXT("exe"));
    json_text(json, TEXT("/tmp/x"));
    json_key(json, TEXT("argv"));
    json_begin(json, '[');
    json_text(json, TEXT("x"));
    if (kind == TRIAL_HUGE) {
        put_much(&much, HUGE_ARGUMENTS);
        json_text(json, buffer_text(&much));
    } else if (kind != TRIAL_LARGEST) {
        json_text(json, message);
    }
    json_end(json, ']');
    json_key(json, TEXT("parent"));
    json_begin(json, '{');
    json_key(json, TEXT("comm"));
    json_text(json, kind == TRIAL_LARGEST ? TEXT("sh") : message);
    json_end(json, '}');
}

static void put_host(struct json_writer *json, struct text name)
{
    json_key(json, TEXT("host"));
    json_begin(json, '{');
    json_key(json, TEXT("name"));
    json_text(json, name);
    json_end(json, '}');
}

static void put_json(struct buffer *out, const struct delivery_alert *alert,
                     enum trial_alert_kind kind)
{
    static const char *const severities[] = {"informational", "low", "medium", "high", "critical"};
    struct json_writer json = {.buffer = out};

    json_begin(&json, '{');
    json_key(&json, TEXT("id"));
    json_text(&json, alert->id);
    json_key(&json, TEXT("time"));
    json_time(&json, alert->time);
    put_host(&json, alert->host);
    json_key(&json, TEXT("rule"));
    json_begin(&json, '{');
    json_key(&json, TEXT("id"));
    json_text(&json, alert->rule);
    json_key(&json, TEXT("title"));
    json_text(&json, alert->title);
    json_key(&json, TEXT("severity"));
    json_text(&json, text_from(severities[alert->severity]));
    json_end(&json, '}');
    json_key(&json, TEXT("message"));
    json_text(&json, alert->message);
    if (kind != TRIAL_EMPTY) {
        json_key(&json, TEXT("event"));
        json_begin(&json, '{');
        put_event_members(&json, kind, alert->message);
        json_end(&json, '}');
    }
    json_end(&json, '}');
}

/* The event's own members, with what else makes it a line by itself. */
static void put_line(struct buffer *out, const struct delivery_alert *event)
{
    struct json_writer json = {.buffer = out};

    json_begin(&json, '{');
    json_key(&json, TEXT("type"));
    json_text(&json, TEXT("exec"));
    json_key(&json, TEXT("time"));
    json_time(&json, event->time);
    put_host(&json, event->host);
    put_event_members(&json, TRIAL_EVENT, TEXT("x"));
    json_key(&json, TEXT("origin"));
    json_begin(&json, '{');
    json_key(&json, TEXT("boot"));
    json_text(&json, TEXT("00007b1ce2f046aa"));
    json_key(&json, TEXT("cpu"));
    json_int(&json, 0);
    json_key(&json, TEXT("seq"));
    json_int(&json, 1);
    json_end(&json, '}');
    json_end(&json, '}');
}

int trial_alert_make(enum trial_alert_kind kind, unsigned number, struct arena *arena,
                     struct delivery_alert *out)
{
    CLEANUP(buffer_deinit) struct buffer message = {0};
    CLEANUP(buffer_deinit) struct buffer json = {0};
    const char *id = arena_printf(arena, "01TRIAL%019u", number);
    bool strange = kind == TRIAL_CONTROLS || kind == TRIAL_BROKEN || kind == TRIAL_QUOTES;

    put_message(&message, kind);
    if (!id || buffer_failed(&message))
        return -ENOMEM;
    struct delivery_alert alert = {
        .id = text_from(id),
        .host = kind == TRIAL_EMPTY ? TEXT("") : TEXT("trial.example"),
        .rule = TEXT(TRIAL_ALERT_RULE),
        .title = strange               ? buffer_text(&message)
                 : kind == TRIAL_EMPTY ? TEXT("")
                                       : TEXT("A program was run from /tmp"),
        .message = message.len ? buffer_text(&message) : TEXT(""),
        .time = kind == TRIAL_EPOCH ? 0 : TRIAL_TIME,
        .severity = (int)(number % 5),
    };

    if (kind == TRIAL_EVENT) {
        alert.kind = PICKET_KIND_EVENT;
        alert.rule = alert.title = TEXT("");
        alert.severity = PICKET_INFORMATIONAL;
        put_line(&json, &alert);
    } else {
        put_json(&json, &alert, kind);
    }
    alert.title = arena_text(arena, alert.title);
    alert.message = arena_text(arena, alert.message);
    alert.json = arena_text(arena, buffer_text(&json));
    if (buffer_failed(&json) || !alert.title.ptr || !alert.message.ptr || !alert.json.ptr)
        return -ENOMEM;
    *out = alert;
    return 0;
}
