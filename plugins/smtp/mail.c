#include "mail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Longer subjects are cut. */
#define SUBJECT_MAX 250

/* As much of a value goes into a mail. */
#define VALUE_MAX ((size_t)4 << 10)
#define TEXT_MAX  ((size_t)64 << 10)

/* RFC 2045, 6.7: encoded lines, with the = at their end. RFC 2047, 2: an encoded word. */
#define LINE_MAX 76
#define WORD_MAX 75

#define PATH_MAX_LEN 127

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool mail_is_address(const char *text)
{
    const char *at = strchr(text, '@');

    for (const char *c = text; *c; c++)
        if (!is_letter_or_digit(*c) && !strchr("!#$%&'*+-/=?^_`{|}~.@", *c))
            return false;
    return at && at != text && at[1] && !strchr(at + 1, '@') && strlen(text) <= 254;
}

bool mail_is_subject(const char *text)
{
    for (; (text = strchr(text, '%')); text++) {
        if (text[1] == '%') {
            text++;
            continue;
        }
        const char *end = text[1] == '{' ? strchr(text, '}') : NULL;

        if (!end || end - text - 2 > PATH_MAX_LEN || end - text == 2)
            return false;
        text = end;
    }
    return true;
}

static void put_hex(struct text_buffer *mail, unsigned char c)
{
    text_buffer_printf(mail, "=%02X", c);
}

void mail_put_body(struct text_buffer *mail, const char *text, size_t len)
{
    size_t column = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool last = i + 1 == len || text[i + 1] == '\n';
        bool plain = (c > ' ' && c < 0x7f && c != '=') || (c == ' ' && !last);

        if (c == '\n') {
            text_buffer_put_string(mail, "\r\n");
            column = 0;
            continue;
        }
        if (column + (plain ? 1 : 3) > LINE_MAX - 1) {
            text_buffer_put_string(mail, "=\r\n");
            column = 0;
        }
        if (plain)
            text_buffer_put_char(mail, (char)c);
        else
            put_hex(mail, c);
        column += plain ? 1 : 3;
    }
}

/* Bytes of the character at TEXT; of what is no UTF-8, one. */
static size_t character_len(const char *text)
{
    size_t len = 1;

    while (len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len++;
    return len;
}

static bool is_plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return false;
    return !strstr(text, "=?");
}

/* One encoded word with as much of TEXT as it holds; how much that is. */
static size_t put_word(struct text_buffer *mail, const char *text)
{
    size_t begin = mail->len, done = 0;

    text_buffer_put_string(mail, "=?utf-8?Q?");
    while (text[done] && !mail->failed) {
        size_t len = character_len(text + done);

        if (mail->len - begin + len * 3 + 2 > WORD_MAX)
            break;
        for (size_t end = done + len; done < end; done++)
            if (is_letter_or_digit(text[done]))
                text_buffer_put_char(mail, text[done]);
            else
                put_hex(mail, (unsigned char)text[done]);
    }
    text_buffer_put_string(mail, "?=");
    return done;
}

void mail_put_header_text(struct text_buffer *mail, const char *text)
{
    if (is_plain(text)) {
        text_buffer_put_string(mail, text);
        return;
    }
    while (*text && !mail->failed) {
        text += put_word(mail, text);
        if (*text)
            text_buffer_put_string(mail, "\r\n ");
    }
}

static void put_value(struct text_buffer *out, const struct picket_host *host,
                      const struct picket_alert *alert, const char *path)
{
    const char *value = host->value(host, alert, path);

    if (value && *value)
        text_buffer_put(out, value, text_cut(value, SUBJECT_MAX));
    else
        text_buffer_put_char(out, '-');
}

static void put_subject_of(struct text_buffer *out, const struct mail_form *form,
                           const struct picket_alert *alert)
{
    char path[PATH_MAX_LEN + 1];

    for (const char *c = form->subject; *c; c++) {
        if (*c != '%') {
            text_buffer_put_char(out, *c);
        } else if (*++c == '%') {
            text_buffer_put_char(out, '%');
        } else {
            const char *end = strchr(c, '}');

            snprintf(path, sizeof path, "%.*s", (int)(end - c - 1), c + 1);
            put_value(out, form->host, alert, path);
            c = end;
        }
    }
}

/* Of the gravest alert, the first of those. */
static void put_subject(struct text_buffer *mail, const struct mail_form *form,
                        const struct picket_alert *const *alerts, size_t count)
{
    struct text_buffer subject = {0};
    const struct picket_alert *gravest = alerts[0];

    for (size_t i = 1; i < count; i++)
        if (alerts[i]->severity > gravest->severity)
            gravest = alerts[i];
    put_subject_of(&subject, form, gravest);
    const char *shown =
        subject.failed || !subject.data ? "" : form->host->printable(form->host, subject.data);

    text_buffer_clear(&subject);
    if (shown)
        text_buffer_put(&subject, shown, text_cut(shown, SUBJECT_MAX));
    if (count > 1)
        text_buffer_printf(&subject, " (and %zu more)", count - 1);
    text_buffer_put_string(mail, "Subject: ");
    mail_put_header_text(mail, subject.failed || !subject.data ? "alerts" : subject.data);
    text_buffer_put_string(mail, "\r\n");
    text_buffer_deinit(&subject);
}

/* The same alerts have the same: a receiver can tell a repeat. */
static void put_message_id(struct text_buffer *mail, const struct mail_form *form,
                           const struct picket_alert *first, size_t count)
{
    text_buffer_put_string(mail, "Message-ID: <");
    for (const char *c = first->id; *c && c < first->id + 64; c++)
        text_buffer_put(mail, is_letter_or_digit(*c) ? c : "-", 1);
    text_buffer_printf(mail, ".%zu%s>\r\n", count, strchr(form->from, '@'));
}

static void put_recipients(struct text_buffer *mail, const struct mail_form *form)
{
    text_buffer_put_string(mail, "To: ");
    for (size_t i = 0; form->to[i]; i++) {
        text_buffer_put_string(mail, i ? ",\r\n " : "");
        text_buffer_put_string(mail, form->to[i]);
    }
    text_buffer_put_string(mail, "\r\n");
}

static void put_date(struct text_buffer *mail, long long now)
{
    time_t seconds = (time_t)now;
    struct tm utc = {0};
    char date[64] = "";

    gmtime_r(&seconds, &utc);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &utc);
    text_buffer_printf(mail, "Date: %s\r\n", date);
}

/* A line of the body, when there is such a value. */
static void put_line(struct text_buffer *body, const struct picket_host *host, const char *name,
                     const char *value)
{
    struct text_buffer cut = {0};

    if (!value || !*value)
        return;
    text_buffer_put(&cut, value, text_cut(value, VALUE_MAX));
    const char *shown = cut.failed ? NULL : host->printable(host, cut.data);

    text_buffer_put_string(body, name);
    text_buffer_put_string(body, shown);
    text_buffer_put_string(body, value[cut.len] ? "…\n" : "\n");
    text_buffer_deinit(&cut);
}

static void put_text(struct text_buffer *body, const struct picket_alert *alert)
{
    size_t len = text_cut(alert->text, TEXT_MAX);

    text_buffer_put(body, alert->text, len);
    text_buffer_put_string(body, alert->text[len] ? "…\n" : "\n");
}

static void put_alert(struct text_buffer *body, const struct picket_host *host,
                      const struct picket_alert *alert)
{
    put_line(body, host, "", alert->title);
    put_line(body, host, "", alert->message);
    text_buffer_put_string(body, "\nTime:       ");
    text_buffer_put_time(body, alert->time);
    text_buffer_put_char(body, '\n');
    put_line(body, host, "Host:       ", alert->host);
    put_line(body, host, "Rule:       ", alert->rule);
    put_line(body, host, "Severity:   ", host->value(host, alert, "rule.severity"));
    put_line(body, host, "Program:    ", host->value(host, alert, "event.exe"));
    put_line(body, host, "Command:    ", host->value(host, alert, "event.cmdline"));
    put_line(body, host, "User:       ", host->value(host, alert, "event.user"));
    put_line(body, host, "Started by: ", host->value(host, alert, "event.parent.exe"));
    put_line(body, host, "Alert:      ", alert->id);
    text_buffer_put_char(body, '\n');
    put_text(body, alert);
}

void mail_put(const struct mail_form *form, const struct picket_alert *const *alerts, size_t count,
              long long time, struct text_buffer *mail)
{
    struct text_buffer body = {0};

    text_buffer_clear(mail);
    put_date(mail, time);
    text_buffer_put_string(mail, "From: ");
    text_buffer_put_string(mail, form->from);
    text_buffer_put_string(mail, "\r\n");
    put_recipients(mail, form);
    put_subject(mail, form, alerts, count);
    put_message_id(mail, form, alerts[0], count);
    text_buffer_put_string(mail, "Auto-Submitted: auto-generated\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    for (size_t i = 0; i < count; i++) {
        if (i && !form->lines)
            text_buffer_put_string(&body, "\n----------------------------------------\n\n");
        if (form->lines)
            put_text(&body, alerts[i]);
        else
            put_alert(&body, form->host, alerts[i]);
    }
    if (body.failed)
        mail->failed = true;
    else
        mail_put_body(mail, body.data, body.len);
    text_buffer_deinit(&body);
}
