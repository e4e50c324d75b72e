#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    struct tls_options options;
    SSL_CTX *context;
    SSL *session; /* NULL: none */
    bool asked;   /* the server wants to see a certificate of ours */
    char reason[192];
};

static bool use_key(SSL_CTX *context, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    bool done = key && SSL_CTX_use_PrivateKey(context, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(bio);
    return done;
}

/* NULL or a mistake. */
static const char *use_certificate(const struct tls *tls)
{
    const struct tls_options *options = &tls->options;

    if (!options->certificate)
        return options->key ? "a 'key' without a 'certificate'" : NULL;
    if (SSL_CTX_use_certificate_chain_file(tls->context, options->certificate) != 1)
        return "its 'certificate' is no file of PEM certificates that the user outputs run as may "
               "read";
    bool done = options->key ? use_key(tls->context, options->key)
                             : SSL_CTX_use_PrivateKey_file(tls->context, options->certificate,
                                                           SSL_FILETYPE_PEM) == 1;

    if (!done || SSL_CTX_check_private_key(tls->context) != 1)
        return "its 'key' is no private key in PEM, or not that of its 'certificate'";
    return NULL;
}

static const char *use_trust(const struct tls *tls)
{
    const char *ca = tls->options.ca;

    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    if (!ca)
        return SSL_CTX_set_default_verify_paths(tls->context) == 1 ? NULL : "no CA to trust";
    return SSL_CTX_load_verify_locations(tls->context, ca, NULL) == 1
               ? NULL
               : "its 'ca' is no file of PEM certificates that the user outputs run as may read";
}

/* OpenSSL calls it when the server asks. */
static int note_request(SSL *session, void *argument)
{
    struct tls *tls = argument;

    (void)session;
    tls->asked = true;
    return 1;
}

static const char *set_up(struct tls *tls)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context)
        return "out of memory";
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* An end without a word is one of TCP, and looked at there. */
    SSL_CTX_set_options(tls->context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_cert_cb(tls->context, note_request, tls);
    const char *mistake = use_trust(tls);

    return mistake ? mistake : use_certificate(tls);
}

int tls_new(const struct tls_options *options, struct tls **out, const char **why)
{
    struct tls *tls = calloc(1, sizeof *tls);

    if (!tls) {
        *why = "out of memory";
        return -EINVAL;
    }
    tls->options = *options;
    *why = set_up(tls);
    ERR_clear_error();
    if (*why) {
        tls_free(tls);
        return -EINVAL;
    }
    *out = tls;
    return 0;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    tls_end(tls);
    SSL_CTX_free(tls->context);
    free(tls);
}

static bool expect_host(const struct tls *tls)
{
    const char *host = tls->options.host;
    X509_VERIFY_PARAM *parameters = SSL_get0_param(tls->session);
    unsigned char ip[16];

    if (inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1;
    SSL_set_hostflags(tls->session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(tls->session, host) == 1 &&
           SSL_set_tlsext_host_name(tls->session, host) == 1;
}

int tls_begin(struct tls *tls, int fd)
{
    tls_end(tls);
    tls->asked = false;
    tls->session = SSL_new(tls->context);
    if (tls->session && SSL_set_fd(tls->session, fd) == 1 && expect_host(tls)) {
        SSL_set_connect_state(tls->session);
        return 0;
    }
    tls_end(tls);
    return -ENOMEM;
}

void tls_end(struct tls *tls)
{
    if (!tls->session)
        return;
    /* Says that the end is no attack; nobody waits for the answer. */
    if (SSL_is_init_finished(tls->session))
        SSL_shutdown(tls->session);
    SSL_free(tls->session);
    ERR_clear_error();
    tls->session = NULL;
}

static void explain(struct tls *tls)
{
    long verified = SSL_get_verify_result(tls->session);
    unsigned long error = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(error);

    if (verified != X509_V_OK)
        text = X509_verify_cert_error_string(verified);
    snprintf(tls->reason, sizeof tls->reason, "TLS: %.160s", text ? text : "broken off");
}

static int fail(struct tls *tls, int returned, int error, short *events)
{
    int r = -EPROTO;

    switch (SSL_get_error(tls->session, returned)) {
    case SSL_ERROR_WANT_READ:
        *events = POLLIN;
        return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
        *events = POLLOUT;
        return -EAGAIN;
    case SSL_ERROR_SYSCALL:
        if (error)
            r = -error;
        break;
    default:
        break;
    }
    explain(tls);
    ERR_clear_error();
    return r;
}

int tls_shake_hands(struct tls *tls, short *events)
{
    ERR_clear_error();
    errno = 0;
    int r = SSL_do_handshake(tls->session);

    return r == 1 ? 0 : fail(tls, r, errno, events);
}

ssize_t tls_write(struct tls *tls, const char *bytes, size_t len, short *events)
{
    ERR_clear_error();
    errno = 0;
    int r = SSL_write(tls->session, bytes, len > INT_MAX ? INT_MAX : (int)len);

    return r > 0 ? r : fail(tls, r, errno, events);
}

bool tls_is_doubtful(const struct tls *tls)
{
    return tls->asked && SSL_version(tls->session) >= TLS1_3_VERSION;
}

int tls_drain(struct tls *tls)
{
    char bytes[256];
    short events;
    int got;

    ERR_clear_error();
    do
        got = SSL_read(tls->session, bytes, sizeof bytes);
    while (got > 0);
    int r = SSL_get_error(tls->session, got) == SSL_ERROR_SSL ? fail(tls, got, 0, &events) : 0;

    ERR_clear_error();
    return r;
}

const char *tls_reason(const struct tls *tls)
{
    return tls->reason;
}
