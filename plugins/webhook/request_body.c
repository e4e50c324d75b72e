#include "request_body.h"

#include <string.h>

/* What chats show of a message. */
#define SHOWN_MAX 1500

/* PagerDuty takes events of 512 KiB, and summaries of 1,024 characters. */
#define DETAILS_MAX ((size_t)400 << 10)
#define SUMMARY_MAX 1000

struct rendering {
    const struct request_form *form;
    const struct picket_host *host;
    struct text_buffer *body;
};

/* One kind of receiver. A separator goes between alerts, an end behind the last. */
struct layout {
    const char *begin, *separator, *end;
    void (*put)(const struct rendering *to, const struct picket_alert *alert);
    size_t most;  /* alerts in a request */
    size_t bytes; /* beyond this another request begins */
};

static int level_of(const struct picket_alert *alert)
{
    return alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL
               ? alert->severity
               : PICKET_MEDIUM;
}

static const char *severity_name(const struct picket_alert *alert)
{
    static const char *const names[] = {"informational", "low", "medium", "high", "critical"};

    return names[level_of(alert)];
}

static const char *words(const struct rendering *to, const struct picket_alert *alert)
{
    return to->form->lines && alert->text_len ? alert->text : alert->message;
}

static void put_string(const struct rendering *to, const char *string)
{
    text_buffer_put_string(to->body, string);
}

static void put_json(const struct rendering *to, const char *text)
{
    text_buffer_put_json(to->body, text, strlen(text));
}

/* A member, with a comma before it. */
static void put_member(const struct rendering *to, const char *key, const char *text)
{
    put_string(to, ",\"");
    put_string(to, key);
    put_string(to, "\":");
    put_json(to, text);
}

static void put_plain(const struct rendering *to, const struct picket_alert *alert)
{
    if (to->form->arrangement == ARRANGEMENT_ARRAY && to->form->lines)
        text_buffer_put_json(to->body, alert->text, alert->text_len);
    else
        text_buffer_put(to->body, alert->text, alert->text_len);
}

/* Slack, "Escaping text": these three are all that begins something; that addresses in a text
 * become links, and are fetched by Slack, is put off for the whole message. */
static void escape_slack(struct text_buffer *out, char c)
{
    if (c == '&')
        text_buffer_put_string(out, "&amp;");
    else if (c == '<')
        text_buffer_put_string(out, "&lt;");
    else if (c == '>')
        text_buffer_put_string(out, "&gt;");
    else
        text_buffer_put_char(out, c);
}

/* CommonMark, 2.4: any ASCII punctuation can stand behind a backslash. That does not keep @channel
 * from being a mention; a space that is not seen does. */
static void escape_markdown(struct text_buffer *out, char c)
{
    if (strchr("\\`*_{}[]()<>#+-.!|~:&$", c))
        text_buffer_put_char(out, '\\');
    text_buffer_put_char(out, c);
    if (c == '@')
        text_buffer_put_string(out, "\xe2\x80\x8b");
}

/* TEXT from outside as a chat shows it: literally, on one line, not too long. In JSON's quotes. */
static void put_shown(const struct rendering *to, const char *text)
{
    struct text_buffer cut = {0}, escaped = {0};

    text_buffer_put(&cut, text, text_cut(text, SHOWN_MAX));
    if (!cut.failed && text[cut.len])
        text_buffer_put_string(&cut, "…");
    const char *line = cut.failed ? NULL : to->host->printable(to->host, cut.data);

    for (; line && *line; line++)
        if (to->form->service == SERVICE_SLACK)
            escape_slack(&escaped, *line);
        else if (to->form->service == SERVICE_MATTERMOST)
            escape_markdown(&escaped, *line);
        else
            text_buffer_put_char(&escaped, *line);
    if (!line || escaped.failed)
        to->body->failed = true;
    else
        text_buffer_put_json(to->body, escaped.data ? escaped.data : "", escaped.len);
    text_buffer_deinit(&cut);
    text_buffer_deinit(&escaped);
}

static void put_field(const struct rendering *to, const char *title, const char *value)
{
    if (!value || !*value)
        return;
    put_string(to, "{\"title\":");
    put_json(to, title);
    put_string(to, ",\"value\":");
    put_shown(to, value);
    put_string(to, ",\"short\":true},");
}

static void put_fields(const struct rendering *to, const struct picket_alert *alert)
{
    const struct picket_host *host = to->host;

    put_string(to, ",\"fields\":[");
    put_field(to, "Host", alert->host);
    put_field(to, "Rule", alert->rule);
    put_field(to, "Program", host->value(host, alert, "event.exe"));
    put_field(to, "User", host->value(host, alert, "event.user"));
    put_field(to, "Started by", host->value(host, alert, "event.parent.exe"));
    put_string(to, "{\"title\":\"Severity\",\"value\":");
    put_json(to, severity_name(alert));
    put_string(to, ",\"short\":true}]");
}

/* An attachment of Slack's, which Mattermost takes as well. */
static void put_attachment(const struct rendering *to, const struct picket_alert *alert)
{
    static const char *const colors[] = {"#757575", "#1976d2", "#f9a825", "#e65100", "#b71c1c"};

    put_string(to, "{\"color\":");
    put_json(to, colors[level_of(alert)]);
    put_string(to, ",\"fallback\":");
    put_shown(to, words(to, alert));
    put_string(to, ",\"title\":");
    put_shown(to, alert->title);
    put_string(to, ",\"text\":");
    put_shown(to, words(to, alert));
    put_fields(to, alert);
    put_string(to, ",\"footer\":");
    put_shown(to, alert->id);
    text_buffer_printf(to->body, ",\"ts\":%lld,\"mrkdwn_in\":[]}",
                       (long long)(alert->time / 1000000000));
}

/* A paragraph of one piece. RichTextBlock knows no Markdown: what is in it is shown as it is. */
static void put_paragraph(const struct rendering *to, const char *text, const char *look)
{
    put_string(to, "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\",\"text\":");
    put_shown(to, text);
    put_string(to, look);
    put_string(to, "}]}");
}

/* A container of an adaptive card. */
static void put_container(const struct rendering *to, const struct picket_alert *alert)
{
    static const char *const styles[] = {"default", "default", "warning", "attention", "attention"};
    struct text_buffer below = {0};

    put_string(to, "{\"type\":\"Container\",\"separator\":true,\"style\":");
    put_json(to, styles[level_of(alert)]);
    put_string(to, ",\"items\":[");
    if (*alert->title) {
        put_paragraph(to, alert->title, ",\"weight\":\"Bolder\"");
        put_string(to, ",");
    }
    put_paragraph(to, words(to, alert), "");
    put_string(to, ",");
    text_buffer_put_string(&below, severity_name(alert));
    text_buffer_put_string(&below, " · ");
    text_buffer_put(&below, alert->host, text_cut(alert->host, 200));
    text_buffer_put_string(&below, " · ");
    text_buffer_put(&below, alert->rule, text_cut(alert->rule, 200));
    text_buffer_put_string(&below, " · ");
    text_buffer_put_time(&below, alert->time);
    text_buffer_put_string(&below, " · ");
    text_buffer_put_string(&below, alert->id);
    put_paragraph(to, below.failed ? "" : below.data, ",\"size\":\"Small\",\"isSubtle\":true");
    text_buffer_deinit(&below);
    put_string(to, "]}");
}

static void put_summary(const struct rendering *to, const struct picket_alert *alert)
{
    const char *text = *words(to, alert) ? words(to, alert)
                       : *alert->title   ? alert->title
                                         : alert->rule;
    struct text_buffer summary = {0};

    text_buffer_put(&summary, text, text_cut(text, SUMMARY_MAX));
    if (summary.failed)
        to->body->failed = true;
    else
        put_json(to, summary.data);
    text_buffer_deinit(&summary);
}

/* An event of PagerDuty's Events API v2. */
static void put_event(const struct rendering *to, const struct picket_alert *alert)
{
    static const char *const severities[] = {"info", "info", "warning", "error", "critical"};

    put_string(to, "{\"event_action\":\"trigger\",\"client\":\"picket\"");
    put_member(to, "routing_key", to->form->token);
    put_member(to, "dedup_key", alert->id);
    put_string(to, ",\"payload\":{\"summary\":");
    put_summary(to, alert);
    put_member(to, "source", *alert->host ? alert->host : "unknown");
    put_member(to, "severity", severities[level_of(alert)]);
    put_string(to, ",\"timestamp\":\"");
    text_buffer_put_time(to->body, alert->time);
    put_string(to, "\"");
    put_member(to, "class", alert->rule);
    put_string(to, ",\"custom_details\":");
    if (alert->json_len <= DETAILS_MAX)
        text_buffer_put(to->body, alert->json, alert->json_len);
    else
        put_string(to, "{\"omitted\":\"the alert is too large\"}");
    put_string(to, "}}");
}

/* An alert of Alertmanager's API v2. Its labels are what it is told apart by: the id is one. */
static void put_labels(const struct rendering *to, const struct picket_alert *alert)
{
    put_string(to, "{\"labels\":{\"job\":\"picket\"");
    put_member(to, "alertname", alert->rule);
    put_member(to, "severity", severity_name(alert));
    put_member(to, "instance", alert->host);
    put_member(to, "id", alert->id);
    put_string(to, "},\"annotations\":{\"summary\":");
    put_json(to, alert->title);
    put_string(to, ",\"description\":");
    put_shown(to, words(to, alert));
    put_string(to, "},\"startsAt\":\"");
    text_buffer_put_time(to->body, alert->time);
    put_string(to, "\"}");
}

#define MANY        4096
#define LARGE       ((size_t)1 << 20)
#define ATTACHMENTS 20 /* "no more than", says Slack */
/* Slack cuts off messages of 40,000 characters. */
#define CHAT 32000
/* A message of Teams is at most 28 KiB. */
#define CARD 24000

static const struct layout plain[ARRANGEMENT_COUNT] = {
    [ARRANGEMENT_ARRAY] = {"[", ",", "]", put_plain, MANY, LARGE},
    [ARRANGEMENT_LINES] = {"", "\n", "\n", put_plain, MANY, LARGE},
    [ARRANGEMENT_SINGLE] = {"", "", "", put_plain, 1, LARGE},
};

static const struct layout services[SERVICE_COUNT] = {
    [SERVICE_SLACK] = {"{\"parse\":\"none\",\"unfurl_links\":false,\"unfurl_media\":false,"
                       "\"attachments\":[",
                       ",", "]}", put_attachment, ATTACHMENTS, CHAT},
    [SERVICE_MATTERMOST] = {"{\"attachments\":[", ",", "]}", put_attachment, ATTACHMENTS, CHAT},
    [SERVICE_TEAMS] = {"{\"type\":\"message\",\"attachments\":[{\"contentType\":"
                       "\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,"
                       "\"content\":{\"$schema\":"
                       "\"http://adaptivecards.io/schemas/adaptive-card.json\","
                       "\"type\":\"AdaptiveCard\",\"version\":\"1.4\","
                       "\"msteams\":{\"width\":\"Full\"},\"body\":[",
                       ",", "]}}]}", put_container, ATTACHMENTS, CARD},
    [SERVICE_PAGERDUTY] = {"", "", "", put_event, 1, LARGE},
    [SERVICE_ALERTMANAGER] = {"[", ",", "]", put_labels, MANY, LARGE},
};

static const struct layout *layout_of(const struct request_form *form)
{
    return form->service == SERVICE_PLAIN ? &plain[form->arrangement] : &services[form->service];
}

size_t request_body_most(const struct request_form *form)
{
    return layout_of(form)->most;
}

const char *request_body_type(const struct request_form *form)
{
    if (form->service != SERVICE_PLAIN || form->arrangement == ARRANGEMENT_ARRAY)
        return "application/json";
    if (form->lines)
        return "text/plain; charset=utf-8";
    return form->arrangement == ARRANGEMENT_LINES ? "application/x-ndjson" : "application/json";
}

size_t request_body_put(const struct request_form *form, const struct picket_host *host,
                        const struct picket_alert *const *alerts, size_t count,
                        struct text_buffer *body)
{
    const struct layout *layout = layout_of(form);
    const struct rendering to = {.form = form, .host = host, .body = body};
    size_t done = 0, most = count < layout->most ? count : layout->most;

    text_buffer_clear(body);
    text_buffer_put_string(body, layout->begin);
    for (; done < most; done++) {
        size_t before = body->len;

        text_buffer_put_string(body, done ? layout->separator : "");
        layout->put(&to, alerts[done]);
        if (body->failed)
            return 0;
        if (done && body->len > layout->bytes) {
            body->len = before;
            break;
        }
    }
    text_buffer_put_string(body, layout->end);
    return body->failed ? 0 : done;
}
