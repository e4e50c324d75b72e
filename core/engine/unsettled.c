#include "engine/unsettled.h"

#include <errno.h>

struct waiting {
    uint64_t mark;
    uint64_t sequence;
    int64_t stored;
    struct buffer token;
};

struct unsettled {
    struct waiting ring[UNSETTLED_MAX];
    size_t first, count;
    int64_t stored[UNSETTLED_MAX]; /* by sequence: when the last one taken there was; 0: none was */
};

int unsettled_new(struct unsettled **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void unsettled_free(struct unsettled *unsettled)
{
    if (!unsettled)
        return;
    for (size_t i = 0; i < UNSETTLED_MAX; i++)
        buffer_deinit(&unsettled->ring[i].token);
    free(unsettled);
}

/* Only what comes again is looked for: it can take its time. */
static bool waits(const struct unsettled *unsettled, const struct stream_message *message)
{
    for (size_t i = 0; i < unsettled->count; i++) {
        const struct waiting *waiting = &unsettled->ring[(unsettled->first + i) % UNSETTLED_MAX];

        if (waiting->sequence == message->sequence && waiting->stored == message->stored)
            return true;
    }
    return false;
}

enum unsettled_state unsettled_find(const struct unsettled *unsettled,
                                    const struct stream_message *message)
{
    if (!message->stored || unsettled->stored[message->sequence % UNSETTLED_MAX] != message->stored)
        return UNSETTLED_NEW;
    return waits(unsettled, message) ? UNSETTLED_WAITING : UNSETTLED_KEPT;
}

size_t unsettled_count(const struct unsettled *unsettled)
{
    return unsettled->count;
}

int unsettled_add(struct unsettled *unsettled, const struct stream_message *message, uint64_t mark)
{
    size_t last = (unsettled->first + unsettled->count) % UNSETTLED_MAX;
    struct waiting *waiting = &unsettled->ring[last];

    if (unsettled->count == UNSETTLED_MAX)
        return -ENOBUFS;
    buffer_clear(&waiting->token);
    buffer_put_text(&waiting->token, message->token);
    if (buffer_failed(&waiting->token))
        return -ENOMEM;
    waiting->mark = mark;
    waiting->sequence = message->sequence;
    waiting->stored = message->stored;
    unsettled->stored[message->sequence % UNSETTLED_MAX] = message->stored;
    unsettled->count++;
    return 0;
}

/* What was lost is not known any more: when the message comes again, it is one like the first. */
static bool settle_first(struct unsettled *unsettled, struct delivery *delivery,
                         struct stream *stream)
{
    const struct waiting *waiting = &unsettled->ring[unsettled->first];
    struct text token = buffer_text(&waiting->token);

    if (delivery_is_lost(delivery, waiting->mark)) {
        unsettled->stored[waiting->sequence % UNSETTLED_MAX] = 0;
        stream_settle(stream, token, SOURCE_AGAIN);
    } else if (delivery_is_kept(delivery, waiting->mark)) {
        stream_settle(stream, token, SOURCE_KEPT);
    } else {
        return false;
    }
    unsettled->first = (unsettled->first + 1) % UNSETTLED_MAX;
    unsettled->count--;
    return true;
}

size_t unsettled_settle(struct unsettled *unsettled, struct delivery *delivery,
                        struct stream *stream)
{
    size_t settled = 0;

    while (unsettled->count && settle_first(unsettled, delivery, stream))
        settled++;
    if (unsettled->count == 0)
        unsettled->first = 0; /* what was used has memory already */
    return settled;
}
