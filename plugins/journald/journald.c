/* Alerts as entries of systemd's journal, with fields of their own.
 *
 * The protocol is spoken here (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): libsystemd has what is
 * large put into files in memory, which a host may not have, and knows one socket only. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "../text_buffer/text_buffer.h"
#include "../unix_datagram/unix_datagram.h"
#include "picket/plugin.h"

/* What all alerts of picket have in common, for `journalctl MESSAGE_ID=`. */
#define MESSAGE_ID "4adf0de191af4535b0d9a2ccbfc3edaf"

struct config {
    const char *socket;
    const char *identifier;
    int whole;
};

static const struct picket_option options[] = {
    {.name = "socket",
     .type = PICKET_STRING,
     .value = "/run/systemd/journal/socket",
     .help = "socket of journald; a namespace's is in /run/systemd/journal.NAMESPACE",
     .offset = offsetof(struct config, socket)},
    {.name = "identifier",
     .type = PICKET_STRING,
     .value = "picket",
     .help = "SYSLOG_IDENTIFIER of the entries",
     .offset = offsetof(struct config, identifier)},
    {.name = "whole",
     .type = PICKET_BOOL,
     .value = "true",
     .help = "the whole alert too, as PICKET_ALERT, in the output's format",
     .offset = offsetof(struct config, whole)},
};

/* What is left of a value when all of the alert is too long for a datagram. */
#define VALUE_SHORT 4096

/* What journald's own clients ask for. The kernel gives what it allows. */
#define SEND_BUFFER (8 << 20)

struct journald {
    const struct picket_host *host;
    const struct config *config;
    struct unix_datagram socket;
    struct text_buffer entry;
    size_t value_most; /* longer values are cut */
    char reason[192];
};

/* The event's main fields, and where an alert has them. */
static const struct field {
    const char *name, *path;
} fields[] = {
    {"PICKET_EVENT", "event.type"},
    {"PICKET_TIME", "time"},
    {"PICKET_TAGS", "rule.tags"},
    {"PICKET_PID", "event.pid"},
    {"PICKET_UID", "event.uid"},
    {"PICKET_USER", "event.user"},
    {"PICKET_LOGINUID", "event.loginuid"},
    {"PICKET_COMM", "event.comm"},
    {"PICKET_EXE", "event.exe"},
    {"PICKET_CMDLINE", "event.cmdline"},
    {"PICKET_CWD", "event.cwd"},
    {"PICKET_PARENT_PID", "event.parent.pid"},
    {"PICKET_PARENT_COMM", "event.parent.comm"},
    {"PICKET_PARENT_EXE", "event.parent.exe"},
};

/* A value with line breaks goes behind its length, which is little-endian. */
static void put_field(struct journald *journald, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    size_t len = text_cut(value, journald->value_most);
    char size[8];

    text_buffer_put_string(&journald->entry, name);
    if (memchr(value, '\n', len)) {
        for (size_t i = 0; i < sizeof size; i++)
            size[i] = (char)((uint64_t)len >> (8 * i) & 0xff);
        text_buffer_put_char(&journald->entry, '\n');
        text_buffer_put(&journald->entry, size, sizeof size);
    } else {
        text_buffer_put_char(&journald->entry, '=');
    }
    text_buffer_put(&journald->entry, value, len);
    text_buffer_put_char(&journald->entry, '\n');
}

static void put_severity(struct journald *journald, const struct picket_alert *alert)
{
    static const struct {
        const char *name;
        int priority;
    } levels[] = {
        [PICKET_INFORMATIONAL] = {"informational", LOG_INFO},
        [PICKET_LOW] = {"low", LOG_NOTICE},
        [PICKET_MEDIUM] = {"medium", LOG_WARNING},
        [PICKET_HIGH] = {"high", LOG_ERR},
        [PICKET_CRITICAL] = {"critical", LOG_CRIT},
    };
    int known = alert->severity >= PICKET_INFORMATIONAL && alert->severity <= PICKET_CRITICAL;
    int level = known ? alert->severity : PICKET_MEDIUM;

    text_buffer_printf(&journald->entry, "PRIORITY=%d\n", levels[level].priority);
    put_field(journald, "PICKET_SEVERITY", levels[level].name);
}

static void render(struct journald *journald, const struct picket_alert *alert, int whole)
{
    const struct picket_host *host = journald->host;

    text_buffer_clear(&journald->entry);
    put_field(journald, "MESSAGE", *alert->message ? alert->message : alert->rule);
    put_field(journald, "MESSAGE_ID", MESSAGE_ID);
    put_severity(journald, alert);
    put_field(journald, "SYSLOG_IDENTIFIER", journald->config->identifier);
    put_field(journald, "PICKET_ALERT_ID", alert->id);
    put_field(journald, "PICKET_RULE_ID", alert->rule);
    put_field(journald, "PICKET_RULE_TITLE", alert->title);
    put_field(journald, "PICKET_HOST", alert->host);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        put_field(journald, fields[i].name, host->value(host, alert, fields[i].path));
    if (whole)
        put_field(journald, "PICKET_ALERT", alert->text);
}

static int send_entry(struct journald *journald)
{
    return journald->entry.failed
               ? -ENOMEM
               : unix_datagram_send(&journald->socket, journald->entry.data, journald->entry.len);
}

static int deliver_one(struct journald *journald, const struct picket_alert *alert)
{
    journald->value_most = SIZE_MAX - 1;
    render(journald, alert, journald->config->whole);
    int r = send_entry(journald);

    /* More than the kernel lets a datagram be. */
    if (r == -EMSGSIZE || r == -ENOBUFS) {
        journald->value_most = VALUE_SHORT;
        render(journald, alert, 0);
        r = send_entry(journald);
    }
    return r;
}

static void journald_deliver(void *instance, const struct picket_alert *const *alerts, size_t count,
                             struct picket_verdict *verdict)
{
    struct journald *journald = instance;
    int r = 0;

    unix_datagram_begin(&journald->socket);
    while (verdict->delivered < count &&
           (r = deliver_one(journald, alerts[verdict->delivered])) == 0)
        verdict->delivered++;
    if (r == 0)
        return;
    snprintf(journald->reason, sizeof journald->reason, "%s: %s", journald->config->socket,
             strerror(-r));
    verdict->reason = journald->reason;
    verdict->action = r == -EMSGSIZE ? PICKET_REJECT : PICKET_RETRY;
    verdict->retry_ms = r == -EAGAIN ? 200 : 1000;
}

static int journald_open(const struct picket_host *host, const void *config, void **instance)
{
    const struct config *given = config;
    struct journald *journald = calloc(1, sizeof *journald);

    if (!journald || unix_datagram_init(&journald->socket, given->socket) < 0) {
        host->log(host, PICKET_LOG_ERROR,
                  journald ? "the path of its socket is too long" : "out of memory");
        free(journald);
        return -1;
    }
    journald->socket.buffer = SEND_BUFFER;
    journald->host = host;
    journald->config = given;
    *instance = journald;
    return 0;
}

static void journald_close(void *instance)
{
    struct journald *journald = instance;

    unix_datagram_deinit(&journald->socket);
    text_buffer_deinit(&journald->entry);
    free(journald);
}

const struct picket_plugin picket_plugin = {
    .size = sizeof picket_plugin,
    .abi = PICKET_ABI,
    .name = "journald",
    .version = "1.0",
    .help = "writes alerts to systemd's journal, with fields of their own",
    .options = options,
    .option_size = sizeof *options,
    .option_count = sizeof options / sizeof *options,
    .config_size = sizeof(struct config),
    .open = journald_open,
    .deliver = journald_deliver,
    .close = journald_close,
};
