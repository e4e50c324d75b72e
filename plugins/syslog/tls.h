/* The TLS of a connection that does not block. The server is always verified: that somebody whom we
 * trust vouches for it, and that it has the name it was looked for by. */
#ifndef PICKET_PLUGIN_SYSLOG_TLS_H
#define PICKET_PLUGIN_SYSLOG_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_options {
    const char *host;        /* its name, or IP address */
    const char *ca;          /* file of PEM certificates to trust; NULL: the machine's */
    const char *certificate; /* file with ours, and those that lead to it; NULL: none */
    const char *key;         /* for it, PEM itself; NULL: in the certificate's file */
};

struct tls;

/* 0; or -EINVAL, and *WHY (a literal) is for the user to put right. Options are borrowed. */
int tls_new(const struct tls_options *options, struct tls **out, const char **why);
void tls_free(struct tls *tls);

/* A session on FD, a new one each time. 0 or -errno. */
int tls_begin(struct tls *tls, int fd);
void tls_end(struct tls *tls);

/* These return as those of sockets do, or -EAGAIN and *EVENTS to poll for before it is tried again
 * with the same arguments. -EPROTO: tls_reason() tells. */
int tls_shake_hands(struct tls *tls, short *events);
ssize_t tls_write(struct tls *tls, const char *bytes, size_t len, short *events);

/* Whether the server may still refuse us for our certificate, or want of one. */
bool tls_is_doubtful(const struct tls *tls);

/* Takes what the server says, which is nothing that matters; -EPROTO when it says that it breaks
 * off, and why. */
int tls_drain(struct tls *tls);

/* Why the last handshake, write or reading failed. */
const char *tls_reason(const struct tls *tls);

#endif
