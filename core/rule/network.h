/* IP networks, as in `10.0.0.0/8` and `fe80::/10`: what `cidr` asks of a text. */
#ifndef PICKET_RULE_NETWORK_H
#define PICKET_RULE_NETWORK_H

#include "base/text.h"

struct network {
    unsigned char address[16]; /* the first 4 bytes are IPv4's */
    unsigned size;             /* of an address, in bytes: 4 or 16 */
    unsigned prefix;           /* bits */
};

/* Without `/bits`, one address. -EINVAL: no network, or bits set behind the prefix (with *REASON, a
 * constant). */
int network_parse(struct text t, struct network *out, const char **reason);

/* Whether all of T is an address in it: of the same family, as inet_pton(3) reads it. */
bool network_has(const struct network *network, struct text t);

#endif
