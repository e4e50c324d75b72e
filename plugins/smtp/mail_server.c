#include "mail_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000LL

static size_t hand_over(char *room, size_t one, size_t len, void *context)
{
    struct mail_server *server = context;
    size_t left = server->mail.len - server->sent;

    len = left < len ? left : len;
    memcpy(room, server->mail.data + server->sent, len);
    server->sent += len;
    return len;
}

/* A line of the server's. */
static size_t listen_to(char *bytes, size_t one, size_t len, void *context)
{
    struct mail_server *server = context;

    if (len > 4 && (bytes[0] == '4' || bytes[0] == '5')) {
        server->refusal = strtol(bytes, NULL, 10);
        server->reply_len = len - 4 < sizeof server->reply ? len - 4 : sizeof server->reply;
        memcpy(server->reply, bytes + 4, server->reply_len);
    }
    return len;
}

static int set_addresses(struct mail_server *server)
{
    const struct config *config = server->config;

    if (!mail_is_address(config->from))
        return curl_session_refuse(&server->session, "its 'from' is no address", config->from);
    if (!config->to[0])
        return curl_session_refuse(&server->session, "its 'to' names nobody", NULL);
    for (size_t i = 0; config->to[i]; i++) {
        if (!mail_is_address(config->to[i]))
            return curl_session_refuse(&server->session, "no address that mails can go to",
                                       config->to[i]);
        struct curl_slist *longer = curl_slist_append(server->recipients, config->to[i]);

        if (!longer)
            return curl_session_refuse(&server->session, "out of memory", NULL);
        server->recipients = longer;
    }
    return 0;
}

static void set_transfer(struct mail_server *server)
{
    static const long securities[] = {
        [SECURITY_ALWAYS] = CURLUSESSL_ALL,
        [SECURITY_OFFERED] = CURLUSESSL_TRY,
        [SECURITY_NEVER] = CURLUSESSL_NONE,
    };
    CURL *curl = server->session.curl;
    long seconds = (long)(server->session.share / SECOND);

    curl_easy_setopt(curl, CURLOPT_URL, server->config->server);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, securities[server->config->tls]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, server->config->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, server->recipients);
    /* One mailbox that is gone does not keep alerts from the others. */
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, hand_over);
    curl_easy_setopt(curl, CURLOPT_READDATA, server);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, listen_to);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, server);
    /* The goodbye to a server that answers no more is waited for beyond any other timeout, and
     * would be in close() if the connection were kept. */
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds ? seconds : 1L);
}

static int set_up(struct mail_server *server)
{
    const struct config *config = server->config;

    if (!config->user != !config->password)
        return curl_session_refuse(&server->session, "'user' and 'password' go together", NULL);
    if (config->password && config->tls != SECURITY_ALWAYS &&
        curl_session_has_scheme(&server->session, "smtp"))
        return curl_session_refuse(&server->session, "a password needs 'tls: always'", NULL);
    if (!mail_is_subject(config->subject))
        return curl_session_refuse(&server->session,
                                   "its 'subject' has a % that is neither %% nor "
                                   "%{PATH}",
                                   NULL);
    server->form = (struct mail_form){.host = server->session.host,
                                      .from = config->from,
                                      .to = config->to,
                                      .lines = strcmp(server->session.host->format, "text") == 0,
                                      .subject = config->subject};
    int r = set_addresses(server);

    if (r == 0)
        set_transfer(server);
    return r;
}

void mail_server_close(struct mail_server *server)
{
    curl_session_close(&server->session);
    curl_slist_free_all(server->recipients);
    text_buffer_deinit(&server->mail);
}

int mail_server_open(struct mail_server *server, const struct picket_host *host,
                     const struct config *config)
{
    const struct curl_session_options session = {.url = config->server,
                                                 .schemes = "smtp,smtps",
                                                 .share = 45,
                                                 .user = config->user,
                                                 .password = config->password,
                                                 .ca = config->ca};

    server->config = config;
    return curl_session_open(&server->session, host, &session) < 0 ? -1 : set_up(server);
}

static enum outcome judge(const struct mail_server *server, CURLcode code)
{
    bool given = server->sent == server->mail.len;

    if (code == CURLE_OK)
        return OUTCOME_TAKEN;
    if (server->refusal == 552)
        return OUTCOME_TOO_LARGE;
    if (server->refusal)
        return !given ? OUTCOME_LATER : server->refusal >= 500 ? OUTCOME_REFUSED : OUTCOME_BROKEN;
    return server->sent ? OUTCOME_BROKEN : OUTCOME_LATER;
}

/* A mail that some of its recipients do not get. */
static void tell_refusal(struct mail_server *server)
{
    const struct picket_host *host = server->session.host;
    const char *said =
        curl_session_answer(&server->session, server->refusal, server->reply, server->reply_len);
    char text[CURL_SESSION_REASON + 64];

    if (strcmp(server->told, said) == 0)
        return;
    snprintf(server->told, sizeof server->told, "%s", said);
    snprintf(text, sizeof text, "a mail went out, but not to everybody: %s", said);
    host->log(host, PICKET_LOG_WARNING, text);
}

enum outcome mail_server_send(struct mail_server *server, const struct picket_alert *const *alerts,
                              size_t count, const char **reason)
{
    mail_put(&server->form, alerts, count, (long long)time(NULL), &server->mail);
    *reason = "out of memory";
    if (server->mail.failed)
        return OUTCOME_BROKEN;
    server->sent = 0;
    server->refusal = 0;
    server->reply_len = 0;
    CURLcode code = curl_session_perform(&server->session);

    if (code == CURLE_OK && server->refusal)
        tell_refusal(server);
    *reason = server->refusal ? curl_session_answer(&server->session, server->refusal,
                                                    server->reply, server->reply_len)
                              : curl_session_reason(&server->session, code);
    return judge(server, code);
}
