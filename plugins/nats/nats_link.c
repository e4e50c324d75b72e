#include "nats_link.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000LL

static int fail(struct nats_link *link, const char *what, const char *why)
{
    snprintf(link->reason, sizeof link->reason, "%s%s%.300s", what, why ? ": " : "",
             why ? why : "");
    return -1;
}

/* What the library said last says more than a status, behind a place in its source. */
static int fail_status(struct nats_link *link, const char *what, natsStatus status)
{
    const char *said = nats_GetLastError(NULL);
    const char *place = said && *said == '(' ? strstr(said, "): ") : NULL;

    if (place)
        said = place + 3;
    return fail(link, what, said && *said ? said : natsStatus_GetText(status));
}

static bool wants_tls(const struct config *config)
{
    bool wanted = config->tls || config->ca || config->cert;

    for (size_t i = 0; config->servers[i]; i++)
        wanted = wanted || strncmp(config->servers[i], "tls://", 6) == 0;
    return wanted;
}

static natsStatus set_certificates(natsOptions *options, const struct config *config, char *chain)
{
    natsStatus status = natsOptions_SetSecure(options, true);

    if (status == NATS_OK && config->ca)
        status = natsOptions_LoadCATrustedCertificates(options, config->ca);
    if (status == NATS_OK && chain)
        status = natsOptions_SetCertificatesChain(options, chain, config->cert_key);
    return status;
}

/* There is no NUL in PEM. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (file && getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (file)
        fclose(file);
    return text;
}

static int set_tls(struct nats_link *link)
{
    const struct config *config = link->config;
    char *chain = config->cert ? read_text(config->cert) : NULL;

    if (config->cert && !chain)
        return fail(link, "its 'cert' cannot be read by the user that outputs run as",
                    config->cert);
    natsStatus status = set_certificates(link->options, config, chain);

    free(chain);
    return status == NATS_OK ? 0 : fail_status(link, "its certificates", status);
}

static natsStatus set_servers(natsOptions *options, const char *const *servers, int64_t deadline)
{
    int count = 1; /* check() has seen the first */

    while (servers[count])
        count++;
    int64_t timeout = deadline / MS / 3 / count;
    natsStatus status = natsOptions_SetServers(options, (const char **)servers, count);

    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, timeout > 100 ? timeout : 100);
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = natsOptions_SetWriteDeadline(options, deadline / MS / 5);
    return status == NATS_OK ? natsOptions_SetName(options, "picket") : status;
}

static natsStatus set_user(struct nats_link *link)
{
    const struct config *config = link->config;

    if (config->creds || config->nkey)
        return credentials_set(&link->credentials, config->nkey, link->options);
    if (config->token)
        return natsOptions_SetToken(link->options, config->token);
    return config->user ? natsOptions_SetUserInfo(link->options, config->user, config->password)
                        : NATS_OK;
}

/* What the options say is in this plugin's words; what the library says, in its own. */
static int set_up(struct nats_link *link)
{
    const struct config *config = link->config;
    natsStatus status = nats_Open(-1);

    if (status != NATS_OK)
        return fail_status(link, "the library of NATS does not start", status);
    link->started = true;
    status = natsOptions_Create(&link->options);
    if (status == NATS_OK)
        status = set_servers(link->options, config->servers, link->host->deadline);
    if (status == NATS_OK)
        status = set_user(link);
    if (status != NATS_OK)
        return fail_status(link, "its options", status);
    return wants_tls(config) ? set_tls(link) : 0;
}

static bool holds_secret(const char *const *servers)
{
    for (size_t i = 0; servers[i]; i++)
        if (strchr(servers[i], '@'))
            return true;
    return false;
}

/* One that can be published to. */
static bool is_subject(const char *subject)
{
    size_t len = strlen(subject);

    return len && subject[0] != '.' && subject[len - 1] != '.' && !strstr(subject, "..") &&
           subject[strcspn(subject, " \t\r\n*>")] == '\0';
}

static const char *check(const struct config *config)
{
    int logins = !!config->user + !!config->token + !!config->nkey + !!config->creds;

    if (!config->servers[0])
        return "its 'servers' names none";
    if (holds_secret(config->servers))
        return "a user in a server's address: that is what 'user', 'password' and 'token' are for";
    if (!is_subject(config->subject))
        return "its 'subject' is none that can be published to";
    if (config->create && !config->stream)
        return "'create' needs a 'stream'";
    if (config->stream && (!is_subject(config->stream) || strchr(config->stream, '.')))
        return "its 'stream' is no name of a stream";
    if (logins > 1)
        return "only one of 'user', 'token', 'nkey' and 'creds' can be given";
    if (!config->user != !config->password)
        return "'user' and 'password' go together";
    if (!config->nkey != !config->seed)
        return "'nkey' and 'seed' go together";
    return !config->cert != !config->cert_key ? "'cert' and 'cert_key' go together" : NULL;
}

static int read_credentials(struct nats_link *link)
{
    const struct config *config = link->config;

    if (config->creds && credentials_read(&link->credentials, config->creds) < 0)
        return fail(link, "its 'creds' hold no token and seed of a user", NULL);
    if (config->seed && !(link->credentials.seed = strdup(config->seed)))
        return fail(link, "out of memory", NULL);
    return 0;
}

int nats_link_open(struct nats_link *link, const struct picket_host *host,
                   const struct config *config)
{
    link->host = host;
    link->config = config;
    const char *mistake = check(config);
    int r = mistake ? fail(link, mistake, NULL) : read_credentials(link);

    if (r == 0)
        r = set_up(link);
    if (r < 0)
        host->log(host, PICKET_LOG_ERROR, link->reason);
    return r;
}

void nats_link_disconnect(struct nats_link *link)
{
    natsSubscription_Destroy(link->acks);
    natsConnection_Destroy(link->connection);
    free(link->inbox);
    link->acks = NULL;
    link->connection = NULL;
    link->inbox = NULL;
}

void nats_link_close(struct nats_link *link)
{
    nats_link_disconnect(link);
    natsOptions_Destroy(link->options);
    credentials_deinit(&link->credentials);
    if (link->started)
        nats_CloseAndWait(link->host->deadline / MS / 2);
}

static natsStatus create_stream(struct nats_link *link, jsCtx *stream)
{
    const struct config *config = link->config;
    const char *subjects[] = {config->subject};
    jsStreamConfig wanted;
    jsErrCode code = 0;
    natsStatus status = jsStreamConfig_Init(&wanted);

    wanted.Name = config->stream;
    wanted.Subjects = subjects;
    wanted.SubjectsLen = 1;
    wanted.Duplicates = config->window;
    wanted.MaxAge = config->age;
    wanted.MaxBytes = config->size ? config->size : -1;
    wanted.Replicas = config->replicas;
    if (status == NATS_OK)
        status = js_AddStream(NULL, stream, &wanted, NULL, &code);
    /* Another picket was first. */
    return code == JSStreamNameExistErr ? NATS_OK : status;
}

/* One that is there stays as it is. */
static int see_to_stream(struct nats_link *link)
{
    jsOptions options;
    jsErrCode code = 0;
    jsCtx *stream = NULL;

    jsOptions_Init(&options);
    options.Wait = link->host->deadline / MS / 6;
    natsStatus status = natsConnection_JetStream(&stream, link->connection, &options);
    jsStreamInfo *info = NULL;

    if (status == NATS_OK)
        status = js_GetStreamInfo(&info, stream, link->config->stream, NULL, &code);
    if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr)
        status = create_stream(link, stream);
    jsStreamInfo_Destroy(info);
    jsCtx_Destroy(stream);
    return status == NATS_OK ? 0 : fail_status(link, "the stream cannot be created", status);
}

static int subscribe(struct nats_link *link)
{
    char subject[256];
    natsInbox *inbox = NULL;
    natsStatus status = natsInbox_Create(&inbox);

    if (status == NATS_OK) {
        link->inbox = strdup(inbox);
        natsInbox_Destroy(inbox);
        snprintf(subject, sizeof subject, "%s.*", link->inbox ? link->inbox : "");
        status = link->inbox ? natsConnection_SubscribeSync(&link->acks, link->connection, subject)
                             : NATS_NO_MEMORY;
    }
    return status == NATS_OK ? 0 : fail_status(link, "no acknowledgements can be had", status);
}

int nats_link_connect(struct nats_link *link)
{
    if (link->connection)
        return 0;
    natsStatus status = natsConnection_Connect(&link->connection, link->options);

    if (status != NATS_OK)
        return fail_status(link, "no server can be reached", status);
    int r = subscribe(link);

    if (r == 0 && link->config->create)
        r = see_to_stream(link);
    if (r < 0)
        nats_link_disconnect(link);
    return r;
}

size_t nats_link_most(struct nats_link *link)
{
    int64_t most = natsConnection_GetMaxPayload(link->connection);

    return most > 0 ? (size_t)most : SIZE_MAX;
}

/* A header is a line: what would end it is left out. */
static natsStatus set_header(natsMsg *message, const char *name, const char *value)
{
    char line[256];
    size_t len = 0;

    for (; *value && len < sizeof line - 1; value++)
        if ((unsigned char)*value >= ' ' && *value != '\x7f')
            line[len++] = *value;
    line[len] = '\0';
    return natsMsgHeader_Set(message, name, line);
}

static natsStatus set_headers(struct nats_link *link, natsMsg *message,
                              const struct picket_alert *alert)
{
    static const char *const severities[] = {"informational", "low", "medium", "high", "critical"};
    bool known = alert->severity >= 0 && alert->severity <= PICKET_CRITICAL;
    natsStatus status = set_header(message, "Nats-Msg-Id", alert->id);

    if (status == NATS_OK && known)
        status = set_header(message, "Picket-Severity", severities[alert->severity]);
    if (status == NATS_OK && link->config->stream)
        status = set_header(message, "Nats-Expected-Stream", link->config->stream);
    return status;
}

int nats_link_publish(struct nats_link *link, const struct picket_alert *alert)
{
    char reply[256];
    natsMsg *message = NULL;

    snprintf(reply, sizeof reply, "%s.%llu", link->inbox, (unsigned long long)link->sent);
    natsStatus status =
        natsMsg_Create(&message, link->config->subject, reply, alert->text, (int)alert->text_len);

    if (status == NATS_OK)
        status = set_headers(link, message, alert);
    if (status == NATS_OK)
        status = natsConnection_PublishMsg(link->connection, message);
    natsMsg_Destroy(message);
    if (status != NATS_OK)
        return fail_status(link, "an alert cannot be sent", status);
    link->sent++;
    return 0;
}

int nats_link_push(struct nats_link *link, int64_t ms)
{
    natsStatus status = natsConnection_FlushTimeout(link->connection, ms);

    return status == NATS_OK ? 0 : fail_status(link, "the server does not answer", status);
}

/* {"stream": "PICKET", "seq": 3} or {"error": {"code": 503, "err_code": 10077, "description": ""}}
 */
static enum ack_kind judge(struct nats_link *link, natsMsg *message)
{
    json_t *ack = json_loadb(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message),
                             JSON_DISABLE_EOF_CHECK, NULL);
    const json_t *error = json_object_get(ack, "error");
    enum ack_kind kind = ACK_REFUSED;

    if (error) {
        long long code = json_integer_value(json_object_get(error, "err_code"));

        fail(link, "the stream does not take it",
             json_string_value(json_object_get(error, "description")));
        if (code == JSStreamMessageExceedsMaximumErr)
            kind = ACK_TOO_LARGE;
    } else if (json_object_get(ack, "seq")) {
        kind = ACK_STORED;
    } else {
        fail(link, "what answers for the subject is no stream", link->config->subject);
    }
    json_decref(ack);
    return kind;
}

enum ack_kind nats_link_next(struct nats_link *link, int64_t ms, uint64_t *number)
{
    natsMsg *message = NULL;
    natsStatus status = natsSubscription_NextMsg(&message, link->acks, ms);

    if (status != NATS_OK) {
        if (status == NATS_NO_RESPONDERS)
            fail(link, "no stream takes the subject", link->config->subject);
        else
            fail_status(link, "an alert was not acknowledged", status);
        return ACK_NONE;
    }
    const char *dot = strrchr(natsMsg_GetSubject(message), '.');
    enum ack_kind kind = judge(link, message);

    *number = dot ? strtoull(dot + 1, NULL, 10) : UINT64_MAX;
    natsMsg_Destroy(message);
    return kind;
}
