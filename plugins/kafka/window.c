#include "window.h"

#include <stdlib.h>
#include <string.h>

bool window_fits(const struct window *window, const struct picket_alert *const *alerts,
                 size_t count)
{
    for (size_t i = 0; i < window->count && i < count; i++)
        if (strcmp(window->entries[i]->id, alerts[i]->id) != 0)
            return false;
    return true;
}

struct entry *window_find(struct window *window, size_t place, const char *id)
{
    if (place < window->count)
        return window->entries[place];
    size_t size = strlen(id) + 1;
    struct entry *entry = malloc(sizeof *entry + size);

    if (!entry)
        return NULL;
    *entry = (struct entry){.state = ENTRY_OUTSIDE};
    memcpy(entry->id, id, size);
    window->entries[window->count++] = entry;
    return entry;
}

void window_advance(struct window *window, size_t number)
{
    for (size_t i = 0; i < number; i++)
        free(window->entries[i]);
    window->count -= number;
    for (size_t i = 0; number && i < window->count; i++)
        window->entries[i] = window->entries[i + number];
}

static bool is_for_good(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
           error == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE || error == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

void entry_judge(struct entry *entry, rd_kafka_resp_err_t error)
{
    entry->error = error;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
        entry->state = ENTRY_STORED;
    else
        entry->state = is_for_good(error) ? ENTRY_REFUSED : ENTRY_OUTSIDE;
}

void entry_report(struct entry *entry, rd_kafka_resp_err_t error)
{
    entry_judge(entry, error);
    if (entry->state == ENTRY_REFUSED && !entry->alone) {
        entry->state = ENTRY_OUTSIDE;
        entry->alone = true;
    }
    if (error == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP)
        entry->undated = true;
}
