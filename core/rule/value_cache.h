/* What was found for texts seen before: programs, their parents and their names repeat. One
 * thread's, of one column, and of fixed size; a text that is too long for it, or has too much to
 * be found in it, is looked at each time. */
#ifndef PICKET_RULE_VALUE_CACHE_H
#define PICKET_RULE_VALUE_CACHE_H

#include "base/text.h"

#define VALUE_CACHE_TEXT_MAX 104
#define VALUE_CACHE_IDS_MAX  4
#define VALUE_CACHE_ENTRIES  256 /* a power of two */

struct value_cache_entry {
    uint32_t len; /* VALUE_CACHE_TEXT_MAX + 1: there is nothing here */
    uint32_t count;
    uint32_t ids[VALUE_CACHE_IDS_MAX];
    char text[VALUE_CACHE_TEXT_MAX];
};

struct value_cache {
    struct value_cache_entry entries[VALUE_CACHE_ENTRIES];
};

/* NULL when out of memory. free() it. */
struct value_cache *value_cache_new(void);

/* The entry where TEXT would be; NULL when it is too long to be in any. */
struct value_cache_entry *value_cache_at(struct value_cache *cache, struct text text);

static inline bool value_cache_is(const struct value_cache_entry *entry, struct text text)
{
    return entry->len == text.len && memcmp(entry->text, text.ptr, text.len) == 0;
}

void value_cache_keep(struct value_cache_entry *entry, struct text text, const uint32_t *ids,
                      size_t count);

#endif
