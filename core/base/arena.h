/* Memory that is freed all at once: rules, configuration, one replayed event. */
#ifndef PICKET_BASE_ARENA_H
#define PICKET_BASE_ARENA_H

#include "base/text.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used; /* of the first block */
};

void arena_deinit(struct arena *arena);

/* Forgets everything handed out, keeps one block to begin anew. */
void arena_clear(struct arena *arena);

/* Zeroed, aligned for any type. NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_array(struct arena *arena, size_t count, size_t size);

/* Copies that live as long as the arena, with a NUL behind them. NULL ptr when out of memory. */
struct text arena_text(struct arena *arena, struct text t);
char *arena_string(struct arena *arena, const char *string);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
