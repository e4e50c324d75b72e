/* A fast hash of short texts. Not for tables that an attacker can fill. */
#ifndef PICKET_RULE_TEXT_HASH_H
#define PICKET_RULE_TEXT_HASH_H

#include "base/text.h"

static inline uint64_t text_hash_mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static inline uint64_t text_hash(struct text t)
{
    uint64_t hash = t.len, word = 0;

    for (; t.len >= sizeof word; t.ptr += sizeof word, t.len -= sizeof word) {
        memcpy(&word, t.ptr, sizeof word);
        hash = text_hash_mix(hash, word);
    }
    word = 0;
    if (t.len)
        memcpy(&word, t.ptr, t.len);
    return text_hash_mix(hash, word);
}

#endif
