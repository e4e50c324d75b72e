/* Alerts to a service that takes them over HTTP: as JSON, or in the form of a chat, a pager, an
 * Alertmanager. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <zlib.h>

#include "../curl_session/curl_session.h"
#include "request_body.h"
#include "signature.h"

struct config {
    const char *url;
    const char *token;
    const char *const *headers;
    const char *const *secret_headers;
    const char *user;
    const char *password;
    const char *ca;
    const char *cert;
    const char *key;
    const char *hmac_key;
    const char *hmac_header;
    const char *proxy;
    const char *proxy_login;
    int64_t timeout;
    int method;
    int service;
    int body;
    int hmac;
    int compress;
};

#define SECOND 1000000000LL

/* In a url or a header: where the token goes. */
#define TOKEN "{token}"

static const struct picket_option options[] = {
    {.name = "url",
     .type = PICKET_STRING,
     .flags = PICKET_REQUIRED,
     .help = "where to; {token} in it stands for the token",
     .offset = offsetof(struct config, url)},
    {.name = "service",
     .type = PICKET_ENUM,
     .choices = "plain|slack|mattermost|teams|pagerduty|alertmanager",
     .value = "plain",
     .help = "in whose form; plain: as the output's format has them",
     .offset = offsetof(struct config, service)},
    {.name = "body",
     .type = PICKET_ENUM,
     .choices = "array|lines|single",
     .value = "array",
     .help = "how alerts stand in a plain request: a JSON array, a line each, one a request",
     .offset = offsetof(struct config, body)},
    {.name = "method",
     .type = PICKET_ENUM,
     .choices = "POST|PUT|PATCH",
     .value = "POST",
     .help = "of the requests",
     .offset = offsetof(struct config, method)},
    {.name = "headers",
     .type = PICKET_STRINGS,
     .help = "'Name: value' each; {token} in one stands for the token",
     .offset = offsetof(struct config, headers)},
    {.name = "secret_headers",
     .type = PICKET_STRINGS,
     .flags = PICKET_SECRET,
     .help = "likewise, where nobody is to read them",
     .offset = offsetof(struct config, secret_headers)},
    {.name = "token",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "what {token} stands for; PagerDuty's routing key",
     .offset = offsetof(struct config, token)},
    {.name = "user",
     .type = PICKET_STRING,
     .help = "name for basic authentication",
     .offset = offsetof(struct config, user)},
    {.name = "password",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "for it",
     .offset = offsetof(struct config, password)},
    {.name = "hmac_key",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "signs each request: HMAC-SHA256",
     .offset = offsetof(struct config, hmac_key)},
    {.name = "hmac",
     .type = PICKET_ENUM,
     .choices = "timestamp|github|standard",
     .value = "timestamp",
     .help = "the form of the signature: as Stripe, GitHub, or standardwebhooks.com have it",
     .offset = offsetof(struct config, hmac)},
    {.name = "hmac_header",
     .type = PICKET_STRING,
     .help = "the header it stands in; else the form's own",
     .offset = offsetof(struct config, hmac_header)},
    {.name = "ca",
     .type = PICKET_STRING,
     .help = "file of the certificates to trust, in PEM; else the system's",
     .offset = offsetof(struct config, ca)},
    {.name = "cert",
     .type = PICKET_STRING,
     .help = "file of the certificate to show, in PEM",
     .offset = offsetof(struct config, cert)},
    {.name = "key",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "the key of that certificate, in PEM",
     .offset = offsetof(struct config, key)},
    {.name = "compress",
     .type = PICKET_BOOL,
     .value = "false",
     .help = "bodies as gzip",
     .offset = offsetof(struct config, compress)},
    {.name = "proxy",
     .type = PICKET_STRING,
     .help = "URL of the proxy to go through",
     .offset = offsetof(struct config, proxy)},
    {.name = "proxy_login",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "user:password for it",
     .offset = offsetof(struct config, proxy_login)},
    {.name = "timeout",
     .type = PICKET_DURATION,
     .value = "5s",
     .min = 10 * SECOND / 1000,
     .max = 600 * SECOND,
     .help = "of a request; three quarters of the deadline at most",
     .offset = offsetof(struct config, timeout)},
};

struct webhook {
    struct curl_session session;
    const struct config *config;
    struct request_form form;
    struct signature signature;
    size_t most;                /* alerts in a request for now */
    struct curl_slist *headers; /* of every request */
    bool typed;                 /* the user's headers say what type bodies have */
    struct text_buffer url;     /* with its token */
    struct text_buffer body, packed;
    size_t answered; /* bytes of the answer, of which so many are kept: */
    size_t excerpt_len;
    char excerpt[CURL_SESSION_EXCERPT];
};

/* How much of an answer is waited for. */
#define ANSWER_MAX ((size_t)1 << 20)

static size_t receive(char *bytes, size_t one, size_t len, void *context)
{
    struct webhook *webhook = context;
    size_t room = sizeof webhook->excerpt - webhook->excerpt_len;
    size_t kept = len < room ? len : room;

    memcpy(webhook->excerpt + webhook->excerpt_len, bytes, kept);
    webhook->excerpt_len += kept;
    webhook->answered += len;
    return webhook->answered <= ANSWER_MAX ? len : 0;
}

/* TEXT with the token where {token} stands. */
static void put_with_token(struct text_buffer *out, const char *text, const char *token)
{
    const char *at;

    while ((at = strstr(text, TOKEN))) {
        text_buffer_put(out, text, (size_t)(at - text));
        text_buffer_put_string(out, token);
        text = at + strlen(TOKEN);
    }
    text_buffer_put_string(out, text);
}

/* RFC 9110, 5.1: a token, a colon; nothing that ends the line. */
static bool is_header(const char *line, size_t name_len)
{
    static const char signs[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < name_len; i++)
        if (!strchr(signs, line[i]) && (line[i] < '0' || line[i] > '9') &&
            ((line[i] | 0x20) < 'a' || (line[i] | 0x20) > 'z'))
            return false;
    for (const char *c = line + name_len; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    return name_len > 0;
}

static int append_header(struct webhook *webhook, const char *line)
{
    struct curl_slist *longer = curl_slist_append(webhook->headers, line);

    if (!longer)
        return -1;
    webhook->headers = longer;
    return 0;
}

static int add_header(struct webhook *webhook, const char *given, bool secret)
{
    struct text_buffer line = {0};
    const char *colon = strchr(given, ':');
    int r = 0;

    if (!webhook->config->token && strstr(given, TOKEN))
        return curl_session_refuse(&webhook->session, "a header needs its option 'token'", NULL);
    put_with_token(&line, given, webhook->config->token);
    if (!colon || line.failed || !is_header(line.data, (size_t)(colon - given)))
        r = curl_session_refuse(&webhook->session, "one of its headers is not 'Name: value'",
                                secret ? NULL : given);
    else if (append_header(webhook, line.data) < 0)
        r = curl_session_refuse(&webhook->session, "out of memory", NULL);
    else
        webhook->typed |= strncasecmp(given, "Content-Type:", strlen("Content-Type:")) == 0;
    text_buffer_deinit(&line);
    return r;
}

/* Expect: a server that knows nothing of it would be waited for. */
static int add_headers(struct webhook *webhook)
{
    const struct config *config = webhook->config;
    char agent[128];
    int r = 0;

    snprintf(agent, sizeof agent, "User-Agent: picket/%.64s", webhook->session.host->version);
    if (append_header(webhook, "Expect:") < 0 || append_header(webhook, agent) < 0 ||
        (config->compress && append_header(webhook, "Content-Encoding: gzip") < 0))
        return curl_session_refuse(&webhook->session, "out of memory", NULL);
    for (size_t i = 0; r == 0 && config->headers[i]; i++)
        r = add_header(webhook, config->headers[i], false);
    for (size_t i = 0; r == 0 && config->secret_headers[i]; i++) {
        const char *value = strchr(config->secret_headers[i], ':');

        curl_session_hide(&webhook->session, value ? value + 1 + strspn(value + 1, " ") : NULL);
        r = add_header(webhook, config->secret_headers[i], true);
    }
    return r;
}

static int set_signature(struct webhook *webhook)
{
    const struct config *config = webhook->config;
    const char *header = config->hmac_header;

    webhook->signature.form = (enum signature_form)config->hmac;
    webhook->signature.header = header;
    if (header && (strlen(header) > 100 || !is_header(header, strlen(header))))
        return curl_session_refuse(&webhook->session, "its 'hmac_header' is no name of one", NULL);
    if (!config->hmac_key)
        return 0;
    curl_session_hide(&webhook->session, config->hmac_key);
    return signature_init(&webhook->signature, config->hmac_key) == 0
               ? 0
               : curl_session_refuse(&webhook->session, "its 'hmac_key' is no such key", NULL);
}

static int set_url(struct webhook *webhook)
{
    CURLU *parts = curl_url();

    put_with_token(&webhook->url, webhook->config->url, webhook->config->token);
    bool fits = parts && !webhook->url.failed &&
                curl_url_set(parts, CURLUPART_URL, webhook->url.data, 0) == CURLUE_OK;

    curl_url_cleanup(parts);
    if (!fits || strcspn(webhook->url.data, " \t\r\n") != webhook->url.len)
        return curl_session_refuse(&webhook->session, "its token cannot stand in a URL", NULL);
    curl_easy_setopt(webhook->session.curl, CURLOPT_URL, webhook->url.data);
    return 0;
}

static void set_transfer(struct webhook *webhook)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    const struct config *config = webhook->config;
    CURL *curl = webhook->session.curl;

    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, methods[config->method]);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, webhook);
    /* Empty: none, whatever the environment says. */
    curl_easy_setopt(curl, CURLOPT_PROXY, config->proxy ? config->proxy : "");
    if (config->proxy_login)
        curl_easy_setopt(curl, CURLOPT_PROXYUSERPWD, config->proxy_login);
    curl_session_hide(&webhook->session, config->proxy_login);
}

static void warn_of_clear_text(const struct webhook *webhook)
{
    const struct config *config = webhook->config;
    const struct picket_host *host = webhook->session.host;

    if (curl_session_has_scheme(&webhook->session, "http") &&
        (config->token || config->password || config->secret_headers[0]))
        host->log(host, PICKET_LOG_WARNING,
                  "its url is http: secrets go over the network for all to read");
}

static int set_up(struct webhook *webhook)
{
    const struct config *config = webhook->config;
    bool wants_token = strstr(config->url, TOKEN) || config->service == SERVICE_PAGERDUTY;

    if (wants_token && !config->token)
        return curl_session_refuse(&webhook->session, "it needs its option 'token'", NULL);
    if (config->proxy && strchr(config->proxy, '@'))
        return curl_session_refuse(&webhook->session,
                                   "a user in its proxy: that is what 'proxy_login' is for", NULL);
    webhook->form = (struct request_form){.service = (enum service)config->service,
                                          .arrangement = (enum arrangement)config->body,
                                          .token = config->token};
    webhook->most = request_body_most(&webhook->form);
    curl_session_hide(&webhook->session, config->token);
    set_transfer(webhook);
    warn_of_clear_text(webhook);
    int r = set_url(webhook);

    if (r == 0)
        r = set_signature(webhook);
    return r < 0 ? r : add_headers(webhook);
}

static void webhook_close(void *instance)
{
    struct webhook *webhook = instance;

    curl_session_close(&webhook->session);
    curl_slist_free_all(webhook->headers);
    signature_deinit(&webhook->signature);
    text_buffer_deinit(&webhook->url);
    text_buffer_deinit(&webhook->body);
    text_buffer_deinit(&webhook->packed);
    free(webhook);
}

static int webhook_open(const struct picket_host *host, const void *config, void **instance)
{
    const struct config *given = config;
    struct webhook *webhook = calloc(1, sizeof *webhook);
    const struct curl_session_options session = {.url = given->url,
                                                 .schemes = "http,https",
                                                 .timeout = given->timeout,
                                                 .share = 75,
                                                 .user = given->user,
                                                 .password = given->password,
                                                 .ca = given->ca,
                                                 .cert = given->cert,
                                                 .key = given->key};

    if (!webhook) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    webhook->config = given;
    if (curl_session_open(&webhook->session, host, &session) < 0 || set_up(webhook) < 0) {
        webhook_close(webhook);
        return -1;
    }
    *instance = webhook;
    return 0;
}

/* The body as gzip, in .packed. */
static bool pack(struct webhook *webhook)
{
    z_stream stream = {.next_in = (Bytef *)webhook->body.data, .avail_in = (uInt)webhook->body.len};

    /* 15, the largest window, and 16: with gzip's header. */
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    size_t bound = deflateBound(&stream, (uLong)webhook->body.len);

    text_buffer_clear(&webhook->packed);
    stream.next_out = (Bytef *)text_buffer_reserve(&webhook->packed, bound);
    stream.avail_out = (uInt)bound;
    bool done = stream.next_out && deflate(&stream, Z_FINISH) == Z_STREAM_END;

    webhook->packed.len = stream.total_out;
    deflateEnd(&stream);
    return done;
}

/* The headers that this request has of its own go before the others, and are freed with HEADS. */
static bool put_request_headers(struct webhook *webhook, const struct picket_alert *first,
                                const struct signed_request *request, struct curl_slist **heads)
{
    struct text_buffer lines = {0};
    char type[128];
    size_t count = 0;
    const char *line;

    snprintf(type, sizeof type, "Content-Type: %s", request_body_type(&webhook->form, first));
    if (!webhook->typed) {
        text_buffer_put(&lines, type, strlen(type) + 1);
        count++;
    }
    if (webhook->signature.key)
        count += signature_put(&webhook->signature, request, &lines);
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

static CURLcode perform(struct webhook *webhook, const struct text_buffer *body,
                        struct curl_slist *heads)
{
    CURL *curl = webhook->session.curl;
    struct curl_slist *last = heads;

    while (last && last->next)
        last = last->next;
    if (last)
        last->next = webhook->headers;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, heads ? heads : webhook->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    webhook->answered = 0;
    webhook->excerpt_len = 0;
    CURLcode code = curl_session_perform(&webhook->session);

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
static CURLcode send_body(struct webhook *webhook, const struct picket_alert *first, size_t count)
{
    const struct text_buffer *body = webhook->config->compress ? &webhook->packed : &webhook->body;
    struct curl_slist *heads = NULL;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    char id[96];

    if (webhook->config->compress && !pack(webhook))
        return code;
    make_request_id(id, sizeof id, first, count);
    const struct signed_request request = {
        .id = id, .time = (long long)time(NULL), .body = body->data, .len = body->len};

    if (put_request_headers(webhook, first, &request, &heads))
        code = perform(webhook, body, heads);
    curl_slist_free_all(heads);
    return code;
}

enum outcome {
    OUTCOME_TAKEN,
    OUTCOME_LATER,  /* not now */
    OUTCOME_NEVER,  /* nor anything like it */
    OUTCOME_DIVIDED /* not all this at once, or there is one among it that is at fault */
};

static enum outcome judge(long status)
{
    switch (status) {
    case 400: /* Bad Request */
    case 413: /* Content Too Large */
    case 422: /* Unprocessable Content */
        return OUTCOME_DIVIDED;
    case 407: /* Proxy Authentication Required: it is not the receiver who says so */
    case 408: /* Request Timeout */
    case 425: /* Too Early */
    case 429: /* Too Many Requests */
        return OUTCOME_LATER;
    default:
        return status >= 200 && status < 300   ? OUTCOME_TAKEN
               : status >= 400 && status < 500 ? OUTCOME_NEVER
                                               : OUTCOME_LATER;
    }
}

/* What came of the transfer; why, unless it was taken, is in *REASON. */
static enum outcome conclude(struct webhook *webhook, CURLcode code, const char **reason)
{
    static const char elsewhere[] = "redirects are not followed";
    long status = 0;

    curl_easy_getinfo(webhook->session.curl, CURLINFO_RESPONSE_CODE, &status);
    bool endless = code == CURLE_WRITE_ERROR && webhook->answered > ANSWER_MAX;

    if ((code != CURLE_OK && !endless) || status == 0) {
        *reason = curl_session_reason(&webhook->session, code);
        return OUTCOME_LATER;
    }
    if (status >= 300 && status < 400)
        *reason = curl_session_answer(&webhook->session, status, elsewhere, strlen(elsewhere));
    else
        *reason =
            curl_session_answer(&webhook->session, status, webhook->excerpt, webhook->excerpt_len);
    return judge(status);
}

/* How long until it is tried again, in ms: what the receiver says, if it does. */
static uint32_t pause_for(struct webhook *webhook)
{
    uint32_t pause = curl_session_pause(&webhook->session);
    curl_off_t seconds = 0;

    curl_easy_getinfo(webhook->session.curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0)
        return pause;
    return seconds < 3600 ? (uint32_t)seconds * 1000 : 3600000;
}

/* COUNT alerts were in the request. True: on with the next. */
static bool settle(struct webhook *webhook, enum outcome outcome, size_t count,
                   struct picket_verdict *verdict)
{
    switch (outcome) {
    case OUTCOME_TAKEN:
        verdict->delivered += count;
        webhook->session.failures = 0;
        if (webhook->most < request_body_most(&webhook->form))
            webhook->most *= 2;
        return true;
    case OUTCOME_DIVIDED:
        if (count > 1) {
            webhook->most = count / 2;
            return true;
        }
        verdict->action = PICKET_REJECT;
        return false;
    case OUTCOME_NEVER:
        verdict->action = PICKET_REJECT;
        verdict->rejected = count;
        return false;
    case OUTCOME_LATER:
        break;
    }
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = pause_for(webhook);
    return false;
}

static void webhook_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    struct webhook *webhook = instance;
    const char *reason = "out of memory";
    bool goes_on = true;

    curl_session_begin(&webhook->session);
    while (goes_on && verdict->delivered < count &&
           (verdict->delivered == 0 || curl_session_has_time(&webhook->session))) {
        const struct picket_alert *const *next = alerts + verdict->delivered;
        size_t left = count - verdict->delivered;
        size_t sent = request_body_put(&webhook->form, webhook->session.host, next,
                                       left < webhook->most ? left : webhook->most, &webhook->body);
        enum outcome outcome = OUTCOME_LATER;

        if (sent)
            outcome = conclude(webhook, send_body(webhook, next[0], sent), &reason);
        goes_on = settle(webhook, outcome, sent, verdict);
        if (goes_on && verdict->delivered == 0 && !curl_session_has_time(&webhook->session)) {
            verdict->action = PICKET_RETRY; /* fewer, next time */
            goes_on = false;
        }
    }
    verdict->reason = reason;
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_NETWORK,
    .name = "webhook",
    .version = "1.0",
    .help = "sends alerts to a service over HTTP: as JSON, or as chats and pagers take them",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = webhook_open,
    .deliver = webhook_deliver,
    .close = webhook_close,
};
