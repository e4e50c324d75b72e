#include "credentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The line that follows the one with BEGIN. */
static char *copy_section(const char *file, const char *begin)
{
    const char *at = strstr(file, begin);

    at = at ? strchr(at, '\n') : NULL;
    if (!at)
        return NULL;
    at += strspn(at, " \t\r\n");
    size_t len = strcspn(at, " \t\r\n");

    return len && *at != '-' ? strndup(at, len) : NULL;
}

int credentials_read(struct credentials *credentials, const char *file)
{
    credentials->token = copy_section(file, "-----BEGIN NATS USER JWT-----");
    credentials->seed = copy_section(file, "-----BEGIN USER NKEY SEED-----");
    return credentials->token && credentials->seed ? 0 : -EINVAL;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void credentials_deinit(struct credentials *credentials)
{
    wipe(credentials->token);
    wipe(credentials->seed);
}

static natsStatus show_token(char **token, char **mistake, void *context)
{
    const struct credentials *credentials = context;

    *token = strdup(credentials->token);
    return *token ? NATS_OK : NATS_NO_MEMORY;
}

static natsStatus sign(char **mistake, unsigned char **signature, int *len, const char *nonce,
                       void *context)
{
    const struct credentials *credentials = context;

    return nats_Sign(credentials->seed, nonce, signature, len);
}

natsStatus credentials_set(struct credentials *credentials, const char *public_key,
                           natsOptions *options)
{
    return public_key ? natsOptions_SetNKey(options, public_key, sign, credentials)
                      : natsOptions_SetUserCredentialsCallbacks(options, show_token, credentials,
                                                                sign, credentials);
}
