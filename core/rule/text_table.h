/* Texts that are looked for as a whole, each with an id: immutable once made. Two may be the same
 * text, and are both found. */
#ifndef PICKET_RULE_TEXT_TABLE_H
#define PICKET_RULE_TEXT_TABLE_H

#include "base/text.h"

struct text_table_cell;

struct text_table {
    struct text_table_cell *cells;
    size_t mask; /* cells less one; a power of two of them */
    size_t longest;
    bool nocase; /* ASCII letters */
};

/* For COUNT texts. -ENOMEM. */
int text_table_init(struct text_table *table, size_t count, bool nocase);
void text_table_deinit(struct text_table *table);

/* Borrows TEXT. */
void text_table_add(struct text_table *table, struct text text, uint32_t id);

/* Writes the ids of what equals TEXT and returns how many; OUT has room for all there are. */
size_t text_table_find(const struct text_table *table, struct text text, uint32_t *out);

#endif
