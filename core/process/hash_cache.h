/* The hashes that are kept, by file: a bounded number, the least lately used goes first. */
#ifndef PICKET_PROCESS_HASH_CACHE_H
#define PICKET_PROCESS_HASH_CACHE_H

#include <sys/queue.h>

#include "process/exe_hash.h"

struct hash_entry {
    struct exe_file file; /* its pid is not asked */
    char hex[EXE_HASH_LEN];
    LIST_ENTRY(hash_entry) same_bucket;
    TAILQ_ENTRY(hash_entry) used;
};

LIST_HEAD(hash_bucket, hash_entry);

struct hash_cache {
    struct hash_entry *entries;
    struct hash_bucket *buckets;
    size_t count, size;
    TAILQ_HEAD(, hash_entry) used; /* the least lately used first */
};

/* 0 or -ENOMEM. */
int hash_cache_init(struct hash_cache *cache, size_t entries);
void hash_cache_deinit(struct hash_cache *cache);

/* NULL: none. Borrowed until the next put. */
const char *hash_cache_find(struct hash_cache *cache, const struct exe_file *file);
void hash_cache_put(struct hash_cache *cache, const struct exe_file *file,
                    const char hex[static EXE_HASH_LEN]);

#endif
