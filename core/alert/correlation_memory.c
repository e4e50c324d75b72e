#include "alert/correlation_memory.h"

#include <malloc.h>
#include <stdlib.h>

size_t correlation_memory_size(void *block)
{
    return block ? malloc_usable_size(block) + sizeof(size_t) : 0;
}

static void count(struct correlation_memory *memory, void *block)
{
    for (size_t bytes = correlation_memory_size(block); memory; memory = memory->whole)
        memory->bytes += bytes;
}

static void discount(struct correlation_memory *memory, size_t bytes)
{
    for (; memory; memory = memory->whole)
        memory->bytes -= bytes;
}

void correlation_memory_charge(struct correlation_memory *memory, size_t bytes)
{
    for (; memory; memory = memory->whole) {
        memory->bytes += bytes;
        memory->records += bytes;
    }
}

void correlation_memory_discharge(struct correlation_memory *memory, size_t bytes)
{
    for (; memory; memory = memory->whole) {
        memory->bytes -= bytes;
        memory->records -= bytes;
    }
}

void *correlation_memory_take(struct correlation_memory *memory, size_t size)
{
    void *block = calloc(1, size);

    count(memory, block);
    return block;
}

void *correlation_memory_resize(struct correlation_memory *memory, void *block, size_t size)
{
    size_t before = correlation_memory_size(block);
    void *resized = realloc(block, size);

    if (!resized)
        return NULL;
    discount(memory, before);
    count(memory, resized);
    return resized;
}

void correlation_memory_give(struct correlation_memory *memory, void *block)
{
    discount(memory, correlation_memory_size(block));
    free(block);
}
