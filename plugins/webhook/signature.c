#include "signature.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STANDARD_PREFIX "whsec_"

static int decode_key(struct signature *signature, const char *key)
{
    struct base64_decode_ctx decoder;
    size_t len = strlen(key);

    if (strncmp(key, STANDARD_PREFIX, strlen(STANDARD_PREFIX)) == 0) {
        key += strlen(STANDARD_PREFIX);
        len -= strlen(STANDARD_PREFIX);
    }
    signature->key = malloc(BASE64_DECODE_LENGTH(len) + 1);
    if (!signature->key)
        return -ENOMEM;
    base64_decode_init(&decoder);
    signature->key_len = BASE64_DECODE_LENGTH(len);
    return base64_decode_update(&decoder, &signature->key_len, signature->key, len, key) &&
                   base64_decode_final(&decoder) && signature->key_len
               ? 0
               : -EINVAL;
}

int signature_init(struct signature *signature, const char *key)
{
    if (signature->form == SIGNATURE_STANDARD)
        return decode_key(signature, key);
    signature->key_len = strlen(key);
    signature->key = (unsigned char *)strdup(key);
    if (!signature->key)
        return -ENOMEM;
    return signature->key_len ? 0 : -EINVAL;
}

void signature_deinit(struct signature *signature)
{
    free(signature->key);
    signature->key = NULL;
}

static void make_digest(const struct signature *signature, const struct signed_request *request,
                        uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx hmac;
    char before[192] = "";

    if (signature->form == SIGNATURE_TIMESTAMP)
        snprintf(before, sizeof before, "%lld.", request->time);
    else if (signature->form == SIGNATURE_STANDARD)
        snprintf(before, sizeof before, "%s.%lld.", request->id, request->time);
    hmac_sha256_set_key(&hmac, signature->key_len, signature->key);
    hmac_sha256_update(&hmac, strlen(before), (const uint8_t *)before);
    hmac_sha256_update(&hmac, request->len, (const uint8_t *)request->body);
    hmac_sha256_digest(&hmac, SHA256_DIGEST_SIZE, digest);
}

static void put_hex(struct text_buffer *lines, const uint8_t digest[SHA256_DIGEST_SIZE])
{
    for (size_t i = 0; i < SHA256_DIGEST_SIZE; i++)
        text_buffer_printf(lines, "%02x", digest[i]);
    text_buffer_put_char(lines, '\0');
}

static void put_standard(const struct signed_request *request, struct text_buffer *lines,
                         const uint8_t digest[SHA256_DIGEST_SIZE])
{
    char encoded[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";

    base64_encode_raw(encoded, SHA256_DIGEST_SIZE, digest);
    text_buffer_printf(lines, "webhook-id: %s", request->id);
    text_buffer_put_char(lines, '\0');
    text_buffer_printf(lines, "webhook-timestamp: %lld", request->time);
    text_buffer_put_char(lines, '\0');
    text_buffer_printf(lines, "webhook-signature: v1,%s", encoded);
    text_buffer_put_char(lines, '\0');
}

size_t signature_put(const struct signature *signature, const struct signed_request *request,
                     struct text_buffer *lines)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    const char *header = signature->header;

    make_digest(signature, request, digest);
    switch (signature->form) {
    case SIGNATURE_STANDARD:
        put_standard(request, lines, digest);
        return 3;
    case SIGNATURE_GITHUB:
        text_buffer_printf(lines, "%s: sha256=", header ? header : "X-Hub-Signature-256");
        break;
    case SIGNATURE_TIMESTAMP:
        text_buffer_printf(lines, "%s: t=%lld,v1=", header ? header : "Picket-Signature",
                           request->time);
        break;
    }
    put_hex(lines, digest);
    return 1;
}
