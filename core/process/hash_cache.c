#include "process/hash_cache.h"

#include <errno.h>

int hash_cache_init(struct hash_cache *cache, size_t entries)
{
    *cache = (struct hash_cache){
        .entries = calloc(entries, sizeof *cache->entries),
        .buckets = calloc(entries, sizeof *cache->buckets),
        .size = entries,
    };
    TAILQ_INIT(&cache->used);
    return cache->entries && cache->buckets ? 0 : -ENOMEM;
}

void hash_cache_deinit(struct hash_cache *cache)
{
    free(cache->entries);
    free(cache->buckets);
    *cache = (struct hash_cache){0};
}

static bool same_file(const struct exe_file *a, const struct exe_file *b)
{
    return a->inode == b->inode && a->ctime == b->ctime && a->size == b->size &&
           a->major == b->major && a->minor == b->minor;
}

/* ctime is nobody's to choose, to the nanosecond. */
static struct hash_bucket *bucket_of(const struct hash_cache *cache, const struct exe_file *file)
{
    uint64_t mixed = (file->inode ^ (uint64_t)file->ctime) * UINT64_C(0x9e3779b97f4a7c15);

    return &cache->buckets[(mixed >> 32) % cache->size];
}

const char *hash_cache_find(struct hash_cache *cache, const struct exe_file *file)
{
    struct hash_entry *entry;

    LIST_FOREACH(entry, bucket_of(cache, file), same_bucket)
    {
        if (!same_file(&entry->file, file))
            continue;
        TAILQ_REMOVE(&cache->used, entry, used);
        TAILQ_INSERT_TAIL(&cache->used, entry, used);
        return entry->hex;
    }
    return NULL;
}

static struct hash_entry *take_entry(struct hash_cache *cache)
{
    struct hash_entry *entry;

    if (cache->count < cache->size)
        return &cache->entries[cache->count++];
    entry = TAILQ_FIRST(&cache->used);
    TAILQ_REMOVE(&cache->used, entry, used);
    LIST_REMOVE(entry, same_bucket);
    return entry;
}

void hash_cache_put(struct hash_cache *cache, const struct exe_file *file,
                    const char hex[static EXE_HASH_LEN])
{
    struct hash_entry *entry;

    if (hash_cache_find(cache, file))
        return;
    entry = take_entry(cache);
    entry->file = *file;
    memcpy(entry->hex, hex, EXE_HASH_LEN);
    LIST_INSERT_HEAD(bucket_of(cache, file), entry, same_bucket);
    TAILQ_INSERT_TAIL(&cache->used, entry, used);
}
