#include "output/keeping.h"

uint64_t keeping_add(struct keeping *keeping)
{
    keeping->pending++;
    return ++keeping->given;
}

void keeping_refuse(struct keeping *keeping)
{
    keeping->spoils_next = true;
}

void keeping_settle(struct keeping *keeping, uint64_t number, size_t count)
{
    keeping->pending -= count;
    keeping->settled = number;
}

void keeping_lose(struct keeping *keeping, uint64_t number)
{
    keeping_settle(keeping, number, 1);
    if (number > keeping->marked)
        keeping->spoils_next = true;
    else
        keeping->spoilt = keeping->marked;
}

uint64_t keeping_mark(struct keeping *keeping)
{
    /* A number of its own: a loss is that of this mark, and not of the one before. */
    keeping->marked = ++keeping->given;
    if (keeping->spoils_next)
        keeping->spoilt = keeping->marked;
    keeping->spoils_next = false;
    return keeping->marked;
}

enum keeping_state keeping_of(const struct keeping *keeping, uint64_t mark)
{
    if (mark <= keeping->spoilt)
        return KEEPING_LOST;
    return mark < keeping->settled || keeping->pending == 0 ? KEEPING_KEPT : KEEPING_PENDING;
}
