#include "output/dead_letters.h"

#include <stdlib.h>

void dead_letters_clear(struct dead_letters *letters)
{
    while (letters->count) {
        const struct journal_dead_letter *letter = &letters->items[--letters->count];

        free((char *)letter->id);
        free((char *)letter->reason);
    }
}

void dead_letters_deinit(struct dead_letters *letters)
{
    dead_letters_clear(letters);
    free(letters->items);
    *letters = (struct dead_letters){0};
}

static bool has_room(struct dead_letters *letters)
{
    if (letters->count < letters->size)
        return true;
    size_t size = letters->size ? 2 * letters->size : 64;

    if (size > DEAD_LETTERS_MAX)
        return false;
    struct journal_dead_letter *items = realloc(letters->items, size * sizeof *items);

    if (!items)
        return false;
    letters->items = items;
    letters->size = size;
    return true;
}

void dead_letters_add(struct dead_letters *letters, const struct journal_dead_letter *letter)
{
    struct text reason = text_clip(text_from(letter->reason), DEAD_LETTER_REASON_MAX);
    struct journal_dead_letter copy = *letter;

    if (!has_room(letters))
        return;
    copy.id = strdup(letter->id);
    copy.reason = strndup(reason.ptr, reason.len);
    if (!copy.id || !copy.reason) {
        free((char *)copy.id);
        free((char *)copy.reason);
        return;
    }
    letters->items[letters->count++] = copy;
}
