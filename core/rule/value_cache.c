#include "rule/value_cache.h"

#include <stdlib.h>

#include "rule/text_hash.h"

struct value_cache *value_cache_new(void)
{
    struct value_cache *cache = calloc(1, sizeof *cache);

    for (size_t i = 0; cache && i < VALUE_CACHE_ENTRIES; i++)
        cache->entries[i].len = VALUE_CACHE_TEXT_MAX + 1;
    return cache;
}

struct value_cache_entry *value_cache_at(struct value_cache *cache, struct text text)
{
    if (text.len == 0 || text.len > VALUE_CACHE_TEXT_MAX)
        return NULL;
    return &cache->entries[text_hash(text) % VALUE_CACHE_ENTRIES];
}

void value_cache_keep(struct value_cache_entry *entry, struct text text, const uint32_t *ids,
                      size_t count)
{
    if (count > VALUE_CACHE_IDS_MAX)
        return;
    entry->len = (uint32_t)text.len;
    memcpy(entry->text, text.ptr, text.len);
    entry->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        entry->ids[i] = ids[i];
}
