#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

bool text_starts(struct text whole, struct text part)
{
    return whole.len >= part.len && text_equal((struct text){whole.ptr, part.len}, part);
}

bool text_ends(struct text whole, struct text part)
{
    return part.len == 0 ||
           (whole.len >= part.len &&
            text_equal((struct text){whole.ptr + (whole.len - part.len), part.len}, part));
}

bool text_contains(struct text whole, struct text part)
{
    return part.len == 0 ||
           (whole.len >= part.len && memmem(whole.ptr, whole.len, part.ptr, part.len) != NULL);
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool text_equal_nocase(struct text a, struct text b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

struct text text_split(struct text *rest, char separator)
{
    struct text whole = *rest;
    const char *end = whole.len ? memchr(whole.ptr, separator, whole.len) : NULL;

    if (!end) {
        *rest = (struct text){NULL, 0};
        return whole;
    }
    size_t len = (size_t)(end - whole.ptr);

    *rest = (struct text){end + 1, whole.len - len - 1};
    return (struct text){whole.ptr, len};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text t)
{
    while (t.len && is_blank(t.ptr[0])) {
        t.ptr++;
        t.len--;
    }
    while (t.len && is_blank(t.ptr[t.len - 1]))
        t.len--;
    return t;
}

struct text text_clip(struct text t, size_t max)
{
    size_t len = max;

    if (t.len <= max)
        return t;
    for (unsigned back = 0; back < 3 && len && ((unsigned char)t.ptr[len] & 0xc0) == 0x80; back++)
        len--;
    return (struct text){t.ptr, len};
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH(byte) (0x0101010101010101ULL * (byte))

/* Whether one of the word's bytes is 0; of others this may be said as well when one is. */
static uint64_t zeros(uint64_t word)
{
    return (word - EACH(1)) & ~word & EACH(0x80);
}

static bool all_plain(uint64_t word)
{
    uint64_t low = (word - EACH(0x20)) & ~word & EACH(0x80);
    uint64_t high = word & EACH(0x80);

    return !(low | high | zeros(word ^ EACH('"')) | zeros(word ^ EACH('\\')) |
             zeros(word ^ EACH(0x7f)));
}

size_t text_plain(struct text t)
{
    size_t len = 0;

    for (uint64_t word; len + sizeof word <= t.len; len += sizeof word) {
        memcpy(&word, t.ptr + len, sizeof word);
        if (!all_plain(word))
            break;
    }
    while (len < t.len && is_plain((unsigned char)t.ptr[len]))
        len++;
    return len;
}

size_t text_utf8(struct text t, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (t.len == 0)
        return 0;
    unsigned char first = (unsigned char)t.ptr[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (len == 0 || first > 0xf4 || t.len < len)
        return 0;
    uint32_t value = len == 1 ? first : first & (0x7fU >> len);

    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)t.ptr[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return len;
}

bool text_is_utf8(struct text t)
{
    while (t.len) {
        uint32_t code;
        size_t len = text_plain(t);

        if (len == 0)
            len = text_utf8(t, &code);
        if (len == 0)
            return false;
        t.ptr += len;
        t.len -= len;
    }
    return true;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Digits at the front of *T, which is moved behind them; -EINVAL when there are none. */
static int take_digits(struct text *t, int base, uint64_t *out)
{
    uint64_t value = 0;
    size_t i = 0;

    for (; i < t->len && digit_of(t->ptr[i]) < base; i++)
        if (__builtin_mul_overflow(value, (uint64_t)base, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit_of(t->ptr[i]), &value))
            return -ERANGE;
    if (i == 0)
        return -EINVAL;
    t->ptr += i;
    t->len -= i;
    *out = value;
    return 0;
}

int text_to_int(struct text t, int64_t *out)
{
    bool negative = t.len && t.ptr[0] == '-';
    uint64_t value;
    int base = 10;

    if (t.len && (t.ptr[0] == '-' || t.ptr[0] == '+')) {
        t.ptr++;
        t.len--;
    }
    if (t.len > 2 && t.ptr[0] == '0' && lower(t.ptr[1]) == 'x') {
        base = 16;
        t.ptr += 2;
        t.len -= 2;
    }
    int r = take_digits(&t, base, &value);

    if (r < 0)
        return r;
    if (t.len)
        return -EINVAL;
    if (value > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return -ERANGE;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A number and its unit at the front of *T; the unit is the longest name that fits. */
static int take_quantity(struct text *t, const struct unit *units, size_t count, uint64_t *out)
{
    const struct unit *unit = NULL;
    uint64_t value;
    int r = take_digits(t, 10, &value);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        if (text_starts(*t, text_from(units[i].name)) &&
            (!unit || strlen(units[i].name) > strlen(unit->name)))
            unit = &units[i];
    if (!unit)
        return -EINVAL;
    t->ptr += strlen(unit->name);
    t->len -= strlen(unit->name);
    if (__builtin_mul_overflow(value, unit->factor, out) || *out > INT64_MAX)
        return -ERANGE;
    return 0;
}

int text_to_size(struct text t, int64_t *out)
{
    static const struct unit units[] = {{"", 1},           {"B", 1},          {"kB", 1000},
                                        {"KB", 1000},      {"MB", 1000000},   {"GB", 1000000000},
                                        {"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}};
    uint64_t value;
    int r = take_quantity(&t, units, sizeof units / sizeof *units, &value);

    if (r < 0)
        return r;
    if (t.len)
        return -EINVAL;
    *out = (int64_t)value;
    return 0;
}

int text_to_duration(struct text t, int64_t *out)
{
    static const struct unit units[] = {
        {"ns", 1},          {"us", 1000},         {"ms", 1000000},      {"s", 1000000000},
        {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};
    uint64_t sum = 0;

    do {
        uint64_t part;
        int r = take_quantity(&t, units, sizeof units / sizeof *units, &part);

        if (r < 0)
            return r;
        if (__builtin_add_overflow(sum, part, &sum) || sum > INT64_MAX)
            return -ERANGE;
    } while (t.len);
    *out = (int64_t)sum;
    return 0;
}

#define DISTANCE_WORD_MAX 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned text_distance(struct text a, struct text b, unsigned limit)
{
    unsigned rows[3][DISTANCE_WORD_MAX + 1];

    if (a.len > DISTANCE_WORD_MAX || b.len > DISTANCE_WORD_MAX)
        return limit + 1;
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *swap = rows[(i + 1) % 3];

        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            bool same = lower(a.ptr[i - 1]) == lower(b.ptr[j - 1]);

            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + !same);
            if (i > 1 && j > 1 && lower(a.ptr[i - 1]) == lower(b.ptr[j - 2]) &&
                lower(a.ptr[i - 2]) == lower(b.ptr[j - 1]))
                row[j] = least(row[j], swap[j - 2] + 1);
        }
    }
    return least(rows[a.len % 3][b.len], limit + 1);
}

const char *text_nearest(struct text word, const char *const *candidates, size_t count)
{
    unsigned limit = word.len <= 3 ? 1 : word.len <= 7 ? 2 : 3;
    const char *nearest = NULL;
    unsigned best;

    /* Of a word all of which has to be replaced nothing is left. */
    if (word.len <= limit)
        limit = word.len ? (unsigned)word.len - 1 : 0;
    best = limit + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = text_distance(word, text_from(candidates[i]), limit);

        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
