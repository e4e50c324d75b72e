/* Memory that is counted as it is taken, with what the allocator adds to it: of one correlation,
 * and of all of them together. One thread's. */
#ifndef PICKET_ALERT_CORRELATION_MEMORY_H
#define PICKET_ALERT_CORRELATION_MEMORY_H

#include <stddef.h>

struct correlation_memory {
    size_t bytes;
    size_t records;                   /* of them, for what is kept of events */
    struct correlation_memory *whole; /* what this is a part of; NULL: it is the whole */
};

/* Zeroed. NULL: out of memory. */
void *correlation_memory_take(struct correlation_memory *memory, size_t size);

/* BLOCK, which may be NULL, with another size; what is new of it is not zeroed. NULL: out of
 * memory, and BLOCK is as it was. */
void *correlation_memory_resize(struct correlation_memory *memory, void *block, size_t size);

/* NULL is fine. */
void correlation_memory_give(struct correlation_memory *memory, void *block);

/* Counts a record, which was taken elsewhere, and counts it no more. */
void correlation_memory_charge(struct correlation_memory *memory, size_t bytes);
void correlation_memory_discharge(struct correlation_memory *memory, size_t bytes);

/* What BLOCK, of malloc(), takes. NULL: nothing. */
size_t correlation_memory_size(void *block);

#endif
