/* SipHash-2-4 of 128 bits (J.-P. Aumasson and D. J. Bernstein, 2012): for tables of what an
 * attacker chooses. Who does not know the key can bring about no two texts with the same digest, so
 * a digest may stand for what it was made of. */
#ifndef PICKET_BASE_SIP_HASH_H
#define PICKET_BASE_SIP_HASH_H

#include "base/text.h"

struct sip_key {
    uint64_t words[2];
};

struct sip_digest {
    uint64_t words[2];
};

/* A digest being made. */
struct sip_hash {
    uint64_t v[4];
    uint64_t tail; /* bytes that make no word yet */
    size_t len;    /* of all that was put */
};

/* A key that nobody knows, from the kernel. 0 or -errno. */
int sip_key_draw(struct sip_key *out);

void sip_hash_begin(struct sip_hash *hash, const struct sip_key *key);
void sip_hash_put(struct sip_hash *hash, struct text bytes);
struct sip_digest sip_hash_end(struct sip_hash *hash);

/* Puts a number, as eight bytes. */
void sip_hash_put_number(struct sip_hash *hash, uint64_t number);

static inline bool sip_digest_equal(struct sip_digest a, struct sip_digest b)
{
    return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

#endif
