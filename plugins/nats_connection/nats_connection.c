#include "nats_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000LL

/* What a library may take to end, within close(). */
#define END_MS 500

int nats_connection_fail(struct nats_connection *connection, const char *what, const char *why)
{
    snprintf(connection->reason, sizeof connection->reason, "%s%s%.300s", what, why ? ": " : "",
             why ? why : "");
    return -1;
}

/* What the library said says more than a status, behind a place in its source. */
static int fail_as_said(struct nats_connection *connection, const char *what, const char *said,
                        natsStatus status)
{
    const char *place = said && *said == '(' ? strstr(said, "): ") : NULL;

    if (place)
        said = place + 3;
    return nats_connection_fail(connection, what,
                                said && *said ? said : natsStatus_GetText(status));
}

int nats_connection_fail_status(struct nats_connection *connection, const char *what,
                                natsStatus status)
{
    return fail_as_said(connection, what, nats_GetLastError(NULL), status);
}

static bool wants_tls(const struct nats_connection_options *wanted)
{
    bool wants = wanted->tls || wanted->ca || wanted->cert;

    for (size_t i = 0; wanted->servers[i]; i++)
        wants = wants || strncmp(wanted->servers[i], "tls://", 6) == 0;
    return wants;
}

static natsStatus set_certificates(natsOptions *options,
                                   const struct nats_connection_options *wanted, char *chain)
{
    natsStatus status = natsOptions_SetSecure(options, true);

    if (status == NATS_OK && wanted->ca)
        status = natsOptions_LoadCATrustedCertificates(options, wanted->ca);
    if (status == NATS_OK && chain)
        status = natsOptions_SetCertificatesChain(options, chain, wanted->cert_key);
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

static int set_tls(struct nats_connection *connection)
{
    const struct nats_connection_options *wanted = connection->wanted;
    char *chain = wanted->cert ? read_text(wanted->cert) : NULL;

    if (wanted->cert && !chain)
        return nats_connection_fail(
            connection, "its 'cert' cannot be read by the user that outputs run as", wanted->cert);
    natsStatus status = set_certificates(connection->options, wanted, chain);

    free(chain);
    return status == NATS_OK ? 0
                             : nats_connection_fail_status(connection, "its certificates", status);
}

static natsStatus set_servers(natsOptions *options, const char *const *servers, int64_t patience)
{
    int count = 1; /* check() has seen the first */

    while (servers[count])
        count++;
    int64_t timeout = patience / MS / 3 / count;
    natsStatus status = natsOptions_SetServers(options, (const char **)servers, count);

    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, timeout > 100 ? timeout : 100);
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = natsOptions_SetWriteDeadline(options, patience / MS / 5);
    return status == NATS_OK ? natsOptions_SetName(options, "picket") : status;
}

static natsStatus set_user(struct nats_connection *connection)
{
    const struct nats_connection_options *wanted = connection->wanted;

    if (wanted->creds || wanted->nkey)
        return credentials_set(&connection->credentials, wanted->nkey, connection->options);
    if (wanted->token)
        return natsOptions_SetToken(connection->options, wanted->token);
    return wanted->user
               ? natsOptions_SetUserInfo(connection->options, wanted->user, wanted->password)
               : NATS_OK;
}

/* What the options say is in our words; what the library says, in its own. */
static int set_up(struct nats_connection *connection)
{
    const struct nats_connection_options *wanted = connection->wanted;
    natsStatus status = nats_Open(-1);

    if (status != NATS_OK)
        return nats_connection_fail_status(connection, "the library of NATS does not start",
                                           status);
    connection->started = true;
    status = natsOptions_Create(&connection->options);
    if (status == NATS_OK)
        status = set_servers(connection->options, wanted->servers, connection->patience);
    if (status == NATS_OK)
        status = set_user(connection);
    if (status != NATS_OK)
        return nats_connection_fail_status(connection, "its options", status);
    return wants_tls(wanted) ? set_tls(connection) : 0;
}

static const char *check_servers(const char *const *servers)
{
    if (!servers[0])
        return "its 'servers' names none";
    for (size_t i = 0; servers[i]; i++) {
        if (!*servers[i])
            return "an empty address among its 'servers'";
        if (strchr(servers[i], '@'))
            return "a user in a server's address: that is what 'user', 'password' and 'token' are "
                   "for";
        if (strstr(servers[i], "://") && strncmp(servers[i], "nats://", 7) != 0 &&
            strncmp(servers[i], "tls://", 6) != 0)
            return "a server's address begins with neither nats:// nor tls://";
    }
    return NULL;
}

static const char *check(const struct nats_connection_options *wanted)
{
    int logins = !!wanted->user + !!wanted->token + !!wanted->nkey + !!wanted->creds;
    const char *mistake = check_servers(wanted->servers);

    if (mistake)
        return mistake;
    if (logins > 1)
        return "only one of 'user', 'token', 'nkey' and 'creds' can be given";
    if (!wanted->user != !wanted->password)
        return "'user' and 'password' go together";
    if (!wanted->nkey != !wanted->seed)
        return "'nkey' and 'seed' go together";
    return !wanted->cert != !wanted->cert_key ? "'cert' and 'cert_key' go together" : NULL;
}

static int read_credentials(struct nats_connection *connection)
{
    const struct nats_connection_options *wanted = connection->wanted;

    if (wanted->creds && credentials_read(&connection->credentials, wanted->creds) < 0)
        return nats_connection_fail(connection, "its 'creds' hold no token and seed of a user",
                                    NULL);
    if (wanted->seed && !(connection->credentials.seed = strdup(wanted->seed)))
        return nats_connection_fail(connection, "out of memory", NULL);
    return 0;
}

int nats_connection_open(struct nats_connection *connection,
                         const struct nats_connection_options *wanted, int64_t patience)
{
    const char *mistake = check(wanted);

    connection->wanted = wanted;
    connection->patience = patience;
    if (mistake)
        return nats_connection_fail(connection, mistake, NULL);
    int r = read_credentials(connection);

    return r < 0 ? r : set_up(connection);
}

bool nats_connection_is_exposed(const struct nats_connection *connection)
{
    const struct nats_connection_options *wanted = connection->wanted;

    return (wanted->password || wanted->token) && !wants_tls(wanted);
}

static int begin_attempt(struct nats_connection *connection)
{
    natsStatus status = connect_attempt_new(connection->options, &connection->attempt);

    return status == NATS_OK ? 0 : nats_connection_fail(connection, "out of memory", NULL);
}

int nats_connection_connect(struct nats_connection *connection)
{
    static const char nobody[] = "no server can be reached";
    struct connect_outcome outcome;

    if (connection->handle)
        return 0;
    if (!connection->attempt && begin_attempt(connection) < 0)
        return -1;
    if (connect_attempt_await(connection->attempt, connection->patience / MS * 2 / 5, &outcome) < 0)
        return nats_connection_fail(connection, nobody,
                                    "the resolver, or a server that begins TLS, does not answer");
    connection->attempt = NULL;
    connection->handle = outcome.connection;
    return outcome.status == NATS_OK
               ? 0
               : fail_as_said(connection, nobody, outcome.said, outcome.status);
}

void nats_connection_disconnect(struct nats_connection *connection)
{
    natsConnection_Destroy(connection->handle);
    connection->handle = NULL;
}

void nats_connection_close(struct nats_connection *connection)
{
    struct connect_outcome outcome;

    nats_connection_disconnect(connection);
    if (connection->attempt && connect_attempt_await(connection->attempt, 0, &outcome) < 0) {
        connect_attempt_leave(connection->attempt);
        return;
    }
    if (connection->attempt)
        natsConnection_Destroy(outcome.connection);
    natsOptions_Destroy(connection->options);
    credentials_deinit(&connection->credentials);
    if (connection->started)
        nats_CloseAndWait(END_MS);
}
