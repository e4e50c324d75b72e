#include "alert/correlation_values.h"

#include <errno.h>

#define LEAST_SIZE 4

void correlation_values_deinit(struct correlation_values *values, struct correlation_memory *memory)
{
    correlation_memory_give(memory, (void *)values->buckets);
    *values = (struct correlation_values){0};
}

/* Where a link of that value stands, or the end of the bucket where one belongs. */
static struct correlation_link **find(const struct correlation_values *values,
                                      struct sip_digest value)
{
    struct correlation_link **at = &values->buckets[value.words[0] & (values->size - 1)];

    while (*at && !sip_digest_equal((*at)->value, value))
        at = &(*at)->collision;
    return at;
}

struct correlation_link *correlation_values_find(const struct correlation_values *values,
                                                 struct sip_digest value)
{
    return values->count ? *find(values, value) : NULL;
}

static int grow(struct correlation_values *values, struct correlation_memory *memory)
{
    struct correlation_values grown = {.count = values->count,
                                       .size = values->size ? values->size * 2 : LEAST_SIZE};

    grown.buckets = correlation_memory_take(memory, grown.size * sizeof(struct correlation_link *));
    if (!grown.buckets)
        return -ENOMEM;
    for (size_t i = 0; i < values->size; i++) {
        for (struct correlation_link *link = values->buckets[i], *next; link; link = next) {
            next = link->collision;
            link->collision = NULL;
            *find(&grown, link->value) = link;
        }
    }
    correlation_values_deinit(values, memory);
    *values = grown;
    return 0;
}

int correlation_values_add(struct correlation_values *values, struct correlation_memory *memory,
                           struct correlation_link *link)
{
    if (values->count == values->size && grow(values, memory) < 0)
        return -ENOMEM;
    struct correlation_link **at = find(values, link->value);

    if (*at)
        return -EEXIST;
    link->collision = NULL;
    *at = link;
    values->count++;
    return 0;
}

void correlation_values_remove(struct correlation_values *values,
                               const struct correlation_link *link)
{
    struct correlation_link **at = &values->buckets[link->value.words[0] & (values->size - 1)];

    while (*at != link)
        at = &(*at)->collision;
    *at = link->collision;
    values->count--;
}
