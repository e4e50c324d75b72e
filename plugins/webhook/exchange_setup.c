#include <nettle/base64.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exchange.h"

/* TEXT with the token where {token} stands. */
static void put_with_token(struct text_buffer *out, const char *text, const char *token)
{
    const char *at;

    while ((at = strstr(text, EXCHANGE_TOKEN))) {
        text_buffer_put(out, text, (size_t)(at - text));
        text_buffer_put_string(out, token);
        text = at + strlen(EXCHANGE_TOKEN);
    }
    text_buffer_put_string(out, text);
}

/* RFC 9110, 5.1: a token. */
static bool is_name(const char *text, size_t len)
{
    static const char signs[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < len; i++)
        if (!strchr(signs, text[i]) && (text[i] < '0' || text[i] > '9') &&
            ((text[i] | 0x20) < 'a' || (text[i] | 0x20) > 'z'))
            return false;
    return len > 0;
}

/* A name, a colon; nothing that ends the line. */
static bool is_header(const char *line)
{
    const char *colon = strchr(line, ':');

    for (const char *c = line; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return false;
    return colon && is_name(line, (size_t)(colon - line));
}

static int append_header(struct exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);

    if (!longer)
        return -1;
    exchange->headers = longer;
    return 0;
}

static int add_header(struct exchange *exchange, const char *given, bool secret)
{
    struct text_buffer line = {0};
    int r = 0;

    if (!exchange->config->token && strstr(given, EXCHANGE_TOKEN))
        return curl_session_refuse(&exchange->session, "a header needs its option 'token'", NULL);
    put_with_token(&line, given, exchange->config->token);
    if (line.failed || !is_header(line.data))
        r = curl_session_refuse(&exchange->session, "one of its headers is not 'Name: value'",
                                secret ? NULL : given);
    else if (append_header(exchange, line.data) < 0)
        r = curl_session_refuse(&exchange->session, "out of memory", NULL);
    else
        exchange->typed |= strncasecmp(given, "Content-Type:", strlen("Content-Type:")) == 0;
    text_buffer_deinit(&line);
    return r;
}

/* Expect: a server that knows nothing of it would be waited for. */
static int add_headers(struct exchange *exchange)
{
    const struct config *config = exchange->config;
    char agent[128];
    int r = 0;

    snprintf(agent, sizeof agent, "User-Agent: picket/%.64s", exchange->session.host->version);
    if (append_header(exchange, "Expect:") < 0 || append_header(exchange, agent) < 0 ||
        (config->compress && append_header(exchange, "Content-Encoding: gzip") < 0))
        return curl_session_refuse(&exchange->session, "out of memory", NULL);
    for (size_t i = 0; r == 0 && config->headers[i]; i++)
        r = add_header(exchange, config->headers[i], false);
    for (size_t i = 0; r == 0 && config->secret_headers[i]; i++) {
        const char *value = strchr(config->secret_headers[i], ':');

        curl_session_hide(&exchange->session, value ? value + 1 + strspn(value + 1, " ") : NULL);
        r = add_header(exchange, config->secret_headers[i], true);
    }
    return r;
}

static int set_signature(struct exchange *exchange)
{
    const struct config *config = exchange->config;
    const char *header = config->hmac_header;

    exchange->signature.form = (enum signature_form)config->hmac;
    exchange->signature.header = header;
    if (header && (strlen(header) > 100 || !is_name(header, strlen(header))))
        return curl_session_refuse(&exchange->session, "its 'hmac_header' is no name of one", NULL);
    if (header && !config->hmac_key)
        return curl_session_refuse(&exchange->session, "'hmac_header' needs 'hmac_key'", NULL);
    if (!config->hmac_key)
        return 0;
    curl_session_hide(&exchange->session, config->hmac_key);
    return signature_init(&exchange->signature, config->hmac_key) == 0
               ? 0
               : curl_session_refuse(&exchange->session, "its 'hmac_key' is no such key", NULL);
}

static int set_url(struct exchange *exchange)
{
    CURLU *parts = curl_url();

    put_with_token(&exchange->url, exchange->config->url, exchange->config->token);
    bool fits = parts && !exchange->url.failed &&
                curl_url_set(parts, CURLUPART_URL, exchange->url.data, 0) == CURLUE_OK;

    curl_url_cleanup(parts);
    if (!fits || strcspn(exchange->url.data, " \t\r\n") != exchange->url.len)
        return curl_session_refuse(&exchange->session, "its token cannot stand in a URL", NULL);
    curl_easy_setopt(exchange->session.curl, CURLOPT_URL, exchange->url.data);
    return 0;
}

static void set_transfer(struct exchange *exchange)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH"};
    const struct config *config = exchange->config;
    CURL *curl = exchange->session.curl;

    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, methods[config->method]);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    /* Empty: none, whatever the environment says. */
    curl_easy_setopt(curl, CURLOPT_PROXY, config->proxy ? config->proxy : "");
    if (config->proxy_login)
        curl_easy_setopt(curl, CURLOPT_PROXYUSERPWD, config->proxy_login);
}

/* Also as they stand in requests, which some servers repeat in their answers. */
static void hide_logins(struct exchange *exchange)
{
    const struct config *config = exchange->config;
    const char *colon = config->proxy_login ? strchr(config->proxy_login, ':') : NULL;
    struct text_buffer login = {0};

    curl_session_hide(&exchange->session, config->token);
    curl_session_hide(&exchange->session, config->proxy_login);
    curl_session_hide(&exchange->session, colon ? colon + 1 : NULL);
    if (!config->password)
        return;
    text_buffer_put_string(&login, config->user);
    text_buffer_put_char(&login, ':');
    text_buffer_put_string(&login, config->password);
    size_t len = BASE64_ENCODE_RAW_LENGTH(login.len);
    char *encoded = text_buffer_reserve(&exchange->login, len + 1);

    if (encoded && !login.failed) {
        base64_encode_raw(encoded, login.len, (const uint8_t *)login.data);
        encoded[len] = '\0';
        curl_session_hide(&exchange->session, encoded);
    }
    text_buffer_deinit(&login);
}

static void warn_of_clear_text(const struct exchange *exchange)
{
    const struct config *config = exchange->config;
    const struct picket_host *host = exchange->session.host;

    if (curl_session_has_scheme(&exchange->session, "http") &&
        (config->token || config->password || config->secret_headers[0]))
        host->log(host, PICKET_LOG_WARNING,
                  "its url is http: secrets go over the network for all to read");
}

static int read_options(struct exchange *exchange)
{
    const struct config *config = exchange->config;
    bool wants_token = strstr(config->url, EXCHANGE_TOKEN) || config->service == SERVICE_PAGERDUTY;

    if (wants_token && !config->token)
        return curl_session_refuse(&exchange->session, "it needs its option 'token'", NULL);
    if (config->proxy && strchr(config->proxy, '@'))
        return curl_session_refuse(&exchange->session,
                                   "a user in its proxy: that is what 'proxy_login' is for", NULL);
    if (config->password && !config->user)
        return curl_session_refuse(&exchange->session, "'password' needs 'user'", NULL);
    exchange->form =
        (struct request_form){.service = (enum service)config->service,
                              .arrangement = (enum arrangement)config->body,
                              .lines = strcmp(exchange->session.host->format, "text") == 0,
                              .token = config->token};
    hide_logins(exchange);
    set_transfer(exchange);
    warn_of_clear_text(exchange);
    int r = set_url(exchange);

    if (r == 0)
        r = set_signature(exchange);
    return r < 0 ? r : add_headers(exchange);
}

void exchange_close(struct exchange *exchange)
{
    curl_session_close(&exchange->session);
    curl_slist_free_all(exchange->headers);
    signature_deinit(&exchange->signature);
    text_buffer_deinit(&exchange->url);
    text_buffer_deinit(&exchange->login);
    text_buffer_deinit(&exchange->body);
    text_buffer_deinit(&exchange->packed);
}

int exchange_open(struct exchange *exchange, const struct picket_host *host,
                  const struct config *config)
{
    const struct curl_session_options session = {.url = config->url,
                                                 .schemes = "http,https",
                                                 .timeout = config->timeout,
                                                 .share = 75,
                                                 .user = config->user,
                                                 .password = config->password,
                                                 .ca = config->ca,
                                                 .cert = config->cert,
                                                 .key = config->key};

    exchange->config = config;
    return curl_session_open(&exchange->session, host, &session) < 0 ? -1 : read_options(exchange);
}
