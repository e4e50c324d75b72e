/* Alerts to a service that takes them over HTTP: as JSON, or in the form of a chat, a pager, an
 * Alertmanager. */
#include <stdlib.h>
#include <string.h>

#include "../curl_session/doubt.h"
#include "exchange.h"

#define SECOND 1000000000LL

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
    struct exchange exchange;
    struct doubt doubt;
    size_t most; /* alerts in a request for now */
    char reason[CURL_SESSION_REASON];
};

static void webhook_close(void *instance)
{
    struct webhook *webhook = instance;

    exchange_close(&webhook->exchange);
    free(webhook);
}

static int webhook_open(const struct picket_host *host, const void *config, void **instance)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);

    if (!webhook) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    if (exchange_open(&webhook->exchange, host, config) < 0) {
        webhook_close(webhook);
        return -1;
    }
    webhook->most = request_body_most(&webhook->exchange.form);
    *instance = webhook;
    return 0;
}

/* What is left of a batch. */
struct rest {
    const struct picket_alert *const *alerts;
    size_t count;
};

/* How many of the next can go together: none that was taken before its turn is among them. */
static size_t choose(const struct webhook *webhook, const struct rest *rest)
{
    size_t count = 1;

    while (count < rest->count && count < webhook->most &&
           !doubt_has(&webhook->doubt, rest->alerts[count]->id))
        count++;
    return count;
}

static bool is_taken_before_its_turn(struct webhook *webhook, const struct picket_alert *alert)
{
    const char *reason;
    size_t one = 1;

    if (!curl_session_has_time(&webhook->exchange.session) ||
        doubt_has(&webhook->doubt, alert->id) ||
        exchange_perform(&webhook->exchange, &alert, &one, &reason) != OUTCOME_TAKEN)
        return false;
    doubt_prove(&webhook->doubt, alert->id, curl_session_now());
    webhook->exchange.session.failures = 0;
    return true;
}

static void retry(struct webhook *webhook, struct picket_verdict *verdict)
{
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = exchange_pause(&webhook->exchange);
}

/* The first of REST failed, alone: would another be taken? The next, or the one that is furthest
 * from what somebody sent on purpose. True: the first is tried once more. */
static bool try_another(struct webhook *webhook, const struct rest *rest, bool refused,
                        struct picket_verdict *verdict)
{
    size_t next = 1, last = rest->count - 1;

    while (next < last && doubt_has(&webhook->doubt, rest->alerts[next]->id))
        next++;
    bool taken = doubt_wants_another(&webhook->doubt, refused) &&
                 ((next <= last && is_taken_before_its_turn(webhook, rest->alerts[next])) ||
                  (next < last && is_taken_before_its_turn(webhook, rest->alerts[last])));

    if (taken && refused)
        return true;
    retry(webhook, verdict);
    return false;
}

static bool settle_failure(struct webhook *webhook, enum outcome outcome, size_t count,
                           const struct rest *rest, struct picket_verdict *verdict)
{
    bool refused = outcome == OUTCOME_REFUSED;
    bool too_large = outcome == OUTCOME_TOO_LARGE;

    if (count > 1 && outcome == OUTCOME_BROKEN) {
        webhook->most = count / 8 ? count / 8 : 1; /* each attempt costs a pause */
        retry(webhook, verdict);
        return false;
    }
    if (count > 1) {
        webhook->most = count / 2;
        return true;
    }
    if (!too_large &&
        !doubt_weigh(&webhook->doubt, rest->alerts[0]->id, refused, curl_session_now()))
        return try_another(webhook, rest, refused, verdict);
    verdict->action = PICKET_REJECT;
    return false;
}

/* COUNT of REST were in the request. True: on with the next. */
static bool settle(struct webhook *webhook, enum outcome outcome, size_t count,
                   const struct rest *rest, struct picket_verdict *verdict)
{
    if (outcome == OUTCOME_TAKEN) {
        verdict->delivered += count;
        webhook->exchange.session.failures = 0;
        if (webhook->most < request_body_most(&webhook->exchange.form))
            webhook->most *= 2;
        return true;
    }
    if (outcome != OUTCOME_LATER)
        return settle_failure(webhook, outcome, count, rest, verdict);
    retry(webhook, verdict);
    return false;
}

/* One request, or none for an alert that was taken already. */
static bool deliver_some(struct webhook *webhook, const struct rest *rest,
                         struct picket_verdict *verdict)
{
    const char *reason = "";

    if (doubt_forget(&webhook->doubt, rest->alerts[0]->id)) {
        verdict->delivered++;
        return true;
    }
    size_t count = choose(webhook, rest);
    enum outcome outcome = exchange_perform(&webhook->exchange, rest->alerts, &count, &reason);

    if (outcome != OUTCOME_TAKEN)
        snprintf(webhook->reason, sizeof webhook->reason, "%s", reason);
    return settle(webhook, outcome, count, rest, verdict);
}

static void webhook_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                            struct picket_verdict *verdict)
{
    struct webhook *webhook = instance;
    struct curl_session *session = &webhook->exchange.session;
    bool goes_on = true;

    curl_session_begin(session);
    while (goes_on && verdict->delivered < count) {
        const struct rest rest = {alerts + verdict->delivered, count - verdict->delivered};

        goes_on = deliver_some(webhook, &rest, verdict) && curl_session_has_time(session);
    }
    if (verdict->delivered == 0 && verdict->action == PICKET_OK)
        verdict->action = PICKET_RETRY; /* fewer, next time */
    verdict->reason = webhook->reason;
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
