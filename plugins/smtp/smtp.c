/* Alerts as mails. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../curl_session/curl_session.h"
#include "mail.h"

enum security { SECURITY_ALWAYS, SECURITY_OFFERED, SECURITY_NEVER };

struct config {
    const char *server;
    const char *from;
    const char *const *to;
    const char *subject;
    const char *user;
    const char *password;
    const char *ca;
    int64_t every;
    int tls;
};

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
     .help = "at most one mail in so long, with what came meanwhile",
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
    struct curl_session session;
    const struct config *config;
    struct mail_form form;
    struct curl_slist *recipients;
    size_t most; /* alerts in a mail for now */
    struct text_buffer mail;
    size_t sent;     /* bytes of it */
    long long next;  /* when the next mail may go out, in ms of the monotonic clock */
    char reply[512]; /* the last that was a refusal */
    size_t reply_len;
};

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static size_t hand_over(char *room, size_t one, size_t len, void *context)
{
    struct smtp *smtp = context;
    size_t left = smtp->mail.len - smtp->sent;

    len = left < len ? left : len;
    memcpy(room, smtp->mail.data + smtp->sent, len);
    smtp->sent += len;
    return len;
}

/* A line of the server's. */
static size_t listen_to(char *bytes, size_t one, size_t len, void *context)
{
    struct smtp *smtp = context;

    if (len > 4 && (bytes[0] == '4' || bytes[0] == '5')) {
        smtp->reply_len = len - 4 < sizeof smtp->reply ? len - 4 : sizeof smtp->reply;
        memcpy(smtp->reply, bytes + 4, smtp->reply_len);
    }
    return len;
}

static int set_addresses(struct smtp *smtp)
{
    const struct config *config = smtp->config;

    if (!mail_is_address(config->from))
        return curl_session_refuse(&smtp->session, "its 'from' is no address", config->from);
    if (!config->to[0])
        return curl_session_refuse(&smtp->session, "its 'to' names nobody", NULL);
    for (size_t i = 0; config->to[i]; i++) {
        if (!mail_is_address(config->to[i]))
            return curl_session_refuse(&smtp->session, "no address that mails can go to",
                                       config->to[i]);
        struct curl_slist *longer = curl_slist_append(smtp->recipients, config->to[i]);

        if (!longer)
            return curl_session_refuse(&smtp->session, "out of memory", NULL);
        smtp->recipients = longer;
    }
    return 0;
}

static void set_transfer(struct smtp *smtp)
{
    static const long securities[] = {
        [SECURITY_ALWAYS] = CURLUSESSL_ALL,
        [SECURITY_OFFERED] = CURLUSESSL_TRY,
        [SECURITY_NEVER] = CURLUSESSL_NONE,
    };
    CURL *curl = smtp->session.curl;
    long seconds = (long)(smtp->session.share / SECOND);

    curl_easy_setopt(curl, CURLOPT_URL, smtp->config->server);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, securities[smtp->config->tls]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, smtp->config->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, smtp->recipients);
    /* One mailbox that is gone does not keep alerts from the others. */
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, hand_over);
    curl_easy_setopt(curl, CURLOPT_READDATA, smtp);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, listen_to);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, smtp);
    /* The goodbye to a server that answers no more is waited for beyond any other timeout, and
     * would be in close() if the connection were kept. */
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds ? seconds : 1L);
}

static int set_up(struct smtp *smtp)
{
    const struct config *config = smtp->config;

    if (config->password && config->tls != SECURITY_ALWAYS &&
        curl_session_has_scheme(&smtp->session, "smtp"))
        return curl_session_refuse(&smtp->session, "a password needs 'tls: always'", NULL);
    if (!mail_is_subject(config->subject))
        return curl_session_refuse(&smtp->session,
                                   "its 'subject' has a % that is neither %% nor "
                                   "%{PATH}",
                                   NULL);
    smtp->form = (struct mail_form){smtp->session.host, config->from, config->to, config->subject};
    smtp->most = MAIL_ALERTS;
    int r = set_addresses(smtp);

    if (r == 0)
        set_transfer(smtp);
    return r;
}

static void smtp_close(void *instance)
{
    struct smtp *smtp = instance;

    curl_session_close(&smtp->session);
    curl_slist_free_all(smtp->recipients);
    text_buffer_deinit(&smtp->mail);
    free(smtp);
}

static int smtp_open(const struct picket_host *host, const void *config, void **instance)
{
    const struct config *given = config;
    struct smtp *smtp = calloc(1, sizeof *smtp);
    const struct curl_session_options session = {.url = given->server,
                                                 .schemes = "smtp,smtps",
                                                 .share = 45,
                                                 .user = given->user,
                                                 .password = given->password,
                                                 .ca = given->ca};

    if (!smtp) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    smtp->config = given;
    if (curl_session_open(&smtp->session, host, &session) < 0 || set_up(smtp) < 0) {
        smtp_close(smtp);
        return -1;
    }
    *instance = smtp;
    return 0;
}

enum outcome {
    OUTCOME_TAKEN,
    OUTCOME_LATER,
    OUTCOME_NEVER,  /* not for these addresses */
    OUTCOME_DIVIDED /* the server does not like what is in it */
};

static enum outcome judge(const struct smtp *smtp, CURLcode code, long reply)
{
    bool refused = reply >= 500 && reply < 600;

    if (code == CURLE_OK)
        return OUTCOME_TAKEN;
    /* 552: too large, which it may say before it has it. */
    if (refused && (reply == 552 || smtp->sent == smtp->mail.len))
        return OUTCOME_DIVIDED;
    /* 530: log in first, or STARTTLS. */
    return refused && code == CURLE_SEND_ERROR && reply != 530 ? OUTCOME_NEVER : OUTCOME_LATER;
}

/* COUNT alerts in one mail; why it was not taken is in *REASON. */
static enum outcome send_mail(struct smtp *smtp, const struct picket_alert *const *alerts,
                              size_t count, const char **reason)
{
    long reply = 0;

    mail_put(&smtp->form, alerts, count, (long long)time(NULL), &smtp->mail);
    *reason = "out of memory";
    if (smtp->mail.failed)
        return OUTCOME_LATER;
    smtp->sent = 0;
    smtp->reply_len = 0;
    CURLcode code = curl_session_perform(&smtp->session);

    curl_easy_getinfo(smtp->session.curl, CURLINFO_RESPONSE_CODE, &reply);
    *reason = reply >= 400
                  ? curl_session_answer(&smtp->session, reply, smtp->reply, smtp->reply_len)
                  : curl_session_reason(&smtp->session, code);
    return judge(smtp, code, reply);
}

static void settle(struct smtp *smtp, enum outcome outcome, size_t count,
                   struct picket_verdict *verdict)
{
    bool divided = outcome == OUTCOME_DIVIDED && count > 1;

    if (outcome == OUTCOME_TAKEN) {
        verdict->delivered = count;
        smtp->session.failures = 0;
        smtp->most = smtp->most * 2 < MAIL_ALERTS ? smtp->most * 2 : MAIL_ALERTS;
        smtp->next = milliseconds() + smtp->config->every / 1000000;
    } else if (outcome == OUTCOME_LATER || divided) {
        verdict->action = PICKET_RETRY;
        verdict->retry_ms = divided ? 10 : curl_session_pause(&smtp->session);
        if (divided)
            smtp->most = count / 2;
    } else {
        verdict->action = PICKET_REJECT;
        verdict->rejected = count;
    }
}

static void smtp_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                         struct picket_verdict *verdict)
{
    struct smtp *smtp = instance;
    long long left = smtp->next - milliseconds();
    size_t sent = count < smtp->most ? count : smtp->most;

    if (left > 0) {
        verdict->action = PICKET_RETRY;
        verdict->retry_ms = left < 3600000 ? (uint32_t)left : 3600000;
        verdict->reason = "it is not time for another mail yet";
        return;
    }
    curl_session_begin(&smtp->session);
    settle(smtp, send_mail(smtp, alerts, sent, &verdict->reason), sent, verdict);
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
