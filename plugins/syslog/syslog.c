/* Alerts as messages to the machine's syslog, over its socket.
 *
 * Two forms: `bsd` is what syslog(3) sends and every listener on /dev/log reads; `rfc5424` carries
 * the alert's main fields as structured data, for listeners that understand it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "picket/plugin.h"

enum form { FORM_BSD, FORM_RFC5424 };
enum content { CONTENT_MESSAGE, CONTENT_JSON };

struct config {
    const char *socket;
    const char *tag;
    int facility;
    int form;
    int content;
};

/* In the order of the option's choices. */
static const int facilities[] = {LOG_AUTH,   LOG_AUTHPRIV, LOG_DAEMON, LOG_USER,
                                 LOG_LOCAL0, LOG_LOCAL1,   LOG_LOCAL2, LOG_LOCAL3,
                                 LOG_LOCAL4, LOG_LOCAL5,   LOG_LOCAL6, LOG_LOCAL7};

static const struct picket_option options[] = {
    {.name = "socket",
     .type = PICKET_STRING,
     .value = "/dev/log",
     .help = "datagram socket the syslog daemon listens on",
     .offset = offsetof(struct config, socket)},
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
    {.name = "format",
     .type = PICKET_ENUM,
     .choices = "bsd|rfc5424",
     .value = "bsd",
     .help = "bsd: as syslog(3) sends; rfc5424: with structured data",
     .offset = offsetof(struct config, form)},
    {.name = "content",
     .type = PICKET_ENUM,
     .choices = "message|json",
     .value = "message",
     .help = "what a message says: the alert's message, or all of it as JSON",
     .offset = offsetof(struct config, content)},
};

/* Longer texts are cut: rsyslog's and journald's own limits are near. */
#define TEXT_MAX 6000

struct syslog {
    const struct picket_host *host;
    const struct config *config;
    int fd;        /* -1: not connected */
    long long due; /* when this batch has waited enough, in milliseconds */
    char reason[128];
    char *line;
    size_t len, size;
    int failed; /* out of memory */
};

static void put_bytes(struct syslog *syslog, const char *bytes, size_t len)
{
    if (syslog->len + len > syslog->size) {
        size_t size = (syslog->len + len) * 2;
        char *line = realloc(syslog->line, size);

        if (!line) {
            syslog->failed = 1;
            return;
        }
        syslog->line = line;
        syslog->size = size;
    }
    if (len)
        memcpy(syslog->line + syslog->len, bytes, len);
    syslog->len += len;
}

static void put_string(struct syslog *syslog, const char *string)
{
    put_bytes(syslog, string, strlen(string));
}

static void put_char(struct syslog *syslog, char c)
{
    put_bytes(syslog, &c, 1);
}

static void put_int(struct syslog *syslog, int value)
{
    char text[16];

    snprintf(text, sizeof text, "%d", value);
    put_string(syslog, text);
}

static int priority(const struct syslog *syslog, const struct picket_alert *alert)
{
    static const int levels[] = {
        [PICKET_INFORMATIONAL] = LOG_INFO, [PICKET_LOW] = LOG_NOTICE,
        [PICKET_MEDIUM] = LOG_WARNING,     [PICKET_HIGH] = LOG_ERR,
        [PICKET_CRITICAL] = LOG_CRIT,
    };
    int known = alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL;

    return facilities[syslog->config->facility] | (known ? levels[alert->severity] : LOG_WARNING);
}

/* At most TEXT_MAX bytes, on one line, no character cut in two. */
static void put_text(struct syslog *syslog, const char *text)
{
    const char *shown = syslog->host->printable(syslog->host, text);
    size_t len = shown ? strlen(shown) : 0;

    if (len <= TEXT_MAX) {
        put_bytes(syslog, shown, len);
        return;
    }
    for (len = TEXT_MAX; len && ((unsigned char)shown[len] & 0xc0) == 0x80; len--)
        continue;
    put_bytes(syslog, shown, len);
    put_string(syslog, "…");
}

/* RFC 5424, 6.3.3: these three are escaped within a parameter. */
static void put_parameter(struct syslog *syslog, const char *name, const char *value)
{
    const char *shown = value ? syslog->host->printable(syslog->host, value) : NULL;

    if (!shown)
        return;
    put_char(syslog, ' ');
    put_string(syslog, name);
    put_string(syslog, "=\"");
    for (size_t i = 0; shown[i] && i < TEXT_MAX; i++) {
        if (strchr("\"\\]", shown[i]))
            put_char(syslog, '\\');
        put_char(syslog, shown[i]);
    }
    put_char(syslog, '"');
}

static const char *value(const struct syslog *syslog, const struct picket_alert *alert,
                         const char *path)
{
    return syslog->host->value(syslog->host, alert, path);
}

/* What a header field may hold: printable ASCII, no space, not nothing. */
static void put_header_field(struct syslog *syslog, const char *text, size_t most)
{
    if (!*text)
        put_char(syslog, '-');
    for (size_t i = 0; text[i] && i < most; i++)
        put_bytes(syslog, text[i] > ' ' && text[i] < 0x7f ? text + i : "_", 1);
}

static void put_priority(struct syslog *syslog, const struct picket_alert *alert)
{
    put_char(syslog, '<');
    put_int(syslog, priority(syslog, alert));
    put_char(syslog, '>');
}

/* The number is the one RFC 5612 keeps for examples: nobody else's. */
static void put_structured_data(struct syslog *syslog, const struct picket_alert *alert)
{
    put_string(syslog, "[picket@32473");
    put_parameter(syslog, "id", alert->id);
    put_parameter(syslog, "rule", alert->rule);
    put_parameter(syslog, "severity", value(syslog, alert, "rule.severity"));
    put_parameter(syslog, "pid", value(syslog, alert, "event.pid"));
    put_parameter(syslog, "uid", value(syslog, alert, "event.uid"));
    put_parameter(syslog, "exe", value(syslog, alert, "event.exe"));
    put_char(syslog, ']');
}

static void put_rfc5424_header(struct syslog *syslog, const struct picket_alert *alert)
{
    time_t seconds = (time_t)(alert->time / 1000000000);
    struct tm utc = {0};
    char stamp[32], fraction[16];

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "1 %Y-%m-%dT%H:%M:%S", &utc);
    snprintf(fraction, sizeof fraction, ".%06dZ ", (int)(alert->time % 1000000000 / 1000));
    put_priority(syslog, alert);
    put_string(syslog, stamp);
    put_string(syslog, fraction);
    put_header_field(syslog, alert->host, 255);
    put_char(syslog, ' ');
    put_header_field(syslog, syslog->config->tag, 48);
    put_char(syslog, ' ');
    put_int(syslog, (int)getpid());
    put_char(syslog, ' ');
    put_header_field(syslog, alert->rule, 32);
    put_char(syslog, ' ');
    put_structured_data(syslog, alert);
    put_char(syslog, ' ');
}

static void put_bsd_header(struct syslog *syslog, const struct picket_alert *alert)
{
    time_t seconds = (time_t)(alert->time / 1000000000);
    struct tm local = {0};
    char stamp[32];

    localtime_r(&seconds, &local);
    strftime(stamp, sizeof stamp, "%b %e %H:%M:%S ", &local);
    put_priority(syslog, alert);
    put_string(syslog, stamp);
    put_header_field(syslog, syslog->config->tag, 48);
    put_char(syslog, '[');
    put_int(syslog, (int)getpid());
    put_string(syslog, "]: ");
}

static void put_content(struct syslog *syslog, const struct picket_alert *alert, int content)
{
    const char *severity = value(syslog, alert, "rule.severity");

    if (content == CONTENT_JSON) {
        put_bytes(syslog, alert->json, alert->json_len);
        return;
    }
    if (syslog->config->form == FORM_BSD) {
        put_string(syslog, alert->rule);
        put_string(syslog, " [");
        put_string(syslog, severity ? severity : "-");
        put_string(syslog, "] ");
    }
    put_text(syslog, alert->message);
}

static void render(struct syslog *syslog, const struct picket_alert *alert, int content)
{
    syslog->len = 0;
    syslog->failed = 0;
    if (syslog->config->form == FORM_RFC5424)
        put_rfc5424_header(syslog, alert);
    else
        put_bsd_header(syslog, alert);
    put_content(syslog, alert, content);
}

static int reconnect(struct syslog *syslog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (syslog->fd >= 0)
        close(syslog->fd);
    syslog->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (syslog->fd < 0)
        return -errno;
    memcpy(address.sun_path, syslog->config->socket, strlen(syslog->config->socket));
    if (connect(syslog->fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    int r = -errno;

    close(syslog->fd);
    syslog->fd = -1;
    return r;
}

/* What a whole batch may wait for a daemon that is busy, in milliseconds. Well within a deadline.
 */
#define PATIENCE 1000

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int send_once(struct syslog *syslog)
{
    struct pollfd ready = {.fd = syslog->fd, .events = POLLOUT};

    long long left = syslog->due - milliseconds();

    if (syslog->fd < 0)
        return -ENOTCONN;
    if (poll(&ready, 1, left > 0 ? (int)left : 0) == 0)
        return -EAGAIN;
    ssize_t sent = send(syslog->fd, syslog->line, syslog->len, MSG_NOSIGNAL | MSG_DONTWAIT);

    return sent < 0 ? -errno : 0;
}

/* A daemon that was started anew has another socket behind the same path. */
static int send_line(struct syslog *syslog)
{
    int r = send_once(syslog);

    if (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE) {
        r = reconnect(syslog);
        if (r == 0)
            r = send_once(syslog);
    }
    return r;
}

static int deliver_one(struct syslog *syslog, const struct picket_alert *alert)
{
    render(syslog, alert, syslog->config->content);
    int r = syslog->failed ? -ENOMEM : send_line(syslog);

    /* Half a JSON object is worth nothing: the message is. */
    if (r == -EMSGSIZE && syslog->config->content == CONTENT_JSON) {
        render(syslog, alert, CONTENT_MESSAGE);
        r = syslog->failed ? -ENOMEM : send_line(syslog);
    }
    return r;
}

static void syslog_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                           struct picket_verdict *verdict)
{
    struct syslog *syslog = instance;
    int r = 0;

    syslog->due = milliseconds() + PATIENCE;
    while (verdict->delivered < count && (r = deliver_one(syslog, alerts[verdict->delivered])) == 0)
        verdict->delivered++;
    if (r == 0)
        return;
    snprintf(syslog->reason, sizeof syslog->reason, "%s: %s", syslog->config->socket, strerror(-r));
    verdict->reason = syslog->reason;
    verdict->action = r == -EMSGSIZE ? PICKET_REJECT : PICKET_RETRY;
    verdict->retry_ms = r == -EAGAIN ? 200 : 1000;
}

static int syslog_open(const struct picket_host *host, const void *config, void **instance)
{
    const struct config *given = config;
    struct syslog *syslog = calloc(1, sizeof *syslog);

    if (!syslog || strlen(given->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        host->log(host, PICKET_LOG_ERROR,
                  syslog ? "the path of its socket is too long" : "out of memory");
        free(syslog);
        return -1;
    }
    syslog->host = host;
    syslog->config = given;
    syslog->fd = -1;
    tzset();
    *instance = syslog;
    return 0;
}

static void syslog_close(void *instance)
{
    struct syslog *syslog = instance;

    if (syslog->fd >= 0)
        close(syslog->fd);
    free(syslog->line);
    free(syslog);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "syslog",
    .version = "1.0",
    .help = "sends alerts to the machine's syslog",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = syslog_open,
    .deliver = syslog_deliver,
    .close = syslog_close,
};
