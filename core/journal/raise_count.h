/* How many alerts were raised, ever, where it outlives the process but not the machine: so that
 * after a `kill -9` the alerts that never got into the journal are known by their number.
 *
 * It is a page of a file in memory (/dev/shm): who counts, the detection thread, never waits for a
 * disk, which a page of a file on one would have it do. */
#ifndef PICKET_JOURNAL_RAISE_COUNT_H
#define PICKET_JOURNAL_RAISE_COUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct raise_page {
    _Atomic uint64_t journal; /* whose count it is: the number in the database's `state` */
    _Atomic uint64_t raised;
};

struct raise_count {
    struct raise_page *page;
};

/* The page of the journal whose lock is the file LOCK; without it, memory that ends with the
 * process. -ENOMEM. */
int raise_count_init(struct raise_count *count, int lock);
void raise_count_deinit(struct raise_count *count); /* the page stays */

static inline void raise_count_add(struct raise_count *count)
{
    atomic_fetch_add_explicit(&count->page->raised, 1, memory_order_relaxed);
}

static inline uint64_t raise_count_read(const struct raise_count *count)
{
    return atomic_load_explicit(&count->page->raised, memory_order_relaxed);
}

#endif
