#include "presentation/secret_literal.h"

#include <errno.h>

#include "base/buffer.h"
#include "base/cleanup.h"

/* A literal shorter than this is found only where it stands alone. */
#define ALONE_BELOW 4

/* What is left of a literal where a text was cut, "hunt...", is one from so many bytes on. */
#define CUT_LEAST 4
#define CUT_MOST  1024 /* bytes of a text that was cut: see rule/evidence.h */

/* Characters that are compared for one odd literal in one text. */
#define STEPS_MAX (1U << 20)

static bool is_odd(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if ((unsigned char)t.ptr[i] < 0x20 || (unsigned char)t.ptr[i] >= 0x7f)
            return true;
    return false;
}

struct secret_literal secret_literal_make(struct text t)
{
    return (struct secret_literal){.text = t, .odd = is_odd(t)};
}

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* How much of T at AT is how C, a character of a literal that people are not shown as it is, can be
 * written there; 0: something else stands there. */
static size_t shown_len(struct text t, size_t at, struct text c)
{
    CLEANUP(buffer_deinit) struct buffer shown = {0};
    struct text rest = {t.ptr + at, t.len - at};

    if (text_starts(rest, c))
        return c.len;
    /* What was no UTF-8: four characters, \xHH, for each byte. */
    if (text_is(c, "\xef\xbf\xbd"))
        return rest.len >= 4 && text_starts(rest, TEXT("\\x")) ? 4 : 0;
    if (rest.len == 0 || rest.ptr[0] != '\\')
        return 0;
    buffer_put_printable(&shown, c);
    return !buffer_failed(&shown) && text_starts(rest, buffer_text(&shown)) ? shown.len : 0;
}

static size_t character_len(struct text t)
{
    uint32_t code;
    size_t len = text_utf8(t, &code);

    return len ? len : 1;
}

/* How much of T at AT is the literal as it may be shown to people; 0: it is not there. */
static size_t odd_len(struct text t, size_t at, struct text literal, unsigned *steps)
{
    size_t begin = at;

    while (literal.len) {
        struct text c = {literal.ptr, character_len(literal)};
        size_t len = shown_len(t, at, c);

        ++*steps;
        if (len == 0)
            return 0;
        at += len;
        literal = (struct text){literal.ptr + c.len, literal.len - c.len};
    }
    return at - begin;
}

static int find_odd(const struct secret_literal *literal, struct text t, size_t from,
                    struct secret_span *out)
{
    unsigned steps = 0;

    for (; from < t.len && steps < STEPS_MAX; from++) {
        size_t len = odd_len(t, from, literal->text, &steps);

        *out = (struct secret_span){from, from + len};
        if (len)
            return 1;
    }
    return from < t.len ? -E2BIG : 0;
}

static int find_any(const struct secret_literal *literal, struct text t, size_t from,
                    struct secret_span *out)
{
    if (literal->odd)
        return find_odd(literal, t, from, out);
    const char *at = memmem(t.ptr + from, t.len - from, literal->text.ptr, literal->text.len);
    size_t begin = at ? (size_t)(at - t.ptr) : 0;

    *out = (struct secret_span){begin, begin + literal->text.len};
    return at ? 1 : 0;
}

static bool stands_alone(struct text t, struct secret_span span)
{
    return (span.begin == 0 || !is_letter(t.ptr[span.begin - 1])) &&
           (span.end == t.len || !is_letter(t.ptr[span.end]));
}

int secret_literal_find(const struct secret_literal *literal, struct text t, size_t from,
                        struct secret_span *out)
{
    struct secret_span span = {.end = from};
    int r;

    while ((r = find_any(literal, t, span.end, &span)) == 1)
        if (literal->text.len >= ALONE_BELOW || stands_alone(t, span)) {
            *out = span;
            return 1;
        }
    return r;
}

bool secret_literal_find_cut(const struct secret_literal *literal, struct text t,
                             struct secret_span *out)
{
    struct text front = {t.ptr, t.len - 3};
    size_t len = literal->text.len;

    if (t.len > CUT_MOST || !text_ends(t, TEXT("...")))
        return false;
    for (len = len < front.len ? len : front.len; len >= CUT_LEAST; len--)
        if (text_ends(front, (struct text){literal->text.ptr, len})) {
            *out = (struct secret_span){front.len - len, front.len};
            return true;
        }
    return false;
}
