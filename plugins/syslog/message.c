#include "message.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

/* Longer texts are cut: journald's own limit is near, and with its header and parameters a message
 * is less than the 8 KiB that rsyslog takes. */
#define TEXT_MAX      6000
#define PARAMETER_MAX 480

static void put_priority(struct text_buffer *out, const struct message_style *style,
                         const struct picket_alert *alert)
{
    static const int levels[] = {
        [PICKET_INFORMATIONAL] = LOG_INFO, [PICKET_LOW] = LOG_NOTICE,
        [PICKET_MEDIUM] = LOG_WARNING,     [PICKET_HIGH] = LOG_ERR,
        [PICKET_CRITICAL] = LOG_CRIT,
    };
    int known = alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL;

    text_buffer_printf(out, "<%d>",
                       style->facility | (known ? levels[alert->severity] : LOG_WARNING));
}

/* At most TEXT_MAX bytes, on one line, no character cut in two. */
static void put_text(struct text_buffer *out, const struct picket_host *host, const char *text)
{
    const char *shown = host->printable(host, text);
    size_t len = shown ? text_cut(shown, TEXT_MAX) : 0;

    text_buffer_put(out, shown, len);
    if (shown && shown[len])
        text_buffer_put_string(out, "…");
}

/* RFC 5424, 6.3.3: these three are escaped within a parameter. */
static void put_parameter(struct text_buffer *out, const struct picket_host *host, const char *name,
                          const char *value)
{
    const char *shown = value ? host->printable(host, value) : NULL;
    size_t len = shown ? text_cut(shown, PARAMETER_MAX) : 0;

    if (!shown)
        return;
    text_buffer_printf(out, " %s=\"", name);
    for (size_t i = 0; i < len; i++) {
        if (strchr("\"\\]", shown[i]))
            text_buffer_put_char(out, '\\');
        text_buffer_put_char(out, shown[i]);
    }
    text_buffer_put_string(out, shown[len] ? "…\"" : "\"");
}

/* What a header field may hold: printable ASCII, no space, not nothing. */
static void put_header_field(struct text_buffer *out, const char *text, size_t most)
{
    if (!*text)
        text_buffer_put_char(out, '-');
    for (size_t i = 0; text[i] && i < most; i++)
        text_buffer_put(out, text[i] > ' ' && text[i] < 0x7f ? text + i : "_", 1);
}

/* The number is the one RFC 5612 keeps for examples: nobody else's. */
static void put_structured_data(struct text_buffer *out, const struct picket_host *host,
                                const struct picket_alert *alert)
{
    static const struct {
        const char *name, *path;
    } values[] = {{"severity", "rule.severity"},
                  {"pid", "event.pid"},
                  {"uid", "event.uid"},
                  {"exe", "event.exe"}};

    text_buffer_put_string(out, "[picket@32473");
    put_parameter(out, host, "id", alert->id);
    put_parameter(out, host, "rule", alert->rule);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        put_parameter(out, host, values[i].name, host->value(host, alert, values[i].path));
    text_buffer_put_char(out, ']');
}

static void put_rfc5424_header(struct text_buffer *out, const struct message_style *style,
                               const struct picket_alert *alert)
{
    time_t seconds = (time_t)(alert->time / 1000000000);
    struct tm utc = {0};
    char stamp[32];

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "1 %Y-%m-%dT%H:%M:%S", &utc);
    put_priority(out, style, alert);
    text_buffer_printf(out, "%s.%06dZ ", stamp, (int)(alert->time % 1000000000 / 1000));
    put_header_field(out, alert->host, 255);
    text_buffer_put_char(out, ' ');
    put_header_field(out, style->tag, 48);
    text_buffer_put_string(out, " - ");
    put_header_field(out, alert->rule, 32);
    text_buffer_put_char(out, ' ');
    put_structured_data(out, style->host, alert);
    text_buffer_put_char(out, ' ');
}

static void put_bsd_header(struct text_buffer *out, const struct message_style *style,
                           const struct picket_alert *alert)
{
    time_t seconds = (time_t)(alert->time / 1000000000);
    struct tm local = {0};
    char stamp[32];

    localtime_r(&seconds, &local);
    strftime(stamp, sizeof stamp, "%b %e %H:%M:%S ", &local);
    put_priority(out, style, alert);
    text_buffer_put_string(out, stamp);
    if (style->form == MESSAGE_BSD_REMOTE) {
        put_header_field(out, alert->host, 255);
        text_buffer_put_char(out, ' ');
    }
    put_header_field(out, style->tag, 48);
    text_buffer_put_string(out, ": ");
}

static void put_short_content(struct text_buffer *out, const struct message_style *style,
                              const struct picket_alert *alert)
{
    const char *severity = style->host->value(style->host, alert, "rule.severity");

    if (style->form != MESSAGE_RFC5424 && alert->kind == PICKET_KIND_ALERT)
        text_buffer_printf(out, "%.256s [%.32s] ", alert->rule, severity ? severity : "-");
    put_text(out, style->host, alert->message);
}

void message_put(struct text_buffer *out, const struct message_style *style,
                 const struct picket_alert *alert, enum message_content content)
{
    if (style->form == MESSAGE_RFC5424)
        put_rfc5424_header(out, style, alert);
    else
        put_bsd_header(out, style, alert);
    if (content == MESSAGE_WHOLE)
        text_buffer_put(out, alert->text, alert->text_len);
    else
        put_short_content(out, style, alert);
}
