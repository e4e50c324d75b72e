#include "curl_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_FIRST 250
#define PAUSE_MOST  30000

/* What is shorter is found in any text. */
#define SECRET_LEAST 4

#define EXCERPT_SHOWN 200

long long curl_session_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int curl_session_refuse(const struct curl_session *session, const char *why, const char *what)
{
    char text[512];

    snprintf(text, sizeof text, "%s%s%.200s", why, what ? ": " : "", what ? what : "");
    session->host->log(session->host, PICKET_LOG_ERROR, text);
    return -1;
}

void curl_session_hide(struct curl_session *session, const char *secret)
{
    if (!secret || strlen(secret) < SECRET_LEAST)
        return;
    if (session->secret_count < CURL_SESSION_SECRETS)
        session->secrets[session->secret_count++] = secret;
    else
        session->discreet = true;
}

static bool is_among(const char *word, const char *list)
{
    size_t len = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

/* Takes from PARTS what people are shown. */
static int keep_address(struct curl_session *session, CURLU *parts, const char *schemes)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL;
    struct text_buffer address = {0};
    int r = 0;

    curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(parts, CURLUPART_HOST, &host, 0);
    if (curl_url_get(parts, CURLUPART_PORT, &port, 0) != CURLUE_OK)
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
    if (!scheme || !host || !port || !is_among(scheme, schemes))
        r = curl_session_refuse(session, "its address is not of one of these schemes", schemes);
    else if (curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK)
        r = curl_session_refuse(session,
                                "a user in its address: that is what the options 'user' and "
                                "'password' are for",
                                NULL);
    if (r == 0) {
        text_buffer_put_string(&address, scheme);
        session->scheme_len = address.len;
        text_buffer_put_string(&address, "://");
        text_buffer_put_string(&address, host);
        text_buffer_put_char(&address, ':');
        text_buffer_put_string(&address, port);
        session->address = address.data;
        session->scheme = address.data;
        r = address.failed ? curl_session_refuse(session, "out of memory", NULL) : 0;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    return r;
}

static int read_url(struct curl_session *session, const struct curl_session_options *options)
{
    CURLU *parts = curl_url();
    CURLUcode code =
        parts ? curl_url_set(parts, CURLUPART_URL, options->url, 0) : CURLUE_OUT_OF_MEMORY;
    int r = code == CURLUE_OK ? keep_address(session, parts, options->schemes)
                              : curl_session_refuse(session, "its address cannot be read",
                                                    curl_url_strerror(code));

    curl_url_cleanup(parts);
    return r;
}

static int set_string(struct curl_session *session, CURLoption option, const char *value)
{
    return value && curl_easy_setopt(session->curl, option, value) != CURLE_OK
               ? curl_session_refuse(session, "libcurl does not take an option", NULL)
               : 0;
}

static int set_file(struct curl_session *session, CURLoption option, const char *path)
{
    if (path && access(path, R_OK) < 0)
        return curl_session_refuse(session,
                                   "a file of certificates cannot be read by the user "
                                   "that outputs run as",
                                   path);
    return set_string(session, option, path);
}

static int set_tls(struct curl_session *session, const struct curl_session_options *options)
{
    int r = set_file(session, CURLOPT_CAINFO, options->ca);

    if (r == 0 && options->ca) /* that one alone */
        curl_easy_setopt(session->curl, CURLOPT_CAPATH, NULL);
    if (r == 0)
        r = set_file(session, CURLOPT_SSLCERT, options->cert);
    if (r == 0 && options->key && !options->cert)
        r = curl_session_refuse(session, "its key needs a certificate", NULL);
    if (r == 0 && options->key) {
        struct curl_blob key = {
            .data = (void *)options->key, .len = strlen(options->key), .flags = CURL_BLOB_NOCOPY};

        if (curl_easy_setopt(session->curl, CURLOPT_SSLKEY_BLOB, &key) != CURLE_OK)
            r = curl_session_refuse(session, "libcurl does not take its key", NULL);
    }
    curl_easy_setopt(session->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return r;
}

static void set_manners(struct curl_session *session, const char *schemes)
{
    CURL *curl = session->curl;

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, session->error);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 1L);
    /* A resolver that does not answer would else be waited for beyond the timeout. */
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
}

int curl_session_open(struct curl_session *session, const struct picket_host *host,
                      const struct curl_session_options *options)
{
    session->host = host;
    session->share = host->deadline / 100 * options->share;
    session->timeout = options->timeout ? options->timeout : session->share;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(session->curl = curl_easy_init()))
        return curl_session_refuse(session, "libcurl cannot be had", NULL);
    int r = read_url(session, options);

    if (r < 0)
        return r;
    set_manners(session, options->schemes);
    curl_session_hide(session, options->password);
    r = set_string(session, CURLOPT_USERNAME, options->user);
    if (r == 0)
        r = set_string(session, CURLOPT_PASSWORD, options->password);
    return r < 0 ? r : set_tls(session, options);
}

void curl_session_close(struct curl_session *session)
{
    curl_easy_cleanup(session->curl);
    free(session->address);
    if (session->host)
        curl_global_cleanup();
}

bool curl_session_has_scheme(const struct curl_session *session, const char *scheme)
{
    return session->scheme_len == strlen(scheme) &&
           memcmp(session->scheme, scheme, session->scheme_len) == 0;
}

void curl_session_begin(struct curl_session *session)
{
    session->began = curl_session_now();
}

bool curl_session_has_time(const struct curl_session *session)
{
    return curl_session_now() - session->began < session->host->deadline / 4;
}

CURLcode curl_session_perform(struct curl_session *session)
{
    long long left = session->share - (curl_session_now() - session->began);
    long milliseconds = (long)((left < session->timeout ? left : session->timeout) / 1000000);

    session->error[0] = '\0';
    curl_easy_setopt(session->curl, CURLOPT_TIMEOUT_MS, milliseconds > 1 ? milliseconds : 1L);
    return curl_easy_perform(session->curl);
}

const char *curl_session_reason(struct curl_session *session, CURLcode code)
{
    snprintf(session->reason, sizeof session->reason, "%.200s: %s", session->address,
             session->error[0] ? session->error : curl_easy_strerror(code));
    return session->reason;
}

static bool holds_secret(const struct curl_session *session, const char *text)
{
    for (size_t i = 0; i < session->secret_count; i++)
        if (strstr(text, session->secrets[i]))
            return true;
    return session->discreet;
}

/* The first line of it. */
static const char *show_excerpt(const struct curl_session *session, const char *excerpt, size_t len)
{
    char text[CURL_SESSION_EXCERPT + 1];

    len = strnlen(excerpt, len < CURL_SESSION_EXCERPT ? len : CURL_SESSION_EXCERPT);
    memcpy(text, excerpt, len);
    text[len] = '\0';
    if (holds_secret(session, text))
        return NULL;
    text[strcspn(text, "\r\n")] = '\0';
    text[text_cut(text, EXCERPT_SHOWN)] = '\0';
    return text[0] ? session->host->printable(session->host, text) : NULL;
}

const char *curl_session_answer(struct curl_session *session, long status, const char *excerpt,
                                size_t len)
{
    const char *shown = len ? show_excerpt(session, excerpt, len) : NULL;

    snprintf(session->reason, sizeof session->reason, "%.200s answers %ld%s%.300s",
             session->address, status, shown ? ": " : "", shown ? shown : "");
    return session->reason;
}

uint32_t curl_session_pause(struct curl_session *session)
{
    unsigned doublings = session->failures++;
    uint32_t pause = doublings < 7 ? PAUSE_FIRST << doublings : PAUSE_MOST;

    return pause - pause / 4 + (uint32_t)((curl_session_now() / 1000) % (pause / 2));
}
