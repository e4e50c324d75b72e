#include "rule/network.h"

#include <arpa/inet.h>
#include <errno.h>

/* The size of the address that T is, in bytes; 0: it is none. */
static unsigned read_address(struct text t, unsigned char address[static 16])
{
    char string[INET6_ADDRSTRLEN];

    if (t.len == 0 || t.len >= sizeof string || memchr(t.ptr, '\0', t.len))
        return 0;
    memcpy(string, t.ptr, t.len);
    string[t.len] = '\0';
    if (inet_pton(AF_INET, string, address) == 1)
        return 4;
    return inet_pton(AF_INET6, string, address) == 1 ? 16 : 0;
}

/* Whether the first BITS bits of A and B are the same. */
static bool same_front(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    return memcmp(a, b, bits / 8) == 0 &&
           (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

static bool has_bits_behind(const struct network *network)
{
    unsigned bits = network->prefix;
    unsigned char mask = (unsigned char)(0xff >> bits % 8);

    for (unsigned i = bits / 8; i < network->size; i++, mask = 0xff)
        if (network->address[i] & mask)
            return true;
    return false;
}

static bool read_prefix(struct text digits, unsigned max, unsigned *out)
{
    int64_t bits;

    for (size_t i = 0; i < digits.len; i++)
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
    if (text_to_int(digits, &bits) < 0 || bits > max)
        return false;
    *out = (unsigned)bits;
    return true;
}

int network_parse(struct text t, struct network *out, const char **reason)
{
    struct network network = {0};
    struct text rest = t;
    struct text address = text_split(&rest, '/');

    network.size = read_address(address, network.address);
    network.prefix = network.size * 8;
    if (network.size == 0) {
        *reason = "it begins with no address";
        return -EINVAL;
    }
    if (rest.ptr && !read_prefix(rest, network.size * 8, &network.prefix)) {
        *reason = network.size == 4 ? "'/' takes 0 to 32 bits" : "'/' takes 0 to 128 bits";
        return -EINVAL;
    }
    if (has_bits_behind(&network)) {
        *reason = "its address has bits set behind the prefix";
        return -EINVAL;
    }
    *out = network;
    return 0;
}

bool network_has(const struct network *network, struct text t)
{
    unsigned char address[16];

    return read_address(t, address) == network->size &&
           same_front(address, network->address, network->prefix);
}
