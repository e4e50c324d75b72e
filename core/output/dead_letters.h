/* What outputs rejected, until the journal has it. The delivery thread's. */
#ifndef PICKET_OUTPUT_DEAD_LETTERS_H
#define PICKET_OUTPUT_DEAD_LETTERS_H

#include "journal/journal.h"

/* While the journal fails. Beyond it a rejection is counted and no more. */
#define DEAD_LETTERS_MAX 8192

/* Bytes of a plugin's reason that are kept. */
#define DEAD_LETTER_REASON_MAX 512

struct dead_letters {
    struct journal_dead_letter *items;
    size_t count, size;
};

void dead_letters_deinit(struct dead_letters *letters);

/* A copy, but for the output's name; there may be no memory for it. */
void dead_letters_add(struct dead_letters *letters, const struct journal_dead_letter *letter);
void dead_letters_clear(struct dead_letters *letters);

#endif
