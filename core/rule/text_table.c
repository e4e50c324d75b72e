#include "rule/text_table.h"

#include <errno.h>
#include <stdlib.h>

#include "rule/text_hash.h"

struct text_table_cell {
    struct text text; /* ptr NULL: free */
    uint64_t hash;
    uint32_t id;
};

static uint64_t hash_nocase(struct text text)
{
    uint64_t hash = text.len;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c)) * UINT64_C(0x100000001b3);
    }
    return text_hash_mix(hash, 0);
}

static uint64_t hash_of(const struct text_table *table, struct text text)
{
    return table->nocase ? hash_nocase(text) : text_hash(text);
}

int text_table_init(struct text_table *table, size_t count, bool nocase)
{
    size_t size = 4;

    while (size < count * 2)
        size *= 2;
    *table = (struct text_table){.mask = size - 1, .nocase = nocase};
    if (count)
        table->cells = calloc(size, sizeof *table->cells);
    return table->cells || !count ? 0 : -ENOMEM;
}

void text_table_deinit(struct text_table *table)
{
    free(table->cells);
    table->cells = NULL;
}

void text_table_add(struct text_table *table, struct text text, uint32_t id)
{
    uint64_t hash = hash_of(table, text);
    size_t at = hash & table->mask;

    while (table->cells[at].text.ptr)
        at = (at + 1) & table->mask;
    table->cells[at] = (struct text_table_cell){text, hash, id};
    table->longest = text.len > table->longest ? text.len : table->longest;
}

static bool equal(const struct text_table *table, struct text a, struct text b)
{
    return table->nocase ? text_equal_nocase(a, b) : text_equal(a, b);
}

size_t text_table_find(const struct text_table *table, struct text text, uint32_t *out)
{
    size_t count = 0;

    if (!table->cells || text.len > table->longest)
        return 0;
    uint64_t hash = hash_of(table, text);

    for (size_t at = hash & table->mask; table->cells[at].text.ptr; at = (at + 1) & table->mask) {
        const struct text_table_cell *cell = &table->cells[at];

        if (cell->hash == hash && equal(table, cell->text, text))
            out[count++] = cell->id;
    }
    return count;
}
