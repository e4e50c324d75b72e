/* Boolean expressions over predicates. Equal ones are one object: a subexpression that many rules
 * share (a macro, a common exception) has one index, and its value one place to be kept. */
#ifndef PICKET_RULE_EXPRESSION_H
#define PICKET_RULE_EXPRESSION_H

#include "rule/predicate.h"

enum expression_kind {
    EXPRESSION_NEVER,
    EXPRESSION_ALWAYS,
    EXPRESSION_PREDICATE,
    EXPRESSION_NOT, /* of items[0] */
    EXPRESSION_ALL,
    EXPRESSION_ANY,
};

struct expression {
    enum expression_kind kind;
    unsigned cost; /* orders items: the cheap ones are asked first */
    size_t index;
    const struct predicate *predicate;
    const struct expression *const *items;
    size_t count;
};

/* All expressions of a ruleset, while it is being made. */
struct expression_table {
    struct arena *arena;
    struct map seen;
    const struct expression **work; /* items being put together */
    size_t work_size;
    size_t count;
    bool failed; /* out of memory */
};

void expression_table_deinit(struct expression_table *table);

/* Each returns NULL when given a NULL (a part with a mistake makes a whole with a mistake) or when
 * out of memory, which sticks in the table. No items at all: ALL holds always, ANY never. */
const struct expression *expression_of(struct expression_table *table,
                                       const struct predicate *predicate);
const struct expression *expression_not(struct expression_table *table,
                                        const struct expression *item);
const struct expression *expression_all(struct expression_table *table,
                                        const struct expression *const *items, size_t count);
const struct expression *expression_any(struct expression_table *table,
                                        const struct expression *const *items, size_t count);

/* Whether it is plain that no event of that type can make it hold: a contradiction, or a field that
 * such events never have. */
bool expression_is_impossible(const struct expression *expression, enum event_type on);

#endif
