#include "cli/alert_listing.h"

#include <wchar.h>

#include "base/clock.h"
#include "cli/moment.h"
#include "rule/rule.h"

/* Columns of a table; the message has what is left. On a terminal, ids are cut to what is hardly
 * ever that of two alerts: the time and 20 bits. */
#define TIME_WIDTH     19
#define DATE_LEN       5 /* of the time: the year, which narrow terminals do without */
#define ID_WIDTH       26
#define ID_WIDTH_SHORT 14
#define SEVERITY_WIDTH 8
#define RULE_WIDTH     24
#define GAP            2
#define MESSAGE_LEAST  12

#define WIDTH_FULL   110 /* from here on there is room for everything */
#define RULE_PORTION 4   /* of what narrow terminals have: a quarter is the rule's */

struct layout {
    bool cut, full;
    size_t rule, id;
    size_t message; /* 0: whole */
};

static struct layout lay_out(const struct alert_listing *listing)
{
    struct layout layout = {.full = listing->width == 0 || listing->width >= WIDTH_FULL,
                            .cut = listing->width > 0,
                            .rule = RULE_WIDTH,
                            .id = listing->width ? ID_WIDTH_SHORT : ID_WIDTH};

    if (listing->width == 0)
        return layout;
    if (!layout.full)
        layout.rule = listing->width / RULE_PORTION;
    size_t before = TIME_WIDTH - (layout.full ? 0 : DATE_LEN) + layout.id + SEVERITY_WIDTH +
                    layout.rule + (size_t)4 * GAP;

    layout.message =
        listing->width > before + MESSAGE_LEAST ? listing->width - before : MESSAGE_LEAST;
    return layout;
}

const char *severity_colour(int severity)
{
    static const char *const colours[] = {
        [SEVERITY_INFORMATIONAL] = "\033[34m", [SEVERITY_LOW] = "\033[36m",
        [SEVERITY_MEDIUM] = "\033[33m",        [SEVERITY_HIGH] = "\033[1;31m",
        [SEVERITY_CRITICAL] = "\033[1;97;41m",
    };
    bool known = severity >= SEVERITY_INFORMATIONAL && severity <= SEVERITY_CRITICAL;

    return known ? colours[severity] : "";
}

/* The journal's numbers are not to be trusted. */
static const char *severity_word(int severity)
{
    bool known = severity >= SEVERITY_INFORMATIONAL && severity <= SEVERITY_CRITICAL;

    return known ? severity_name((enum severity)severity) : "?";
}

/* Takes a character off *T; returns the columns that it fills. */
static size_t next_width(struct text *t)
{
    uint32_t code = 0;
    size_t len = text_utf8(*t, &code);
    int width = wcwidth((wchar_t)code);

    len = len ? len : 1;
    t->ptr += len;
    t->len -= len;
    return width < 0 ? 1 : (size_t)width;
}

static size_t width_of(struct text t)
{
    size_t width = 0;

    while (t.len)
        width += next_width(&t);
    return width;
}

/* What of T fits into WIDTH columns. */
static struct text fit(struct text t, size_t width)
{
    struct text rest = t;
    size_t used = 0;

    while (rest.len) {
        struct text behind = rest;

        used += next_width(&behind);
        if (used > width)
            break;
        rest = behind;
    }
    return (struct text){t.ptr, t.len - rest.len};
}

static void pad(struct buffer *out, size_t count)
{
    while (count--)
        buffer_put_char(out, ' ');
}

static size_t put_cut(struct buffer *out, struct text t, size_t width)
{
    size_t whole = width_of(t);

    if (whole <= width) {
        buffer_put_text(out, t);
        return whole;
    }
    struct text front = fit(t, width - 1);

    buffer_put_text(out, front);
    buffer_put_string(out, "…");
    return width_of(front) + 1;
}

static struct text printable(struct alert_listing *listing, struct text t)
{
    buffer_clear(&listing->scratch);
    buffer_put_printable(&listing->scratch, t);
    return buffer_text(&listing->scratch);
}

static void put_cell(struct buffer *out, struct text t, size_t width, bool cut)
{
    size_t used = cut ? put_cut(out, t, width) : width_of(t);

    if (!cut)
        buffer_put_text(out, t);
    pad(out, GAP + (used < width ? width - used : 0));
}

static void put_severity(const struct alert_listing *listing, struct buffer *out, int severity)
{
    const char *word = severity_word(severity);

    if (severity == SEVERITY_INFORMATIONAL)
        word = "info"; /* it is the column's width that counts */
    if (listing->colour)
        buffer_put_string(out, severity_colour(severity));
    buffer_put_string(out, word);
    if (listing->colour)
        buffer_put_string(out, COLOUR_END);
    pad(out, GAP + SEVERITY_WIDTH - strlen(word));
}

static void put_row(struct alert_listing *listing, const struct journal_alert *alert,
                    struct buffer *out)
{
    struct layout layout = lay_out(listing);
    char bytes[64];
    struct buffer time = {.data = bytes, .size = sizeof bytes};
    struct text id = printable(listing, alert->id);

    moment_put(&time, alert->time);
    buffer_put(out, time.data + (layout.full ? 0 : DATE_LEN),
               time.len - (layout.full ? 0 : DATE_LEN));
    pad(out, GAP);
    put_cell(out, layout.cut ? fit(id, layout.id) : id, layout.id, false);
    put_severity(listing, out, alert->severity);
    put_cell(out, printable(listing, alert->rule), layout.rule, layout.cut);
    struct text message = printable(listing, alert->message.len ? alert->message : alert->title);

    if (layout.cut)
        put_cut(out, message, layout.message);
    else
        buffer_put_text(out, message);
    buffer_put_char(out, '\n');
}

static bool is_formula(struct text t)
{
    return t.len > 0 && strchr("=+-@", t.ptr[0]);
}

static void put_quoted(struct alert_listing *listing, struct buffer *out, struct text t)
{
    struct text shown = printable(listing, t);

    buffer_put_char(out, '"');
    if (is_formula(shown))
        buffer_put_char(out, '\'');
    for (size_t i = 0; i < shown.len; i++) {
        if (shown.ptr[i] == '"')
            buffer_put_char(out, '"');
        buffer_put_char(out, shown.ptr[i]);
    }
    buffer_put_char(out, '"');
}

static void put_record(struct alert_listing *listing, const struct journal_alert *alert,
                       struct buffer *out)
{
    const struct text texts[] = {
        alert->id,   alert->host,  text_from(severity_word(alert->severity)),
        alert->rule, alert->title, alert->message,
    };

    buffer_put_char(out, '"');
    time_put(out, alert->time);
    buffer_put_char(out, '"');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buffer_put_char(out, ',');
        put_quoted(listing, out, texts[i]);
    }
    buffer_put_string(out, "\r\n");
}

void alert_listing_put_header(struct alert_listing *listing, struct buffer *out)
{
    struct layout layout = lay_out(listing);

    if (listing->format == ALERT_CSV)
        buffer_put_string(out, "time,id,host,severity,rule,title,message\r\n");
    if (listing->format != ALERT_TABLE)
        return;
    buffer_printf(out, "%-*s  %-*s  %-8s  %-*s  %s\n", TIME_WIDTH - (layout.full ? 0 : DATE_LEN),
                  "TIME", (int)layout.id, "ID", "SEVERITY", (int)layout.rule, "RULE", "MESSAGE");
}

void alert_listing_put(struct alert_listing *listing, const struct journal_alert *alert,
                       struct buffer *out)
{
    switch (listing->format) {
    case ALERT_TABLE:
        put_row(listing, alert, out);
        break;
    case ALERT_JSON:
        buffer_put_text(out, listing->width ? printable(listing, alert->json) : alert->json);
        buffer_put_char(out, '\n');
        break;
    case ALERT_CSV:
        put_record(listing, alert, out);
        break;
    }
}
