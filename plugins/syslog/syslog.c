/* Alerts as messages to a syslog: the machine's own by its socket, or another's by UDP, TCP or TLS.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "../unix_datagram/unix_datagram.h"
#include "connection.h"
#include "message.h"

enum transport { TRANSPORT_UNIX, TRANSPORT_UDP, TRANSPORT_TCP, TRANSPORT_TLS };
enum standard { STANDARD_AUTO, STANDARD_BSD, STANDARD_RFC5424 };
enum content { CONTENT_MESSAGE, CONTENT_ALERT };

struct config {
    const char *socket, *server;
    const char *tag;
    const char *ca, *certificate, *key;
    int64_t resend;
    int transport;
    int facility;
    int standard;
    int content;
};

/* In the order of the option's choices. */
static const int facilities[] = {LOG_AUTH,   LOG_AUTHPRIV, LOG_DAEMON, LOG_USER,
                                 LOG_LOCAL0, LOG_LOCAL1,   LOG_LOCAL2, LOG_LOCAL3,
                                 LOG_LOCAL4, LOG_LOCAL5,   LOG_LOCAL6, LOG_LOCAL7};

static const struct picket_option options[] = {
    {.name = "transport",
     .type = PICKET_ENUM,
     .choices = "unix|udp|tcp|tls",
     .value = "unix",
     .help = "unix: to this machine's daemon; the others: to a server",
     .offset = offsetof(struct config, transport)},
    {.name = "socket",
     .type = PICKET_STRING,
     .value = "/dev/log",
     .help = "unix: datagram socket the syslog daemon listens on",
     .offset = offsetof(struct config, socket)},
    {.name = "server",
     .type = PICKET_STRING,
     .help = "udp, tcp, tls: HOST or HOST:PORT; the port is 514, with tls 6514",
     .offset = offsetof(struct config, server)},
    {.name = "facility",
     .type = PICKET_ENUM,
     .choices = "auth|authpriv|daemon|user|"
                "local0|local1|local2|local3|local4|local5|local6|local7",
     .value = "authpriv",
     .help = "facility of the messages",
     .offset = offsetof(struct config, facility)},
    {.name = "tag",
     .type = PICKET_STRING,
     .value = "picket",
     .help = "program the messages are said to be from",
     .offset = offsetof(struct config, tag)},
    {.name = "standard",
     .type = PICKET_ENUM,
     .choices = "auto|bsd|rfc5424",
     .value = "auto",
     .help = "bsd: as syslog(3) sends; rfc5424: with structured data; auto: bsd for unix",
     .offset = offsetof(struct config, standard)},
    {.name = "content",
     .type = PICKET_ENUM,
     .choices = "message|alert",
     .value = "message",
     .help = "what a message says: the alert's message, or all of it in the output's format",
     .offset = offsetof(struct config, content)},
    {.name = "ca",
     .type = PICKET_STRING,
     .help = "tls: file with the certificates to trust; without it, those the machine trusts",
     .offset = offsetof(struct config, ca)},
    {.name = "certificate",
     .type = PICKET_STRING,
     .help = "tls: file with a certificate of ours, for servers that ask for one",
     .offset = offsetof(struct config, certificate)},
    {.name = "key",
     .type = PICKET_STRING,
     .flags = PICKET_SECRET,
     .help = "tls: the private key of the certificate; else it is in the certificate's file",
     .offset = offsetof(struct config, key)},
    {.name = "resend",
     .type = PICKET_SIZE,
     .value = "256KiB",
     .min = 0,
     .max = 64 << 20,
     .help = "tcp, tls: of what was sent last, how much is sent again when the connection broke",
     .offset = offsetof(struct config, resend)},
};

struct syslog {
    const struct config *config;
    struct message_style style;
    struct unix_datagram socket;  /* unix */
    struct connection connection; /* the others */
    struct text_buffer line;
    char reason[256];
};

static int send_line(struct syslog *syslog)
{
    const struct text_buffer *line = &syslog->line;

    if (line->failed)
        return -ENOMEM;
    return syslog->config->transport == TRANSPORT_UNIX
               ? unix_datagram_send(&syslog->socket, line->data, line->len)
               : connection_send(&syslog->connection, line->data, line->len);
}

static void render(struct syslog *syslog, const struct picket_alert *alert, int content)
{
    text_buffer_clear(&syslog->line);
    message_put(&syslog->line, &syslog->style, alert,
                content == CONTENT_ALERT ? MESSAGE_WHOLE : MESSAGE_SHORT);
}

static int deliver_datagram(struct syslog *syslog, const struct picket_alert *alert)
{
    render(syslog, alert, syslog->config->content);
    int r = send_line(syslog);

    /* Half a JSON object is worth nothing: the message is. */
    if (r == -EMSGSIZE && syslog->config->content == CONTENT_ALERT) {
        render(syslog, alert, CONTENT_MESSAGE);
        r = send_line(syslog);
    }
    return r;
}

static int deliver_datagrams(struct syslog *syslog, const struct picket_alert *const *alerts,
                             size_t count, size_t *delivered)
{
    bool udp = syslog->config->transport == TRANSPORT_UDP;
    int r = udp ? connection_begin(&syslog->connection) : 0;

    unix_datagram_begin(&syslog->socket);
    while (r == 0 && *delivered < count && (r = deliver_datagram(syslog, alerts[*delivered])) == 0)
        ++*delivered;
    if (udp && r == 0)
        r = connection_check(&syslog->connection);
    /* Which of them nobody received is not known. */
    if (udp && r < 0 && r != -EAGAIN && r != -EMSGSIZE)
        *delivered = 0;
    return r;
}

static int deliver_stream(struct syslog *syslog, const struct picket_alert *const *alerts,
                          size_t count, size_t *delivered)
{
    int r = connection_begin(&syslog->connection);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        render(syslog, alerts[i], syslog->config->content);
        if (syslog->line.failed)
            syslog->connection.out.failed = true;
        connection_put(&syslog->connection, syslog->line.data, syslog->line.len);
    }
    return connection_write(&syslog->connection, delivered);
}

static const char *reason(struct syslog *syslog, int r)
{
    if (syslog->config->transport != TRANSPORT_UNIX)
        return syslog->connection.reason;
    snprintf(syslog->reason, sizeof syslog->reason, "%s: %s", syslog->config->socket, strerror(-r));
    return syslog->reason;
}

static void syslog_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                           struct picket_verdict *verdict)
{
    struct syslog *syslog = instance;
    bool stream = syslog->config->transport >= TRANSPORT_TCP;
    int r = stream ? deliver_stream(syslog, alerts, count, &verdict->delivered)
                   : deliver_datagrams(syslog, alerts, count, &verdict->delivered);

    if (r == 0)
        return;
    verdict->reason = reason(syslog, r);
    verdict->action = r == -EMSGSIZE ? PICKET_REJECT : PICKET_RETRY;
    verdict->retry_ms = r == -EAGAIN ? 200 : 1000;
}

static int syslog_flush(void *instance)
{
    struct syslog *syslog = instance;
    int r = syslog->config->transport == TRANSPORT_UNIX ? 0 : connection_flush(&syslog->connection);

    if (r < 0)
        syslog->style.host->log(syslog->style.host, PICKET_LOG_WARNING, syslog->connection.reason);
    return r;
}

static const char *set_up_server(struct syslog *syslog)
{
    const struct config *config = syslog->config;
    const struct tls_options tls = {.host = syslog->connection.address.host,
                                    .ca = config->ca,
                                    .certificate = config->certificate,
                                    .key = config->key};
    const char *mistake = NULL;
    bool secure = config->transport == TRANSPORT_TLS;

    if (!config->server)
        return "without a 'server' there is nobody to send to";
    if (connection_init(&syslog->connection, config->server, secure ? "6514" : "514",
                        config->transport != TRANSPORT_UDP) < 0)
        return "its 'server' is not HOST or HOST:PORT";
    syslog->connection.keep = (size_t)config->resend;
    if (secure)
        tls_new(&tls, &syslog->connection.tls, &mistake);
    return mistake;
}

/* NULL, or what the user must put right. */
static const char *set_up(struct syslog *syslog)
{
    const struct config *config = syslog->config;
    bool local = config->transport == TRANSPORT_UNIX;

    if (config->standard == STANDARD_RFC5424 || (config->standard == STANDARD_AUTO && !local))
        syslog->style.form = MESSAGE_RFC5424;
    else
        syslog->style.form = local ? MESSAGE_BSD : MESSAGE_BSD_REMOTE;
    syslog->style.tag = config->tag;
    syslog->style.facility = facilities[config->facility];
    if (config->transport != TRANSPORT_TLS && (config->ca || config->certificate || config->key))
        return "'ca', 'certificate' and 'key' are for transport=tls";
    if (unix_datagram_init(&syslog->socket, config->socket) < 0)
        return "the path of its socket is too long";
    return local ? NULL : set_up_server(syslog);
}

static void syslog_close(void *instance)
{
    struct syslog *syslog = instance;

    unix_datagram_deinit(&syslog->socket);
    connection_deinit(&syslog->connection);
    text_buffer_deinit(&syslog->line);
    free(syslog);
}

static int syslog_open(const struct picket_host *host, const void *config, void **instance)
{
    struct syslog *syslog = calloc(1, sizeof *syslog);
    const char *mistake = "out of memory";

    if (syslog) {
        syslog->config = config;
        syslog->style.host = host;
        syslog->connection.fd = syslog->socket.fd = -1;
        mistake = set_up(syslog);
    }
    if (mistake) {
        host->log(host, PICKET_LOG_ERROR, mistake);
        if (syslog)
            syslog_close(syslog);
        return -1;
    }
    tzset();
    *instance = syslog;
    return 0;
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .needs = PICKET_NEEDS_NETWORK,
    .name = "syslog",
    .version = "1.0",
    .help = "sends alerts to syslog: the machine's own, or a server's",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = syslog_open,
    .deliver = syslog_deliver,
    .flush = syslog_flush,
    .close = syslog_close,
};
