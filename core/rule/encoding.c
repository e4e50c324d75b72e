#include "rule/encoding.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/json.h"

static const char *const dashes[] = {"-", "/", "\u2013", "\u2014", "\u2015"};
#define DASHES (sizeof dashes / sizeof *dashes)

/* Texts being put together. */
struct batch {
    struct arena *arena;
    struct encoded list;
    size_t size;
};

static int add(struct batch *batch, struct text t)
{
    struct encoded *list = &batch->list;
    struct text kept = arena_text(batch->arena, t);

    if (list->count == ENCODED_MAX)
        return -E2BIG;
    if (list->count == batch->size) {
        size_t size = batch->size ? batch->size * 4 : 8;
        struct text *texts = arena_array(batch->arena, size, sizeof *texts);

        if (!texts)
            return -ENOMEM;
        for (size_t i = 0; i < list->count; i++)
            texts[i] = list->texts[i];
        list->texts = texts;
        batch->size = size;
    }
    if (!kept.ptr)
        return -ENOMEM;
    list->texts[list->count++] = kept;
    return 0;
}

static void put_unit(struct buffer *out, uint32_t unit, bool big)
{
    buffer_put_char(out, (char)(big ? unit >> 8 : unit));
    buffer_put_char(out, (char)(big ? unit : unit >> 8));
}

static int add_utf16(struct batch *batch, struct text t, enum encoding encoding)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    bool big = encoding == ENCODING_UTF16BE;

    if (encoding == ENCODING_UTF16)
        put_unit(&out, 0xfeff, false);
    while (t.len) {
        uint32_t code;
        size_t used = text_utf8(t, &code);

        if (used == 0)
            return -EILSEQ;
        if (code >= 0x10000) {
            put_unit(&out, 0xd800 + ((code - 0x10000) >> 10), big);
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        put_unit(&out, code, big);
        t = (struct text){t.ptr + used, t.len - used};
    }
    return buffer_failed(&out) ? -ENOMEM : add(batch, buffer_text(&out));
}

static int add_base64(struct batch *batch, struct text t)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};

    base64_encode(t, &out);
    return buffer_failed(&out) ? -ENOMEM : add(batch, buffer_text(&out));
}

/* Behind SHIFT other bytes: without the digits that those bytes, or what follows, have a part in.
 */
static int add_shifted(struct batch *batch, struct text t, size_t shift)
{
    static const size_t front[3] = {0, 2, 3}, back[3] = {0, 3, 2};
    CLEANUP(buffer_deinit) struct buffer bytes = {0};
    CLEANUP(buffer_deinit) struct buffer out = {0};

    buffer_put(&bytes, "  ", shift);
    buffer_put_text(&bytes, t);
    base64_encode(buffer_text(&bytes), &out);
    if (buffer_failed(&bytes) || buffer_failed(&out))
        return -ENOMEM;
    size_t cut = front[shift] + back[bytes.len % 3];

    return out.len <= cut ? 0 : add(batch, (struct text){out.data + front[shift], out.len - cut});
}

static int add_offsets(struct batch *batch, struct text t)
{
    int r = 0;

    for (size_t shift = 0; shift < 3 && r == 0; shift++)
        r = add_shifted(batch, t, shift);
    return r;
}

/* A byte beyond ASCII is a part of a letter, more often than not. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Where the next dash at the front of a word stands, from AT on; the length of T: nowhere. */
static size_t next_dash(struct text t, size_t at)
{
    for (; at + 1 < t.len; at++)
        if ((t.ptr[at] == '-' || t.ptr[at] == '/') && is_word(t.ptr[at + 1]) &&
            (at == 0 || !is_word(t.ptr[at - 1])))
            return at;
    return t.len;
}

/* T with its N-th dash (counted in base DASHES over all of them) in each place. */
static int add_dashed(struct batch *batch, struct text t, size_t which)
{
    CLEANUP(buffer_deinit) struct buffer out = {0};
    size_t from = 0;

    for (size_t at = next_dash(t, 0); at < t.len; at = next_dash(t, at + 1)) {
        buffer_put(&out, t.ptr + from, at - from);
        buffer_put_string(&out, dashes[which % DASHES]);
        which /= DASHES;
        from = at + 1;
    }
    buffer_put(&out, t.ptr + from, t.len - from);
    return buffer_failed(&out) ? -ENOMEM : add(batch, buffer_text(&out));
}

static int add_windash(struct batch *batch, struct text t)
{
    size_t count = 1;
    int r = 0;

    for (size_t at = next_dash(t, 0); at < t.len; at = next_dash(t, at + 1)) {
        count *= DASHES;
        if (count > ENCODED_MAX)
            return -E2BIG;
    }
    for (size_t which = 0; which < count && r == 0; which++)
        r = add_dashed(batch, t, which);
    return r;
}

static int add_encoded(struct batch *batch, struct text t, enum encoding step)
{
    switch (step) {
    case ENCODING_BASE64:
        return add_base64(batch, t);
    case ENCODING_BASE64_OFFSET:
        return add_offsets(batch, t);
    case ENCODING_WINDASH:
        return add_windash(batch, t);
    default:
        return add_utf16(batch, t, step);
    }
}

int encoding_apply(struct arena *arena, const enum encoding *steps, size_t count, struct text t,
                   struct encoded *out)
{
    struct batch batch = {.arena = arena};
    int r = add(&batch, t);

    for (size_t i = 0; i < count && r == 0; i++) {
        struct encoded before = batch.list;

        batch = (struct batch){.arena = arena};
        for (size_t j = 0; j < before.count && r == 0; j++)
            r = add_encoded(&batch, before.texts[j], steps[i]);
    }
    if (r == 0)
        *out = batch.list;
    return r;
}
