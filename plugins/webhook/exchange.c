#include "exchange.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

/* How much of an answer is waited for. */
#define ANSWER_MAX ((size_t)1 << 20)

static size_t receive(char *bytes, size_t one, size_t len, void *context)
{
    struct exchange *exchange = context;
    size_t room = sizeof exchange->excerpt - exchange->excerpt_len;
    size_t kept = len < room ? len : room;

    memcpy(exchange->excerpt + exchange->excerpt_len, bytes, kept);
    exchange->excerpt_len += kept;
    exchange->answered += len;
    return exchange->answered <= ANSWER_MAX ? len : 0;
}

/* The body as gzip, in .packed. */
static bool pack(struct exchange *exchange)
{
    z_stream stream = {.next_in = (Bytef *)exchange->body.data,
                       .avail_in = (uInt)exchange->body.len};

    /* 15, the largest window, and 16: with gzip's header. */
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    size_t bound = deflateBound(&stream, (uLong)exchange->body.len);

    text_buffer_clear(&exchange->packed);
    stream.next_out = (Bytef *)text_buffer_reserve(&exchange->packed, bound);
    stream.avail_out = (uInt)bound;
    bool done = stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END;

    exchange->packed.len = stream.total_out;
    deflateEnd(&stream);
    return done;
}

/* The headers that this request has of its own go before the others, and are freed with HEADS. */
static bool put_request_headers(struct exchange *exchange, const struct signed_request *request,
                                struct curl_slist **heads)
{
    struct text_buffer lines = {0};
    char type[128];
    size_t count = 0;
    const char *line;

    snprintf(type, sizeof type, "Content-Type: %s", request_body_type(&exchange->form));
    if (!exchange->typed) {
        text_buffer_put(&lines, type, strlen(type) + 1);
        count++;
    }
    if (exchange->signature.key)
        count += signature_put(&exchange->signature, request, &lines);
    line = lines.data;
    for (size_t i = 0; !lines.failed && i < count; i++, line += strlen(line) + 1) {
        struct curl_slist *longer = curl_slist_append(*heads, line);

        if (!longer)
            lines.failed = true;
        else
            *heads = longer;
    }
    bool done = !lines.failed;

    text_buffer_deinit(&lines);
    return done;
}

static CURLcode perform(struct exchange *exchange, const struct text_buffer *body,
                        struct curl_slist *heads)
{
    CURL *curl = exchange->session.curl;
    struct curl_slist *last = heads;

    while (last && last->next)
        last = last->next;
    if (last)
        last->next = exchange->headers;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, heads ? heads : exchange->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    exchange->answered = 0;
    exchange->excerpt_len = 0;
    CURLcode code = curl_session_perform(&exchange->session);

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    if (last)
        last->next = NULL;
    return code;
}

/* The same for the same alerts; fit for a header, whatever the id is. */
static void make_request_id(char *id, size_t size, const struct picket_alert *first, size_t count)
{
    int len = snprintf(id, size, "%.64s-%zu", first->id, count);

    for (int i = 0; i < len; i++)
        if (id[i] <= ' ' || id[i] > '~')
            id[i] = '_';
}

/* Sends .body, COUNT alerts of which FIRST is the first. */
static CURLcode send_body(struct exchange *exchange, const struct picket_alert *first, size_t count)
{
    const struct text_buffer *body =
        exchange->config->compress ? &exchange->packed : &exchange->body;
    struct curl_slist *heads = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    char id[96];

    if (exchange->config->compress && !pack(exchange))
        return code;
    make_request_id(id, sizeof id, first, count);
    const struct signed_request request = {
        .id = id, .time = (long long)time(NULL), .body = body->data, .len = body->len};

    if (put_request_headers(exchange, &request, &heads))
        code = perform(exchange, body, heads);
    curl_slist_free_all(heads);
    return code;
}

static enum outcome judge(long status)
{
    switch (status) {
    case 407: /* Proxy Authentication Required: it is not the receiver who says so */
    case 408: /* Request Timeout */
    case 425: /* Too Early */
    case 429: /* Too Many Requests */
        return OUTCOME_LATER;
    case 413: /* Content Too Large */
        return OUTCOME_TOO_LARGE;
    default:
        return status >= 200 && status < 300   ? OUTCOME_TAKEN
               : status >= 300 && status < 400 ? OUTCOME_LATER
               : status >= 400 && status < 500 ? OUTCOME_REFUSED
                                               : OUTCOME_BROKEN;
    }
}

/* No answer. What breaks before anything is sent says nothing of what would have been. */
static enum outcome judge_silence(struct exchange *exchange)
{
    curl_off_t sent = 0;

    curl_easy_getinfo(exchange->session.curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    return sent > 0 ? OUTCOME_BROKEN : OUTCOME_LATER;
}

/* How long to wait, as the receiver says; 0: it says nothing of it. */
static curl_off_t said_pause(const struct exchange *exchange)
{
    curl_off_t seconds = 0;

    curl_easy_getinfo(exchange->session.curl, CURLINFO_RETRY_AFTER, &seconds);
    return seconds;
}

/* What came of the transfer. An answer counts when its status is there, however its body ends: that
 * is all that a receiver has to say, and what it has taken is not to be sent again. */
static enum outcome conclude(struct exchange *exchange, CURLcode code, const char **reason)
{
    static const char elsewhere[] = "redirects are not followed";
    long status = 0;

    curl_easy_getinfo(exchange->session.curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) {
        *reason = curl_session_reason(&exchange->session, code);
        return judge_silence(exchange);
    }
    if (status >= 300 && status < 400)
        *reason = curl_session_answer(&exchange->session, status, elsewhere, strlen(elsewhere));
    else
        *reason = curl_session_answer(&exchange->session, status, exchange->excerpt,
                                      exchange->excerpt_len);
    enum outcome outcome = judge(status);

    return outcome == OUTCOME_BROKEN && said_pause(exchange) > 0 ? OUTCOME_LATER : outcome;
}

enum outcome exchange_perform(struct exchange *exchange, const struct picket_alert *const *alerts,
                              size_t *count, const char **reason)
{
    size_t sent =
        request_body_put(&exchange->form, exchange->session.host, alerts, *count, &exchange->body);
    CURLcode code = sent ? send_body(exchange, alerts[0], sent) : CURLE_OUT_OF_MEMORY;

    if (code == CURLE_OUT_OF_MEMORY) {
        *reason = "out of memory";
        return OUTCOME_BROKEN;
    }
    *count = sent;
    return conclude(exchange, code, reason);
}

uint32_t exchange_pause(struct exchange *exchange)
{
    uint32_t pause = curl_session_pause(&exchange->session);
    curl_off_t seconds = said_pause(exchange);

    if (seconds <= 0)
        return pause;
    return seconds < 3600 ? (uint32_t)seconds * 1000 : 3600000;
}
