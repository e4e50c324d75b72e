/* A hash map from texts to pointers. Keys are borrowed: they must outlive the map. Iteration is in
 * the order of insertion. There is no removal: what is removed lives in structures of its own. */
#ifndef PICKET_BASE_MAP_H
#define PICKET_BASE_MAP_H

#include "base/text.h"

struct map_entry {
    struct text key;
    void *value;
};

struct map {
    struct map_entry *entries;
    uint32_t *slots; /* index of an entry + 1, 0 = free; a power of two of them */
    size_t count;
    size_t slot_count;
};

void map_deinit(struct map *map);

/* The value at KEY, or NULL. */
void *map_get(const struct map *map, struct text key);

/* 0, -EEXIST when there is a value at KEY (which stays), or -ENOMEM. */
int map_add(struct map *map, struct text key, void *value);

#endif
