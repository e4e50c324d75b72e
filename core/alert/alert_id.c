#include "alert/alert_id.h"

#include "base/clock.h"

/* splitmix64's finisher: every bit of the input moves every bit of the output. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
    x = (x ^ x >> 27) * 0x94d049bb133111ebU;
    return x ^ x >> 31;
}

static uint64_t absorb(uint64_t state, uint64_t word)
{
    return mix(state + 0x9e3779b97f4a7c15U + word);
}

static uint64_t hash(uint64_t seed, int64_t time, const uint64_t origin[static 3],
                     struct text rule_id)
{
    uint64_t state = absorb(seed, (uint64_t)time);

    for (size_t i = 0; i < 3; i++)
        state = absorb(state, origin[i]);
    for (size_t i = 0; i < rule_id.len; i++)
        state = absorb(state, (unsigned char)rule_id.ptr[i]);
    return state;
}

/* COUNT characters of Crockford's base32, from the low bits of VALUE. */
static void put_base32(char *at, uint64_t value, size_t count)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    while (count-- > 0) {
        at[count] = digits[value & 31];
        value >>= 5;
    }
}

struct alert_id alert_id_make(int64_t time, const uint64_t origin[static 3], struct text rule_id)
{
    struct alert_id id = {{0}};
    uint64_t milliseconds = time > 0 ? (uint64_t)(time / NS_PER_MS) : 0;

    put_base32(id.text, milliseconds, 10);
    put_base32(id.text + 10, hash(1, time, origin, rule_id), 8);
    put_base32(id.text + 18, hash(2, time, origin, rule_id), 8);
    return id;
}
