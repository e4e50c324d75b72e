/* One request with alerts and the answer to it, over a connection that is kept. */
#ifndef PICKET_PLUGIN_EXCHANGE_H
#define PICKET_PLUGIN_EXCHANGE_H

#include "../curl_session/curl_session.h"
#include "request_body.h"
#include "signature.h"

/* The user's. */
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

/* In a url or a header: where the token goes. */
#define EXCHANGE_TOKEN "{token}"

struct exchange {
    struct curl_session session;
    const struct config *config;
    struct request_form form;
    struct signature signature;
    struct curl_slist *headers; /* of every request */
    bool typed;                 /* the user's headers say what type bodies have */
    struct text_buffer url;     /* with its token */
    struct text_buffer login;   /* as Basic has it */
    struct text_buffer body, packed;
    size_t answered; /* bytes of the answer, of which so many are kept: */
    size_t excerpt_len;
    char excerpt[CURL_SESSION_EXCERPT];
};

/* Zeroed before. A negative number after an error was logged; exchange_close() even then. */
int exchange_open(struct exchange *exchange, const struct picket_host *host,
                  const struct config *config);
void exchange_close(struct exchange *exchange);

enum outcome {
    OUTCOME_TAKEN,
    OUTCOME_LATER,    /* not now, whatever it is */
    OUTCOME_BROKEN,   /* the receiver, or the way to it, broke over it: perhaps because of it */
    OUTCOME_REFUSED,  /* the receiver wants nothing now, or not this */
    OUTCOME_TOO_LARGE /* not all this at once */
};

/* Sends alerts, *COUNT of them at most; *COUNT is then how many there were in the request. Why they
 * were not taken is in *REASON, until the next exchange. */
enum outcome exchange_perform(struct exchange *exchange, const struct picket_alert *const *alerts,
                              size_t *count, const char **reason);

/* How long until the receiver is tried again, in ms: what it said, if it did. */
uint32_t exchange_pause(struct exchange *exchange);

#endif
