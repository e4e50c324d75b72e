#include "base/arena.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/cleanup.h"

#define ARENA_BLOCK 16384

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(max_align_t) char data[];
};

void arena_deinit(struct arena *arena)
{
    for (struct arena_block *block = arena->blocks, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *arena = (struct arena){0};
}

void arena_clear(struct arena *arena)
{
    struct arena_block *kept = arena->blocks;

    if (!kept)
        return;
    struct arena rest = {.blocks = kept->next};

    arena_deinit(&rest);
    kept->next = NULL;
    arena->used = 0;
}

static bool add_block(struct arena *arena, size_t size)
{
    size_t room = size > ARENA_BLOCK ? size : ARENA_BLOCK;
    struct arena_block *block = malloc(sizeof *block + room);

    if (!block)
        return false;
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used = 0;
    return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);

    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + align - 1) & ~(align - 1);
    if ((!arena->blocks || arena->blocks->size - arena->used < size) && !add_block(arena, size))
        return NULL;
    void *memory = arena->blocks->data + arena->used;

    arena->used += size;
    return memset(memory, 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(arena, bytes);
}

struct text arena_text(struct arena *arena, struct text t)
{
    char *copy = arena_alloc(arena, t.len + 1);

    if (!copy)
        return (struct text){NULL, 0};
    if (t.len)
        memcpy(copy, t.ptr, t.len);
    return (struct text){copy, t.len};
}

char *arena_string(struct arena *arena, const char *string)
{
    size_t size = strlen(string) + 1;
    char *copy = arena_alloc(arena, size);

    return copy ? memcpy(copy, string, size) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    CLEANUP(buffer_deinit) struct buffer text = {0};
    va_list args;

    va_start(args, format);
    buffer_vprintf(&text, format, args);
    va_end(args);
    return buffer_failed(&text) ? NULL : arena_string(arena, buffer_string(&text));
}
