/* Signs the body of a request, so that its receiver can tell who it is from: HMAC-SHA256, in the
 * forms that receivers have code for. */
#ifndef PICKET_PLUGIN_SIGNATURE_H
#define PICKET_PLUGIN_SIGNATURE_H

#include "../text_buffer/text_buffer.h"

/* In the order of the option's choices. */
enum signature_form {
    SIGNATURE_TIMESTAMP, /* as Stripe: t=TIME,v1=HEX, over TIME.BODY */
    SIGNATURE_GITHUB,    /* sha256=HEX, over the body */
    SIGNATURE_STANDARD   /* standardwebhooks.com: three headers, over ID.TIME.BODY */
};

struct signature {
    enum signature_form form;
    const char *header; /* NULL: the form's own */
    unsigned char *key;
    size_t key_len;
};

/* KEY as users have it; "whsec_" and base64 are that of SIGNATURE_STANDARD. -EINVAL: it is none;
 * -ENOMEM. signature_deinit() even then. */
int signature_init(struct signature *signature, const char *key);
void signature_deinit(struct signature *signature);

/* What a signature is of. */
struct signed_request {
    const char *id; /* of the request: repeats have the same */
    long long time; /* seconds since 1970 */
    const char *body;
    size_t len;
};

/* Puts the lines of the headers, each with a NUL behind it, and returns how many. */
size_t signature_put(const struct signature *signature, const struct signed_request *request,
                     struct text_buffer *lines);

#endif
