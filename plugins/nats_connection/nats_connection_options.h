/* The rows that the option table of a plugin has for a nats_connection. */
#ifndef PICKET_PLUGIN_NATS_CONNECTION_OPTIONS_H
#define PICKET_PLUGIN_NATS_CONNECTION_OPTIONS_H

#include "nats_connection.h"
#include "picket/plugin.h"

/* Their parameters are names. NOLINTBEGIN(bugprone-macro-parentheses) */
#define NATS_CONNECTION_SERVERS(config, member)                                      \
    {                                                                                \
        .name = "servers", .type = PICKET_STRINGS, .value = "nats://127.0.0.1:4222", \
        .help = "of one NATS system: nats://HOST[:PORT], or tls://",                 \
        .offset = offsetof(struct config, member.servers)                            \
    }

/* clang-format off */
#define NATS_CONNECTION_TEXT(config, member, option, is, says)                                     \
    {                                                                                              \
        .name = #option, .type = PICKET_STRING, .flags = is, .help = says,                         \
        .offset = offsetof(struct config, member.option)                                           \
    }

#define NATS_CONNECTION_LOGIN(config, member)                                                      \
    NATS_CONNECTION_TEXT(config, member, user, 0, "name to log in with"),                          \
    NATS_CONNECTION_TEXT(config, member, password, PICKET_SECRET, "for it"),                       \
    NATS_CONNECTION_TEXT(config, member, token, PICKET_SECRET, "to log in with"),                  \
    NATS_CONNECTION_TEXT(config, member, nkey, 0, "public key to log in with, U..."),              \
    NATS_CONNECTION_TEXT(config, member, seed, PICKET_SECRET, "of that key, SU..."),               \
    NATS_CONNECTION_TEXT(config, member, creds, PICKET_SECRET,                                     \
                         "to log in with, as in a .creds file of nsc"),                            \
    {                                                                                              \
        .name = "tls", .type = PICKET_BOOL, .value = "false",                                      \
        .help = "only with TLS; so it is with tls://, 'ca' or 'cert'",                             \
        .offset = offsetof(struct config, member.tls)                                              \
    },                                                                                             \
    NATS_CONNECTION_TEXT(config, member, ca, 0,                                                    \
                         "file of the certificates to trust, in PEM; else the system's"),          \
    NATS_CONNECTION_TEXT(config, member, cert, 0, "file of the certificate to show, in PEM"),      \
    NATS_CONNECTION_TEXT(config, member, cert_key, PICKET_SECRET, "its key, in PEM")
/* clang-format on */
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
