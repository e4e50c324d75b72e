#include "nats_link.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000LL

/* One that can be published to. */
static bool is_subject(const char *subject)
{
    size_t len = strlen(subject);

    return len && subject[0] != '.' && subject[len - 1] != '.' && !strstr(subject, "..") &&
           subject[strcspn(subject, " \t\r\n*>")] == '\0';
}

static const char *check(const struct config *config)
{
    if (!is_subject(config->subject))
        return "its 'subject' is none that can be published to";
    if (config->create && !config->stream)
        return "'create' needs a 'stream'";
    if (config->stream && (!is_subject(config->stream) || strchr(config->stream, '.')))
        return "its 'stream' is no name of a stream";
    return NULL;
}

int nats_link_open(struct nats_link *link, const struct picket_host *host,
                   const struct config *config)
{
    link->host = host;
    link->config = config;
    const char *mistake = check(config);
    int r = mistake ? nats_connection_fail(&link->connection, mistake, NULL)
                    : nats_connection_open(&link->connection, &config->login, host->deadline);

    if (r < 0)
        host->log(host, PICKET_LOG_ERROR, link->connection.reason);
    else if (nats_connection_is_exposed(&link->connection))
        host->log(host, PICKET_LOG_WARNING,
                  "without TLS its password or token goes over the network for all to read");
    return r;
}

void nats_link_disconnect(struct nats_link *link)
{
    natsSubscription_Destroy(link->acks);
    nats_connection_disconnect(&link->connection);
    free(link->inbox);
    link->acks = NULL;
    link->inbox = NULL;
}

void nats_link_close(struct nats_link *link)
{
    nats_link_disconnect(link);
    nats_connection_close(&link->connection);
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
    natsStatus status = natsConnection_JetStream(&stream, link->connection.handle, &options);
    jsStreamInfo *info = NULL;

    if (status == NATS_OK)
        status = js_GetStreamInfo(&info, stream, link->config->stream, NULL, &code);
    if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr)
        status = create_stream(link, stream);
    jsStreamInfo_Destroy(info);
    jsCtx_Destroy(stream);
    return status == NATS_OK ? 0
                             : nats_connection_fail_status(&link->connection,
                                                           "the stream cannot be created", status);
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
        status = link->inbox
                     ? natsConnection_SubscribeSync(&link->acks, link->connection.handle, subject)
                     : NATS_NO_MEMORY;
    }
    return status == NATS_OK ? 0
                             : nats_connection_fail_status(
                                   &link->connection, "no acknowledgements can be had", status);
}

int nats_link_connect(struct nats_link *link)
{
    if (link->connection.handle)
        return 0;
    int r = nats_connection_connect(&link->connection);

    if (r == 0)
        r = subscribe(link);
    if (r == 0 && link->config->create)
        r = see_to_stream(link);
    if (r < 0)
        nats_link_disconnect(link);
    return r;
}

size_t nats_link_most(struct nats_link *link)
{
    int64_t most = natsConnection_GetMaxPayload(link->connection.handle);

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
        status = natsConnection_PublishMsg(link->connection.handle, message);
    natsMsg_Destroy(message);
    if (status != NATS_OK)
        return nats_connection_fail_status(&link->connection, "an alert cannot be sent", status);
    link->sent++;
    return 0;
}

int nats_link_push(struct nats_link *link, int64_t ms)
{
    natsStatus status = natsConnection_FlushTimeout(link->connection.handle, ms);

    return status == NATS_OK ? 0
                             : nats_connection_fail_status(&link->connection,
                                                           "the server does not answer", status);
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

        nats_connection_fail(&link->connection, "the stream does not take it",
                             json_string_value(json_object_get(error, "description")));
        if (code == JSStreamMessageExceedsMaximumErr)
            kind = ACK_TOO_LARGE;
    } else if (json_object_get(ack, "seq")) {
        kind = ACK_STORED;
    } else {
        nats_connection_fail(&link->connection, "what answers for the subject is no stream",
                             link->config->subject);
    }
    json_decref(ack);
    return kind;
}

/* What the server does not permit, it says to nobody in particular. */
static void fail_unacknowledged(struct nats_link *link, natsStatus status)
{
    const char *said = NULL;

    natsConnection_GetLastError(link->connection.handle, &said);
    if (said && *said)
        nats_connection_fail(&link->connection, "an alert was not acknowledged", said);
    else
        nats_connection_fail_status(&link->connection, "an alert was not acknowledged", status);
}

enum ack_kind nats_link_next(struct nats_link *link, int64_t ms, uint64_t *number)
{
    natsMsg *message = NULL;
    natsStatus status = natsSubscription_NextMsg(&message, link->acks, ms);

    if (status != NATS_OK) {
        if (status == NATS_NO_RESPONDERS)
            nats_connection_fail(&link->connection, "no stream takes the subject",
                                 link->config->subject);
        else
            fail_unacknowledged(link, status);
        return ACK_NONE;
    }
    const char *dot = strrchr(natsMsg_GetSubject(message), '.');
    enum ack_kind kind = judge(link, message);

    *number = dot ? strtoull(dot + 1, NULL, 10) : UINT64_MAX;
    natsMsg_Destroy(message);
    return kind;
}
