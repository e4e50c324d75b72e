/* One receiver that is reached with libcurl: its address, its TLS, the time that there is for it,
 * and what people are told of it, which never holds a secret. */
#ifndef PICKET_PLUGIN_CURL_SESSION_H
#define PICKET_PLUGIN_CURL_SESSION_H

#include <curl/curl.h>

#include "../text_buffer/text_buffer.h"
#include "picket/plugin.h"

#define CURL_SESSION_SECRETS 64
#define CURL_SESSION_EXCERPT 4096 /* as much of an answer is worth keeping */
#define CURL_SESSION_REASON  640

struct curl_session {
    const struct picket_host *host;
    CURL *curl;
    char *address;      /* scheme://host:port, all of the URL that people see */
    const char *scheme; /* within it */
    size_t scheme_len;
    int64_t timeout;   /* of one transfer, in ns */
    int64_t share;     /* of the deadline, in ns, that transfers may take */
    long long began;   /* this deliver(), as curl_session_now() */
    unsigned failures; /* in a row: 0 when something was delivered */
    const char *secrets[CURL_SESSION_SECRETS];
    size_t secret_count;
    bool discreet; /* there are more than that: nothing of an answer is shown */
    char error[CURL_ERROR_SIZE];
    char reason[CURL_SESSION_REASON];
};

/* Of the user's; NULL is unset. */
struct curl_session_options {
    const char *url;
    const char *schemes; /* "http,https" */
    int64_t timeout;     /* 0: only the deadline's */
    int share;           /* of the deadline: percent of it that transfers may take */
    const char *user, *password;
    const char *ca, *cert; /* paths */
    const char *key;       /* PEM */
};

/* Zeroed before. A negative number after an error was logged; curl_session_close() even then. What
 * is given is borrowed until then. */
int curl_session_open(struct curl_session *session, const struct picket_host *host,
                      const struct curl_session_options *options);
void curl_session_close(struct curl_session *session);

/* Logs why the output cannot be opened; -1. */
int curl_session_refuse(const struct curl_session *session, const char *why, const char *what);

/* A text that is to be in no reason; NULL and very short ones are passed over. */
void curl_session_hide(struct curl_session *session, const char *secret);

/* Whether SCHEME is what the URL begins with. */
bool curl_session_has_scheme(const struct curl_session *session, const char *scheme);

/* The monotonic clock, in ns. */
long long curl_session_now(void);

/* A deliver() begins. */
void curl_session_begin(struct curl_session *session);
/* Whether another transfer may begin within it. */
bool curl_session_has_time(const struct curl_session *session);

/* One transfer, as the handle is set, within the time there is. */
CURLcode curl_session_perform(struct curl_session *session);

/* Why, after the address: of a failed transfer CODE; of what the receiver ANSWERS, of which EXCERPT
 * (LEN bytes, from outside) is shown if no secret is in it. Valid until the next. */
const char *curl_session_reason(struct curl_session *session, CURLcode code);
const char *curl_session_answer(struct curl_session *session, long status, const char *excerpt,
                                size_t len);

/* How long to wait after a failure, in ms: longer each time, some chance in it, so that not all
 * machines come back at once. */
uint32_t curl_session_pause(struct curl_session *session);

#endif
