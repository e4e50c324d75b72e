#include "base/sip_hash.h"

#include <endian.h>
#include <errno.h>
#include <sys/random.h>

int sip_key_draw(struct sip_key *out)
{
    ssize_t got = getrandom(out, sizeof *out, 0);

    return got == sizeof *out ? 0 : got < 0 ? -errno : -EIO;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void turn(uint64_t v[static 4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void compress(struct sip_hash *hash, uint64_t word)
{
    hash->v[3] ^= word;
    turn(hash->v);
    turn(hash->v);
    hash->v[0] ^= word;
}

void sip_hash_begin(struct sip_hash *hash, const struct sip_key *key)
{
    *hash = (struct sip_hash){
        .v = {0x736f6d6570736575U ^ key->words[0], 0x646f72616e646f6dU ^ key->words[1] ^ 0xee,
              0x6c7967656e657261U ^ key->words[0], 0x7465646279746573U ^ key->words[1]},
    };
}

static void put_byte(struct sip_hash *hash, unsigned char byte)
{
    hash->tail |= (uint64_t)byte << 8 * (hash->len++ % 8);
    if (hash->len % 8)
        return;
    compress(hash, hash->tail);
    hash->tail = 0;
}

void sip_hash_put(struct sip_hash *hash, struct text bytes)
{
    uint64_t word;

    for (; bytes.len && hash->len % 8; bytes.ptr++, bytes.len--)
        put_byte(hash, (unsigned char)*bytes.ptr);
    for (; bytes.len >= sizeof word; bytes.ptr += sizeof word, bytes.len -= sizeof word) {
        memcpy(&word, bytes.ptr, sizeof word);
        compress(hash, le64toh(word));
        hash->len += sizeof word;
    }
    for (; bytes.len; bytes.ptr++, bytes.len--)
        put_byte(hash, (unsigned char)*bytes.ptr);
}

void sip_hash_put_number(struct sip_hash *hash, uint64_t number)
{
    uint64_t word = htole64(number);

    sip_hash_put(hash, (struct text){(const char *)&word, sizeof word});
}

static uint64_t squeeze(struct sip_hash *hash)
{
    for (int i = 0; i < 4; i++)
        turn(hash->v);
    return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

struct sip_digest sip_hash_end(struct sip_hash *hash)
{
    struct sip_digest digest;

    compress(hash, hash->tail | (uint64_t)hash->len << 56);
    hash->v[2] ^= 0xee;
    digest.words[0] = squeeze(hash);
    hash->v[1] ^= 0xdd;
    digest.words[1] = squeeze(hash);
    return digest;
}
