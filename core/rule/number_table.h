/* Comparisons with numbers, each with an id: immutable once made. All that hold for a number are
 * found at the cost of a search and of those that hold. */
#ifndef PICKET_RULE_NUMBER_TABLE_H
#define PICKET_RULE_NUMBER_TABLE_H

#include "rule/predicate.h"

struct number_bound {
    int64_t number;
    uint32_t id;
};

struct number_bounds {
    struct number_bound *items; /* sorted, the least number first */
    size_t count;
};

struct number_table {
    struct number_bounds equal, at_least, at_most;
};

/* For COUNT comparisons. -ENOMEM. */
int number_table_init(struct number_table *table, size_t count);
void number_table_deinit(struct number_table *table);

/* PREDICATE is none of texts, nor EXISTS. */
void number_table_add(struct number_table *table, const struct predicate *predicate, uint32_t id);

/* After the last one was added. */
void number_table_sort(struct number_table *table);

/* Writes the ids of what holds for NUMBER and returns how many; OUT has room for all there are. */
size_t number_table_find(const struct number_table *table, int64_t number, uint32_t *out);

#endif
