/* What of the alerts that were pushed is journalled, for who acknowledges their cause once it is:
 * delivery_mark(). Its owner's lock guards it. */
#ifndef PICKET_OUTPUT_KEEPING_H
#define PICKET_OUTPUT_KEEPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keeping {
    uint64_t given;   /* the number an alert or a mark was given last */
    uint64_t settled; /* the one journalled or lost last: they are in their order */
    size_t pending;   /* alerts that are neither */
    uint64_t marked;  /* the last mark */
    uint64_t spoilt;  /* up to this mark something may be lost */
    bool spoils_next; /* something after the last mark is */
};

/* The number of one more alert that waits to be journalled. */
uint64_t keeping_add(struct keeping *keeping);

/* There was no room for one more. */
void keeping_refuse(struct keeping *keeping);

/* The COUNT oldest that wait are journalled, the last of them by that number; or one is lost. */
void keeping_settle(struct keeping *keeping, uint64_t number, size_t count);
void keeping_lose(struct keeping *keeping, uint64_t number);

/* Stands for all that was added until now. */
uint64_t keeping_mark(struct keeping *keeping);

/* PENDING becomes one of the others, which stay. LOST: some of it is not journalled and never will
 * be; also said of marks shortly before. */
enum keeping_state { KEEPING_PENDING, KEEPING_KEPT, KEEPING_LOST };
enum keeping_state keeping_of(const struct keeping *keeping, uint64_t mark);

#endif
