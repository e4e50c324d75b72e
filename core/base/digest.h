/* A number that stands for what it was made of: the same from the same, and otherwise another one,
 * but for one time in 2^64. Not against those who choose what goes in. */
#ifndef PICKET_BASE_DIGEST_H
#define PICKET_BASE_DIGEST_H

#include "base/text.h"

/* What STATE (0: nothing yet) becomes when NUMBER is added to it. */
static inline uint64_t digest_number(uint64_t state, uint64_t number)
{
    state = (state ^ number) + 0x9e3779b97f4a7c15U;
    state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9U;
    state = (state ^ state >> 27) * 0x94d049bb133111ebU;
    return state ^ state >> 31;
}

/* Where a text ends counts, too; one without bytes (ptr NULL) is an empty one. */
static inline uint64_t digest_text(uint64_t state, struct text text)
{
    state = digest_number(state, text.len);
    for (size_t i = 0; i < text.len; i++)
        state = digest_number(state, (unsigned char)text.ptr[i]);
    return state;
}

#endif
