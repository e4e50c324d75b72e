/* What the bits of a field of TYPE_FLAGS are called: capabilities(7) and the secure bits of
 * linux/securebits.h. Every bit that such a field can have has a name; one that this version knows
 * no better name of has its number ("cap_41"). */
#ifndef PICKET_EVENT_FLAG_NAMES_H
#define PICKET_EVENT_FLAG_NAMES_H

#include "base/buffer.h"
#include "event/field.h"

struct flag_names {
    const char *const *names; /* of bit 0, 1, ... */
    unsigned count;
    uint64_t all; /* the bits that are called "all" where they are all there; 0: none are */
};

/* The names of a field's bits; NULL when it is not of TYPE_FLAGS. */
const struct flag_names *flag_names_of(enum field_id id);

/* Takes the next name off *LEFT, which begins as the set; false at its end. "all" is no name of a
 * bit: see flag_names_is_all(). */
bool flag_names_next(const struct flag_names *names, uint64_t *left, struct text *name);

/* Whether SET has all that "all" stands for. */
static inline bool flag_names_is_all(const struct flag_names *names, uint64_t set)
{
    return names->all && (set & names->all) == names->all;
}

/* How sets are written: as their names or, when more than half of what "all" stands for is there,
 * as "all" and what is missing of it with a '-' before its name. PUT is called for each. */
void flag_names_write(const struct flag_names *names, uint64_t set,
                      void (*put)(void *context, struct text name), void *context);

/* Reads one such name: adds what it stands for to *SET, or takes it away. 0 or -EINVAL. */
int flag_names_read(const struct flag_names *names, struct text name, int64_t *set);

/* The name nearest to NAME, or NULL when none is near. */
const char *flag_names_suggest(const struct flag_names *names, struct text name);

#endif
