/* Alerts as mails. */
#include <stdlib.h>

#include "../curl_session/doubt.h"
#include "mail_server.h"

#define SECOND 1000000000LL

/* Alerts in a mail; nobody reads more. */
#define MAIL_ALERTS 100

static const struct picket_option options[] = {
    {.name = "server",
     .type = PICKET_STRING,
     .flags = PICKET_REQUIRED,
     .help = "smtp://HOST[:PORT][/OWN-NAME], or smtps:// for TLS from the start",
     .offset = offsetof(struct config, server)},
    {.name = "from",
     .type = PICKET_STRING,
     .flags = PICKET_REQUIRED,
     .help = "address that mails are from",
     .offset = offsetof(struct config, from)},
    {.name = "to",
     .type = PICKET_STRINGS,
     .flags = PICKET_REQUIRED,
     .help = "addresses that they go to",
     .offset = offsetof(struct config, to)},
    {.name = "subject",
     .type = PICKET_STRING,
     .value = "%{rule.severity}: %{rule.title} on %{host.name}",
     .help = "of a mail, by its gravest alert; %{PATH} is what that has there",
     .offset = offsetof(struct config, subject)},
    {.name = "every",
     .type = PICKET_DURATION,
     .value = "1m",
     .max = 86400 * SECOND,
     .help = "at most one mail in so long, with what came meanwhile; 0s: at once",
     .offset = offsetof(struct config, every)},
    {.name = "tls",
     .type = PICKET_ENUM,
     .choices = "always|offered|never",
     .value = "always",
     .help = "with smtp://, STARTTLS: always, where the server offers it, never",
     .offset = offsetof(struct config, tls)},
    {.name = "ca",
     .type = PICKET_STRING,
     .help = "file of the certificates to trust, in PEM; else the system's",
     .offset = offsetof(struct config, ca)},
    {.name = "user",
     .type = PICKET_STRING,
     .help = "name to log in with",
     .offset = offsetof(struct config, user)},
    {.name = "password",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "for it",
     .offset = offsetof(struct config, password)},
};

struct smtp {
    struct mail_server server;
    struct doubt doubt;
    bool tries_another; /* than the first, which was not taken */
    size_t most;        /* alerts in a mail for now */
    long long next;     /* when the next mail may go out */
};

static void smtp_close(void *instance)
{
    struct smtp *smtp = instance;

    mail_server_close(&smtp->server);
    free(smtp);
}

static int smtp_open(const struct picket_host *host, const void *config, void **instance)
{
    struct smtp *smtp = calloc(1, sizeof *smtp);

    if (!smtp) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    smtp->most = MAIL_ALERTS;
    if (mail_server_open(&smtp->server, host, config) < 0) {
        smtp_close(smtp);
        return -1;
    }
    *instance = smtp;
    return 0;
}

static void retry(struct picket_verdict *verdict, uint32_t pause)
{
    verdict->action = PICKET_RETRY;
    verdict->retry_ms = pause;
}

/* COUNT alerts, the first of which is ALERT, were not taken. */
static void settle_failure(struct smtp *smtp, enum outcome outcome,
                           const struct picket_alert *alert, size_t count,
                           struct picket_verdict *verdict)
{
    bool passing = outcome == OUTCOME_LATER || outcome == OUTCOME_BROKEN;

    if (outcome != OUTCOME_LATER && count > 1)
        smtp->most = count / 2;
    if (outcome == OUTCOME_TOO_LARGE && count == 1) {
        verdict->action = PICKET_REJECT;
        return;
    }
    if (outcome != OUTCOME_LATER && count == 1) {
        if (doubt_weigh(&smtp->doubt, alert->id, !passing, curl_session_now())) {
            verdict->action = PICKET_REJECT;
            return;
        }
        smtp->tries_another = doubt_wants_another(&smtp->doubt, !passing);
    }
    if (!passing)
        verdict->reason = NULL; /* it is not known yet whose fault it is */
    retry(verdict, passing ? curl_session_pause(&smtp->server.session) : 10);
}

/* How many can go together: none that was taken before its turn is among them. */
static size_t choose(const struct smtp *smtp, const struct picket_alert *const *alerts,
                     size_t count)
{
    size_t chosen = 1;

    while (chosen < count && chosen < smtp->most && !doubt_has(&smtp->doubt, alerts[chosen]->id))
        chosen++;
    return chosen;
}

static void deliver(struct smtp *smtp, const struct picket_alert *const *alerts, size_t count,
                    struct picket_verdict *verdict)
{
    size_t sent = choose(smtp, alerts, count);
    enum outcome outcome = mail_server_send(&smtp->server, alerts, sent, &verdict->reason);

    if (outcome != OUTCOME_TAKEN) {
        settle_failure(smtp, outcome, alerts[0], sent, verdict);
        return;
    }
    verdict->delivered = sent;
    smtp->server.session.failures = 0;
    smtp->most = smtp->most * 2 < MAIL_ALERTS ? smtp->most * 2 : MAIL_ALERTS;
    smtp->next = curl_session_now() + smtp->server.config->every;
}

/* The last of them: it is furthest from what somebody sent on purpose, to have it refused. */
static void try_another(struct smtp *smtp, const struct picket_alert *const *alerts, size_t count,
                        struct picket_verdict *verdict)
{
    size_t last = count - 1;

    smtp->tries_another = false;
    while (last && doubt_has(&smtp->doubt, alerts[last]->id))
        last--;
    if (last &&
        mail_server_send(&smtp->server, alerts + last, 1, &verdict->reason) == OUTCOME_TAKEN) {
        doubt_prove(&smtp->doubt, alerts[last]->id, curl_session_now());
        smtp->server.session.failures = 0;
        verdict->reason = NULL;
        retry(verdict, 10);
        return;
    }
    retry(verdict, curl_session_pause(&smtp->server.session));
}

static void smtp_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct smtp *smtp = instance;
    long long left = (smtp->next - curl_session_now()) / 1000000;

    if (left > 0) {
        retry(verdict, left < 3600000 ? (uint32_t)left : 3600000);
        return;
    }
    curl_session_begin(&smtp->server.session);
    if (doubt_forget(&smtp->doubt, alerts[0]->id))
        verdict->delivered = 1;
    else if (smtp->tries_another)
        try_another(smtp, alerts, count, verdict);
    else
        deliver(smtp, alerts, count, verdict);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_NETWORK,
    .name = "smtp",
    .version = "1.0",
    .help = "sends alerts as mails",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .batch_max = MAIL_ALERTS,
    .open = smtp_open,
    .deliver = smtp_deliver,
    .close = smtp_close,
};
