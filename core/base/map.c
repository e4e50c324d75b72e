#include "base/map.h"

#include <errno.h>
#include <stdlib.h>

#define MAP_LEAST_SLOTS 16

void map_deinit(struct map *map)
{
    free(map->entries);
    free(map->slots);
    *map = (struct map){0};
}

/* FNV-1a: keys are rule ids and field names that a person wrote, never an attacker's. */
static uint64_t hash(struct text key)
{
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.ptr[i]) * 0x100000001b3U;
    return h ^ h >> 32;
}

/* The slot that holds KEY, or the free one where it belongs. */
static size_t find_slot(const struct map *map, struct text key)
{
    size_t mask = map->slot_count - 1;
    size_t at = hash(key) & mask;

    while (map->slots[at] && !text_equal(map->entries[map->slots[at] - 1].key, key))
        at = (at + 1) & mask;
    return at;
}

void *map_get(const struct map *map, struct text key)
{
    if (map->count == 0)
        return NULL;
    uint32_t slot = map->slots[find_slot(map, key)];

    return slot ? map->entries[slot - 1].value : NULL;
}

static int grow(struct map *map)
{
    size_t slot_count = map->slot_count ? map->slot_count * 2 : MAP_LEAST_SLOTS;
    struct map_entry *entries = reallocarray(map->entries, slot_count / 2, sizeof *entries);

    if (!entries)
        return -ENOMEM;
    map->entries = entries;
    uint32_t *slots = calloc(slot_count, sizeof *slots);

    if (!slots)
        return -ENOMEM;
    free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->count; i++)
        slots[find_slot(map, entries[i].key)] = (uint32_t)i + 1;
    return 0;
}

int map_add(struct map *map, struct text key, void *value)
{
    if (map->count == map->slot_count / 2) {
        int r = grow(map);

        if (r < 0)
            return r;
    }
    size_t at = find_slot(map, key);

    if (map->slots[at])
        return -EEXIST;
    map->entries[map->count++] = (struct map_entry){key, value};
    map->slots[at] = (uint32_t)map->count;
    return 0;
}
