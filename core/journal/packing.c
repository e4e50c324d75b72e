#include "journal/packing.h"

#include <endian.h>
#include <errno.h>
#include <lz4.h>

/* What LZ4 refers to is no farther away. */
#define TEMPLATE_MAX 65535

/* So many alerts in a row that stay longer than a third of themselves want another template. */
#define POOR_MAX 8

void packer_deinit(struct packer *packer)
{
    LZ4_freeStream(packer->loaded);
    LZ4_freeStream(packer->stream);
    buffer_deinit(&packer->template);
    buffer_deinit(&packer->out);
    *packer = (struct packer){0};
}

void packer_forget(struct packer *packer)
{
    packer->number = 0;
    packer->poor = 0;
}

static void begin(struct packer *packer, int64_t seq, struct text json)
{
    packer_forget(packer);
    buffer_clear(&packer->template);
    buffer_put_text(&packer->template, text_clip(json, TEMPLATE_MAX));
    if (!packer->loaded)
        packer->loaded = LZ4_createStream();
    if (!packer->stream)
        packer->stream = LZ4_createStream();
    if (!packer->loaded || !packer->stream || buffer_failed(&packer->template))
        return;
    LZ4_loadDict(packer->loaded, packer->template.data, (int)packer->template.len);
    packer->number = seq;
}

bool packer_prepare(struct packer *packer, int64_t seq, struct text json, bool *begins)
{
    *begins = false;
    if (json.len < PACKING_LEAST || json.len > PACKING_MOST)
        return false;
    if (packer->number == 0 || packer->poor >= POOR_MAX) {
        begin(packer, seq, json);
        *begins = packer->number != 0;
    }
    return packer->number != 0;
}

bool packer_pack(struct packer *packer, struct text json, struct text *out)
{
    uint32_t len = htole32((uint32_t)json.len);
    int most = (int)(json.len / 4 * 3);

    buffer_clear(&packer->out);
    buffer_put(&packer->out, &len, sizeof len);
    char *room = buffer_reserve(&packer->out, (size_t)most);

    if (!room)
        return false;
    memcpy(packer->stream, packer->loaded, sizeof(LZ4_stream_t));
    int packed = LZ4_compress_fast_continue(packer->stream, json.ptr, room, (int)json.len, most, 1);

    if (packed > 0 && (size_t)packed <= json.len / 3)
        packer->poor = 0;
    else
        packer->poor++;
    if (packed <= 0)
        return false;
    packer->out.len += (size_t)packed;
    *out = buffer_text(&packer->out);
    return true;
}

void unpacker_deinit(struct unpacker *unpacker)
{
    buffer_deinit(&unpacker->template);
    buffer_deinit(&unpacker->out);
    unpacker->number = 0;
}

void unpacker_forget(struct unpacker *unpacker)
{
    unpacker->number = 0;
}

static struct text column_bytes(sqlite3_stmt *statement, int at)
{
    const char *bytes = sqlite3_column_blob(statement, at);

    return (struct text){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, at)};
}

static int find_template(struct unpacker *unpacker, sqlite3_stmt *lookup, int64_t number)
{
    if (number == unpacker->number && number)
        return 0;
    unpacker->number = 0;
    if (!lookup)
        return -EUCLEAN;
    sqlite3_bind_int64(lookup, 1, number);
    int r = sqlite3_step(lookup) == SQLITE_ROW ? 0 : -EUCLEAN;

    buffer_clear(&unpacker->template);
    if (r == 0)
        buffer_put_text(&unpacker->template, column_bytes(lookup, 0));
    sqlite3_reset(lookup);
    if (buffer_failed(&unpacker->template))
        return -ENOMEM;
    unpacker->number = r == 0 ? number : 0;
    return r;
}

static int unpack(struct unpacker *unpacker, struct text packed)
{
    uint32_t len;

    if (packed.len <= sizeof len || packed.len > PACKING_MOST)
        return -EUCLEAN;
    memcpy(&len, packed.ptr, sizeof len);
    len = le32toh(len);
    if (len > PACKING_MOST)
        return -EUCLEAN;
    buffer_clear(&unpacker->out);
    char *room = buffer_reserve(&unpacker->out, len + 1);

    if (!room)
        return -ENOMEM;
    int got = LZ4_decompress_safe_usingDict(packed.ptr + sizeof len, room,
                                            (int)(packed.len - sizeof len), (int)len,
                                            unpacker->template.data, (int)unpacker->template.len);

    if (got < 0 || (uint32_t)got != len)
        return -EUCLEAN;
    unpacker->out.len = len;
    return 0;
}

int unpacker_read(struct unpacker *unpacker, sqlite3_stmt *lookup, sqlite3_stmt *row, int at,
                  struct text *out)
{
    bool is_packed = sqlite3_column_type(row, at) == SQLITE_BLOB;
    const char *plain = is_packed ? NULL : (const char *)sqlite3_column_text(row, at);
    int r = 0;

    if (is_packed)
        r = find_template(unpacker, lookup, sqlite3_column_int64(row, at + 1));
    if (is_packed && r == 0)
        r = unpack(unpacker, column_bytes(row, at));
    if (r < 0)
        return r;
    *out = is_packed ? buffer_text(&unpacker->out)
                     : (struct text){plain ? plain : "", (size_t)sqlite3_column_bytes(row, at)};
    return 0;
}
