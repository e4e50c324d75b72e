/* What the outputs webhook and smtp make of an alert's texts, and what is shown of a server's
 * answer: whatever they hold, bodies are JSON and hold nothing that a chat would act upon, mails
 * are lines of ASCII with the header that they should have, and no secret is in a reason.
 *
 * The input: a byte that chooses, then texts, each up to a NUL: title, message, rule, host,
 * program, the format's line (none: the alert as JSON), subject, answer. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "curl_session/curl_session.h"
#include "smtp/mail.h"
#include "webhook/request_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "hunter2"

static struct arena arena;
static const char *program;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const char *value(const struct picket_host *host, const struct picket_alert *alert,
                         const char *path)
{
    return strcmp(path, "rule.title") == 0 ? alert->title : program;
}

static const char *printable(const struct picket_host *host, const char *text)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    buffer_put_printable(&out, text_from(text));
    return arena_text(&arena, buffer_text(&out)).ptr;
}

static const struct picket_host host = {
    .size = sizeof host, .value = value, .printable = printable};

/* As the core has it: UTF-8, U+FFFD for what is none. */
static const char *next_text(struct text *rest)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    struct text t = text_split(rest, '\0');

    while (t.len) {
        uint32_t code;
        size_t len = text_utf8(t, &code);

        buffer_put_text(&out, len ? (struct text){t.ptr, len} : TEXT("\xef\xbf\xbd"));
        t.ptr += len ? len : 1;
        t.len -= len ? len : 1;
    }
    return arena_string(&arena, out.len ? buffer_string(&out) : "");
}

static void check_json(const struct request_form *form, struct text body)
{
    CLEANUP(json_freep) json_t *value_read = NULL;
    struct json_failure failure;

    require(json_parse(body, &value_read, &failure) == 0);
    if (form->service == SERVICE_SLACK)
        require(!memchr(body.ptr, '<', body.len) && !memchr(body.ptr, '>', body.len));
    if (form->service == SERVICE_MATTERMOST)
        require(!text_contains(body, TEXT("@all")) && !text_contains(body, TEXT("@here")));
}

static void check_bodies(const struct picket_alert *alert, bool lines)
{
    const struct picket_alert *alerts[] = {alert, alert, alert};
    struct text_buffer body = {0};

    for (int i = 0; i < SERVICE_COUNT + ARRANGEMENT_COUNT - 1; i++) {
        const struct request_form form = {
            .service = (enum service)(i < SERVICE_COUNT ? i : SERVICE_PLAIN),
            .arrangement = (enum arrangement)(i < SERVICE_COUNT ? 0 : i - SERVICE_COUNT + 1),
            .lines = lines,
            .token = SECRET};
        size_t count = request_body_put(&form, &host, alerts, 3, &body);

        require(count >= 1 && count <= 3 && request_body_type(&form));
        if (form.arrangement == ARRANGEMENT_ARRAY)
            check_json(&form, (struct text){body.data, body.len});
    }
    text_buffer_deinit(&body);
}

/* The header's lines, in their order; a line that is folded goes on behind a space. */
static void check_header(struct text header)
{
    static const char *const names[] = {
        "Date",         "From",         "To",
        "Subject",      "Message-ID",   "Auto-Submitted",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding"};
    size_t next = 0;

    while (header.len) {
        struct text line = text_split(&header, '\n');

        if (text_starts(line, TEXT(" ")))
            continue;
        require(next < sizeof names / sizeof *names);
        require(text_is(text_split(&line, ':'), names[next++]));
    }
    require(next == sizeof names / sizeof *names);
}

static void check_mail(const struct picket_alert *alert, bool lines, const char *subject)
{
    static const char *const to[] = {"a@b", "c@d", NULL};
    const struct mail_form form = {
        .host = &host, .from = "e@f", .to = to, .lines = lines, .subject = subject};
    const struct picket_alert *alerts[] = {alert, alert};
    struct text_buffer mail = {0};
    size_t column = 0;

    mail_put(&form, alerts, 2, 0, &mail);
    require(!mail.failed);
    for (size_t i = 0; i < mail.len; i++) {
        char c = mail.data[i];

        require(c == '\r' || c == '\n' || (c >= ' ' && c <= '~'));
        require((c == '\n') == (i > 0 && mail.data[i - 1] == '\r'));
        column = c == '\n' ? 0 : column + 1;
        require(column < 998);
    }
    const char *end = strstr(mail.data, "\r\n\r\n");

    require(end != NULL);
    check_header((struct text){mail.data, (size_t)(end + 1 - mail.data)});
    text_buffer_deinit(&mail);
}

static void check_answer(struct text answer)
{
    char address[] = "https://h:443";
    struct curl_session session = {.host = &host, .address = address};

    curl_session_hide(&session, SECRET);
    const char *reason = curl_session_answer(&session, 400, answer.ptr, answer.len);

    require(!strstr(reason, SECRET) && !strpbrk(reason, "\r\n\033"));
    require(strncmp(reason, "https://h:443 answers 400", 25) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = {(const char *)data, size};

    if (size == 0)
        return 0;
    rest.ptr++;
    rest.len--;
    struct picket_alert alert = {.size = sizeof alert,
                                 .id = "01TRIAL",
                                 .time = 1767225600LL * 1000000000,
                                 .severity = data[0] % 6,
                                 .json = "{\"id\":\"01TRIAL\"}"};

    alert.title = next_text(&rest);
    alert.message = next_text(&rest);
    alert.rule = next_text(&rest);
    alert.host = next_text(&rest);
    program = next_text(&rest);
    bool lines = data[0] & 0x80;

    alert.text = lines ? next_text(&rest) : alert.json;
    alert.text_len = strlen(alert.text);
    alert.json_len = strlen(alert.json);
    check_bodies(&alert, lines);
    const char *subject = next_text(&rest);

    check_mail(&alert, lines, mail_is_subject(subject) ? subject : "%{rule.title}");
    check_answer(rest);
    arena_deinit(&arena);
    arena = (struct arena){0};
    return 0;
}
