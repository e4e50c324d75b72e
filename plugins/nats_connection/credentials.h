/* What a NATS server has its users show: a JSON web token, and a key that signs what the server
 * makes up. */
#ifndef PICKET_PLUGIN_NATS_CREDENTIALS_H
#define PICKET_PLUGIN_NATS_CREDENTIALS_H

#include <nats/nats.h>

struct credentials {
    char *token; /* NULL: the server knows the key */
    char *seed;
};

/* Takes the two out of a .creds file, as nsc writes it. -EINVAL, -ENOMEM. */
int credentials_read(struct credentials *credentials, const char *file);
void credentials_deinit(struct credentials *credentials); /* wipes them */

/* Have OPTIONS use them; they are borrowed. With PUBLIC_KEY it is the key alone. */
natsStatus credentials_set(struct credentials *credentials, const char *public_key,
                           natsOptions *options);

#endif
