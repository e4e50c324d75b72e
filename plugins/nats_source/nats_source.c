/* Events and alerts out of a stream of NATS JetStream, by a durable pull consumer: engines that
 * share one share the work. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inflow.h"
#include "nats_connection_options.h"
#include "stream/source.h"

#define SECOND 1000000000LL
#define MS     1000000LL

/* Messages that are asked for at once, and how much: a server that has 64 MiB to send that nobody
 * reads ends the connection. */
#define BATCH_MOST 256
#define BYTES_MOST (16 << 20)

/* How long to wait for one, ms: short as long as the engine may have something to settle. */
#define WAIT_LEAST 5
#define WAIT_MOST  1000

/* How long a request stands at the server, ms; and what it gets to say then that it does no longer.
 * One that says nothing is not there. */
#define REQUEST_TIME 5000
#define ANSWER_TIME  5000

/* How long nothing is asked for of a server that has too many requests. */
#define REFUSAL_PAUSE 500

struct config {
    struct nats_connection_options connection;
    const char *stream;
    const char *subject;
    const char *consumer;
    int create;
    int64_t in_flight;
    int64_t ack_wait;
};

static const struct picket_option options[] = {
    NATS_CONNECTION_SERVERS(config, connection),
    {.name = "stream",
     .type = PICKET_STRING,
     .value = "PICKET",
     .help = "the stream to read",
     .offset = offsetof(struct config, stream)},
    {.name = "subject",
     .type = PICKET_STRING,
     .help = "of a consumer that is made: what of the stream it gets; else all",
     .offset = offsetof(struct config, subject)},
    {.name = "consumer",
     .type = PICKET_STRING,
     .value = "picket",
     .help = "the durable consumer to read by; engines that name the same share the work",
     .offset = offsetof(struct config, consumer)},
    {.name = "create",
     .type = PICKET_BOOL,
     .value = "true",
     .help = "make the consumer if it is not there",
     .offset = offsetof(struct config, create)},
    {.name = "in_flight",
     .type = PICKET_INT,
     .value = "1024",
     .min = 1,
     .max = 16384,
     .help = "messages that may be out without having been acknowledged",
     .offset = offsetof(struct config, in_flight)},
    {.name = "ack_wait",
     .type = PICKET_DURATION,
     .value = "30s",
     .min = SECOND,
     .max = 3600 * SECOND,
     .help = "of a consumer that is made: what is not acknowledged by then comes again",
     .offset = offsetof(struct config, ack_wait)},
    NATS_CONNECTION_LOGIN(config, connection),
};

struct nats_source {
    const struct picket_host *host;
    const struct config *config;
    struct nats_connection connection;
    struct inflow *arrivals; /* NULL: the stream cannot be read */
    char *inbox;             /* where messages come to, and behind a dot what a request became */
    uint64_t request;        /* the number of the last one */
    int64_t left;            /* messages that it may still bring */
    bool brought;            /* one at least */
    bool large;              /* the next message is larger than what is asked for */
    int64_t until;           /* when nothing comes of it any more, ms */
    int64_t most;            /* messages that may be out */
    int64_t out;             /* not settled */
    int64_t wait;            /* for the next one, ms */
    bool complained;         /* that the stream cannot be read */
};

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / MS;
}

static int fail(struct nats_source *source, const char *what, const char *why)
{
    return nats_connection_fail(&source->connection, what, why);
}

static int fail_status(struct nats_source *source, const char *what, natsStatus status)
{
    return nats_connection_fail_status(&source->connection, what, status);
}

static void disconnect(struct nats_source *source)
{
    inflow_close(source->arrivals);
    free(source->inbox);
    source->arrivals = NULL;
    source->inbox = NULL;
    source->left = 0;
    nats_connection_disconnect(&source->connection);
}

static void source_close(void *instance)
{
    struct nats_source *source = instance;

    /* What was settled last. */
    if (source->connection.handle)
        natsConnection_FlushTimeout(source->connection.handle, 1000);
    disconnect(source);
    nats_connection_close(&source->connection);
    free(source);
}

/* A name that is part of a subject. */
static bool is_name(const char *name)
{
    return *name && name[strcspn(name, " \t\r\n.*>/\\")] == '\0';
}

static int open_connection(struct nats_source *source)
{
    const struct config *config = source->config;

    if (!is_name(config->stream))
        return fail(source, "its 'stream' is no name of a stream", NULL);
    if (!is_name(config->consumer))
        return fail(source, "its 'consumer' is no name of a consumer", NULL);
    /* Of which an attempt takes half: with what is asked after it, and the pause before, the engine
     * hears of it in time. */
    return nats_connection_open(&source->connection, &config->connection,
                                source->host->deadline / 2);
}

static int source_open(const struct picket_host *host, const void *config, void **instance)
{
    struct nats_source *source = calloc(1, sizeof *source);

    if (!source) {
        host->log(host, PICKET_LOG_ERROR, "out of memory");
        return -1;
    }
    source->host = host;
    source->config = config;
    source->wait = WAIT_LEAST;
    if (open_connection(source) < 0) {
        host->log(host, PICKET_LOG_ERROR, source->connection.reason);
        source_close(source);
        return -1;
    }
    if (nats_connection_is_exposed(&source->connection))
        host->log(host, PICKET_LOG_WARNING,
                  "it logs in over a connection that is not encrypted: 'tls' makes it so");
    *instance = source;
    return 0;
}

static natsStatus create_consumer(struct nats_source *source, jsCtx *context, jsConsumerInfo **info,
                                  jsErrCode *code)
{
    const struct config *config = source->config;
    jsConsumerConfig wanted;
    natsStatus status = jsConsumerConfig_Init(&wanted);

    wanted.Durable = config->consumer;
    wanted.Description = "read by picket";
    wanted.FilterSubject = config->subject;
    wanted.DeliverPolicy = js_DeliverAll;
    wanted.AckPolicy = js_AckExplicit;
    wanted.AckWait = config->ack_wait;
    wanted.MaxAckPending = config->in_flight;
    if (status == NATS_OK)
        status = js_AddConsumer(info, context, config->stream, &wanted, NULL, code);
    if (status == NATS_OK)
        source->host->log(source->host, PICKET_LOG_INFO,
                          "the consumer was not there: it is made, and gets the whole stream");
    return status;
}

/* Why CONSUMER will not do; NULL: it will. */
static const char *check_consumer(const jsConsumerConfig *consumer)
{
    if (consumer->DeliverSubject)
        return "the consumer is one that pushes, and picket pulls: name another";
    if (consumer->AckPolicy != js_AckExplicit)
        return "the consumer does not want each message acknowledged: name another";
    return NULL;
}

static int fail_consumer(struct nats_source *source, natsStatus status, jsErrCode code)
{
    const struct config *config = source->config;

    if (code == JSStreamNotFoundErr)
        return fail(source,
                    "there is no stream of that name (the output nats makes one, with 'create')",
                    config->stream);
    if (code == JSConsumerNotFoundErr || status == NATS_NOT_FOUND)
        return fail(source, "there is no such consumer, and 'create' is false", config->consumer);
    return fail_status(source, "the consumer cannot be had", status);
}

/* Finds the consumer, or makes it. */
static int see_to_consumer(struct nats_source *source, jsCtx *context)
{
    const struct config *config = source->config;
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus status =
        js_GetConsumerInfo(&info, context, config->stream, config->consumer, NULL, &code);
    bool absent = status == NATS_NOT_FOUND || code == JSConsumerNotFoundErr;

    if (status != NATS_OK && absent && config->create && code != JSStreamNotFoundErr) {
        code = 0;
        status = create_consumer(source, context, &info, &code);
    }
    if (status != NATS_OK)
        return fail_consumer(source, status, code);
    const char *wrong = check_consumer(info->Config);
    int64_t most = info->Config->MaxAckPending;

    source->most = most > 0 && most < config->in_flight ? most : config->in_flight;
    jsConsumerInfo_Destroy(info);
    return wrong ? fail(source, wrong, config->consumer) : 0;
}

static int find_consumer(struct nats_source *source)
{
    jsOptions patience;
    jsCtx *context = NULL;

    jsOptions_Init(&patience);
    patience.Wait = source->host->deadline / MS / 12;
    natsStatus status = natsConnection_JetStream(&context, source->connection.handle, &patience);
    int r = status == NATS_OK ? see_to_consumer(source, context)
                              : fail_status(source, "there is no JetStream", status);

    jsCtx_Destroy(context);
    return r;
}

static int subscribe(struct nats_source *source)
{
    natsInbox *inbox = NULL;
    char subject[256];
    natsStatus status = natsInbox_Create(&inbox);

    if (status == NATS_OK) {
        source->inbox = strdup(inbox);
        natsInbox_Destroy(inbox);
        snprintf(subject, sizeof subject, "%s.*", source->inbox ? source->inbox : "");
        status = source->inbox ? inflow_open(source->connection.handle, subject, &source->arrivals)
                               : NATS_NO_MEMORY;
    }
    return status == NATS_OK ? 0 : fail_status(source, "no messages can be had", status);
}

static int reach_stream(struct nats_source *source)
{
    int r = nats_connection_connect(&source->connection);

    if (r == 0)
        r = find_consumer(source);
    if (r == 0)
        r = subscribe(source);
    if (r == 0 && source->complained)
        source->host->log(source->host, PICKET_LOG_INFO, "the stream can be read again");
    if (r == 0)
        source->complained = false;
    return r;
}

static enum source_state be_away(struct nats_source *source)
{
    if (!source->complained)
        source->host->log(source->host, PICKET_LOG_WARNING, source->connection.reason);
    source->complained = true;
    disconnect(source);
    return SOURCE_AWAY;
}

/* COUNT messages, or the next one, whatever its size. */
static void put_request(const struct nats_source *source, int64_t count, char *out, size_t size)
{
    if (source->large)
        snprintf(out, size, "{\"batch\":1,\"expires\":%lld}", REQUEST_TIME * MS);
    else
        snprintf(out, size, "{\"batch\":%lld,\"max_bytes\":%d,\"expires\":%lld}", (long long)count,
                 BYTES_MOST, REQUEST_TIME * MS);
}

/* Asks for COUNT messages: the server sends them as they come, and says when it does no longer. */
static int ask(struct nats_source *source, int64_t count)
{
    const struct config *config = source->config;
    char subject[600], reply[256], request[128];

    snprintf(subject, sizeof subject, "$JS.API.CONSUMER.MSG.NEXT.%s.%s", config->stream,
             config->consumer);
    snprintf(reply, sizeof reply, "%s.%llu", source->inbox, (unsigned long long)++source->request);
    put_request(source, count, request, sizeof request);
    natsStatus status =
        natsConnection_PublishRequestString(source->connection.handle, subject, reply, request);

    if (status != NATS_OK)
        return fail_status(source, "nothing can be asked for", status);
    source->left = source->large ? 1 : count;
    source->brought = source->large = false;
    source->until = milliseconds() + REQUEST_TIME + ANSWER_TIME;
    return 0;
}

static void hand_out(struct nats_source *source, const struct source_sink *sink, natsMsg *message)
{
    jsMsgMetaData *place = NULL;

    if (natsMsg_GetMetaData(&place, message) != NATS_OK)
        return; /* nothing of a stream */
    const struct source_message taken = {.token = natsMsg_GetReply(message),
                                         .data = natsMsg_GetData(message),
                                         .len = (size_t)natsMsg_GetDataLength(message),
                                         .sequence = place->Sequence.Stream,
                                         .stored = place->Timestamp,
                                         .deliveries = place->NumDelivered,
                                         .behind = place->NumPending};

    source->out++;
    source->left -= source->left > 0;
    source->brought = true;
    source->wait = WAIT_LEAST;
    sink->take(sink, &taken);
    jsMsgMetaData_Destroy(place);
}

/* What became of a request: that its time is over, or that there are too many, or that there is
 * nobody to ask. */
static int on_word(struct nats_source *source, natsMsg *message)
{
    const char *number = strrchr(natsMsg_GetSubject(message), '.');
    const char *code = NULL, *said = NULL;

    if (!number || strtoull(number + 1, NULL, 10) != source->request)
        return 0; /* of one before */
    natsMsgHeader_Get(message, "Status", &code);
    natsMsgHeader_Get(message, "Description", &said);
    source->left = 0;
    if (code && (strcmp(code, "408") == 0 || strcmp(code, "404") == 0))
        return 0;
    if (said && strstr(said, "MaxBytes")) {
        source->large = !source->brought;
        return 0;
    }
    if (!said || strncmp(said, "Exceeded", 8) != 0)
        return fail(source, "the consumer is gone", said ? said : source->config->consumer);
    source->left = -1;
    source->until = milliseconds() + REFUSAL_PAUSE;
    return 0;
}

/* 1: a message was handed out; 0: none came within WAIT ms; -1: none will come. */
static int take_next(struct nats_source *source, const struct source_sink *sink, int64_t wait)
{
    natsMsg *message = NULL;
    natsStatus status = inflow_next(source->arrivals, wait, &message);
    int r = 0;

    if (status == NATS_TIMEOUT)
        return 0;
    if (status != NATS_OK)
        return fail_status(source, "the stream cannot be read", status);
    if (natsMsg_GetReply(message)) {
        hand_out(source, sink, message);
        r = 1;
    } else {
        r = on_word(source, message);
    }
    natsMsg_Destroy(message);
    return r;
}

/* Sees to it that something is asked for when there is room. */
static int keep_asking(struct nats_source *source)
{
    int64_t room = source->most - source->out;
    bool over = milliseconds() >= source->until;

    if (source->left > 0 && over)
        return fail(source, "the server does not answer", NULL);
    if (source->left > 0 || (source->left < 0 && !over) || room <= 0)
        return 0;
    return ask(source, room < BATCH_MOST ? room : BATCH_MOST);
}

static enum source_state source_read(void *instance, const struct source_sink *sink)
{
    struct nats_source *source = instance;

    if (!source->arrivals && reach_stream(source) < 0)
        return be_away(source);
    if (keep_asking(source) < 0)
        return be_away(source);
    if (source->left == 0)
        return SOURCE_FULL;
    int got = take_next(source, sink, source->out ? source->wait : WAIT_MOST);

    for (int i = 1; got > 0 && i < BATCH_MOST; i++)
        got = take_next(source, sink, 0);
    if (got < 0)
        return be_away(source);
    if (source->wait < WAIT_MOST)
        source->wait *= 2;
    return SOURCE_READING;
}

static void source_settle(void *instance, const char *token, enum source_verdict verdict)
{
    static const char *const words[] = {
        [SOURCE_KEPT] = "+ACK",
        [SOURCE_REFUSED] = "+TERM",
        [SOURCE_AGAIN] = "-NAK {\"delay\": 1000000000}",
    };
    struct nats_source *source = instance;

    source->out -= source->out > 0; /* it may be of a life before */
    source->wait = WAIT_LEAST;
    /* Without a connection it comes again, and is settled then. */
    if (source->connection.handle)
        natsConnection_PublishString(source->connection.handle, token, words[verdict]);
}

const struct stream_source stream_source = {
    .table = {.size = sizeof(struct picket_plugin),
              .abi = PICKET_ABI,
              .needs = PICKET_NEEDS_NETWORK,
              .name = "nats",
              .version = "1.0",
              .help = "reads a stream of NATS JetStream",
              .options = options,
              .option_size = sizeof *options,
              .option_count = sizeof options / sizeof *options,
              .config_size = sizeof(struct config),
              .open = source_open,
              .close = source_close},
    .build = PICKET_VERSION,
    .read = source_read,
    .settle = source_settle,
};
